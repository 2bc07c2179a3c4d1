/* What a handle has to do on every backend: a program defines HANDLE_MODES before it includes this, and calls the
 * checks with names of backends. */
#ifndef CUONN_TESTS_SUPPORT_HANDLE_H
#define CUONN_TESTS_SUPPORT_HANDLE_H

#include <stdlib.h>
#include <string.h>

#include "cuonn/model.h"
#include "cuonn/training.h"
#include "support/chance.h"
#include "support/close.h"

enum {
  kModes = HANDLE_MODES,
  kNodes = kModes * (kModes - 1) / 2,
  kLayers = 2,
  kClasses = 3,
  kExamples = 21,
  kBatch = 8,
  kSteps = 6,
  kMostModels = 8
};

static const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, kClasses, CUONN_STYLE_TOP, true, NULL);
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
    for (size_t i = 0; i < 2 * kNodes; i++)
      network.layers[l].loss_db[i] = i == 3 ? 8 : 0.2; /* 8: fields are kept, too */
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

static inline cuonn_model *make(const char *backend, size_t first, size_t n_models) {
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

static inline void plan(cuonn_step steps[kSteps]) {
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

/* All that a model comes to. */
typedef struct {
  double losses[kSteps], test_loss, loss;
  double theta[kLayers][kNodes], phi[kLayers][kNodes], moments[2 * kLayers * kModes * kModes];
  double gradients[kLayers][2 * kNodes + kModes];
  double out[2 * kExamples * kModes], back[2 * kExamples * kModes], d_phases[2 * kNodes + kModes];
} results;

static inline void take(results *out, cuonn_model *model, size_t index) {
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
    g[l] = (cuonn_mesh_gradient){out->gradients[l], out->gradients[l] + kNodes, out->gradients[l] + 2 * kNodes, NULL};
  }
  OK(cuonn_model_evaluate(&evaluation, model, index, CUONN_SPLIT_TEST));
  out->test_loss = evaluation.loss;
  OK(cuonn_model_gradient(&out->loss, g, model, index, CUONN_SPLIT_TRAIN, &step, CUONN_GRADIENT_EXACT));
  OK(cuonn_model_propagate(&y, model, index, kLayers - 1, &x, false, NULL));
  OK(cuonn_model_vjp(&gradient, &back, model, index, kLayers - 1, &x, &cotangent, NULL));
  cuonn_network_free(&network);
}

static inline void run(results *out, const char *backend, size_t first, size_t n_models) {
  cuonn_step steps[kSteps];
  double losses[kSteps * kMostModels];
  cuonn_model *const model = make(backend, first, n_models);
  memset(out, 0, n_models * sizeof *out);
  plan(steps);
  OK(cuonn_model_step(losses, model, steps, kSteps));
  for (size_t m = 0; m < n_models; m++) {
    for (size_t i = 0; i < kSteps; i++) out[m].losses[i] = losses[i * n_models + m];
    take(&out[m], model, m);
  }
  cuonn_model_destroy(model);
}

/* As many models in one handle are each what it is alone. */
static inline void side_by_side(const char *backend) {
  static results together[3], alone;
  run(together, backend, 0, 3);
  assert_true(together[0].losses[0] != together[1].losses[0]);
  for (size_t m = 0; m < 3; m++) {
    run(&alone, backend, m, 1);
    assert_memory_equal(&together[m], &alone, sizeof alone);
  }
}

/* All models in one call, with noise of their own in what they read, are what each is in a call for itself. */
static inline void all_at_once(const char *backend) {
  enum { kModels = 4, kNumbers = 2 * kNodes + kModes };
  static double one[kLayers][kNumbers], all[kModels][kLayers][kNumbers];
  cuonn_model *const model = make(backend, 0, kModels);
  cuonn_mesh_gradient g[kLayers], each[kModels * kLayers];
  cuonn_evaluation want = {0}, got[kModels] = {0};
  uint64_t confusion[kModels + 1][kClasses * kClasses];
  double loss, losses[kModels];
  const cuonn_step step = {.epoch = 1, .first = 3, .count = kBatch, .number = kSteps};
  for (size_t m = 0; m < kModels; m++) {
    cuonn_model_settings settings = settings_of(m);
    cuonn_network network = network_of(m);
    settings.chip.io_phase = m < 1 ? 0 : 0.05;
    settings.chip.measurement = m < 2 ? CUONN_MEASUREMENT_EXAMPLE : CUONN_MEASUREMENT_MATRIX;
    OK(cuonn_model_set(model, m, &network, NULL, &settings));
    cuonn_network_free(&network);
    got[m].confusion = confusion[m];
    for (size_t l = 0; l < kLayers; l++)
      each[m * kLayers + l] = (cuonn_mesh_gradient){all[m][l], all[m][l] + kNodes, all[m][l] + 2 * kNodes, NULL};
  }
  for (size_t l = 0; l < kLayers; l++) g[l] = (cuonn_mesh_gradient){one[l], one[l] + kNodes, one[l] + 2 * kNodes, NULL};
  want.confusion = confusion[kModels];
  for (int split = 0; split < CUONN_SPLITS; split++) {
    OK(cuonn_model_evaluate_all(got, model, (cuonn_split)split));
    OK(cuonn_model_gradient_all(losses, each, model, (cuonn_split)split, &step, CUONN_GRADIENT_EXACT));
    for (size_t m = 0; m < kModels; m++) {
      OK(cuonn_model_evaluate(&want, model, m, (cuonn_split)split));
      assert_true(got[m].loss == want.loss && got[m].n_correct == want.n_correct && got[m].n_examples == kExamples);
      assert_memory_equal(confusion[m], confusion[kModels], sizeof *confusion);
      OK(cuonn_model_gradient(&loss, g, model, m, (cuonn_split)split, &step, CUONN_GRADIENT_EXACT));
      assert_true(losses[m] == loss);
      assert_memory_equal(all[m], one, sizeof one);
    }
    assert_true(got[0].loss != got[1].loss && got[2].loss != got[3].loss);
  }
  REFUSED(cuonn_model_gradient_all(losses, each, model, CUONN_SPLIT_TEST, &step, CUONN_GRADIENT_ANALOG),
          CUONN_E_ARGUMENT, "neither exact nor by the handle's method");
  cuonn_model_destroy(model);
}

/* Steps that are handed in one by one, by handles that begin where another ended, are those of one call. */
static inline void go_on(const char *backend) {
  static results want;
  cuonn_step steps[kSteps];
  plan(steps);
  run(&want, backend, 0, 1);
  cuonn_network network = network_of(0);
  double moments[2 * kLayers * kModes * kModes] = {0}, loss;
  const cuonn_model_settings settings = settings_of(0);
  for (size_t i = 0; i < kSteps; i++) {
    cuonn_model *const model = make(backend, 0, 1);
    OK(cuonn_model_set(model, 0, &network, moments, &settings));
    OK(cuonn_model_step(&loss, model, &steps[i], 1));
    assert_memory_equal(&loss, &want.losses[i], sizeof loss);
    OK(cuonn_model_get(&network, moments, model, 0));
    cuonn_model_destroy(model);
  }
  for (size_t l = 0; l < kLayers; l++)
    assert_memory_equal(network.layers[l].theta, want.theta[l], sizeof want.theta[l]);
  assert_memory_equal(moments, want.moments, sizeof moments);
  cuonn_network_free(&network);
}

/* Without errors of phases, a handle's layer is the mesh of the functions without a handle, to the last bit. */
static inline void layer_is_mesh(const char *backend) {
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
    const cuonn_mesh_gradient gradient = {d[0], d[0] + kNodes, d[0] + 2 * kNodes, NULL};
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

/* Numbers of single precision: what doubles that hold the same numbers give, rounded. Fields of the backend cpu, which
 * computes in float, need no rounding: the same bits. */
static inline void single_precision(const char *backend) {
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

/* Phases that come in as buffers are those of cuonn_model_set(), in steps as in fields; what is left out stays. */
static inline void new_phases(const char *backend) {
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
  OK(cuonn_model_step(want.losses, set, steps, kSteps));
  OK(cuonn_model_step(got.losses, given, steps, kSteps));
  take(&want, set, 0);
  take(&got, given, 0);
  assert_memory_equal(&got, &want, sizeof want);
  cuonn_network_free(&from);
  cuonn_network_free(&network);
  cuonn_model_destroy(given);
  cuonn_model_destroy(set);
}

#endif
