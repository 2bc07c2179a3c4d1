/* The matrices of a network's layers, and examples that go through them. */
#ifndef CUDA_MATRICES_H
#define CUDA_MATRICES_H

#include "cuda/state.h"

/* Of a model whose coefficients are up to date. reads: its chip reads fields with noise. */
cuonn_status cuda_matrices_evaluate(cuonn_evaluation *out, cuda_state *s, size_t model, const cuda_set *set,
                                    bool reads);

#endif
