/* Losses and predictions of models, by matrices. */
#ifndef CUDA_EVALUATE_H
#define CUDA_EVALUATE_H

#include "cuda/state.h"

cuonn_status cuda_evaluate(cuonn_evaluation *out, void *state, size_t first, size_t n_models, cuonn_split split);

/* Room for evaluating so many models side by side on so many examples. Forgets recorded graphs where it moves. */
cuonn_status cuda_evaluation_widen(cuda_state *s, size_t n_models, size_t n_examples);
void cuda_evaluation_free(cuda_evaluation *evaluation);

#endif
