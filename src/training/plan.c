/* Checks before training, and the plan of its steps. */
#include "training/plan.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"

cuonn_status training_check_options(const cuonn_training_options *options) {
  const cuonn_optimizer_options *const o = &options->optimizer;
  CUONN_CHECK(options->epochs >= 1 && options->epochs <= UINT32_MAX, CUONN_E_ARGUMENT,
              "epochs is %zu; it must be at least 1", options->epochs);
  CUONN_CHECK(options->batch_size >= 1, CUONN_E_ARGUMENT, "batch_size is 0; it must be at least 1");
  CUONN_CHECK(o->learning_rate > 0 && isfinite(o->learning_rate), CUONN_E_ARGUMENT,
              "learning_rate is %g; it must be a positive number", o->learning_rate);
  CUONN_CHECK(o->sgd_learning_rate >= 0 && isfinite(o->sgd_learning_rate), CUONN_E_ARGUMENT,
              "sgd_learning_rate is %g; it must be a positive number, or 0 for learning_rate", o->sgd_learning_rate);
  CUONN_CHECK(o->momentum >= 0 && o->momentum < 1, CUONN_E_ARGUMENT, "momentum is %g; it must lie in [0, 1)",
              o->momentum);
  CUONN_CHECK(o->beta1 >= 0 && o->beta1 < 1, CUONN_E_ARGUMENT, "beta1 is %g; it must lie in [0, 1)", o->beta1);
  CUONN_CHECK(o->beta2 >= 0 && o->beta2 < 1, CUONN_E_ARGUMENT, "beta2 is %g; it must lie in [0, 1)", o->beta2);
  CUONN_CHECK(o->epsilon > 0 && isfinite(o->epsilon), CUONN_E_ARGUMENT, "epsilon is %g; it must be a positive number",
              o->epsilon);
  return CUONN_OK;
}

/* One set against the network. */
static cuonn_status check_examples(const cuonn_network_shape *shape, const cuonn_examples *examples,
                                   const cuonn_features_options *features) {
  if (examples->fields.values) {
    CUONN_CHECK(examples->fields.n_modes == shape->n_modes, CUONN_E_SHAPE,
                "the fields have %zu waveguides, the network has %zu", examples->fields.n_modes, shape->n_modes);
  } else {
    const size_t modes = cuonn_features_modes(features);
    CUONN_TRY(cuonn_features_check(features, examples->height, examples->width));
    CUONN_CHECK(modes == shape->n_modes, CUONN_E_SHAPE,
                "the features give %zu amplitudes, the network has %zu waveguides", modes, shape->n_modes);
  }
  return cuonn_examples_check_labels(examples, shape->n_classes);
}

cuonn_status training_check_data(const cuonn_network_shape *shape, const cuonn_dataset *data,
                                 const cuonn_features_options *features) {
  CUONN_CHECK(data->train.n_examples <= UINT32_MAX, CUONN_E_SHAPE, "%zu training examples are more than 2^32 - 1",
              data->train.n_examples);
  CUONN_TRY(check_examples(shape, &data->train, features));
  return check_examples(shape, &data->test, features);
}

cuonn_status training_set_data(const cuonn_backend *backend, void *computing, const cuonn_dataset *data,
                               const cuonn_features_options *features) {
  const cuonn_examples *const sets[] = {[BACKEND_TRAIN] = &data->train, [BACKEND_TEST] = &data->test};
  for (size_t split = 0; split < BACKEND_SPLITS; split++) {
    CUONN_TRY(sets[split]->fields.values
                  ? backend->set_fields(computing, split, &sets[split]->fields, sets[split]->labels)
                  : backend->set_images(computing, split, sets[split], features));
  }
  return CUONN_OK;
}

cuonn_status training_count_steps(size_t *out, const cuonn_training_options *options, size_t n_examples) {
  *out = cuonn_steps_per_epoch(options, n_examples);
  CUONN_CHECK(*out > 0, CUONN_E_ARGUMENT,
              "%zu training examples do not fill one batch of %zu, and partial batches are dropped", n_examples,
              options->batch_size);
  return CUONN_OK;
}

backend_problem training_problem(const cuonn_network_shape *shape, const cuonn_training_options *options,
                                 size_t n_models, size_t n_examples, int threads) {
  return (backend_problem){.n_models = n_models,
                           .shape = *shape,
                           .batch_size = options->batch_size < n_examples ? options->batch_size : n_examples,
                           .order = options->order,
                           .gradient = options->gradient,
                           .measurement = options->chip.measurement,
                           .threads = threads};
}

cuonn_optimizer_options training_optimizer(const cuonn_training_options *options) {
  cuonn_optimizer_options optimizer = options->optimizer;
  const bool own = optimizer.kind == CUONN_OPTIMIZER_SGD && optimizer.sgd_learning_rate > 0;
  if (own) optimizer.learning_rate = optimizer.sgd_learning_rate;
  return optimizer;
}

backend_model training_model(cuonn_training_state *state, const cuonn_training_options *options,
                             const cuonn_optimizer_options *optimizer) {
  return (backend_model){.network = &state->network,
                         .moments = state->moments,
                         .optimizer = optimizer,
                         .seed = options->seed,
                         .gradient = options->gradient,
                         .train_gamma = options->train_gamma,
                         .chip = &options->chip};
}

static double rate_factor(const cuonn_training_options *options, size_t steps_per_epoch, uint64_t step) {
  if (options->schedule == CUONN_SCHEDULE_CONSTANT) return 1;
  const uint64_t total_steps = (uint64_t)options->epochs * steps_per_epoch;
  return (1 + cos(M_PI * (double)step / (double)total_steps)) / 2;
}

backend_step training_plan_step(const cuonn_training_options *options, size_t n_examples, uint64_t step) {
  const size_t steps_per_epoch = cuonn_steps_per_epoch(options, n_examples), batch = options->batch_size;
  const size_t in_epoch = step % steps_per_epoch, first = in_epoch * batch;
  const bool restart = options->optimizer.restart_bias_correction_each_epoch;
  return (backend_step){.epoch = (uint32_t)(step / steps_per_epoch),
                        .first = first,
                        .count = n_examples - first < batch ? n_examples - first : batch,
                        .rate_factor = rate_factor(options, steps_per_epoch, step),
                        .adam_index = restart ? in_epoch : step,
                        .number = (uint32_t)step};
}

cuonn_status training_fail_loss(double loss, uint64_t step, size_t steps_per_epoch, const char *overflow) {
  char advice[256] = "lower the learning rate";
  if (overflow) snprintf(advice, sizeof advice, "powers overflow %s: " BACKEND_OVERFLOW_ADVICE, overflow);
  return cuonn_fail(CUONN_E_DIVERGED, "the loss is %g at step %llu (epoch %llu, step %llu of %zu); %s", loss,
                    (unsigned long long)step + 1, (unsigned long long)(step / steps_per_epoch) + 1,
                    (unsigned long long)(step % steps_per_epoch) + 1, steps_per_epoch, advice);
}

cuonn_status training_check_test_loss(double loss, uint64_t step, size_t steps_per_epoch) {
  CUONN_CHECK(isfinite(loss), CUONN_E_DIVERGED,
              "the test loss is %g after step %llu (epoch %llu); lower the learning rate", loss,
              (unsigned long long)step, (unsigned long long)(step / steps_per_epoch));
  return CUONN_OK;
}
