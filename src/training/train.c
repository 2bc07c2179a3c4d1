/* The epoch loop: plans steps, lets a backend do them, watches the loss, and reports through callbacks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/backend.h"
#include "base/error.h"
#include "base/memory.h"
#include "cuonn/training.h"

typedef struct {
  cuonn_training_state *state;
  const cuonn_backend *backend;
  void *computing; /* the backend's state */
  const cuonn_training_options *options;
  const cuonn_training_callbacks *callbacks;
  size_t n_examples, steps_per_epoch;
  uint64_t total_steps, first_step; /* first_step: of this call */
  double seconds;                   /* of training, in this call */
  backend_step *steps;              /* plan of one call of train_steps */
  double *losses;
  cuonn_mesh_gradient *measured, *exact; /* [layer]; NULL if gradients are not measured */
} run;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cuonn_status check_options(const cuonn_training_options *options) {
  const cuonn_optimizer_options *const o = &options->optimizer;
  CUONN_CHECK(options->epochs >= 1 && options->epochs <= UINT32_MAX, CUONN_E_ARGUMENT,
              "epochs is %zu; it must be at least 1", options->epochs);
  CUONN_CHECK(options->batch_size >= 1, CUONN_E_ARGUMENT, "batch_size is 0; it must be at least 1");
  CUONN_CHECK(o->learning_rate > 0 && isfinite(o->learning_rate), CUONN_E_ARGUMENT,
              "learning_rate is %g; it must be a positive number", o->learning_rate);
  CUONN_CHECK(o->momentum >= 0 && o->momentum < 1, CUONN_E_ARGUMENT, "momentum is %g; it must lie in [0, 1)",
              o->momentum);
  CUONN_CHECK(o->beta1 >= 0 && o->beta1 < 1, CUONN_E_ARGUMENT, "beta1 is %g; it must lie in [0, 1)", o->beta1);
  CUONN_CHECK(o->beta2 >= 0 && o->beta2 < 1, CUONN_E_ARGUMENT, "beta2 is %g; it must lie in [0, 1)", o->beta2);
  CUONN_CHECK(o->epsilon > 0 && isfinite(o->epsilon), CUONN_E_ARGUMENT, "epsilon is %g; it must be a positive number",
              o->epsilon);
  return CUONN_OK;
}

static cuonn_status check_data(const cuonn_network *network, const cuonn_dataset *data,
                               const cuonn_features_options *features) {
  const size_t modes = cuonn_features_modes(features);
  CUONN_TRY(cuonn_features_check(features, data->train.height, data->train.width));
  CUONN_TRY(cuonn_features_check(features, data->test.height, data->test.width));
  CUONN_CHECK(modes == network->shape.n_modes, CUONN_E_SHAPE,
              "the features give %zu amplitudes, the network has %zu waveguides", modes, network->shape.n_modes);
  CUONN_CHECK(data->train.n_examples <= UINT32_MAX, CUONN_E_SHAPE, "%zu training examples are more than 2^32 - 1",
              data->train.n_examples);
  CUONN_TRY(cuonn_images_check_labels(&data->train, network->shape.n_classes));
  return cuonn_images_check_labels(&data->test, network->shape.n_classes);
}

static double rate_factor(const run *r, uint64_t step) {
  if (r->options->schedule == CUONN_SCHEDULE_CONSTANT) return 1;
  return (1 + cos(M_PI * (double)step / (double)r->total_steps)) / 2;
}

static backend_step plan_step(const run *r, uint64_t step) {
  const size_t batch = r->options->batch_size, in_epoch = step % r->steps_per_epoch, first = in_epoch * batch;
  const bool restart = r->options->optimizer.restart_bias_correction_each_epoch;
  return (backend_step){.epoch = (uint32_t)(step / r->steps_per_epoch),
                        .first = first,
                        .count = r->n_examples - first < batch ? r->n_examples - first : batch,
                        .rate_factor = rate_factor(r, step),
                        .adam_index = restart ? in_epoch : step,
                        .number = (uint32_t)step};
}

static cuonn_status bring_back(run *r) {
  const backend_model to = {.network = &r->state->network, .moments = r->state->moments};
  return r->backend->get_model(&to, r->computing, 0);
}

static cuonn_status report_progress(const run *r, double loss) {
  const cuonn_training_callbacks *const c = r->callbacks;
  if (!c->on_progress) return CUONN_OK;
  const uint64_t step = r->state->step, done = step - r->first_step;
  const double per_step = r->seconds / (double)done;
  const cuonn_progress progress = {.epoch = (size_t)((step - 1) / r->steps_per_epoch) + 1,
                                   .epochs = r->options->epochs,
                                   .step_in_epoch = (size_t)((step - 1) % r->steps_per_epoch) + 1,
                                   .steps_per_epoch = r->steps_per_epoch,
                                   .loss = loss,
                                   .examples_per_second = (double)r->options->batch_size / per_step,
                                   .seconds_left = per_step * (double)(r->total_steps - step)};
  return c->on_progress(c->user, &progress);
}

/* The next steps of this epoch, in one call of the backend. */
static cuonn_status take_steps(run *r) {
  cuonn_training_state *const state = r->state;
  const size_t in_epoch = state->step % r->steps_per_epoch, left = r->steps_per_epoch - in_epoch;
  const size_t count = left < r->backend->steps_per_call ? left : r->backend->steps_per_call;
  for (size_t i = 0; i < count; i++) r->steps[i] = plan_step(r, state->step + i);

  const double before = now();
  CUONN_TRY(r->backend->train_steps(r->losses, r->computing, r->steps, count));
  const double seconds = now() - before;
  r->seconds += seconds;
  state->epoch_seconds += seconds;

  for (size_t i = 0; i < count; i++) {
    const size_t epoch = r->steps[i].epoch + (size_t)1;
    CUONN_CHECK(isfinite(r->losses[i]), CUONN_E_DIVERGED,
                "the loss is %g at step %llu (epoch %zu, step %zu of %zu); lower the learning rate", r->losses[i],
                (unsigned long long)state->step + 1, epoch, in_epoch + i + 1, r->steps_per_epoch);
    state->step++;
    state->epoch_loss_sum += r->losses[i];
    if (r->callbacks->on_step) CUONN_TRY(r->callbacks->on_step(r->callbacks->user, state->step, r->losses[i]));
  }
  return report_progress(r, r->losses[count - 1]);
}

static void gradients_free(cuonn_mesh_gradient *gradients, size_t n_layers) {
  for (size_t l = 0; gradients && l < n_layers; l++) {
    free(gradients[l].d_theta);
    free(gradients[l].d_phi);
    free(gradients[l].d_gamma);
  }
  free(gradients);
}

/* [layer]; what there was memory for is released by gradients_free(). */
static cuonn_status gradients_create(cuonn_mesh_gradient **out, const cuonn_network_shape *shape) {
  CUONN_TRY(cuonn_allocate(out, shape->n_layers, sizeof **out));
  for (size_t l = 0; l < shape->n_layers; l++) {
    CUONN_TRY(cuonn_allocate(&(*out)[l].d_theta, cuonn_mesh_nodes(shape->n_modes), sizeof(double)));
    CUONN_TRY(cuonn_allocate(&(*out)[l].d_phi, cuonn_mesh_nodes(shape->n_modes), sizeof(double)));
    CUONN_TRY(cuonn_allocate(&(*out)[l].d_gamma, shape->n_modes, sizeof(double)));
  }
  return CUONN_OK;
}

/* How far the measured gradient of a step is from the exact one of the same chip. */
static cuonn_status gradient_error(double *error, run *r, const backend_step *step) {
  const cuonn_network_shape *const shape = &r->state->network.shape;
  double loss;
  CUONN_TRY(r->backend->measure(&loss, r->measured, r->computing, 0, BACKEND_TRAIN, step, r->options->gradient));
  CUONN_TRY(r->backend->measure(&loss, r->exact, r->computing, 0, BACKEND_TRAIN, step, CUONN_GRADIENT_EXACT));
  *error = cuonn_gradient_error(r->measured, r->exact, shape->n_layers, shape->n_modes);
  return CUONN_OK;
}

static cuonn_status gradient_errors(cuonn_epoch_record *record, run *r) {
  if (r->options->gradient == CUONN_GRADIENT_EXACT) return CUONN_OK;
  const backend_step last = plan_step(r, r->state->step - 1);
  backend_step small = plan_step(r, 0);
  if (small.count > CUONN_SMALL_BATCH) small.count = CUONN_SMALL_BATCH;
  small.number = last.number;
  CUONN_TRY(gradient_error(&record->gradient_error_small, r, &small));
  return gradient_error(&record->gradient_error_batch, r, &last);
}

static cuonn_status finish_epoch(run *r) {
  cuonn_training_state *const state = r->state;
  cuonn_evaluation test = {0};
  CUONN_TRY(r->backend->evaluate(&test, r->computing, 0, BACKEND_TEST));
  CUONN_CHECK(isfinite(test.loss), CUONN_E_DIVERGED,
              "the test loss is %g after step %llu (epoch %llu); lower the learning rate", test.loss,
              (unsigned long long)state->step, (unsigned long long)(state->step / r->steps_per_epoch));
  size_t examples = r->steps_per_epoch * r->options->batch_size;
  if (examples > r->n_examples) examples = r->n_examples;
  cuonn_epoch_record record = {.epoch = (size_t)(state->step / r->steps_per_epoch),
                               .train_loss = state->epoch_loss_sum / (double)r->steps_per_epoch,
                               .test_loss = test.loss,
                               .test_accuracy = (double)test.n_correct / (double)test.n_examples,
                               .seconds = state->epoch_seconds,
                               .examples_per_second = (double)examples / state->epoch_seconds};
  CUONN_TRY(gradient_errors(&record, r));
  const bool improved = record.test_accuracy > state->best_accuracy;
  if (improved) state->best_accuracy = record.test_accuracy;
  state->epoch_loss_sum = 0;
  state->epoch_seconds = 0;
  CUONN_TRY(bring_back(r));
  if (r->callbacks->on_epoch) CUONN_TRY(r->callbacks->on_epoch(r->callbacks->user, &record, state, improved));
  return CUONN_OK;
}

static cuonn_status run_epochs(run *r) {
  while (r->state->step < r->total_steps) {
    if (cuonn_stop_requested()) {
      CUONN_TRY(bring_back(r));
      return cuonn_fail(CUONN_E_INTERRUPTED, "interrupted after step %llu of %llu", (unsigned long long)r->state->step,
                        (unsigned long long)r->total_steps);
    }
    CUONN_TRY(take_steps(r));
    if (r->state->step % r->steps_per_epoch == 0) CUONN_TRY(finish_epoch(r));
  }
  return CUONN_OK;
}

cuonn_status cuonn_train(cuonn_training_state *state, cuonn_context *context, const cuonn_dataset *data,
                         const cuonn_features_options *features, const cuonn_training_options *options,
                         const cuonn_training_callbacks *callbacks) {
  static const cuonn_training_callbacks silent;
  const cuonn_network_shape *const shape = &state->network.shape;
  run r = {.state = state, .options = options, .callbacks = callbacks ? callbacks : &silent};
  cuonn_status status = CUONN_OK;

  CUONN_TRY(check_options(options));
  CUONN_TRY(cuonn_chip_check(&options->chip, options->gradient, shape->style));
  CUONN_TRY(cuonn_context_take_chip(context, &options->chip, options->gradient));
  const cuonn_backend *const backend = r.backend = context->backend;
  CUONN_TRY(cuonn_network_check(&state->network));
  CUONN_TRY(check_data(&state->network, data, features));
  r.n_examples = data->train.n_examples;
  r.steps_per_epoch = cuonn_steps_per_epoch(options, r.n_examples);
  CUONN_CHECK(r.steps_per_epoch > 0, CUONN_E_ARGUMENT,
              "%zu training examples do not fill one batch of %zu, and partial batches are dropped", r.n_examples,
              options->batch_size);
  r.total_steps = (uint64_t)options->epochs * r.steps_per_epoch;
  r.first_step = state->step;
  CUONN_CHECK(state->step <= r.total_steps, CUONN_E_ARGUMENT, "%llu steps are done already, %zu epochs have %llu",
              (unsigned long long)state->step, options->epochs, (unsigned long long)r.total_steps);

  const backend_problem problem = {
      .n_models = 1,
      .shape = *shape,
      .batch_size = options->batch_size < r.n_examples ? options->batch_size : r.n_examples,
      .order = options->order,
      .threads = context->threads};
  const backend_model model = {.network = &state->network,
                               .moments = state->moments,
                               .optimizer = &options->optimizer,
                               .seed = options->seed,
                               .gradient = options->gradient,
                               .chip = &options->chip};
  if (options->gradient != CUONN_GRADIENT_EXACT) {
    CUONN_TRY_DONE(gradients_create(&r.measured, shape));
    CUONN_TRY_DONE(gradients_create(&r.exact, shape));
  }
  CUONN_TRY_DONE(cuonn_allocate(&r.steps, backend->steps_per_call, sizeof *r.steps));
  CUONN_TRY_DONE(cuonn_allocate(&r.losses, backend->steps_per_call, sizeof *r.losses));
  CUONN_TRY_DONE(backend->create(&r.computing, &problem));
  CUONN_TRY_DONE(backend->set_images(r.computing, BACKEND_TRAIN, &data->train, features));
  CUONN_TRY_DONE(backend->set_images(r.computing, BACKEND_TEST, &data->test, features));
  CUONN_TRY_DONE(backend->set_model(r.computing, 0, &model));
  CUONN_TRY_DONE(run_epochs(&r));
done:
  backend->destroy(r.computing);
  gradients_free(r.exact, shape->n_layers);
  gradients_free(r.measured, shape->n_layers);
  free(r.losses);
  free(r.steps);
  return status;
}
