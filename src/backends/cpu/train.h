/* Training steps, evaluation and gradients: entries of the backend's table, as backend.h has them. */
#ifndef CPU_TRAIN_H
#define CPU_TRAIN_H

#include "backends/backend.h"

cuonn_status cpu_train_steps(double *losses, void *state, const cuonn_step *steps, size_t n_steps);
cuonn_status cpu_evaluate(cuonn_evaluation *out, void *state, size_t first, size_t n_models, cuonn_split split);
cuonn_status cpu_gradient(double *losses, cuonn_mesh_gradient *gradients, void *state, size_t first, size_t n_models,
                          cuonn_split split, const cuonn_step *step, cuonn_gradient_method which);

#endif
