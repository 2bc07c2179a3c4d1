/* The epoch loop: plans steps, lets a backend do them, watches the loss, and reports through callbacks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "cuonn/training.h"
#include "training/measured.h"
#include "training/plan.h"

typedef struct {
  cuonn_training_state *state;
  const cuonn_context *context;
  const cuonn_backend *backend; /* the context's */
  void *computing;              /* the backend's state */
  const cuonn_training_options *options;
  const cuonn_training_callbacks *callbacks;
  size_t n_examples, steps_per_epoch;
  uint64_t total_steps, first_step; /* first_step: of this call */
  double seconds;                   /* of training, in this call */
  backend_step *steps;              /* plan of one call of train_steps */
  double *losses;
  double *errors; /* [2][layer] of the gradients of single layers, small and batch */
} run;

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
  for (size_t i = 0; i < count; i++) r->steps[i] = training_plan_step(r->options, r->n_examples, state->step + i);

  const double before = machine_seconds();
  CUONN_TRY(r->backend->train_steps(r->losses, r->computing, r->steps, count));
  const double seconds = machine_seconds() - before;
  r->seconds += seconds;
  state->epoch_seconds += seconds;

  for (size_t i = 0; i < count; i++) {
    if (!isfinite(r->losses[i])) {
      return training_explain_loss(r->losses[i], r->context, r->computing, 0, state, r->options, r->n_examples,
                                   state->step);
    }
    state->step++;
    state->epoch_loss_sum += r->losses[i];
    if (r->callbacks->on_step) CUONN_TRY(r->callbacks->on_step(r->callbacks->user, state->step, r->losses[i]));
  }
  return report_progress(r, r->losses[count - 1]);
}

static cuonn_status finish_epoch(run *r) {
  cuonn_training_state *const state = r->state;
  cuonn_evaluation test = {0};
  CUONN_TRY(r->backend->evaluate(&test, r->computing, 0, BACKEND_TEST));
  CUONN_TRY(training_check_test_loss(test.loss, state->step, r->steps_per_epoch));
  size_t examples = r->steps_per_epoch * r->options->batch_size;
  if (examples > r->n_examples) examples = r->n_examples;
  cuonn_epoch_record record = {.epoch = (size_t)(state->step / r->steps_per_epoch),
                               .train_loss = state->epoch_loss_sum / (double)r->steps_per_epoch,
                               .test_loss = test.loss,
                               .test_accuracy = (double)test.n_correct / (double)test.n_examples,
                               .seconds = state->epoch_seconds,
                               .examples_per_second = (double)examples / state->epoch_seconds};
  const size_t n_layers = state->network.shape.n_layers;
  CUONN_TRY(training_gradient_errors(&record.gradient_error_small, &record.gradient_error_batch, r->errors,
                                     r->errors + n_layers, r->backend, r->computing, 0, &state->network.shape,
                                     r->options, r->n_examples, state->step));
  if (r->options->gradient != CUONN_GRADIENT_EXACT) {
    record.n_layers = n_layers;
    record.gradient_errors = r->errors;
  }
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
  run r = {.context = context, .state = state, .options = options, .callbacks = callbacks ? callbacks : &silent};
  cuonn_status status = CUONN_OK;

  CUONN_TRY(training_check_options(options));
  CUONN_TRY(cuonn_chip_check(&options->chip, options->gradient, state->network.shape.style));
  const cuonn_backend *const backend = r.backend = context->backend;
  CUONN_TRY(cuonn_network_check(&state->network));
  CUONN_TRY(training_check_data(&state->network.shape, data, features));
  r.n_examples = data->train.n_examples;
  CUONN_TRY(training_count_steps(&r.steps_per_epoch, options, r.n_examples));
  r.total_steps = (uint64_t)options->epochs * r.steps_per_epoch;
  r.first_step = state->step;
  CUONN_CHECK(state->step <= r.total_steps, CUONN_E_ARGUMENT, "%llu steps are done already, %zu epochs have %llu",
              (unsigned long long)state->step, options->epochs, (unsigned long long)r.total_steps);

  const backend_problem problem = training_problem(&state->network.shape, options, 1, r.n_examples, context->threads);
  const cuonn_optimizer_options optimizer = training_optimizer(options);
  const backend_model model = training_model(state, options, &optimizer);
  CUONN_TRY_DONE(cuonn_allocate(&r.steps, backend->steps_per_call, sizeof *r.steps));
  CUONN_TRY_DONE(cuonn_allocate(&r.losses, backend->steps_per_call, sizeof *r.losses));
  CUONN_TRY_DONE(cuonn_allocate(&r.errors, 2 * state->network.shape.n_layers, sizeof *r.errors));
  CUONN_TRY_DONE(backend->create(&r.computing, &problem));
  CUONN_TRY_DONE(training_set_data(backend, r.computing, data, features));
  CUONN_TRY_DONE(backend->set_model(r.computing, 0, &model));
  CUONN_TRY_DONE(run_epochs(&r));
done:
  backend->destroy(r.computing);
  free(r.errors);
  free(r.losses);
  free(r.steps);
  return status;
}
