#include "training/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "training/agreement.h"
#include "training/plan.h"

static size_t n_examples(const training_run *r) { return r->data->train.n_examples; }

void training_run_close(training_run *r) {
  cuonn_model_destroy(r->model);
  training_errors_free(&r->errors);
  free(r->trains);
  free(r->tests);
  free(r->losses);
  free(r->steps);
  r->model = NULL;
  r->steps = NULL;
  r->losses = NULL;
  r->tests = r->trains = NULL;
}

static cuonn_status set_member(training_run *r, size_t i) {
  const training_member *const of = &r->members[i];
  const cuonn_model_settings settings = training_settings(of->options);
  return cuonn_model_set(r->model, i, &of->state->network, of->state->moments, &settings);
}

cuonn_status training_run_open(training_run *r) {
  const cuonn_network_shape *const shape = &r->members[0].state->network.shape;
  const cuonn_model_options options = training_model_options(shape, r->members[0].options, r->n_members, n_examples(r));
  const size_t steps_at_once = cuonn_context_steps_at_once(r->context);
  CUONN_TRY(training_count_steps(&r->steps_per_epoch, r->members[0].options, n_examples(r)));
  r->total_steps = (uint64_t)r->members[0].options->epochs * r->steps_per_epoch;
  CUONN_CHECK(r->step <= r->total_steps, CUONN_E_ARGUMENT, "%llu steps are done already, %zu epochs have %llu",
              (unsigned long long)r->step, r->members[0].options->epochs, (unsigned long long)r->total_steps);
  CUONN_TRY(cuonn_allocate(&r->steps, steps_at_once, sizeof *r->steps));
  CUONN_TRY(cuonn_allocate(&r->losses, steps_at_once * r->n_members, sizeof *r->losses));
  CUONN_TRY(cuonn_allocate(&r->tests, r->n_members, sizeof *r->tests));
  CUONN_TRY(cuonn_allocate(&r->trains, r->n_members, sizeof *r->trains));
  if (options.gradient != CUONN_GRADIENT_EXACT) CUONN_TRY(training_errors_create(&r->errors, shape, r->n_members));
  CUONN_TRY(cuonn_model_create(&r->model, r->context, &options));
  CUONN_TRY(cuonn_model_set_examples(r->model, CUONN_SPLIT_TRAIN, &r->data->train, r->features));
  CUONN_TRY(cuonn_model_set_examples(r->model, CUONN_SPLIT_TEST, &r->data->test, r->features));
  for (size_t i = 0; i < r->n_members; i++) CUONN_TRY(set_member(r, i));
  return CUONN_OK;
}

cuonn_status training_run_take(training_run *r, size_t i) {
  cuonn_training_state *const state = r->members[i].state;
  return cuonn_model_get(&state->network, state->moments, r->model, i);
}

/* The present failure is one of a member alone. */
static cuonn_status fail_member(training_run *r, size_t i, cuonn_status status) {
  r->members[i].failed = true;
  r->n_failed++;
  return r->on_failure(r->user, i, status);
}

/* The loss of the next step is not finite. The member's network is from before that step. */
static cuonn_status explain_loss(training_run *r, size_t i, double loss) {
  const training_member *const of = &r->members[i];
  const uint64_t step = of->state->step;
  const cuonn_step now = training_plan_step(of->options, n_examples(r), step);
  char reason[256];
  CUONN_TRY(
      cuonn_model_find_overflow(reason, sizeof reason, r->model, i, &of->state->network, CUONN_SPLIT_TRAIN, &now));
  cuonn_fail(CUONN_E_DIVERGED, "the loss is %g at step %llu (epoch %llu, step %llu of %zu); %s", loss,
             (unsigned long long)step + 1, (unsigned long long)(step / r->steps_per_epoch) + 1,
             (unsigned long long)(step % r->steps_per_epoch) + 1, r->steps_per_epoch,
             *reason ? reason : "lower the learning rate");
  return fail_member(r, i, CUONN_E_DIVERGED);
}

static cuonn_status take_loss(training_run *r, size_t i, double loss) {
  cuonn_training_state *const state = r->members[i].state;
  if (r->members[i].failed) return CUONN_OK;
  if (!isfinite(loss)) return explain_loss(r, i, loss);
  state->step++;
  state->epoch_loss_sum += loss;
  return r->on_step(r->user, i, loss);
}

/* The next steps of this epoch, in one call. */
static cuonn_status take_steps(training_run *r) {
  const size_t left = r->steps_per_epoch - r->step % r->steps_per_epoch, most = cuonn_context_steps_at_once(r->context);
  const size_t count = left < most ? left : most;
  for (size_t k = 0; k < count; k++)
    r->steps[k] = training_plan_step(r->members[0].options, n_examples(r), r->step + k);

  const double before = machine_seconds();
  CUONN_TRY(cuonn_model_step(r->losses, r->model, r->steps, count));
  const double seconds = machine_seconds() - before;
  r->seconds += seconds;
  for (size_t i = 0; i < r->n_members; i++) r->members[i].state->epoch_seconds += seconds / (double)r->n_members;

  for (size_t k = 0; k < count; k++, r->step++) {
    for (size_t i = 0; i < r->n_members; i++) CUONN_TRY(take_loss(r, i, r->losses[k * r->n_members + i]));
  }
  return r->on_steps(r->user);
}

/* The test loss of a member is not finite. */
static cuonn_status fail_test(training_run *r, size_t i, double loss) {
  cuonn_fail(CUONN_E_DIVERGED, "the test loss is %g after step %llu (epoch %llu); lower the learning rate", loss,
             (unsigned long long)r->step, (unsigned long long)(r->step / r->steps_per_epoch));
  return fail_member(r, i, CUONN_E_DIVERGED);
}

static cuonn_status report_epoch(training_run *r, size_t i) {
  cuonn_training_state *const state = r->members[i].state;
  const training_errors *const e = &r->errors;
  const bool exact = e->n_models == 0;
  const training_epoch epoch = {.train = r->trains[i],
                                .test = r->tests[i],
                                .train_loss = state->epoch_loss_sum / (double)r->steps_per_epoch,
                                .seconds = state->epoch_seconds,
                                .error_small = exact ? NAN : e->whole[2 * i],
                                .error_batch = exact ? NAN : e->whole[2 * i + 1],
                                .errors = exact ? NULL : &e->layers[2 * i * e->shape.n_layers]};
  state->epoch_loss_sum = 0;
  state->epoch_seconds = 0;
  return r->on_epoch(r->user, i, &epoch);
}

/* Whether gradients are compared with the exact ones after the present epoch. */
static bool compares(const training_run *r) {
  const size_t every = r->members[0].options->gradient_error_every;
  if (r->errors.n_models == 0 || every == 0) return false;
  return r->step == r->total_steps || r->step / r->steps_per_epoch % every == 0;
}

/* Processes that share the run have the same phases. */
static cuonn_status compare_processes(training_run *r) {
  char when[64];
  if (!cuonn_context_processes(r->context)) return CUONN_OK;
  snprintf(when, sizeof when, "after step %llu of %llu", (unsigned long long)r->step,
           (unsigned long long)r->total_steps);
  for (size_t i = 0; i < r->n_members; i++) {
    CUONN_TRY(training_run_take(r, i));
    CUONN_TRY(training_agree_on_phases(r->context, &r->members[i].state->network, when));
  }
  return CUONN_OK;
}

/* Those that failed are evaluated with the others, and nobody looks. */
static cuonn_status finish_epoch(training_run *r) {
  CUONN_TRY(compare_processes(r));
  CUONN_TRY(cuonn_model_evaluate_all(r->tests, r->model, CUONN_SPLIT_TEST));
  for (size_t i = 0; i < r->n_members; i++) {
    if (!r->members[i].failed && !isfinite(r->tests[i].loss)) CUONN_TRY(fail_test(r, i, r->tests[i].loss));
  }
  if (r->n_failed == r->n_members) return CUONN_OK;
  if (r->wants_train) CUONN_TRY(cuonn_model_evaluate_all(r->trains, r->model, CUONN_SPLIT_TRAIN));
  if (compares(r)) {
    CUONN_TRY(training_errors_measure(&r->errors, r->model, r->members[0].options, n_examples(r), r->step));
  } else {
    training_errors_clear(&r->errors);
  }
  for (size_t i = 0; i < r->n_members; i++) {
    if (!r->members[i].failed) CUONN_TRY(report_epoch(r, i));
  }
  return CUONN_OK;
}

cuonn_status training_run_epochs(training_run *r) {
  while (r->step < r->total_steps && r->n_failed < r->n_members) {
    bool stop;
    CUONN_TRY(training_agree_to_stop(&stop, r->context));
    if (stop) return r->on_stop(r->user);
    CUONN_TRY(take_steps(r));
    if (r->step % r->steps_per_epoch == 0) CUONN_TRY(finish_epoch(r));
  }
  return CUONN_OK;
}
