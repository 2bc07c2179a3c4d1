/* How far gradients that are measured, or of an ideal chip, are from the exact ones: for all models of a handle. */
#ifndef CUONN_TRAINING_MEASURED_H
#define CUONN_TRAINING_MEASURED_H

#include "cuonn/training.h"

/* Zeroed, it is empty. */
typedef struct {
  cuonn_network_shape shape;
  size_t n_models;
  cuonn_mesh_gradient *measured, *exact; /* [model][layer] */
  double *losses;                        /* [model], which nobody reads */
  double *whole;                         /* [model][2] cuonn_gradient_error() over all layers: small, batch */
  double *layers;                        /* [model][2][layer] the same of each layer alone */
} training_errors;

cuonn_status training_errors_create(training_errors *out, const cuonn_network_shape *shape, size_t n_models);
void training_errors_free(training_errors *errors);

/* After `step` steps: of the small fixed batch, and of the batch of the last step. */
cuonn_status training_errors_measure(training_errors *errors, cuonn_model *model, const cuonn_training_options *options,
                                     size_t n_examples, uint64_t step);
/* They were not measured: all are NaN. */
void training_errors_clear(training_errors *errors);

#endif
