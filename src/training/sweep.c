/* Many networks over one data set: groups of those that do the same steps, each group in one handle. */
#include "cuonn/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "training/parts.h"
#include "training/plan.h"
#include "training/run.h"

typedef struct {
  cuonn_context *context;
  const cuonn_dataset *data;
  const cuonn_features_options *features;
  const cuonn_sweep_model *models; /* [n_models] */
  size_t n_models, n_done;
  size_t first;        /* all before it are done */
  bool *done;          /* [n_models] has a result */
  size_t most;         /* models of a group */
  size_t memory_holds; /* the same if memory is what limits it, else 0 */
  uint64_t steps_done; /* of all models */
  uint64_t steps;
  double began; /* seconds */
  const cuonn_sweep_callbacks *callbacks;
} sweep;

/* What is kept of one model of a group. */
typedef struct {
  size_t model;
  cuonn_training_state state;
  cuonn_sweep_epoch *epochs; /* [options.epochs] */
  double *errors;            /* [options.epochs][2][layer] of the gradients of single layers, small and batch */
  size_t n_epochs;           /* finished */
} kept;

/* Models that train side by side. */
typedef struct {
  sweep *s;
  training_run run;
  kept *kept; /* [member] */
} group;

static const cuonn_sweep_model *model_of(const group *g, size_t i) { return &g->s->models[g->kept[i].model]; }

/* ---- what the run tells ---- */

static uint64_t steps_of(const sweep *s, size_t m) {
  const cuonn_training_options *const o = &s->models[m].training;
  return (uint64_t)o->epochs * cuonn_steps_per_epoch(o, s->data->train.n_examples);
}

/* Hands over what became of a member. reason: "" unless it failed. */
static cuonn_status report_member(group *g, size_t i, cuonn_status status, const char *reason) {
  const kept *const of = &g->kept[i];
  const cuonn_sweep_model *const model = model_of(g, i);
  const bool compared = model->training.gradient != CUONN_GRADIENT_EXACT && model->training.gradient_error_every > 0;
  const cuonn_sweep_result result = {.status = status,
                                     .reason = reason,
                                     .n_epochs = of->n_epochs,
                                     .epochs = of->epochs,
                                     .n_layers = model->shape.n_layers,
                                     .gradient_errors = compared ? of->errors : NULL,
                                     .state = status == CUONN_OK ? &of->state : NULL};
  g->s->done[of->model] = true;
  g->s->n_done++;
  return g->s->callbacks->on_model(g->s->callbacks->user, of->model, &result);
}

/* A member whose present failure is its result. */
static cuonn_status on_failure(void *user, size_t i, cuonn_status status) {
  group *const g = user;
  cuonn_status reported = CUONN_OK;
  char *const reason = strdup(cuonn_last_error());
  CUONN_CHECK(reason, CUONN_E_MEMORY, "not enough memory for a line of text");
  g->s->steps_done += steps_of(g->s, g->kept[i].model) - g->kept[i].state.step;
  reported = report_member(g, i, status, reason);
  free(reason);
  return reported;
}

static cuonn_status on_step(void *user, size_t i, double loss) {
  group *const g = user;
  (void)i, (void)loss;
  g->s->steps_done++;
  return CUONN_OK;
}

static cuonn_status on_steps(void *user) {
  const group *const g = user;
  const sweep *const s = g->s;
  if (!s->callbacks->on_progress) return CUONN_OK;
  const double per_step = (machine_seconds() - s->began) / (double)s->steps_done;
  const cuonn_sweep_progress progress = {.models_done = s->n_done,
                                         .n_models = s->n_models,
                                         .models_together = g->run.n_members,
                                         .memory_holds = s->memory_holds,
                                         .steps_done = s->steps_done,
                                         .steps = s->steps,
                                         .steps_per_second = 1 / per_step,
                                         .seconds_left = per_step * (double)(s->steps - s->steps_done)};
  return s->callbacks->on_progress(s->callbacks->user, &progress);
}

static double error_of(const cuonn_evaluation *e) {
  return (double)(e->n_examples - e->n_correct) / (double)e->n_examples;
}

static cuonn_status on_epoch(void *user, size_t i, const training_epoch *epoch) {
  kept *const of = &((group *)user)->kept[i];
  const size_t n_errors = 2 * of->state.network.shape.n_layers;
  if (epoch->errors) memcpy(of->errors + of->n_epochs * n_errors, epoch->errors, n_errors * sizeof(double));
  of->epochs[of->n_epochs++] = (cuonn_sweep_epoch){.train_error = error_of(&epoch->train),
                                                   .test_error = error_of(&epoch->test),
                                                   .train_loss = epoch->train_loss,
                                                   .test_loss = epoch->test.loss,
                                                   .gradient_error_batch = epoch->error_batch,
                                                   .gradient_error_small = epoch->error_small,
                                                   .seconds = epoch->seconds};
  of->state.best_accuracy = fmax(of->state.best_accuracy, 1 - error_of(&epoch->test));
  return CUONN_OK;
}

static cuonn_status on_stop(void *user) {
  const sweep *const s = ((group *)user)->s;
  return cuonn_fail(CUONN_E_INTERRUPTED, "interrupted with %zu of %zu networks done", s->n_done, s->n_models);
}

/* ---- making groups ---- */

static void kept_free(kept *of) {
  cuonn_training_state_free(&of->state);
  free(of->epochs);
  free(of->errors);
  memset(of, 0, sizeof *of);
}

static void drop_last(group *g) { kept_free(&g->kept[--g->run.n_members]); }

static void group_free(group *g) {
  training_run_close(&g->run);
  while (g->kept && g->run.n_members > 0) drop_last(g);
  free(g->kept);
  free(g->run.members);
}

/* Adds a model with its starting phases, or reports that it has none. */
static cuonn_status add_member(group *g, size_t model) {
  const sweep *const s = g->s;
  const size_t i = g->run.n_members++;
  kept *const of = &g->kept[i];
  of->model = model;
  CUONN_TRY(cuonn_training_state_create(&of->state, &s->models[model].shape));
  CUONN_TRY(cuonn_allocate(&of->epochs, s->models[model].training.epochs, sizeof *of->epochs));
  CUONN_TRY(cuonn_allocate(&of->errors, 2 * s->models[model].training.epochs * s->models[model].shape.n_layers,
                           sizeof *of->errors));
  g->run.members[i] = (training_member){.state = &of->state, .options = &s->models[model].training};
  cuonn_status status = s->callbacks->start(s->callbacks->user, model, &of->state.network);
  if (status == CUONN_OK) status = cuonn_network_check(&of->state.network);
  if (status == CUONN_OK) return CUONN_OK;
  if (status == CUONN_E_MEMORY) return status;
  CUONN_TRY(on_failure(g, i, status));
  drop_last(g);
  return CUONN_OK;
}

/* The first model that is to do, and others that are compatible with it. */
static cuonn_status gather(group *g) {
  const sweep *const s = g->s;
  CUONN_TRY(cuonn_allocate(&g->kept, s->most, sizeof *g->kept));
  CUONN_TRY(cuonn_allocate(&g->run.members, s->most, sizeof *g->run.members));
  for (size_t m = s->first; m < s->n_models && g->run.n_members < s->most; m++) {
    if (!s->done[m] && (g->run.n_members == 0 || sweep_compatible(&s->models[m], model_of(g, 0))))
      CUONN_TRY(add_member(g, m));
  }
  return CUONN_OK;
}

/* Opens a run of the group, or of the first half of it where memory does not hold the whole. The others, and all later
 * groups, come in such smaller ones. */
static cuonn_status open_group(group *g) {
  cuonn_status status;
  CUONN_TRY(gather(g));
  while (g->run.n_members > 0 && (status = training_run_open(&g->run)) != CUONN_OK) {
    if (status != CUONN_E_MEMORY || g->run.n_members == 1) return status;
    training_run_close(&g->run);
    g->s->most = g->s->memory_holds = (g->run.n_members + 1) / 2;
    while (g->run.n_members > g->s->most) drop_last(g);
  }
  return CUONN_OK;
}

static cuonn_status train_next_group(sweep *s) {
  group g = {.s = s,
             .run = {.context = s->context,
                     .data = s->data,
                     .features = s->features,
                     .user = &g,
                     .wants_train = true,
                     .on_step = on_step,
                     .on_steps = on_steps,
                     .on_epoch = on_epoch,
                     .on_failure = on_failure,
                     .on_stop = on_stop}};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(open_group(&g));
  CUONN_TRY_DONE(training_run_epochs(&g.run));
  for (size_t i = 0; i < g.run.n_members; i++) {
    if (g.run.members[i].failed) continue;
    CUONN_TRY_DONE(training_run_take(&g.run, i));
    CUONN_TRY_DONE(report_member(&g, i, CUONN_OK, ""));
  }
done:
  group_free(&g);
  return status;
}

void cuonn_sweep_model_init(cuonn_sweep_model *out) { *out = (cuonn_sweep_model)CUONN_SWEEP_MODEL_INIT; }

cuonn_status cuonn_sweep(cuonn_context *context, const cuonn_dataset *data, const cuonn_features_options *features,
                         const cuonn_sweep_model *models, size_t n_models, const cuonn_sweep_callbacks *callbacks) {
  sweep s = {.context = context,
             .data = data,
             .features = features,
             .models = models,
             .n_models = n_models,
             .began = machine_seconds(),
             .callbacks = callbacks};
  cuonn_status status = CUONN_OK;
  for (size_t m = 0; m < n_models; m++) {
    size_t steps_per_epoch;
    CUONN_TRY(cuonn_training_check(context, &models[m].shape, &models[m].training));
    CUONN_TRY(training_count_steps(&steps_per_epoch, &models[m].training, data->train.n_examples));
    s.steps += steps_of(&s, m);
    if (m == 0 || !sweep_compatible(&models[m], &models[m - 1]))
      CUONN_TRY(training_check_data(&models[m].shape, data, features));
  }
  s.most = cuonn_context_models_at_once(context);
  if (s.most > n_models) s.most = n_models;
  CUONN_TRY_DONE(cuonn_allocate(&s.done, n_models, sizeof *s.done));
  for (; s.first < n_models; s.first++)
    while (!s.done[s.first]) CUONN_TRY_DONE(train_next_group(&s));
done:
  free(s.done);
  return status;
}
