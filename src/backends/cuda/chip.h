/* Chips of the models of a state: how they read, and what they make of phases. */
#ifndef CUDA_CHIP_H
#define CUDA_CHIP_H

#include "cuda/state.h"

/* Takes the chips of all models. */
cuonn_status cuda_chip_set(cuda_state *s);
/* Of all layers of so many models. */
phases_task cuda_phases_task(const cuda_state *s, size_t first, size_t n_models);
/* What chips make of programmed phases: launches only. */
cuonn_status cuda_program(const cuda_state *s);

#endif
