/* What training one network and training many have in common: what is refused, and what a step is. */
#ifndef CUONN_TRAINING_PLAN_H
#define CUONN_TRAINING_PLAN_H

#include "cuonn/training.h"

/* Data and features against the network: sizes, labels. */
cuonn_status training_check_data(const cuonn_network_shape *shape, const cuonn_dataset *data,
                                 const cuonn_features_options *features);

/* Fills *out with the steps of an epoch; CUONN_E_ARGUMENT if there are none. */
cuonn_status training_count_steps(size_t *out, const cuonn_training_options *options, size_t n_examples);

/* What a handle is made for, and the settings of a model in it. */
cuonn_model_options training_model_options(const cuonn_network_shape *shape, const cuonn_training_options *options,
                                           size_t n_models, size_t n_examples);
cuonn_model_settings training_settings(const cuonn_training_options *options);

/* Step `step` of the run, 0 the first. */
cuonn_step training_plan_step(const cuonn_training_options *options, size_t n_examples, uint64_t step);

#endif
