/* A sweep on the cuda backend: models with gradients of every kind, in as many states, end as on the cpu backend.
 *
 * Losses: as in training.c, to 2e-5; an image that two classes share but for rounding may count as either. */
#include <stdlib.h>

#include "cuda/device.h"
#include "cuonn/sweep.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/far_chip.h"

#include <simt.h>

enum { kSide = 6, kTrain = 40, kTest = 20, kModels = 8, kEpochs = 2, kLayers = 2, kClasses = 3 };

static cuonn_dataset data;
static const cuonn_features_options features = {.kind = CUONN_FEATURES_FOURIER, .radius = 2}; /* N = 16 */
static const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(16, kLayers, kClasses, CUONN_STYLE_TOP, false, NULL);

typedef struct {
  cuonn_sweep_epoch last[kModels];
  size_t done, together;
} record;

static cuonn_status start(void *user, size_t model, cuonn_network *network) {
  (void)user;
  OK(cuonn_network_initialize(network, CUONN_START_HAAR_PHASES, model));
  for (size_t l = 0; l < kLayers; l++) {
    for (size_t i = 0; i < 240; i++) network->layers[l].coupler_error[i] = 0.05;
  }
  return CUONN_OK;
}

static cuonn_status on_progress(void *user, const cuonn_sweep_progress *progress) {
  record *const r = user;
  if (progress->models_together > r->together) r->together = progress->models_together;
  return CUONN_OK;
}

static cuonn_status on_model(void *user, size_t model, const cuonn_sweep_result *result) {
  record *const r = user;
  assert_int_equal(result->status, CUONN_OK);
  assert_int_equal(result->n_epochs, kEpochs);
  r->last[model] = result->epochs[kEpochs - 1];
  r->done++;
  return CUONN_OK;
}

/* Two of each kind; the two that measure examples by different schemes. */
static cuonn_sweep_model model_of(size_t m) {
  cuonn_sweep_model model = {shape, CUONN_TRAINING_OPTIONS_INIT};
  cuonn_training_options *const t = &model.training;
  const cuonn_gradient_method methods[] = {CUONN_GRADIENT_EXACT, CUONN_GRADIENT_IDEAL, CUONN_GRADIENT_ANALOG,
                                           m < 4 ? CUONN_GRADIENT_ANALOG : CUONN_GRADIENT_DIGITAL};
  t->epochs = kEpochs;
  t->batch_size = 15;
  t->drop_last = false;
  t->order = CUONN_ORDER_SHUFFLED;
  t->seed = m;
  t->optimizer.learning_rate = 0.01;
  t->gradient = methods[m % 4];
  t->chip.seed = m;
  t->chip.measurement = m % 4 == 2 ? CUONN_MEASUREMENT_MATRIX : CUONN_MEASUREMENT_EXAMPLE;
  t->chip.tap_shot = t->chip.io_phase = t->chip.phase_error = 0.02;
  return model;
}

static void run(record *out, const char *backend) {
  cuonn_sweep_model models[kModels];
  const cuonn_sweep_callbacks callbacks = {out, start, on_progress, on_model};
  cuonn_context *context;
  *out = (record){0};
  for (size_t m = 0; m < kModels; m++) models[m] = model_of(m);
  OK(cuonn_context_create(&context, backend, 2));
  OK(cuonn_sweep(context, &data, &features, models, kModels, &callbacks));
  cuonn_context_free(context);
}

static void test_sweep__as_on_the_cpu(void **unused) {
  (void)unused;
  record want, got;
  run(&want, "cpu");
  run(&got, "cuda");
  assert_int_equal(got.done, kModels);
  assert_int_equal(got.together, 2);
  for (size_t m = 0; m < kModels; m++) {
    const cuonn_sweep_epoch *const a = &got.last[m], *const b = &want.last[m];
    const double losses[2][2] = {{a->train_loss, a->test_loss}, {b->train_loss, b->test_loss}};
    CLOSE(losses[0], losses[1], 2, .rel = 2e-5);
    CLOSE(&a->train_error, &b->train_error, 1, .abs = 1.01 / kTrain);
    CLOSE(&a->test_error, &b->test_error, 1, .abs = 1.01 / kTest);
    if (m % 4 == 0) continue; /* exact gradients have no error */
    const double errors[2][2] = {{a->gradient_error_small, a->gradient_error_batch},
                                 {b->gradient_error_small, b->gradient_error_batch}};
    CLOSE(errors[0], errors[1], 2, .abs = 1e-4);
    assert_true(errors[0][0] > 1e-3 && errors[0][1] > 1e-3);
  }
}

/* Where memory holds one network with its chip, it holds a sweep, of fewer at a time than would be had else. */
static void test_sweep__where_memory_ends(void **unused) {
  (void)unused;
  enum { kAlike = 3, kStep = 32 << 10, kBlas = 32 << 20 }; /* bytes; what cuBLAS has for itself */
  cuonn_fabricated made;
  cuonn_sweep_model models[kAlike];
  cuonn_mesh_shape *rectangular;
  cuonn_context *context;
  record r = {0};
  size_t halved = 0;
  const cuonn_sweep_callbacks callbacks = {&r, start, on_progress, on_model};
  OK(cuonn_mesh_shape_rectangular(&rectangular, 16));
  far_chip(&made, rectangular, CUONN_STYLE_TOP, kLayers, &(cuonn_driver){0, 6, 0}, true, 1);
  for (size_t m = 0; m < kAlike; m++) {
    models[m] = model_of(0);
    models[m].training.chip.fabricated = &made;
  }
  OK(cuonn_context_create(&context, "cuda", 1));
  for (size_t bytes = kBlas + (256 << 10); r.together < kAlike; bytes += kStep) {
    simt_memory(bytes);
    cuda_release();
    const cuonn_status alone = cuonn_sweep(context, &data, &features, models, 1, &callbacks);
    r = (record){0};
    const cuonn_status all = cuonn_sweep(context, &data, &features, models, kAlike, &callbacks);
    assert_int_equal(all, alone);
    if (all != CUONN_OK) assert_int_equal(all, CUONN_E_MEMORY);
    if (all == CUONN_OK && r.together < kAlike) halved++;
  }
  assert_true(halved > 1);
  simt_memory((size_t)1 << 30);
  cuonn_context_free(context);
  cuonn_fabricated_free(&made);
  cuonn_mesh_shape_free(rectangular);
}

static void make_images(cuonn_examples *out, size_t n_examples, chance *c) {
  *out = (cuonn_examples){.n_examples = n_examples,
                          .height = kSide,
                          .width = kSide,
                          .pixels = malloc(n_examples * kSide * kSide),
                          .labels = malloc(n_examples)};
  assert_true(out->pixels && out->labels);
  for (size_t i = 0; i < n_examples * kSide * kSide; i++) out->pixels[i] = (uint8_t)chance_index(c, 256);
  for (size_t e = 0; e < n_examples; e++) out->labels[e] = (uint8_t)chance_index(c, kClasses);
}

int main(void) {
  chance c = {3};
  make_images(&data.train, kTrain, &c);
  make_images(&data.test, kTest, &c);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep__as_on_the_cpu),
                                     cmocka_unit_test(test_sweep__where_memory_ends)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  cuonn_dataset_free(&data);
  cuda_release();
  return failed;
}
