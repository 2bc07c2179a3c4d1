/* Evaluation by matrix products. */
#ifndef CUDA_EVALUATE_H
#define CUDA_EVALUATE_H

#include "cuda/state.h"

cuonn_status cuda_evaluate(cuonn_evaluation *out, void *state, size_t model, cuonn_split split);

#endif
