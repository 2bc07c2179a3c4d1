/* Many networks over one data set: groups of those that do the same steps, each group in one state of the backend.
 *
 * A network that fails stays in its state, which goes on computing it: taking it out would cost the others more than it
 * costs, and their numbers do not depend on it. */
#include "cuonn/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "training/measured.h"
#include "training/plan.h"

typedef struct {
  cuonn_context *context;
  const cuonn_dataset *data;
  const cuonn_features_options *features;
  const cuonn_sweep_model *models; /* [n_models] */
  size_t n_models, n_done;
  bool *done;          /* [n_models] has a result */
  size_t most;         /* models of a group */
  size_t memory_holds; /* the same if memory is what limits it, else 0 */
  uint64_t steps_done; /* of all models */
  uint64_t steps;
  double began; /* seconds */
  const cuonn_sweep_callbacks *callbacks;
} sweep;

/* One model of a group. */
typedef struct {
  size_t model;
  cuonn_training_state state;
  cuonn_sweep_epoch *epochs; /* [options.epochs] */
  double *errors;            /* [options.epochs][2][layer] of the gradients of single layers, small and batch */
  size_t n_epochs;           /* finished */
  double loss_sum;           /* of the unfinished epoch */
} member;

/* Models that train side by side. What they share is taken from the first. */
typedef struct {
  sweep *s;
  member *members; /* [n] */
  size_t n, n_alive;
  void *computing; /* the backend's state */
  size_t steps_per_epoch;
  uint64_t step, total_steps;
  double seconds; /* of the unfinished epoch, all members */
  backend_step *steps;
  double *losses; /* [step][member] */
} group;

static const cuonn_sweep_model *model_of(const group *g, size_t i) { return &g->s->models[g->members[i].model]; }

/* ---- results ---- */

static uint64_t steps_of(const sweep *s, size_t m) {
  const cuonn_training_options *const o = &s->models[m].training;
  return (uint64_t)o->epochs * cuonn_steps_per_epoch(o, s->data->train.n_examples);
}

static cuonn_status report(sweep *s, size_t m, const cuonn_sweep_result *result) {
  s->done[m] = true;
  s->n_done++;
  return s->callbacks->on_model(s->callbacks->user, m, result);
}

/* What became of a member. reason: "" unless it failed. */
static cuonn_sweep_result result_of(const group *g, size_t i, cuonn_status status, const char *reason) {
  const member *const of = &g->members[i];
  const cuonn_sweep_model *const model = model_of(g, i);
  return (cuonn_sweep_result){status,
                              reason,
                              of->n_epochs,
                              of->epochs,
                              model->shape.n_layers,
                              model->training.gradient == CUONN_GRADIENT_EXACT ? NULL : of->errors,
                              status == CUONN_OK ? &of->state : NULL};
}

/* A member whose present failure is its result. */
static cuonn_status fail_member(group *g, size_t i, cuonn_status status) {
  cuonn_status reported = CUONN_OK;
  char *const reason = strdup(cuonn_last_error());
  const member *const of = &g->members[i];
  const cuonn_sweep_result result = result_of(g, i, status, reason);
  CUONN_CHECK(reason, CUONN_E_MEMORY, "not enough memory for a line of text");
  g->n_alive--;
  g->s->steps_done += steps_of(g->s, of->model) - g->step;
  reported = report(g->s, of->model, &result);
  free(reason);
  return reported;
}

static cuonn_status report_progress(const group *g) {
  const sweep *const s = g->s;
  if (!s->callbacks->on_progress) return CUONN_OK;
  const double per_step = (machine_seconds() - s->began) / (double)s->steps_done;
  const cuonn_sweep_progress progress = {.models_done = s->n_done,
                                         .n_models = s->n_models,
                                         .models_together = g->n,
                                         .memory_holds = s->memory_holds,
                                         .steps_done = s->steps_done,
                                         .steps = s->steps,
                                         .steps_per_second = 1 / per_step,
                                         .seconds_left = per_step * (double)(s->steps - s->steps_done)};
  return s->callbacks->on_progress(s->callbacks->user, &progress);
}

/* ---- one group ---- */

static bool alive(const group *g, size_t i) { return !g->s->done[g->members[i].model]; }

/* The loss of the present step is not finite: that is the member's result. */
static cuonn_status explain_loss(group *g, size_t i, double loss) {
  const sweep *const s = g->s;
  const cuonn_status status = training_explain_loss(loss, s->context, g->computing, i, &g->members[i].state,
                                                    &model_of(g, i)->training, s->data->train.n_examples, g->step);
  return status == CUONN_E_DIVERGED ? fail_member(g, i, status) : status;
}

/* The next steps of this epoch, in one call of the backend. */
static cuonn_status take_steps(group *g) {
  const cuonn_backend *const backend = g->s->context->backend;
  const size_t left = g->steps_per_epoch - g->step % g->steps_per_epoch;
  const size_t count = left < backend->steps_per_call ? left : backend->steps_per_call;
  for (size_t k = 0; k < count; k++)
    g->steps[k] = training_plan_step(&model_of(g, 0)->training, g->s->data->train.n_examples, g->step + k);

  const double before = machine_seconds();
  CUONN_TRY(backend->train_steps(g->losses, g->computing, g->steps, count));
  g->seconds += machine_seconds() - before;

  for (size_t k = 0; k < count; k++, g->step++) {
    for (size_t i = 0; i < g->n; i++) {
      if (!alive(g, i)) continue;
      const double loss = g->losses[k * g->n + i];
      if (!isfinite(loss)) {
        CUONN_TRY(explain_loss(g, i, loss));
        continue;
      }
      g->members[i].loss_sum += loss;
      g->s->steps_done++;
    }
  }
  return report_progress(g);
}

static double error_of(const cuonn_evaluation *e) {
  return (double)(e->n_examples - e->n_correct) / (double)e->n_examples;
}

static cuonn_status finish_epoch_of(group *g, size_t i) {
  const cuonn_backend *const backend = g->s->context->backend;
  member *const of = &g->members[i];
  cuonn_evaluation train = {0}, test = {0};
  CUONN_TRY(backend->evaluate(&test, g->computing, i, BACKEND_TEST));
  const cuonn_status status = training_check_test_loss(test.loss, g->step, g->steps_per_epoch);
  if (status != CUONN_OK) return fail_member(g, i, status);
  CUONN_TRY(backend->evaluate(&train, g->computing, i, BACKEND_TRAIN));
  double small = NAN, batch = NAN;
  double *const of_layers = of->errors + 2 * of->n_epochs * model_of(g, i)->shape.n_layers;
  CUONN_TRY(training_gradient_errors(&small, &batch, of_layers, of_layers + model_of(g, i)->shape.n_layers, backend,
                                     g->computing, i, &model_of(g, i)->shape, &model_of(g, i)->training,
                                     g->s->data->train.n_examples, g->step));
  of->epochs[of->n_epochs++] = (cuonn_sweep_epoch){.train_error = error_of(&train),
                                                   .test_error = error_of(&test),
                                                   .train_loss = of->loss_sum / (double)g->steps_per_epoch,
                                                   .test_loss = test.loss,
                                                   .gradient_error_batch = batch,
                                                   .gradient_error_small = small,
                                                   .seconds = g->seconds / (double)g->n};
  of->loss_sum = 0;
  return CUONN_OK;
}

static cuonn_status finish_epoch(group *g) {
  for (size_t i = 0; i < g->n; i++) {
    if (alive(g, i)) CUONN_TRY(finish_epoch_of(g, i));
  }
  g->seconds = 0;
  return CUONN_OK;
}

/* Hands over those that came to the end. */
static cuonn_status finish_group(group *g) {
  for (size_t i = 0; i < g->n; i++) {
    member *const of = &g->members[i];
    if (!alive(g, i)) continue;
    const backend_model to = {.network = &of->state.network, .moments = of->state.moments};
    CUONN_TRY(g->s->context->backend->get_model(&to, g->computing, i));
    of->state.step = g->total_steps;
    for (size_t e = 0; e < of->n_epochs; e++)
      of->state.best_accuracy = fmax(of->state.best_accuracy, 1 - of->epochs[e].test_error);
    const cuonn_sweep_result result = result_of(g, i, CUONN_OK, "");
    CUONN_TRY(report(g->s, of->model, &result));
  }
  return CUONN_OK;
}

static cuonn_status run_group(group *g) {
  while (g->step < g->total_steps && g->n_alive > 0) {
    if (cuonn_stop_requested())
      return cuonn_fail(CUONN_E_INTERRUPTED, "interrupted with %zu of %zu networks done", g->s->n_done, g->s->n_models);
    CUONN_TRY(take_steps(g));
    if (g->step % g->steps_per_epoch == 0) CUONN_TRY(finish_epoch(g));
  }
  return finish_group(g);
}

/* ---- making groups ---- */

/* Whether the gradients of both come in one way (backend.h). */
static bool same_kind(const cuonn_training_options *s, const cuonn_training_options *t) {
  const bool measured = cuonn_gradient_is_measured(s->gradient);
  if (!measured) return s->gradient == t->gradient;
  return cuonn_gradient_is_measured(t->gradient) && s->chip.measurement == t->chip.measurement;
}

/* Whether two models can be steps of one call: all that a state and a step have in common. */
static bool compatible(const cuonn_sweep_model *a, const cuonn_sweep_model *b) {
  const cuonn_network_shape *const p = &a->shape, *const q = &b->shape;
  const cuonn_training_options *const s = &a->training, *const t = &b->training;
  return p->n_modes == q->n_modes && p->n_layers == q->n_layers && p->n_classes == q->n_classes &&
         p->style == q->style && p->loss_per_class == q->loss_per_class && s->epochs == t->epochs &&
         s->batch_size == t->batch_size && s->drop_last == t->drop_last && s->order == t->order &&
         s->schedule == t->schedule && same_kind(s, t) &&
         s->optimizer.restart_bias_correction_each_epoch == t->optimizer.restart_bias_correction_each_epoch;
}

static void member_free(member *of) {
  cuonn_training_state_free(&of->state);
  free(of->epochs);
  free(of->errors);
  memset(of, 0, sizeof *of);
}

static void group_free(group *g) {
  g->s->context->backend->destroy(g->computing);
  for (size_t i = 0; g->members && i < g->n; i++) member_free(&g->members[i]);
  free(g->members);
  free(g->steps);
  free(g->losses);
}

/* Adds a model with its starting phases, or reports that it has none. */
static cuonn_status add_member(group *g, size_t model) {
  const sweep *const s = g->s;
  member *const of = &g->members[g->n++];
  g->n_alive++;
  of->model = model;
  CUONN_TRY(cuonn_training_state_create(&of->state, &s->models[model].shape));
  CUONN_TRY(cuonn_allocate(&of->epochs, s->models[model].training.epochs, sizeof *of->epochs));
  CUONN_TRY(cuonn_allocate(&of->errors, 2 * s->models[model].training.epochs * s->models[model].shape.n_layers,
                           sizeof *of->errors));
  cuonn_status status = s->callbacks->start(s->callbacks->user, model, &of->state.network);
  if (status == CUONN_OK) status = cuonn_network_check(&of->state.network);
  if (status == CUONN_OK) return CUONN_OK;
  if (status == CUONN_E_MEMORY) return status;
  CUONN_TRY(fail_member(g, g->n - 1, status));
  member_free(&g->members[--g->n]);
  return CUONN_OK;
}

/* The first model that is to do, and others that are compatible with it. */
static cuonn_status gather(group *g) {
  const sweep *const s = g->s;
  CUONN_TRY(cuonn_allocate(&g->members, s->most, sizeof *g->members));
  for (size_t m = 0; m < s->n_models && g->n < s->most; m++) {
    if (!s->done[m] && (g->n == 0 || compatible(&s->models[m], model_of(g, 0)))) CUONN_TRY(add_member(g, m));
  }
  return CUONN_OK;
}

static cuonn_status open_state(group *g) {
  const sweep *const s = g->s;
  const cuonn_backend *const backend = s->context->backend;
  const backend_problem problem = training_problem(&model_of(g, 0)->shape, &model_of(g, 0)->training, g->n,
                                                   s->data->train.n_examples, s->context->threads);
  CUONN_TRY(backend->create(&g->computing, &problem));
  CUONN_TRY(training_set_data(backend, g->computing, s->data, s->features));
  for (size_t i = 0; i < g->n; i++) {
    const cuonn_optimizer_options optimizer = training_optimizer(&model_of(g, i)->training);
    const backend_model model = training_model(&g->members[i].state, &model_of(g, i)->training, &optimizer);
    CUONN_TRY(backend->set_model(g->computing, i, &model));
  }
  return CUONN_OK;
}

/* Opens a state for the group, or for the first half of it where memory does not hold the whole. The others, and all
 * later groups, come in such smaller ones. */
static cuonn_status open_group(group *g) {
  cuonn_status status;
  CUONN_TRY(gather(g));
  while (g->n > 0 && (status = open_state(g)) != CUONN_OK) {
    if (status != CUONN_E_MEMORY || g->n == 1) return status;
    g->s->context->backend->destroy(g->computing);
    g->computing = NULL;
    g->s->most = g->s->memory_holds = (g->n + 1) / 2;
    for (; g->n > g->s->most; g->n_alive--) member_free(&g->members[--g->n]);
  }
  return CUONN_OK;
}

static cuonn_status train_next_group(sweep *s) {
  const size_t steps_per_call = s->context->backend->steps_per_call;
  group g = {.s = s};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(open_group(&g));
  if (g.n == 0) goto done;
  CUONN_TRY_DONE(training_count_steps(&g.steps_per_epoch, &model_of(&g, 0)->training, s->data->train.n_examples));
  g.total_steps = steps_of(s, g.members[0].model);
  CUONN_TRY_DONE(cuonn_allocate(&g.steps, steps_per_call, sizeof *g.steps));
  CUONN_TRY_DONE(cuonn_allocate(&g.losses, steps_per_call * g.n, sizeof *g.losses));
  CUONN_TRY_DONE(run_group(&g));
done:
  group_free(&g);
  return status;
}

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
    const cuonn_training_options *const training = &models[m].training;
    CUONN_TRY(training_check_options(training));
    CUONN_TRY(cuonn_chip_check(&training->chip, training->gradient, models[m].shape.style));
    CUONN_TRY(training_count_steps(&steps_per_epoch, &models[m].training, data->train.n_examples));
    s.steps += steps_of(&s, m);
    if (m == 0 || !compatible(&models[m], &models[m - 1]))
      CUONN_TRY(training_check_data(&models[m].shape, data, features));
  }
  s.most = context->backend->models_per_state;
  if (s.most > n_models) s.most = n_models;
  CUONN_TRY_DONE(cuonn_allocate(&s.done, n_models, sizeof *s.done));
  while (s.n_done < n_models) CUONN_TRY_DONE(train_next_group(&s));
done:
  free(s.done);
  return status;
}
