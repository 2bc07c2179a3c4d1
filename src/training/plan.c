/* Checks before training, and the plan of its steps. */
#include "training/plan.h"

#include <math.h>

#include "base/error.h"
#include "cuonn/fabricated.h"

cuonn_status cuonn_training_check(const cuonn_context *context, const cuonn_network_shape *shape,
                                  const cuonn_training_options *options) {
  CUONN_CHECK(options->epochs >= 1 && options->epochs <= UINT32_MAX, CUONN_E_ARGUMENT,
              "epochs is %zu; it must be at least 1", options->epochs);
  CUONN_CHECK(options->batch_size >= 1, CUONN_E_ARGUMENT, "batch_size is 0; it must be at least 1");
  CUONN_TRY(cuonn_optimizer_check(&options->optimizer));
  CUONN_TRY(cuonn_chip_check(&options->chip, options->gradient, shape->style));
  CUONN_TRY(cuonn_chip_check_shape(&options->chip, shape->mesh));
  CUONN_TRY(cuonn_context_check_chip(context, &options->chip));
  if (options->chip.fabricated) CUONN_TRY(cuonn_fabricated_fits(options->chip.fabricated, shape));
  const cuonn_model_options model = training_model_options(shape, options, 1, options->batch_size);
  return cuonn_model_check_options(context, &model);
}

cuonn_status training_check_data(const cuonn_network_shape *shape, const cuonn_dataset *data,
                                 const cuonn_features_options *features) {
  CUONN_TRY(cuonn_model_check_examples(shape, &data->train, features));
  return cuonn_model_check_examples(shape, &data->test, features);
}

cuonn_status training_count_steps(size_t *out, const cuonn_training_options *options, size_t n_examples) {
  *out = cuonn_steps_per_epoch(options, n_examples);
  CUONN_CHECK(*out > 0, CUONN_E_ARGUMENT,
              "%zu training examples do not fill one batch of %zu, and partial batches are dropped", n_examples,
              options->batch_size);
  return CUONN_OK;
}

cuonn_model_options training_model_options(const cuonn_network_shape *shape, const cuonn_training_options *options,
                                           size_t n_models, size_t n_examples) {
  return (cuonn_model_options){.n_models = n_models,
                               .shape = *shape,
                               .batch_size = options->batch_size < n_examples ? options->batch_size : n_examples,
                               .order = options->order,
                               .gradient = options->gradient,
                               .measurement = options->chip.measurement};
}

cuonn_model_settings training_settings(const cuonn_training_options *options) {
  return (cuonn_model_settings){.optimizer = options->optimizer,
                                .seed = options->seed,
                                .gradient = options->gradient,
                                .train_gamma = options->train_gamma,
                                .chip = options->chip};
}

static double rate_factor(const cuonn_training_options *options, size_t steps_per_epoch, uint64_t step) {
  if (options->schedule == CUONN_SCHEDULE_CONSTANT) return 1;
  const uint64_t total_steps = (uint64_t)options->epochs * steps_per_epoch;
  return (1 + cos(M_PI * (double)step / (double)total_steps)) / 2;
}

cuonn_step training_plan_step(const cuonn_training_options *options, size_t n_examples, uint64_t step) {
  const size_t steps_per_epoch = cuonn_steps_per_epoch(options, n_examples), batch = options->batch_size;
  const size_t in_epoch = step % steps_per_epoch, first = in_epoch * batch;
  const bool restart = options->optimizer.restart_bias_correction_each_epoch;
  return (cuonn_step){.epoch = (uint32_t)(step / steps_per_epoch),
                      .first = first,
                      .count = n_examples - first < batch ? n_examples - first : batch,
                      .rate_factor = rate_factor(options, steps_per_epoch, step),
                      .adam_index = restart ? in_epoch : step,
                      .number = (uint32_t)step};
}
