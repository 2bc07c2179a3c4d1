/* The public handle on the backends in host memory: it trains, evaluates and propagates as the functions without one
 * do, in any type of numbers; refuses what does not fit; and works from several threads at once with the bits of
 * one. */
#define HANDLE_MODES 5
#include "support/handle.h"

#include <pthread.h>

#include "cuonn/sweep.h"

/* ---- training ---- */

static void test_models__side_by_side_as_alone(void **unused) {
  (void)unused;
  side_by_side("reference");
  side_by_side("cpu");
}

static void test_models__all_in_one_call(void **unused) {
  (void)unused;
  all_at_once("reference");
  all_at_once("cpu");
}

static void test_steps__go_on_from_outside(void **unused) {
  (void)unused;
  go_on("reference");
  go_on("cpu");
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
  static job jobs[kMostModels];
  static results alone;
  pthread_t ids[kMostModels];
  for (int round = 0; round < 20; round++) {
    for (size_t i = 0; i < kMostModels; i++) {
      jobs[i] = (job){.backend = backend, .model = i};
      assert_int_equal(pthread_create(&ids[i], NULL, work, &jobs[i]), 0);
    }
    for (size_t i = 0; i < kMostModels; i++) assert_int_equal(pthread_join(ids[i], NULL), 0);
    if (round > 0 && round < 19) continue;
    for (size_t i = 0; i < kMostModels; i++) {
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

/* Features of images, too, whose library plans its transforms in memory of its own. */
static void *make_features(void *of) {
  static uint8_t pixels[3 * 12 * 12], classes[3];
  const cuonn_examples images = {.n_examples = 3, .height = 12, .width = 12, .pixels = pixels, .labels = classes};
  cuonn_features_options fourier;
  cuonn_context *context;
  cuonn_fields fields;
  cuonn_features_options_init(&fourier);
  OK(cuonn_context_create(&context, of, 1));
  for (int i = 0; i < 100; i++) {
    OK(cuonn_features(&fields, context, &images, &fourier));
    cuonn_fields_free(&fields);
  }
  cuonn_context_free(context);
  return NULL;
}

static void test_threads__each_its_features(void **unused) {
  (void)unused;
  static char *const backends[] = {"reference", "cpu"};
  pthread_t ids[kMostModels];
  for (size_t b = 0; b < 2; b++) {
    for (size_t i = 0; i < kMostModels; i++)
      assert_int_equal(pthread_create(&ids[i], NULL, make_features, backends[b]), 0);
    for (size_t i = 0; i < kMostModels; i++) assert_int_equal(pthread_join(ids[i], NULL), 0);
  }
}

/* ---- fields ---- */

static void test_fields__as_without_a_handle(void **unused) {
  (void)unused;
  layer_is_mesh("reference");
  layer_is_mesh("cpu");
}

static void test_fields__of_single_precision(void **unused) {
  (void)unused;
  single_precision("reference");
  single_precision("cpu");
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

/* Callers without macros begin with the numbers that the macros hold. */
static void test_options__without_macros(void **unused) {
  (void)unused;
  static const cuonn_training_options training = CUONN_TRAINING_OPTIONS_INIT;
  static const cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  static const cuonn_features_options features = CUONN_FEATURES_OPTIONS_INIT;
  static const cuonn_network_shape network = CUONN_NETWORK_SHAPE_INIT;
  static const cuonn_model_options of_handle = CUONN_MODEL_OPTIONS_INIT;
  cuonn_sweep_model sweep;
  cuonn_training_options t;
  cuonn_optimizer_options o;
  cuonn_chip_options c;
  cuonn_features_options f;
  cuonn_network_shape s;
  cuonn_model_options m;
  memset(&sweep, 0x55, sizeof sweep);
  cuonn_sweep_model_init(&sweep);
  cuonn_training_options_init(&t);
  cuonn_optimizer_options_init(&o);
  cuonn_chip_options_init(&c);
  cuonn_features_options_init(&f);
  cuonn_network_shape_init(&s);
  cuonn_model_options_init(&m);
  assert_true(t.epochs == training.epochs && t.batch_size == training.batch_size && t.chip.crosstalk_decay == 1);
  assert_true(sweep.training.epochs == training.epochs && sweep.shape.n_modes == network.n_modes);
  assert_true(o.learning_rate == training.optimizer.learning_rate && o.beta2 == training.optimizer.beta2);
  assert_true(c.crosstalk_decay == chip.crosstalk_decay && c.phase_bits == 0 && c.loss_law == chip.loss_law);
  assert_true(f.radius == features.radius && f.frequencies == features.frequencies && !f.reference);
  assert_true(s.n_modes == network.n_modes && s.n_layers == network.n_layers && s.mesh == NULL);
  assert_true(m.n_models == of_handle.n_models && m.shape.n_classes == network.n_classes && m.batch_size == 0);
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
  REFUSED(cuonn_model_step(losses, model, &step, 1), CUONN_E_ARGUMENT, "model 1 has no phases yet");
  REFUSED(cuonn_model_set(model, 2, &network, NULL, &settings), CUONN_E_ARGUMENT,
          "model 2 is asked for; the handle has 0 to 1");
  OK(cuonn_model_set(model, 1, &network, NULL, &settings));
  REFUSED(cuonn_model_step(losses, model, &step, 1), CUONN_E_ARGUMENT, "the handle has no training examples yet");
  REFUSED(cuonn_model_evaluate(&evaluation, model, 0, CUONN_SPLIT_TEST), CUONN_E_ARGUMENT, "no test examples yet");
  OK(cuonn_model_set_examples(model, CUONN_SPLIT_TRAIN, &examples, NULL));
  const cuonn_step wrong[] = {
      {.first = kExamples - 1, .count = 2}, {.first = SIZE_MAX, .count = 2}, {.count = 0}, {.count = kBatch + 1}};
  const char *const reasons[] = {"a step has 2 examples from 20 on; the training set has 21", "the training set has 21",
                                 "a step has 0 examples; the handle is made for 1 to 8",
                                 "a step has 9 examples; the handle is made for 1 to 8"};
  for (size_t i = 0; i < 4; i++) {
    REFUSED(cuonn_model_step(losses, model, &wrong[i], 1), CUONN_E_ARGUMENT, reasons[i]);
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
  wrong = buffer(y, x.type, ((size_t)1 << 31) * kModes);
  REFUSED(cuonn_model_propagate(&wrong, model, 0, 0, &wrong, false, NULL), CUONN_E_SHAPE, "more than 2^31 - 1");
  wrong = buffer((char *)y + 4, x.type, x.count);
  REFUSED(cuonn_model_propagate(&wrong, model, 0, 0, &x, false, NULL), CUONN_E_ARGUMENT,
          "which is no multiple of 8 bytes, the size of its numbers");
  wrong = buffer((char *)y + 2, CUONN_COMPLEX64, x.count);
  REFUSED(cuonn_model_propagate(&wrong, model, 0, 0, &x, false, NULL), CUONN_E_ARGUMENT, "no multiple of 4 bytes");
  const cuonn_phase_buffers off = {.theta = buffer((char *)d + 1, CUONN_FLOAT32, kNodes)};
  REFUSED(cuonn_model_set_phases(model, 0, 0, &off, NULL), CUONN_E_ARGUMENT, "theta begins at ");
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
  OK(cuonn_model_step(&loss, model, &step, 1)); /* not a failure of the call */
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
      cmocka_unit_test(test_models__side_by_side_as_alone),
      cmocka_unit_test(test_models__all_in_one_call),
      cmocka_unit_test(test_steps__go_on_from_outside),
      cmocka_unit_test(test_threads__each_its_handle),
      cmocka_unit_test(test_threads__each_its_features),
      cmocka_unit_test(test_options__without_macros),
      cmocka_unit_test(test_fields__as_without_a_handle),
      cmocka_unit_test(test_fields__of_single_precision),
      cmocka_unit_test(test_phases__as_buffers),
      cmocka_unit_test(test_vjp__by_programmed_phases),
      cmocka_unit_test(test_refuses__what_is_not_there),
      cmocka_unit_test(test_refuses__models_that_do_not_fit),
      cmocka_unit_test(test_refuses__wrong_buffers),
      cmocka_unit_test(test_overflow__is_found_when_asked),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
