/* What follows from models that were set. */
#ifndef CUDA_PREPARE_H
#define CUDA_PREPARE_H

#include "cuda/state.h"

/* Brings coefficients up to date with the models that were set. */
cuonn_status cuda_prepare(cuda_state *s);

/* The same from phases alone, as models are stepped: launches only. */
cuonn_status cuda_apply(const cuda_state *s);

/* Recorded steps hold addresses: forgets them. */
void cuda_drop_graphs(cuda_state *s);

#endif
