/* Training of many networks on a tiny problem (6 x 6 pixels of noise, N 4, 3 classes): each as it would be alone,
 * failures that stay with the network that failed, stopping, refusals. */
#include "cuonn/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "base/error.h"
#include "support/chance.h"
#include "support/close.h"

enum { kSide = 6, kTrain = 22, kTest = 9, kModels = 20, kNodes = 6, kLayers = 2, kEpochs = 3 };

static const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(4, kLayers, 3, CUONN_STYLE_TOP, true, NULL);
static const cuonn_features_options features = {.kind = CUONN_FEATURES_FOURIER, .radius = 1};
static uint8_t pixels[(kTrain + kTest) * kSide * kSide], labels[kTrain + kTest];
static cuonn_dataset data;

static int setup(void **unused) {
  (void)unused;
  chance c = {1};
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)chance_index(&c, 256);
  for (size_t i = 0; i < sizeof labels; i++) labels[i] = (uint8_t)chance_index(&c, 3);
  data.train =
      (cuonn_examples){.n_examples = kTrain, .height = kSide, .width = kSide, .pixels = pixels, .labels = labels};
  data.test = (cuonn_examples){.n_examples = kTest,
                               .height = kSide,
                               .width = kSide,
                               .pixels = pixels + kTrain * kSide * kSide,
                               .labels = labels + kTrain};
  return 0;
}

static int forget_stop(void **unused) {
  (void)unused;
  cuonn_clear_stop();
  return 0;
}

/* Models differ in what may differ within a state, and in what may not: 10, 12 and 16 from 6 in one such thing each. */
static cuonn_sweep_model model(size_t m) {
  cuonn_sweep_model out = {shape, CUONN_TRAINING_OPTIONS_INIT};
  out.training.epochs = kEpochs;
  out.training.batch_size = m % 3 == 2 ? 7 : 5;
  out.training.drop_last = m % 4 == 1;
  out.training.order = m % 5 < 3 ? CUONN_ORDER_SHUFFLED : CUONN_ORDER_FIXED;
  out.training.schedule = m % 7 == 0 ? CUONN_SCHEDULE_COSINE : CUONN_SCHEDULE_CONSTANT;
  out.training.seed = m;
  out.training.optimizer.kind = m % 2 ? CUONN_OPTIMIZER_SGD : CUONN_OPTIMIZER_ADAM;
  out.training.optimizer.learning_rate = 0.01 * (double)(m + 1);
  out.training.optimizer.restart_bias_correction_each_epoch = m == 10;
  out.shape.style = m == 12 ? CUONN_STYLE_BOTTOM : CUONN_STYLE_TOP;
  out.shape.loss_per_class = m != 16;
  if (m % 5 == 4 || m == 3) { /* three of these have all else in common */
    out.training.gradient = m % 2 ? CUONN_GRADIENT_DIGITAL : CUONN_GRADIENT_ANALOG;
    out.training.chip.seed = m;
    out.training.chip.tap_shot = out.training.chip.io_phase = .02;
  }
  if (m < 2) out.training.gradient = m ? CUONN_GRADIENT_SPSA : CUONN_GRADIENT_FINITE_DIFFERENCE;
  return out;
}

/* --- what a caller keeps --- */

typedef struct {
  cuonn_status status;
  char reason[256];
  size_t n_epochs, calls;
  cuonn_sweep_epoch epochs[kEpochs];
  double theta[kLayers * kNodes];
} kept;

typedef struct {
  kept results[kModels];
  size_t n_progress, together, memory_holds, done, stop_at; /* stop_at: models done; 0: never */
  uint64_t steps_done, steps;
  size_t no_start, loud; /* models that have none; whose mesh amplifies by 10^300; kModels: none */
  bool refuse;           /* on_model fails */
} record;

static cuonn_status start(void *user, size_t m, cuonn_network *network) {
  const record *const r = user;
  assert_true(network->layers[0].theta[0] == 0);
  if (m == r->no_start) return cuonn_network_initialize(network, CUONN_START_FILE, 0);
  const cuonn_status status = cuonn_network_initialize(network, CUONN_START_HAAR, m);
  for (size_t i = 0; m == r->loud && i < 2 * kNodes; i++) network->layers[0].loss_db[i] = -3000;
  return status;
}

static cuonn_status on_progress(void *user, const cuonn_sweep_progress *p) {
  record *const r = user;
  assert_int_equal(p->n_models, kModels);
  assert_true(p->models_done == r->done && p->steps_done > r->steps_done && p->steps_done <= p->steps);
  assert_true(p->steps_per_second > 0 && p->seconds_left >= 0);
  r->steps_done = p->steps_done;
  r->steps = p->steps;
  if (p->models_together > r->together) r->together = p->models_together;
  r->memory_holds = p->memory_holds;
  r->n_progress++;
  return CUONN_OK;
}

static cuonn_status on_model(void *user, size_t m, const cuonn_sweep_result *result) {
  record *const r = user;
  kept *const k = &r->results[m];
  k->status = result->status;
  snprintf(k->reason, sizeof k->reason, "%s", result->reason);
  k->n_epochs = result->n_epochs;
  k->calls++;
  r->done++;
  memcpy(k->epochs, result->epochs, result->n_epochs * sizeof *k->epochs);
  assert_true((result->state != NULL) == (result->status == CUONN_OK));
  for (size_t l = 0; result->state && l < kLayers; l++)
    memcpy(k->theta + l * kNodes, result->state->network.layers[l].theta, kNodes * sizeof(double));
  if (r->done == r->stop_at) cuonn_request_stop();
  return r->refuse ? CUONN_E_IO : CUONN_OK;
}

static cuonn_status sweep_in(record *r, cuonn_context *context) {
  cuonn_sweep_model models[kModels];
  const cuonn_sweep_callbacks callbacks = {r, start, on_progress, on_model};
  for (size_t m = 0; m < kModels; m++) models[m] = model(m);
  return cuonn_sweep(context, &data, &features, models, kModels, &callbacks);
}

static cuonn_status sweep(record *r, const char *backend, int threads) {
  cuonn_context *context;
  OK(cuonn_context_create(&context, backend, threads));
  const cuonn_status status = sweep_in(r, context);
  cuonn_context_free(context);
  return status;
}

/* --- each as it would be alone --- */

typedef struct {
  kept *want;
  size_t n;
} alone;

static cuonn_status on_epoch(void *user, const cuonn_epoch_record *e, const cuonn_training_state *state,
                             bool improved) {
  (void)state, (void)improved;
  alone *const a = user;
  a->want->epochs[a->n++] =
      (cuonn_sweep_epoch){.test_error = 1 - e->test_accuracy, .train_loss = e->train_loss, .test_loss = e->test_loss};
  return CUONN_OK;
}

static void train_alone(kept *want, cuonn_context *context, size_t m) {
  const cuonn_sweep_model of = model(m);
  cuonn_training_state state;
  alone a = {want, 0};
  const cuonn_training_callbacks callbacks = {.user = &a, .on_epoch = on_epoch};
  OK(cuonn_training_state_create(&state, &of.shape));
  OK(cuonn_network_initialize(&state.network, CUONN_START_HAAR, m));
  OK(cuonn_train(&state, context, &data, &features, &of.training, &callbacks));
  for (size_t l = 0; l < kLayers; l++)
    memcpy(want->theta + l * kNodes, state.network.layers[l].theta, kNodes * sizeof(double));
  cuonn_training_state_free(&state);
}

static void check_each_alone(const record *r, const char *backend, size_t without) {
  cuonn_context *context;
  OK(cuonn_context_create(&context, backend, 1));
  for (size_t m = 0; m < kModels; m++) {
    const kept *const got = &r->results[m];
    kept want;
    if (m == without) continue;
    train_alone(&want, context, m);
    assert_int_equal(got->calls, 1);
    assert_int_equal(got->status, CUONN_OK);
    assert_int_equal(got->n_epochs, kEpochs);
    assert_memory_equal(got->theta, want.theta, sizeof want.theta);
    for (size_t e = 0; e < kEpochs; e++) {
      assert_true(got->epochs[e].train_loss == want.epochs[e].train_loss);
      assert_true(got->epochs[e].test_loss == want.epochs[e].test_loss);
      CLOSE(&got->epochs[e].test_error, &want.epochs[e].test_error, 1, .abs = 1e-15);
      const bool exact = model(m).training.gradient == CUONN_GRADIENT_EXACT;
      assert_true(got->epochs[e].seconds > 0 && isnan(got->epochs[e].gradient_error_batch) == exact);
    }
  }
  cuonn_context_free(context);
}

static void models_train_as_alone(void **unused) {
  (void)unused;
  static const struct {
    const char *backend;
    int threads;
  } cases[] = {{"reference", 1}, {"cpu", 1}, {"cpu", 3}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    record r = {.no_start = kModels, .loud = kModels};
    OK(sweep(&r, cases[i].backend, cases[i].threads));
    check_each_alone(&r, cases[i].backend, kModels);
    assert_true(r.steps_done == r.steps && r.n_progress > 0 && r.memory_holds == 0);
    if (strcmp(cases[i].backend, "cpu") == 0) assert_true(r.together > 1);
  }
}

/* The training images' error after the last epoch, against an evaluation of them as if they were the test's. */
static void train_error_is_of_the_training_images(void **unused) {
  (void)unused;
  record r = {.no_start = kModels, .loud = kModels};
  OK(sweep(&r, "cpu", 1));
  cuonn_context *context;
  OK(cuonn_context_create(&context, "cpu", 1));
  const cuonn_sweep_model of = model(4);
  const cuonn_dataset swapped = {.train = data.train, .test = data.train};
  cuonn_training_state state;
  kept want;
  alone a = {&want, 0};
  const cuonn_training_callbacks callbacks = {.user = &a, .on_epoch = on_epoch};
  OK(cuonn_training_state_create(&state, &of.shape));
  OK(cuonn_network_initialize(&state.network, CUONN_START_HAAR, 4));
  OK(cuonn_train(&state, context, &swapped, &features, &of.training, &callbacks));
  for (size_t e = 0; e < kEpochs; e++)
    CLOSE(&r.results[4].epochs[e].train_error, &want.epochs[e].test_error, 1, .abs = 1e-15);
  cuonn_training_state_free(&state);
  cuonn_context_free(context);
}

/* --- memory --- */

static size_t room; /* models that the memory of a small machine holds */

static cuonn_status create_in_little_memory(void **state, const backend_problem *problem) {
  CUONN_CHECK(problem->n_models <= room, CUONN_E_MEMORY, "not enough memory");
  return cuonn_backend_cpu.create(state, problem);
}

static void little_memory_makes_small_groups(void **unused) {
  (void)unused;
  cuonn_backend small = cuonn_backend_cpu;
  small.create = create_in_little_memory;
  cuonn_context context = {.backend = &small, .place.threads = 1};
  for (room = 1; room <= 2; room++) {
    record r = {.no_start = kModels, .loud = kModels};
    OK(sweep_in(&r, &context));
    check_each_alone(&r, "cpu", kModels);
    assert_true(r.together == room && r.memory_holds == room && r.steps_done == r.steps);
  }
  room = 0;
  record r = {.no_start = kModels, .loud = kModels};
  REFUSED(sweep_in(&r, &context), CUONN_E_MEMORY, "not enough memory");
  assert_int_equal(r.done, 0);
}

/* --- failures --- */

static void failures_stay_with_their_model(void **unused) {
  (void)unused;
  record r = {.no_start = 6, .loud = kModels};
  OK(sweep(&r, "cpu", 2));
  check_each_alone(&r, "cpu", 6);
  assert_int_equal(r.results[6].status, CUONN_E_ARGUMENT);
  assert_int_equal(r.results[6].n_epochs, 0);
  assert_true(r.results[6].reason[0] && r.steps_done == r.steps);

  record loud = {.no_start = kModels, .loud = 3};
  OK(sweep(&loud, "cpu", 2));
  check_each_alone(&loud, "cpu", 3);
  assert_int_equal(loud.results[3].status, CUONN_E_DIVERGED);
  assert_int_equal(loud.results[3].calls, 1);
  assert_non_null(strstr(loud.results[3].reason, "at step 1 (epoch 1, step 1 of "));
  assert_true(loud.steps_done == loud.steps);
}

static void a_stop_leaves_what_is_done(void **unused) {
  (void)unused;
  record r = {.no_start = kModels, .loud = kModels, .stop_at = 1};
  REFUSED(sweep(&r, "reference", 1), CUONN_E_INTERRUPTED, "interrupted with 1 of 20 networks done");
  assert_int_equal(r.done, 1);
}

static void a_callbacks_failure_ends_it(void **unused) {
  (void)unused;
  record r = {.no_start = kModels, .loud = kModels, .refuse = true};
  assert_int_equal(sweep(&r, "reference", 1), CUONN_E_IO);
  assert_int_equal(r.done, 1);
}

static void bad_models_are_refused(void **unused) {
  (void)unused;
  record r = {.no_start = kModels, .loud = kModels};
  const cuonn_sweep_callbacks callbacks = {&r, start, NULL, on_model};
  cuonn_context *context;
  OK(cuonn_context_create(&context, "cpu", 1));
  cuonn_sweep_model models[2] = {model(0), model(1)};
  models[1].training.optimizer.learning_rate = 0;
  REFUSED(cuonn_sweep(context, &data, &features, models, 2, &callbacks), CUONN_E_ARGUMENT, "learning_rate is 0");
  models[1] = model(1);
  models[1].training.batch_size = kTrain + 1;
  models[1].training.drop_last = true;
  REFUSED(cuonn_sweep(context, &data, &features, models, 2, &callbacks), CUONN_E_ARGUMENT, "do not fill one batch");
  models[1] = model(1);
  models[1].shape.n_modes = 5;
  REFUSED(cuonn_sweep(context, &data, &features, models, 2, &callbacks), CUONN_E_SHAPE, "the features give 4");
  assert_int_equal(r.done, 0);
  cuonn_context_free(context);
}

/* --- parts --- */

/* Costs are 100 / batch + 1 an example, or + 5 where gradients are measured; once for each pair of losses. */
static void test_cut__gives_parts_of_even_cost(void **unused) {
  (void)unused;
  cuonn_sweep_model models[kModels];
  size_t part[kModels];
  for (size_t m = 0; m < kModels; m++) models[m] = model(m);
  for (size_t n_parts = 1; n_parts <= kModels + 3; n_parts++) {
    double costs[kModels + 3] = {0}, total = 0, most = 0;
    OK(cuonn_sweep_cut(part, models, kModels, n_parts));
    for (size_t m = 0; m < kModels; m++) {
      const cuonn_training_options *const o = &models[m].training;
      const double pairs = o->gradient == CUONN_GRADIENT_SPSA                ? (double)o->chip.estimates
                           : o->gradient == CUONN_GRADIENT_FINITE_DIFFERENCE ? 2 * kLayers * kNodes
                                                                             : 1;
      const double cost = pairs * (100. / (double)o->batch_size + (cuonn_gradient_is_measured(o->gradient) ? 5 : 1));
      assert_true(part[m] < n_parts);
      costs[part[m]] += cost;
      total += cost;
      if (cost > most) most = cost;
    }
    for (size_t k = 0; k < n_parts; k++) assert_true(fabs(costs[k] - total / (double)n_parts) <= most * (1 + 1e-12));
  }
}

static void test_cut__keeps_together_what_trains_together(void **unused) {
  (void)unused;
  enum { kMany = 12 };
  cuonn_sweep_model models[kMany];
  size_t part[kMany];
  for (size_t m = 0; m < kMany; m++) {
    models[m] = model(2);
    models[m].training.seed = m;
    models[m].training.order = m % 3 == 1 ? CUONN_ORDER_SHUFFLED : CUONN_ORDER_FIXED;
    models[m].training.schedule = m % 3 == 2 ? CUONN_SCHEDULE_COSINE : CUONN_SCHEDULE_CONSTANT;
  }
  OK(cuonn_sweep_cut(part, models, kMany, 3));
  for (size_t m = 0; m < kMany; m++) assert_int_equal(part[m], m % 3);
  OK(cuonn_sweep_cut(part, models, 2, 2)); /* as many as there are */
  assert_true(part[0] == 0 && part[1] == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(models_train_as_alone),
      cmocka_unit_test(train_error_is_of_the_training_images),
      cmocka_unit_test(little_memory_makes_small_groups),
      cmocka_unit_test(failures_stay_with_their_model),
      cmocka_unit_test_teardown(a_stop_leaves_what_is_done, forget_stop),
      cmocka_unit_test(a_callbacks_failure_ends_it),
      cmocka_unit_test(bad_models_are_refused),
      cmocka_unit_test(test_cut__gives_parts_of_even_cost),
      cmocka_unit_test(test_cut__keeps_together_what_trains_together),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
