/* What calls cost on a device: no allocation where there is room from before, no coefficients that nobody reads, no
 * launches and waits for more models. */
#include <stdlib.h>

#include "backends/backend.h"
#include "cuda/device.h"
#include "cuonn/model.h"
#include "cuonn/sweep.h"
#include "support/chance.h"
#include "support/close.h"

#include <simt.h>

enum { kSide = 6, kExamples = 20, kBatch = 10, kModes = 16, kLayers = 2, kClasses = 3 };

static cuonn_examples images;
static const cuonn_features_options features = {.kind = CUONN_FEATURES_FOURIER, .radius = 2}; /* N = 16 */

/* A handle with both sets; its model has phases that are not those programmed. */
static cuonn_model *make(cuonn_gradient_method gradient, bool errors) {
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, kClasses, CUONN_STYLE_TOP, false, NULL);
  cuonn_model_options options = CUONN_MODEL_OPTIONS_INIT;
  cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
  cuonn_context *context;
  cuonn_network network;
  cuonn_model *model;
  options.shape = shape;
  options.batch_size = kBatch;
  options.order = CUONN_ORDER_SHUFFLED;
  options.gradient = settings.gradient = gradient;
  if (errors) settings.chip.crosstalk = settings.chip.phase_error = 0.02;
  OK(cuonn_context_create(&context, "cuda", 1));
  OK(cuonn_model_create(&model, context, &options));
  cuonn_context_free(context);
  OK(cuonn_model_set_examples(model, CUONN_SPLIT_TRAIN, &images, &features));
  OK(cuonn_model_set_examples(model, CUONN_SPLIT_TEST, &images, &features));
  OK(cuonn_network_create(&network, &shape));
  OK(cuonn_network_initialize(&network, CUONN_START_HAAR_PHASES, 1));
  for (size_t l = 0; errors && l < kLayers; l++) network.layers[l].coupler_error[0] = 0.05;
  OK(cuonn_model_set(model, 0, &network, NULL, &settings));
  cuonn_network_free(&network);
  return model;
}

static const cuonn_step step = {.count = kBatch, .rate_factor = 1};

/* Examples in place of as many others, and fewer, and all that can be asked of them, a second time. */
static void test_calls__allocate_once(void **unused) {
  (void)unused;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, kClasses, CUONN_STYLE_TOP, false, NULL);
  cuonn_model *const model = make(CUONN_GRADIENT_EXACT, true);
  cuonn_mesh_gradient *gradients;
  cuonn_evaluation evaluation = {0};
  double loss;
  OK(cuonn_gradients_create(&gradients, &shape));
  for (int again = 0; again < 2; again++) {
    cuonn_examples examples = images;
    if (again) {
      simt_fail_malloc_after(0);
      examples.n_examples--;
    }
    OK(cuonn_model_set_examples(model, CUONN_SPLIT_TRAIN, &examples, &features));
    OK(cuonn_model_set_examples(model, CUONN_SPLIT_TEST, &examples, &features));
    OK(cuonn_model_step(&loss, model, &step, 1));
    OK(cuonn_model_evaluate(&evaluation, model, 0, CUONN_SPLIT_TRAIN));
    OK(cuonn_model_evaluate_all(&evaluation, model, CUONN_SPLIT_TEST));
    OK(cuonn_model_gradient(&loss, gradients, model, 0, CUONN_SPLIT_TRAIN, &step, CUONN_GRADIENT_EXACT));
    assert_int_equal(evaluation.n_examples, examples.n_examples);
  }
  simt_fail_malloc_after(-1);
  cuonn_gradients_free(gradients);
  cuonn_model_destroy(model);
}

/* Kernels of one more step. */
static size_t kernels_of_step(cuonn_gradient_method gradient, bool errors) {
  cuonn_model *const model = make(gradient, errors);
  const cuonn_step steps[2] = {step, step};
  double losses[2];
  size_t kernels[3];
  for (size_t n = 1; n < 3; n++) { /* the first call makes what follows from the model */
    OK(cuonn_model_step(losses, model, steps, n));
    const size_t before = simt_launches();
    OK(cuonn_model_step(losses, model, steps, n));
    kernels[n] = simt_launches() - before;
  }
  cuonn_model_destroy(model);
  return kernels[2] - kernels[1];
}

/* Nodes of the chip, and the phases that it applies, are what tests see: steps that know of no errors do without. */
static void test_steps__make_no_coefficients_that_nobody_reads(void **unused) {
  (void)unused;
  const size_t plain = kernels_of_step(CUONN_GRADIENT_EXACT, false);
  assert_int_equal(plain, 3); /* network, sums and optimizer, nodes */
  assert_int_equal(kernels_of_step(CUONN_GRADIENT_IDEAL, true), plain);
  assert_true(kernels_of_step(CUONN_GRADIENT_EXACT, true) > plain);
}

/* What a device was asked to do. */
typedef struct {
  size_t kernels, queued, waits;
} effort;

static cuonn_status start(void *user, size_t model, cuonn_network *network) {
  (void)user;
  OK(cuonn_network_initialize(network, CUONN_START_HAAR_PHASES, model));
  for (size_t l = 0; l < kLayers; l++) network->layers[l].coupler_error[model] = 0.05;
  return CUONN_OK;
}

static cuonn_status forget(void *user, size_t model, const cuonn_sweep_result *result) {
  (void)user, (void)model;
  return result->status;
}

/* A sweep of models that train side by side. */
static effort effort_of(size_t n_models, cuonn_gradient_method gradient, cuonn_measurement measurement, size_t epochs) {
  cuonn_sweep_model models[6];
  const cuonn_sweep_callbacks callbacks = {NULL, start, NULL, forget};
  const cuonn_dataset data = {.train = images, .test = images};
  cuonn_context *context;
  for (size_t i = 0; i < n_models; i++) {
    cuonn_training_options *const t = &models[i].training;
    cuonn_sweep_model_init(&models[i]);
    models[i].shape =
        (cuonn_network_shape)CUONN_NETWORK_SHAPE_OF(kModes, kLayers, kClasses, CUONN_STYLE_TOP, false, NULL);
    t->epochs = epochs;
    t->batch_size = kBatch;
    t->order = CUONN_ORDER_SHUFFLED;
    t->seed = i;
    t->gradient = gradient;
    t->chip.measurement = measurement;
    t->chip.io_phase = t->chip.phase_error = 0.02;
  }
  const effort before = {simt_launches(), simt_queued(), simt_waits()};
  OK(cuonn_context_create(&context, "cuda", 1));
  OK(cuonn_sweep(context, &data, &features, models, n_models, &callbacks));
  cuonn_context_free(context);
  return (effort){simt_launches() - before.kernels, simt_queued() - before.queued, simt_waits() - before.waits};
}

/* Steps, tests of both sets and gradient errors of one more epoch, where graphs have been recorded. */
static void test_epoch__costs_no_more_for_more_models(void **unused) {
  (void)unused;
  const cuonn_gradient_method methods[] = {CUONN_GRADIENT_EXACT, CUONN_GRADIENT_IDEAL, CUONN_GRADIENT_ANALOG,
                                           CUONN_GRADIENT_DIGITAL};
  for (size_t kind = 0; kind < 4; kind++) {
    const cuonn_measurement measurement = kind == 2 ? CUONN_MEASUREMENT_MATRIX : CUONN_MEASUREMENT_EXAMPLE;
    effort epoch[2];
    for (size_t i = 0; i < 2; i++) {
      const effort two = effort_of(2 + 4 * i, methods[kind], measurement, 2);
      const effort three = effort_of(2 + 4 * i, methods[kind], measurement, 3);
      epoch[i] = (effort){three.kernels - two.kernels, three.queued - two.queued, three.waits - two.waits};
    }
    assert_memory_equal(&epoch[0], &epoch[1], sizeof *epoch);
    assert_int_equal(epoch[0].waits, kind == 0 ? 3 : 7); /* steps, two sets, and four gradients */
    assert_true(epoch[0].queued <= 5 * epoch[0].waits);  /* of each a graph and some copies */
  }
}

int main(void) {
  chance c = {5};
  images = (cuonn_examples){.n_examples = kExamples,
                            .height = kSide,
                            .width = kSide,
                            .pixels = malloc(kExamples * kSide * kSide),
                            .labels = malloc(kExamples)};
  for (size_t i = 0; i < kExamples * kSide * kSide; i++) images.pixels[i] = (uint8_t)chance_index(&c, 256);
  for (size_t e = 0; e < kExamples; e++) images.labels[e] = (uint8_t)chance_index(&c, kClasses);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls__allocate_once),
                                     cmocka_unit_test(test_steps__make_no_coefficients_that_nobody_reads),
                                     cmocka_unit_test(test_epoch__costs_no_more_for_more_models)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  free(images.pixels);
  free(images.labels);
  cuda_release();
  return failed;
}
