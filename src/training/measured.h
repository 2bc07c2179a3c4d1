/* How far gradients that are measured, or of an ideal chip, are from the exact ones. */
#ifndef CUONN_TRAINING_MEASURED_H
#define CUONN_TRAINING_MEASURED_H

#include "backends/backend.h"
#include "cuonn/training.h"

/* After `step` steps of a model: cuonn_gradient_error() of the small fixed batch, and of the batch of the last step, over all
 * layers and, small_layers and batch_layers [layer], over each alone; all are left as they were if gradients are exact. */
cuonn_status training_gradient_errors(double *small, double *batch, double *small_layers, double *batch_layers,
                                      const cuonn_backend *backend, void *computing, size_t model,
                                      const cuonn_network_shape *shape, const cuonn_training_options *options,
                                      size_t n_examples, uint64_t step);

/* Why the loss of step `step`, 0 the first, is not finite: CUONN_E_DIVERGED, saying that powers overflow if they do with the
 * phases of the state, which are from before that step, or else to lower the learning rate. Uses up the model. */
cuonn_status training_explain_loss(double loss, const cuonn_context *context, void *computing, size_t model,
                                   cuonn_training_state *state, const cuonn_training_options *options,
                                   size_t n_examples, uint64_t step);

#endif
