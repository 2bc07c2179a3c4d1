/* Making and releasing a state; models in and out. */
#ifndef CUDA_MODELS_H
#define CUDA_MODELS_H

#include "cuda/state.h"

cuonn_status cuda_create(void **out, const backend_problem *problem);
void cuda_destroy(void *state);
cuonn_status cuda_set_model(void *state, size_t model, const backend_model *from);
cuonn_status cuda_get_model(const backend_model *to, void *state, size_t model);

#endif
