/* Training steps and gradients. */
#ifndef CUDA_STEPS_H
#define CUDA_STEPS_H

#include "cuda/state.h"

cuonn_status cuda_train_steps(double *losses, void *state, const cuonn_step *steps, size_t n_steps);
cuonn_status cuda_gradient(double *losses, cuonn_mesh_gradient *gradients, void *state, size_t first, size_t n_models,
                           cuonn_split split, const cuonn_step *step, cuonn_gradient_method which);

#endif
