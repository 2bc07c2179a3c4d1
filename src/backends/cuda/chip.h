/* Chips of the models of a state: how they read, and what they make of phases. */
#ifndef CUDA_CHIP_H
#define CUDA_CHIP_H

#include "cuda/state.h"

/* Takes the chips of all models. */
cuonn_status cuda_chip_set(cuda_state *s);
/* What chips make of programmed phases: launches only. */
cuonn_status cuda_program(const cuda_state *s);

#endif
