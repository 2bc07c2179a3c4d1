/* What follows from models that were set. */
#ifndef CUDA_PREPARE_H
#define CUDA_PREPARE_H

#include "cuda/state.h"

/* Brings coefficients up to date with the models that were set: those that steps go by. */
cuonn_status cuda_prepare(cuda_state *s);
/* And those of the chip, which ideal steps do without. */
cuonn_status cuda_prepare_chip(cuda_state *s);

/* All coefficients from phases alone: launches only. */
cuonn_status cuda_apply(const cuda_state *s);
/* Those that the next step goes by: launches only. Where that are the ideal ones, the chip's are stale afterwards. */
cuonn_status cuda_apply_step(const cuda_state *s);

#endif
