/* Training steps, evaluation and gradients: the entries of the backend's table, as backend.h has them. */
#ifndef CUONN_REFERENCE_TRAIN_H
#define CUONN_REFERENCE_TRAIN_H

#include "backends/backend.h"

cuonn_status reference_train_steps(double *losses, void *of, const cuonn_step *steps, size_t n_steps);
cuonn_status reference_evaluate(cuonn_evaluation *out, void *of, size_t first, size_t n_models, cuonn_split split);
cuonn_status reference_gradient(double *losses, cuonn_mesh_gradient *gradients, void *of, size_t first, size_t n_models,
                                cuonn_split split, const cuonn_step *step, cuonn_gradient_method which);

#endif
