/* Chips of the models of a state: how they read, and what they make of phases. */
#ifndef CUDA_CHIP_H
#define CUDA_CHIP_H

#include "cuda/state.h"

/* Takes the chips of all models. */
cuonn_status cuda_chip_set(cuda_state *s);
/* What chips make of programmed phases: launches only. */
cuonn_status cuda_program(const cuda_state *s);
/* Reads fields of one model in tests, with its noise. fields: [layer][example][stride], at the first
 * n_read waveguides. */
cuonn_status cuda_read_test(const cuda_state *s, float2 *fields, size_t model, size_t first_layer, size_t n_layers,
                            size_t first_example, size_t n_examples, size_t n_read, size_t stride);

#endif
