/* The public handle on the backends in host memory: it trains, evaluates and propagates as the functions without one do,
 * in any type of numbers; refuses what does not fit; and works from several threads at once with the bits of one. */
#include "cuonn/model.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/training.h"
#include "support/chance.h"
#include "support/close.h"

enum { kModes = 5, kNodes = 10, kLayers = 2, kClasses = 3, kExamples = 21, kBatch = 8, kSteps = 6, kThreads = 8 };

static const cuonn_network_shape shape = {kModes, kLayers, kClasses, CUONN_STYLE_TOP, true, NULL};
static double values[2 * kExamples * kModes], cotangents[2 * kExamples * kModes];
static uint8_t labels[kExamples];
static cuonn_examples examples;

static int setup(void **unused) {
  (void)unused;
  chance c = {7};
  chance_normals(values, 2 * kExamples * kModes, &c);
  chance_normals(cotangents, 2 * kExamples * kModes, &c);
  for (size_t e = 0; e < kExamples; e++) labels[e] = (uint8_t)chance_index(&c, kClasses);
  examples = (cuonn_examples){.n_examples = kExamples, .labels = labels, .fields = {kExamples, kModes, values}};
  return 0;
}

static cuonn_model_options options(size_t n_models) {
  cuonn_model_options out;
  cuonn_model_options_init(&out);
  out.n_models = n_models;
  out.shape = shape;
  out.batch_size = kBatch;
  out.order = CUONN_ORDER_SHUFFLED;
  return out;
}

/* A network with errors of all kinds; model m. */
static cuonn_network network_of(size_t m) {
  chance c = {100 + m};
  cuonn_network network;
  OK(cuonn_network_create(&network, &shape));
  OK(cuonn_network_initialize(&network, CUONN_START_HAAR_PHASES, m));
  for (size_t l = 0; l < kLayers; l++) {
    for (size_t i = 0; i < kModes; i++) network.layers[l].gamma[i] = chance_normal(&c);
    for (size_t i = 0; i < 2 * kNodes; i++) network.layers[l].coupler_error[i] = 0.1 * chance_normal(&c);
    for (size_t i = 0; i < 2 * kNodes; i++) network.layers[l].loss_db[i] = 0.2;
  }
  return network;
}

static cuonn_model_settings settings_of(size_t m) {
  cuonn_model_settings settings;
  cuonn_model_settings_init(&settings);
  settings.seed = m;
  settings.optimizer.learning_rate = 0.01 * (double)(m + 1);
  settings.chip.seed = m;
  settings.chip.crosstalk = 0.02;
  settings.chip.phase_error = 0.01;
  return settings;
}

static cuonn_model *make(const char *backend, size_t first, size_t n_models) {
  const cuonn_model_options wanted = options(n_models);
  cuonn_context *context;
  cuonn_model *model;
  OK(cuonn_context_create(&context, backend, 2));
  OK(cuonn_model_create(&model, context, &wanted));
  cuonn_context_free(context); /* the handle does without it */
  OK(cuonn_model_set_examples(model, CUONN_SPLIT_TRAIN, &examples, NULL));
  OK(cuonn_model_set_examples(model, CUONN_SPLIT_TEST, &examples, NULL));
  for (size_t m = 0; m < n_models; m++) {
    const cuonn_model_settings settings = settings_of(first + m);
    cuonn_network network = network_of(first + m);
    OK(cuonn_model_set(model, m, &network, NULL, &settings));
    cuonn_network_free(&network);
  }
  return model;
}

static void plan(cuonn_step steps[kSteps]) {
  for (uint32_t i = 0; i < kSteps; i++) {
    const uint32_t in_epoch = i % 3;
    steps[i] = (cuonn_step){.epoch = i / 3,
                            .first = in_epoch * kBatch,
                            .count = in_epoch == 2 ? kExamples - 2 * kBatch : kBatch,
                            .rate_factor = 1,
                            .adam_index = i,
                            .number = i};
  }
}

static cuonn_buffer buffer(void *data, cuonn_number type, size_t count) {
  return (cuonn_buffer){data, type, CUONN_HOST, count};
}

/* ---- training ---- */

/* All that a model comes to. */
typedef struct {
  double losses[kSteps], test_loss, loss;
  double theta[kLayers][kNodes], phi[kLayers][kNodes], moments[2 * kLayers * kModes * kModes];
  double gradients[kLayers][2 * kNodes + kModes];
  double out[2 * kExamples * kModes], back[2 * kExamples * kModes], d_phases[2 * kNodes + kModes];
} results;

static void take(results *out, cuonn_model *model, size_t index) {
  cuonn_network network = network_of(0);
  cuonn_evaluation evaluation = {0};
  cuonn_mesh_gradient g[kLayers];
  const cuonn_step step = {.epoch = 1, .first = 3, .count = kBatch, .number = kSteps};
  const cuonn_buffer x = buffer(values, CUONN_COMPLEX128, kExamples * kModes), y = buffer(out->out, x.type, x.count);
  const cuonn_buffer cotangent = buffer(cotangents, x.type, x.count), back = buffer(out->back, x.type, x.count);
  double *const d = out->d_phases;
  const cuonn_phase_buffers gradient = {buffer(d, CUONN_FLOAT64, kNodes), buffer(d + kNodes, CUONN_FLOAT64, kNodes),
                                        buffer(d + 2 * kNodes, CUONN_FLOAT64, kModes)};
  OK(cuonn_model_get(&network, out->moments, model, index));
  for (size_t l = 0; l < kLayers; l++) {
    memcpy(out->theta[l], network.layers[l].theta, sizeof out->theta[l]);
    memcpy(out->phi[l], network.layers[l].phi, sizeof out->phi[l]);
    g[l] = (cuonn_mesh_gradient){out->gradients[l], out->gradients[l] + kNodes, out->gradients[l] + 2 * kNodes};
  }
  OK(cuonn_model_evaluate(&evaluation, model, index, CUONN_SPLIT_TEST));
  out->test_loss = evaluation.loss;
  OK(cuonn_model_gradient(&out->loss, g, model, index, CUONN_SPLIT_TRAIN, &step, CUONN_GRADIENT_EXACT));
  OK(cuonn_model_propagate(&y, model, index, kLayers - 1, &x, false, NULL));
  OK(cuonn_model_vjp(&gradient, &back, model, index, kLayers - 1, &x, &cotangent, NULL));
  cuonn_network_free(&network);
}

static void run(results *out, const char *backend, size_t first, size_t n_models) {
  cuonn_step steps[kSteps];
  double losses[kSteps * kThreads];
  cuonn_model *const model = make(backend, first, n_models);
  memset(out, 0, n_models * sizeof *out);
  plan(steps);
  OK(cuonn_model_train(losses, model, steps, kSteps));
  for (size_t m = 0; m < n_models; m++) {
    for (size_t i = 0; i < kSteps; i++) out[m].losses[i] = losses[i * n_models + m];
    take(&out[m], model, m);
  }
  cuonn_model_destroy(model);
}

/* As many models in one handle are each what it is alone. */
static void side_by_side(const char *backend) {
  static results together[3], alone;
  run(together, backend, 0, 3);
  assert_true(together[0].losses[0] != together[1].losses[0]);
  for (size_t m = 0; m < 3; m++) {
    run(&alone, backend, m, 1);
    assert_memory_equal(&together[m], &alone, sizeof alone);
  }
}

static void test_models__side_by_side_as_alone(void **unused) {
  (void)unused;
  side_by_side("reference");
  side_by_side("cpu");
}

/* Steps that are handed in one by one, by handles that begin where another ended, are those of one call. */
static void test_steps__go_on_from_outside(void **unused) {
  (void)unused;
  static results want;
  cuonn_step steps[kSteps];
  plan(steps);
  run(&want, "cpu", 0, 1);
  cuonn_network network = network_of(0);
  double moments[2 * kLayers * kModes * kModes] = {0}, loss;
  const cuonn_model_settings settings = settings_of(0);
  for (size_t i = 0; i < kSteps; i++) {
    cuonn_model *const model = make("cpu", 0, 1);
    OK(cuonn_model_set(model, 0, &network, moments, &settings));
    OK(cuonn_model_train(&loss, model, &steps[i], 1));
    assert_memory_equal(&loss, &want.losses[i], sizeof loss);
    OK(cuonn_model_get(&network, moments, model, 0));
    cuonn_model_destroy(model);
  }
  for (size_t l = 0; l < kLayers; l++)
    assert_memory_equal(network.layers[l].theta, want.theta[l], sizeof want.theta[l]);
  assert_memory_equal(moments, want.moments, sizeof moments);
  cuonn_network_free(&network);
}

/* A handle for each of eight threads, all at work at once: the bits of one alone. */
typedef struct {
  const char *backend;
  size_t model;
  results results;
} job;

static void *work(void *of) {
  job *const j = of;
  run(&j->results, j->backend, j->model, 1);
  return NULL;
}

static void threads(const char *backend) {
  static job jobs[kThreads];
  static results alone;
  pthread_t ids[kThreads];
  for (int round = 0; round < 20; round++) {
    for (size_t i = 0; i < kThreads; i++) {
      jobs[i] = (job){.backend = backend, .model = i};
      assert_int_equal(pthread_create(&ids[i], NULL, work, &jobs[i]), 0);
    }
    for (size_t i = 0; i < kThreads; i++) assert_int_equal(pthread_join(ids[i], NULL), 0);
    if (round > 0 && round < 19) continue;
    for (size_t i = 0; i < kThreads; i++) {
      run(&alone, backend, i, 1);
      assert_memory_equal(&jobs[i].results, &alone, sizeof alone);
    }
  }
}

static void test_threads__each_its_handle(void **unused) {
  (void)unused;
  threads("reference");
  threads("cpu");
}

/* ---- fields ---- */

/* Without errors of phases, a handle's layer is the mesh of the functions without a handle, to the last bit. */
static void layer_is_mesh(const char *backend) {
  cuonn_model *const model = make(backend, 4, 1);
  cuonn_network network = network_of(4);
  const cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
  cuonn_context *context;
  static double want[2][2 * kExamples * kModes], got[2][2 * kExamples * kModes], d[2][2 * kNodes + kModes];
  cuonn_fields in = {kExamples, kModes, values}, g = {kExamples, kModes, cotangents};
  const cuonn_buffer x = buffer(values, CUONN_COMPLEX128, kExamples * kModes), y = buffer(got[0], x.type, x.count);
  const cuonn_buffer cotangent = buffer(cotangents, x.type, x.count), back = buffer(got[1], x.type, x.count);
  OK(cuonn_context_create(&context, backend, 1));
  OK(cuonn_model_set(model, 0, &network, NULL, &settings));
  for (size_t l = 0; l < kLayers; l++) {
    const cuonn_mesh_gradient gradient = {d[0], d[0] + kNodes, d[0] + 2 * kNodes};
    const cuonn_phase_buffers own = {buffer(d[1], CUONN_FLOAT64, kNodes), buffer(d[1] + kNodes, CUONN_FLOAT64, kNodes),
                                     buffer(d[1] + 2 * kNodes, CUONN_FLOAT64, kModes)};
    for (int backward = 0; backward < 2; backward++) {
      OK(cuonn_propagate(&(cuonn_fields){kExamples, kModes, want[0]}, NULL, context, &network.layers[l], &in,
                         backward));
      OK(cuonn_model_propagate(&y, model, 0, l, &x, backward, NULL));
      assert_memory_equal(got[0], want[0], sizeof want[0]);
    }
    OK(cuonn_vjp((cuonn_mesh_gradient *)&gradient, &(cuonn_fields){kExamples, kModes, want[1]}, context,
                 &network.layers[l], &in, &g));
    OK(cuonn_model_vjp(&own, &back, model, 0, l, &x, &cotangent, NULL));
    assert_memory_equal(got[1], want[1], sizeof want[1]);
    assert_memory_equal(d[1], d[0], sizeof d[0]);
  }
  cuonn_context_free(context);
  cuonn_network_free(&network);
  cuonn_model_destroy(model);
}

static void test_fields__as_without_a_handle(void **unused) {
  (void)unused;
  layer_is_mesh("reference");
  layer_is_mesh("cpu");
}

/* Numbers of single precision: what doubles that hold the same numbers give, rounded. Fields of the backend cpu, which
 * computes in float, need no rounding: the same bits. */
static void single_precision(const char *backend) {
  enum { kCount = kExamples * kModes };
  static float x32[2 * kCount], g32[2 * kCount], y32[2 * kCount], b32[2 * kCount], d32[2 * kNodes + kModes];
  static double x64[2 * kCount], g64[2 * kCount], y64[2 * kCount], b64[2 * kCount], d64[2 * kNodes + kModes];
  cuonn_model *const model = make(backend, 2, 1);
  for (size_t i = 0; i < 2 * kCount; i++) { /* numbers that both types hold exactly */
    x64[i] = round(1024 * values[i]) / 1024;
    g64[i] = round(1024 * cotangents[i]) / 1024;
    x32[i] = (float)x64[i];
    g32[i] = (float)g64[i];
  }
  const cuonn_buffer xs[] = {buffer(x32, CUONN_COMPLEX64, kCount), buffer(x64, CUONN_COMPLEX128, kCount)};
  const cuonn_buffer gs[] = {buffer(g32, CUONN_COMPLEX64, kCount), buffer(g64, CUONN_COMPLEX128, kCount)};
  const cuonn_buffer ys[] = {buffer(y32, CUONN_COMPLEX64, kCount), buffer(y64, CUONN_COMPLEX128, kCount)};
  const cuonn_buffer bs[] = {buffer(b32, CUONN_COMPLEX64, kCount), buffer(b64, CUONN_COMPLEX128, kCount)};
  const cuonn_phase_buffers ds[] = {{buffer(d32, CUONN_FLOAT32, kNodes), buffer(d32 + kNodes, CUONN_FLOAT32, kNodes),
                                     buffer(d32 + 2 * kNodes, CUONN_FLOAT32, kModes)},
                                    {buffer(d64, CUONN_FLOAT64, kNodes), buffer(d64 + kNodes, CUONN_FLOAT64, kNodes),
                                     buffer(d64 + 2 * kNodes, CUONN_FLOAT64, kModes)}};
  for (int i = 0; i < 2; i++) {
    OK(cuonn_model_propagate(&ys[i], model, 0, 0, &xs[i], false, NULL));
    OK(cuonn_model_vjp(&ds[i], &bs[i], model, 0, 0, &xs[i], &gs[i], NULL));
  }
  for (size_t i = 0; i < 2 * kCount; i++) {
    assert_true(y32[i] == (float)y64[i] && b32[i] == (float)b64[i]);
    if (strcmp(backend, "cpu") == 0) assert_true((double)y32[i] == y64[i] && (double)b32[i] == b64[i]);
  }
  for (size_t i = 0; i < 2 * kNodes + kModes; i++) assert_true(d32[i] == (float)d64[i] && d64[i] != 0);

  /* half of the gradient, and no fields going back */
  const cuonn_phase_buffers half = {.phi = buffer(d32, CUONN_FLOAT32, kNodes)};
  OK(cuonn_model_vjp(&half, NULL, model, 0, 0, &xs[0], &gs[0], NULL));
  for (size_t i = 0; i < kNodes; i++) assert_true(d32[i] == (float)d64[kNodes + i]);
  cuonn_model_destroy(model);
}

static void test_fields__of_single_precision(void **unused) {
  (void)unused;
  single_precision("reference");
  single_precision("cpu");
}

/* Phases that come in as buffers are those of cuonn_model_set(), in steps as in fields; what is left out stays. */
static void new_phases(const char *backend) {
  static results want, got;
  cuonn_model *const set = make(backend, 0, 1), *const given = make(backend, 0, 1);
  cuonn_network network = network_of(0), from = network_of(3);
  const cuonn_model_settings settings = settings_of(0);
  float phi[kNodes];
  cuonn_step steps[kSteps];
  plan(steps);
  for (size_t l = 0; l < kLayers; l++) {
    cuonn_mesh *const to = &network.layers[l];
    memcpy(to->theta, from.layers[l].theta, kNodes * sizeof(double));
    memcpy(to->gamma, from.layers[l].gamma, kModes * sizeof(double));
    for (size_t k = 0; k < kNodes; k++) to->phi[k] = phi[k] = (float)from.layers[l].phi[k];
    const cuonn_phase_buffers both = {.theta = buffer(to->theta, CUONN_FLOAT64, kNodes),
                                      .phi = buffer(phi, CUONN_FLOAT32, kNodes)};
    const cuonn_phase_buffers gamma = {.gamma = buffer(to->gamma, CUONN_FLOAT64, kModes)};
    OK(cuonn_model_set_phases(given, 0, l, &both, NULL));
    OK(cuonn_model_set_phases(given, 0, l, &gamma, NULL));
  }
  OK(cuonn_model_set(set, 0, &network, NULL, &settings));
  OK(cuonn_model_train(want.losses, set, steps, kSteps));
  OK(cuonn_model_train(got.losses, given, steps, kSteps));
  take(&want, set, 0);
  take(&got, given, 0);
  assert_memory_equal(&got, &want, sizeof want);
  cuonn_network_free(&from);
  cuonn_network_free(&network);
  cuonn_model_destroy(given);
  cuonn_model_destroy(set);
}

static void test_phases__as_buffers(void **unused) {
  (void)unused;
  new_phases("reference");
  new_phases("cpu");
}

/* On a chip that mixes and shifts phases, the product is the derivative by the programmed ones: differences of
 * Re(sum g y) over 1e-5 radians, whose cut-off and rounding are each some 1e-10. */
static void test_vjp__by_programmed_phases(void **unused) {
  (void)unused;
  enum { kCount = kExamples * kModes };
  static double y[2 * kCount], d[kNodes], unused_back[2 * kCount];
  const double step = 1e-5;
  cuonn_model *const model = make("reference", 1, 1);
  cuonn_network network = network_of(1);
  const cuonn_buffer x = buffer(values, CUONN_COMPLEX128, kCount), out = buffer(y, x.type, kCount);
  const cuonn_buffer g = buffer(cotangents, x.type, kCount), back = buffer(unused_back, x.type, kCount);
  const cuonn_phase_buffers gradient = {.theta = buffer(d, CUONN_FLOAT64, kNodes)};
  double *const theta = network.layers[0].theta;
  const cuonn_phase_buffers phases = {.theta = buffer(theta, CUONN_FLOAT64, kNodes)};
  OK(cuonn_model_vjp(&gradient, &back, model, 0, 0, &x, &g, NULL));
  for (size_t k = 0; k < kNodes; k++) {
    double sums[2] = {0};
    for (int side = 0; side < 2; side++) {
      const double was = theta[k];
      theta[k] += side ? step : -step;
      OK(cuonn_model_set_phases(model, 0, 0, &phases, NULL));
      OK(cuonn_model_propagate(&out, model, 0, 0, &x, false, NULL));
      for (size_t i = 0; i < 2 * kCount; i += 2) sums[side] += cotangents[i] * y[i] - cotangents[i + 1] * y[i + 1];
      theta[k] = was;
    }
    const double want = (sums[1] - sums[0]) / (2 * step);
    CLOSE(&d[k], &want, 1, .abs = 1e-7);
  }
  cuonn_network_free(&network);
  cuonn_model_destroy(model);
}

/* ---- refusals ---- */

static void test_refuses__what_is_not_there(void **unused) {
  (void)unused;
  const cuonn_model_options wanted = options(2);
  const cuonn_model_settings settings = settings_of(0);
  const cuonn_step step = {.count = kBatch, .rate_factor = 1};
  cuonn_evaluation evaluation = {0};
  cuonn_context *context;
  cuonn_model *model;
  cuonn_network network = network_of(0);
  double losses[2];
  OK(cuonn_context_create(&context, "reference", 0));
  cuonn_model_options none = wanted;
  none.n_models = 0;
  REFUSED(cuonn_model_create(&model, context, &none), CUONN_E_ARGUMENT, "n_models is 0; it must be at least 1");
  assert_null(model);
  OK(cuonn_model_create(&model, context, &wanted));
  OK(cuonn_model_set(model, 0, &network, NULL, &settings));
  REFUSED(cuonn_model_train(losses, model, &step, 1), CUONN_E_ARGUMENT, "model 1 has no phases yet");
  REFUSED(cuonn_model_set(model, 2, &network, NULL, &settings), CUONN_E_ARGUMENT,
          "model 2 is asked for; the handle has 0 to 1");
  OK(cuonn_model_set(model, 1, &network, NULL, &settings));
  REFUSED(cuonn_model_train(losses, model, &step, 1), CUONN_E_ARGUMENT, "the handle has no training examples yet");
  REFUSED(cuonn_model_evaluate(&evaluation, model, 0, CUONN_SPLIT_TEST), CUONN_E_ARGUMENT, "no test examples yet");
  OK(cuonn_model_set_examples(model, CUONN_SPLIT_TRAIN, &examples, NULL));
  const cuonn_step wrong[] = {
      {.first = kExamples - 1, .count = 2}, {.first = SIZE_MAX, .count = 2}, {.count = 0}, {.count = kBatch + 1}};
  const char *const reasons[] = {"a step has 2 examples from 20 on; the training set has 21", "the training set has 21",
                                 "a step has 0 examples; the handle is made for 1 to 8",
                                 "a step has 9 examples; the handle is made for 1 to 8"};
  for (size_t i = 0; i < 4; i++) {
    REFUSED(cuonn_model_train(losses, model, &wrong[i], 1), CUONN_E_ARGUMENT, reasons[i]);
    REFUSED(cuonn_model_gradient(losses, NULL, model, 0, CUONN_SPLIT_TRAIN, &wrong[i], CUONN_GRADIENT_EXACT),
            CUONN_E_ARGUMENT, reasons[i]);
  }
  REFUSED(cuonn_model_gradient(losses, NULL, model, 0, CUONN_SPLIT_TRAIN, &step, CUONN_GRADIENT_ANALOG),
          CUONN_E_ARGUMENT, "neither exact nor by the model's own method");
  cuonn_model_destroy(model);
  cuonn_context_free(context);
  cuonn_network_free(&network);
}

static void test_refuses__models_that_do_not_fit(void **unused) {
  (void)unused;
  cuonn_model *const model = make("cpu", 0, 1);
  cuonn_network network = network_of(0), other;
  cuonn_network_shape larger = shape;
  cuonn_model_settings settings = settings_of(0);
  larger.n_layers = 3;
  OK(cuonn_network_create(&other, &larger));
  REFUSED(cuonn_model_set(model, 0, &other, NULL, &settings), CUONN_E_SHAPE,
          "the network has 3 layers of 5 waveguides and 3 classes, the handle is made for 2 of 5 and 3");
  settings.gradient = CUONN_GRADIENT_ANALOG;
  REFUSED(cuonn_model_set(model, 0, &network, NULL, &settings), CUONN_E_ARGUMENT, "by another way");
  settings = settings_of(0);
  settings.optimizer.learning_rate = -1;
  REFUSED(cuonn_model_set(model, 0, &network, NULL, &settings), CUONN_E_ARGUMENT, "learning_rate is -1");
  settings = settings_of(0);
  settings.chip.crosstalk = -1;
  REFUSED(cuonn_model_set(model, 0, &network, NULL, &settings), CUONN_E_ARGUMENT, "crosstalk");
  settings = settings_of(0);
  network.layers[1].phi[3] = NAN;
  REFUSED(cuonn_model_set(model, 0, &network, NULL, &settings), CUONN_E_NONFINITE, "layer 1");
  cuonn_network_free(&other);
  cuonn_network_free(&network);
  cuonn_model_destroy(model);
}

static void test_refuses__wrong_buffers(void **unused) {
  (void)unused;
  cuonn_model *const model = make("cpu", 0, 1);
  static double y[2 * kExamples * kModes], d[kNodes];
  const cuonn_buffer x = buffer(values, CUONN_COMPLEX128, kExamples * kModes), out = buffer(y, x.type, x.count);
  cuonn_buffer wrong = out;
  wrong.memory = CUONN_DEVICE;
  REFUSED(cuonn_model_propagate(&wrong, model, 0, 0, &x, false, NULL), CUONN_E_ARGUMENT,
          "output lies in device memory, another buffer of the call does not");
  REFUSED(cuonn_model_propagate(&out, model, 0, 0, &wrong, false, NULL), CUONN_E_ARGUMENT,
          "input lies in device memory, where backend cpu cannot compute; hand over host memory, or use backend cuda");
  wrong = buffer(y, CUONN_FLOAT64, x.count);
  REFUSED(cuonn_model_propagate(&wrong, model, 0, 0, &x, false, NULL), CUONN_E_ARGUMENT, "output holds real numbers");
  wrong = buffer(y, x.type, x.count - 1);
  REFUSED(cuonn_model_propagate(&wrong, model, 0, 0, &x, false, NULL), CUONN_E_SHAPE,
          "output has 104 numbers, the input 105, of examples of 5 waveguides");
  REFUSED(cuonn_model_propagate(&out, model, 0, 0, &wrong, false, NULL), CUONN_E_SHAPE, "input has 104 numbers");
  wrong = buffer(NULL, x.type, x.count);
  REFUSED(cuonn_model_propagate(&wrong, model, 0, 0, &x, false, NULL), CUONN_E_ARGUMENT, "output has no data");
  REFUSED(cuonn_model_propagate(&out, model, 0, kLayers, &x, false, NULL), CUONN_E_ARGUMENT,
          "layer 2 is asked for; models have 0 to 1");
  const cuonn_phase_buffers few = {.phi = buffer(d, CUONN_FLOAT64, kNodes - 1)};
  const cuonn_phase_buffers complex = {.gamma = buffer(d, CUONN_COMPLEX64, kModes)};
  REFUSED(cuonn_model_set_phases(model, 0, 0, &few, NULL), CUONN_E_SHAPE, "phi has 9 numbers, a layer has 10");
  REFUSED(cuonn_model_vjp(&complex, NULL, model, 0, 0, &x, &x, NULL), CUONN_E_ARGUMENT, "gamma holds complex numbers");
  cuonn_model_destroy(model);
}

/* ---- losses that are not finite ---- */

static void test_overflow__is_found_when_asked(void **unused) {
  (void)unused;
  cuonn_model *const model = make("cpu", 0, 1);
  cuonn_network network = network_of(0);
  const cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
  const cuonn_step step = {.count = kBatch, .rate_factor = 1};
  char reason[256], cut[8];
  double loss;
  OK(cuonn_model_find_overflow(reason, sizeof reason, model, 0, &network, CUONN_SPLIT_TRAIN, &step));
  assert_string_equal(reason, "");
  for (size_t i = 0; i < 2 * kNodes; i++) network.layers[1].loss_db[i] = -300; /* a gain of 10^30 of power each */
  OK(cuonn_model_set(model, 0, &network, NULL, &settings));
  OK(cuonn_model_train(&loss, model, &step, 1)); /* not a failure of the call */
  assert_false(isfinite(loss));
  OK(cuonn_model_find_overflow(reason, sizeof reason, model, 0, &network, CUONN_SPLIT_TRAIN, &step));
  assert_non_null(strstr(reason, "powers overflow in layer 1: scale the fields down"));
  OK(cuonn_model_find_overflow(cut, sizeof cut, model, 0, &network, CUONN_SPLIT_TRAIN, &step));
  assert_string_equal(cut, "powers ");
  cuonn_network_free(&network);
  cuonn_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_models__side_by_side_as_alone),   cmocka_unit_test(test_steps__go_on_from_outside),
      cmocka_unit_test(test_threads__each_its_handle),        cmocka_unit_test(test_fields__as_without_a_handle),
      cmocka_unit_test(test_fields__of_single_precision),     cmocka_unit_test(test_phases__as_buffers),
      cmocka_unit_test(test_vjp__by_programmed_phases),       cmocka_unit_test(test_refuses__what_is_not_there),
      cmocka_unit_test(test_refuses__models_that_do_not_fit), cmocka_unit_test(test_refuses__wrong_buffers),
      cmocka_unit_test(test_overflow__is_found_when_asked),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
