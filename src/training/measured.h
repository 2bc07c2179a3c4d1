/* How far gradients that are measured, or of an ideal chip, are from the exact ones. */
#ifndef CUONN_TRAINING_MEASURED_H
#define CUONN_TRAINING_MEASURED_H

#include "cuonn/training.h"

/* After `step` steps of a model: cuonn_gradient_error() of the small fixed batch, and of the batch of the last step,
 * over all layers, and, errors [2][layer], over each alone. */
cuonn_status training_gradient_errors(double *small, double *batch, double *errors, cuonn_model *model, size_t index,
                                      const cuonn_network_shape *shape, const cuonn_training_options *options,
                                      size_t n_examples, uint64_t step);

#endif
