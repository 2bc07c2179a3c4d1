/* Gradients that chips measure on themselves. */
#ifndef CUDA_IN_SITU_H
#define CUDA_IN_SITU_H

#include "cuda/state.h"

cuonn_status cuda_in_situ_create(cuda_state *s);
void cuda_in_situ_free(cuda_in_situ *in_situ);
/* Gradients of n_models models from `first` on go to s->steps.derived and in_situ.d_gamma, their losses to
 * s->steps.chunk_losses, where the first of them is the first: launches only. */
cuonn_status cuda_in_situ_gradient(const cuda_state *s, cuonn_split split, const network_batch *batch, size_t first,
                                   size_t n_models);

#endif
