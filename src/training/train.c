/* One network: a run of one member, which goes on from any step and tells its caller all that happens. */
#include <string.h>

#include "base/error.h"
#include "cuonn/training.h"
#include "training/plan.h"
#include "training/run.h"

typedef struct {
  training_run run;
  training_member member;
  const cuonn_training_callbacks *callbacks;
  uint64_t first_step; /* of this call */
  double loss;         /* of the newest step */
} job;

static cuonn_status on_step(void *user, size_t member, double loss) {
  job *const j = user;
  (void)member;
  j->loss = loss;
  return j->callbacks->on_step ? j->callbacks->on_step(j->callbacks->user, j->member.state->step, loss) : CUONN_OK;
}

static cuonn_status on_steps(void *user) {
  const job *const j = user;
  const cuonn_training_callbacks *const c = j->callbacks;
  if (!c->on_progress) return CUONN_OK;
  const uint64_t step = j->run.step, done = step - j->first_step;
  const double per_step = j->run.seconds / (double)done;
  const cuonn_progress progress = {.epoch = (size_t)((step - 1) / j->run.steps_per_epoch) + 1,
                                   .epochs = j->member.options->epochs,
                                   .step_in_epoch = (size_t)((step - 1) % j->run.steps_per_epoch) + 1,
                                   .steps_per_epoch = j->run.steps_per_epoch,
                                   .loss = j->loss,
                                   .examples_per_second = (double)j->member.options->batch_size / per_step,
                                   .seconds_left = per_step * (double)(j->run.total_steps - step)};
  return c->on_progress(c->user, &progress);
}

static cuonn_status on_epoch(void *user, size_t member, const training_epoch *epoch) {
  job *const j = user;
  cuonn_training_state *const state = j->member.state;
  const cuonn_training_callbacks *const c = j->callbacks;
  size_t examples = j->run.steps_per_epoch * j->member.options->batch_size;
  if (examples > j->run.data->train.n_examples) examples = j->run.data->train.n_examples;
  cuonn_epoch_record record = {.epoch = (size_t)(state->step / j->run.steps_per_epoch),
                               .train_loss = epoch->train_loss,
                               .test_loss = epoch->test.loss,
                               .test_accuracy = (double)epoch->test.n_correct / (double)epoch->test.n_examples,
                               .seconds = epoch->seconds,
                               .examples_per_second = (double)examples / epoch->seconds};
  if (epoch->errors) {
    record.gradient_error_small = epoch->error_small;
    record.gradient_error_batch = epoch->error_batch;
    record.n_layers = state->network.shape.n_layers;
    record.gradient_errors = epoch->errors;
  }
  const bool improved = record.test_accuracy > state->best_accuracy;
  if (improved) state->best_accuracy = record.test_accuracy;
  CUONN_TRY(training_run_take(&j->run, member));
  return c->on_epoch ? c->on_epoch(c->user, &record, state, improved) : CUONN_OK;
}

static cuonn_status on_failure(void *user, size_t member, cuonn_status status) {
  (void)user;
  (void)member;
  return status;
}

static cuonn_status on_stop(void *user) {
  job *const j = user;
  CUONN_TRY(training_run_take(&j->run, 0));
  return cuonn_fail(CUONN_E_INTERRUPTED, "interrupted after step %llu of %llu", (unsigned long long)j->run.step,
                    (unsigned long long)j->run.total_steps);
}

cuonn_status cuonn_train(cuonn_training_state *state, cuonn_context *context, const cuonn_dataset *data,
                         const cuonn_features_options *features, const cuonn_training_options *options,
                         const cuonn_training_callbacks *callbacks) {
  static const cuonn_training_callbacks silent;
  job j = {.member = {.state = state, .options = options},
           .callbacks = callbacks ? callbacks : &silent,
           .first_step = state->step};
  j.run = (training_run){.context = context,
                         .data = data,
                         .features = features,
                         .members = &j.member,
                         .n_members = 1,
                         .user = &j,
                         .on_step = on_step,
                         .on_steps = on_steps,
                         .on_epoch = on_epoch,
                         .on_failure = on_failure,
                         .on_stop = on_stop,
                         .step = state->step};
  cuonn_status status = CUONN_OK;
  CUONN_TRY(cuonn_training_check(context, &state->network.shape, options));
  CUONN_TRY(cuonn_network_check(&state->network));
  CUONN_TRY(training_check_data(&state->network.shape, data, features));
  CUONN_TRY_DONE(training_run_open(&j.run));
  CUONN_TRY_DONE(training_run_epochs(&j.run));
done:
  training_run_close(&j.run);
  return status;
}
