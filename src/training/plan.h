/* What training one network and training many have in common: what is refused, and what a step is. */
#ifndef CUONN_TRAINING_PLAN_H
#define CUONN_TRAINING_PLAN_H

#include "backends/backend.h"
#include "cuonn/training.h"

/* CUONN_E_ARGUMENT naming the option that is out of range. */
cuonn_status training_check_options(const cuonn_training_options *options);

/* Data and features against the network: sizes, labels. */
cuonn_status training_check_data(const cuonn_network_shape *shape, const cuonn_dataset *data,
                                 const cuonn_features_options *features);

/* Gives a backend's state the training and the test set: images, whose features it makes, or fields. */
cuonn_status training_set_data(const cuonn_backend *backend, void *computing, const cuonn_dataset *data,
                               const cuonn_features_options *features);

/* Fills *out with the steps of an epoch; CUONN_E_ARGUMENT if there are none. */
cuonn_status training_count_steps(size_t *out, const cuonn_training_options *options, size_t n_examples);

/* The optimizer as a backend takes it: with one learning rate. */
cuonn_optimizer_options training_optimizer(const cuonn_training_options *options);

/* What a state is made for, and a model of it. */
backend_problem training_problem(const cuonn_network_shape *shape, const cuonn_training_options *options,
                                 size_t n_models, size_t n_examples, int threads);
backend_model training_model(cuonn_training_state *state, const cuonn_training_options *options,
                             const cuonn_optimizer_options *optimizer);

/* Step `step` of the run, 0 the first. */
backend_step training_plan_step(const cuonn_training_options *options, size_t n_examples, uint64_t step);

/* CUONN_E_DIVERGED for the loss of step `step`, 0 the first. overflow: where powers overflow, NULL: nowhere. */
cuonn_status training_fail_loss(double loss, uint64_t step, size_t steps_per_epoch, const char *overflow);

/* CUONN_E_DIVERGED if the loss of the test after `step` steps is not finite. */
cuonn_status training_check_test_loss(double loss, uint64_t step, size_t steps_per_epoch);

#endif
