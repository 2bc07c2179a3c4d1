/* Whole trainings of the cuda backend through cuonn_train(): the same losses as the cpu backend, the same bits in every
 * run, order of threads and device, and on from where a run was stopped.
 *
 * Losses: float rounds fields by some 1e-6 of their size (support/parity.h), and the phases of both backends drift
 * apart by less than that a step: 2e-5 leaves room for ten epochs. */
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "cuda/device.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/far_chip.h"

#include <simt.h>

enum { kSide = 8, kTrain = 150, kTest = 70, kMostSteps = 64, kNodes = 120, kLayers = 2 };

typedef struct {
  double losses[kMostSteps];
  size_t n_losses, stop_after; /* 0: not */
  cuonn_epoch_record last;
} record;

static cuonn_status on_step(void *user, uint64_t step, double loss) {
  record *const r = user;
  assert_int_equal(step, r->n_losses + 1);
  r->losses[r->n_losses++] = loss;
  return CUONN_OK;
}

static cuonn_status on_epoch(void *user, const cuonn_epoch_record *epoch, const cuonn_training_state *state,
                             bool improved) {
  record *const r = user;
  (void)state, (void)improved;
  r->last = *epoch;
  if (r->stop_after == epoch->epoch) cuonn_request_stop();
  return CUONN_OK;
}

/* Noise images: what they are about does not matter here. */
static void make_images(cuonn_examples *out, size_t n_examples, chance *c) {
  *out = (cuonn_examples){.n_examples = n_examples,
                          .height = kSide,
                          .width = kSide,
                          .pixels = malloc(n_examples * kSide * kSide),
                          .labels = malloc(n_examples)};
  for (size_t i = 0; i < n_examples * kSide * kSide; i++) out->pixels[i] = (uint8_t)chance_index(c, 256);
  for (size_t e = 0; e < n_examples; e++) out->labels[e] = (uint8_t)chance_index(c, 3);
}

static cuonn_dataset data;
static const cuonn_features_options features = {.kind = CUONN_FEATURES_FOURIER, .radius = 2}; /* N = 16 */

/* How gradients are had, and with what noise. */
typedef struct {
  cuonn_order order;
  cuonn_gradient_method gradient;
  cuonn_measurement measurement;
  const char *method; /* of backend cuda; NULL: columns, as all others have */
  bool on_made;       /* on the chip `made` */
} kind;

static cuonn_fabricated made;

static const kind fixed = {.order = CUONN_ORDER_FIXED}, shuffled = {.order = CUONN_ORDER_SHUFFLED};
static const kind dense = {.order = CUONN_ORDER_SHUFFLED, .method = "dense"};
static const kind dense_ideal = {.gradient = CUONN_GRADIENT_IDEAL, .method = "dense"};
static const kind by_matrix = {CUONN_ORDER_SHUFFLED, CUONN_GRADIENT_ANALOG, CUONN_MEASUREMENT_MATRIX, NULL, false};
static const kind by_example = {CUONN_ORDER_FIXED, CUONN_GRADIENT_DIGITAL, CUONN_MEASUREMENT_EXAMPLE, NULL, false};
static const kind on_made = {.order = CUONN_ORDER_SHUFFLED, .on_made = true};

static cuonn_training_options options_of(kind how) {
  cuonn_training_options options = CUONN_TRAINING_OPTIONS_INIT;
  options.epochs = 4;
  options.batch_size = 40; /* the last batch of an epoch has 30 */
  options.drop_last = false;
  options.order = how.order;
  options.seed = 5;
  options.optimizer.learning_rate = 0.01;
  options.schedule = CUONN_SCHEDULE_COSINE;
  options.gradient = how.gradient;
  options.train_gamma = cuonn_gradient_is_measured(how.gradient);
  if (how.on_made) options.chip.fabricated = &made;
  if (how.method) { /* phases that are not those programmed */
    options.chip.phase_bits = 7;
    options.chip.crosstalk = options.chip.phase_error = 0.02;
    options.chip.crosstalk_decay = 1;
  }
  if (!options.train_gamma) return options;
  options.chip.measurement = how.measurement;
  options.chip.tap_shot = options.chip.io_amplitude = options.chip.io_phase = 0.02;
  return options;
}

/* From the same start; error: of couplers. */
static cuonn_status train(cuonn_training_state *state, record *r, const char *backend, kind how) {
  const cuonn_training_options options = options_of(how);
  const cuonn_training_callbacks callbacks = {.user = r, .on_step = on_step, .on_epoch = on_epoch};
  cuonn_context *context;
  OK(cuonn_context_create(&context, backend, 2));
  if (how.method && strcmp(backend, "cuda") == 0) OK(cuonn_context_set_method(context, how.method));
  r->n_losses = (size_t)state->step;
  const cuonn_status status = cuonn_train(state, context, &data, &features, &options, &callbacks);
  cuonn_context_free(context);
  return status;
}

static void start(cuonn_training_state *state, double error) {
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(16, kLayers, 3, CUONN_STYLE_TOP, false, NULL);
  chance c = {9};
  OK(cuonn_training_state_create(state, &shape));
  OK(cuonn_network_initialize(&state->network, CUONN_START_HAAR_PHASES, 1));
  for (size_t l = 0; l < kLayers; l++) {
    for (size_t i = 0; i < 2 * kNodes; i++) state->network.layers[l].coupler_error[i] = error * chance_normal(&c);
  }
}

static void assert_same_state(const cuonn_training_state *a, const cuonn_training_state *b) {
  for (size_t l = 0; l < kLayers; l++) {
    assert_memory_equal(a->network.layers[l].theta, b->network.layers[l].theta, kNodes * sizeof(double));
    assert_memory_equal(a->network.layers[l].phi, b->network.layers[l].phi, kNodes * sizeof(double));
  }
  assert_memory_equal(a->moments, b->moments, cuonn_training_moments_count(&a->network.shape) * sizeof(double));
}

static void like_cpu(kind how, double error) {
  cuonn_training_state states[2];
  record records[2] = {0};
  const char *const backends[2] = {"cpu", "cuda"};
  for (int b = 0; b < 2; b++) {
    start(&states[b], error);
    OK(train(&states[b], &records[b], backends[b], how));
  }
  assert_int_equal(records[0].n_losses, 16);
  assert_int_equal(records[1].n_losses, 16);
  for (size_t i = 0; i < 16; i++) CLOSE(&records[1].losses[i], &records[0].losses[i], 1, .rel = 2e-5);
  CLOSE(&records[1].last.test_loss, &records[0].last.test_loss, 1, .rel = 2e-5);
  assert_true(records[1].last.test_accuracy == records[0].last.test_accuracy);
  for (int b = 0; b < 2; b++) cuonn_training_state_free(&states[b]);
}

static void test_losses__as_on_the_cpu(void **unused) { (void)unused, like_cpu(fixed, 0); }
static void test_losses__as_on_the_cpu_shuffled(void **unused) { (void)unused, like_cpu(shuffled, 0); }
static void test_losses__as_on_the_cpu_with_errors(void **unused) { (void)unused, like_cpu(shuffled, 0.05); }
static void test_losses__as_on_the_cpu_dense(void **unused) {
  (void)unused;
  like_cpu(dense, 0);
  like_cpu(dense_ideal, 0.05);
}
static void test_losses__as_on_the_cpu_on_a_fabricated_chip(void **unused) {
  (void)unused;
  like_cpu(on_made, 0.05);
}
static void test_losses__as_on_the_cpu_in_situ(void **unused) {
  (void)unused;
  like_cpu(by_matrix, 0.05);
  like_cpu(by_example, 0);
}

/* Fields of 13 waveguides, some dark in every example, then a reference, then two dark ones: N = 16. */
static void make_fields(cuonn_examples *out, size_t n_examples, chance *c) {
  enum { kOwn = 13 };
  *out = (cuonn_examples){.n_examples = n_examples, .labels = malloc(n_examples)};
  OK(cuonn_fields_create(&out->fields, n_examples, kOwn));
  for (size_t i = 0; i < 2 * n_examples * kOwn; i++) out->fields.values[i] = i / 2 % kOwn == 4 ? 0 : chance_normal(c);
  for (size_t e = 0; e < n_examples; e++) out->labels[e] = (uint8_t)chance_index(c, 3);
  OK(cuonn_examples_fit(out, 16, true, true));
}

/* All three backends, and the bits of fields that are the features of the images. */
static void test_losses__of_fields_on_three_backends(void **unused) {
  (void)unused;
  static const char *const backends[3] = {"reference", "cpu", "cuda"};
  const cuonn_dataset images = data;
  chance c = {11};
  make_fields(&data.train, kTrain, &c);
  make_fields(&data.test, kTest, &c);
  const kind kinds[] = {shuffled, by_matrix};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    record records[3] = {0};
    for (size_t b = 0; b < 3; b++) {
      cuonn_training_state state;
      start(&state, 0.05);
      OK(train(&state, &records[b], backends[b], kinds[k]));
      cuonn_training_state_free(&state);
      assert_int_equal(records[b].n_losses, 16);
      /* float against double: noise in measured gradients is the same, so that rounding alone parts them */
      for (size_t i = 0; i < 16; i++) CLOSE(&records[b].losses[i], &records[0].losses[i], 1, .rel = 2e-5);
      CLOSE(&records[b].last.test_loss, &records[0].last.test_loss, 1, .rel = 2e-5);
    }
  }
  cuonn_dataset_free(&data);
  data = images;
}

static void test_bits__of_fields_as_of_their_images(void **unused) {
  (void)unused;
  static const char *const backends[2] = {"cpu", "cuda"};
  const cuonn_dataset images = data;
  for (size_t b = 0; b < 2; b++) {
    cuonn_training_state states[2];
    record records[2] = {0};
    cuonn_context *context;
    cuonn_dataset fields = {0};
    OK(cuonn_context_create(&context, backends[b], 2));
    OK(cuonn_features(&fields.train.fields, context, &images.train, &features));
    OK(cuonn_features(&fields.test.fields, context, &images.test, &features));
    cuonn_context_free(context);
    fields.train.n_examples = kTrain;
    fields.train.labels = images.train.labels;
    fields.test.n_examples = kTest;
    fields.test.labels = images.test.labels;
    for (size_t i = 0; i < 2; i++) {
      data = i == 0 ? images : fields;
      start(&states[i], 0);
      OK(train(&states[i], &records[i], backends[b], shuffled));
    }
    data = images;
    assert_memory_equal(records[0].losses, records[1].losses, 16 * sizeof(double));
    assert_same_state(&states[0], &states[1]);
    cuonn_fields_free(&fields.train.fields);
    cuonn_fields_free(&fields.test.fields);
    cuonn_training_state_free(&states[0]);
    cuonn_training_state_free(&states[1]);
  }
}

/* Every schedule, and devices of two and of four multiprocessors. */
static void same_in_every_run(kind how) {
  cuonn_training_state first, again;
  for (int i = 0; i < 2 * SIMT_SCHEDULES; i++) {
    record r = {0};
    simt_schedule(i % SIMT_SCHEDULES);
    cuda_release(); /* sessions know the device that they were made for */
    simt_device(i % 2 ? 4 : 2, i < SIMT_SCHEDULES ? 232448 : 101376);
    start(i == 0 ? &first : &again, 0);
    OK(train(i == 0 ? &first : &again, &r, "cuda", how));
    if (i == 0) continue;
    assert_same_state(&again, &first);
    cuonn_training_state_free(&again);
  }
  simt_schedule(0);
  cuda_release();
  simt_device(2, 232448);
  cuonn_training_state_free(&first);
}

static void test_bits__same_in_every_run(void **unused) {
  (void)unused;
  same_in_every_run(shuffled);
  same_in_every_run(dense);
  same_in_every_run(by_matrix);
  same_in_every_run(by_example);
}

static void same_after_a_stop(kind how) {
  cuonn_training_state whole, stopped;
  record r = {0}, s = {.stop_after = 2};
  start(&whole, 0);
  start(&stopped, 0);
  OK(train(&whole, &r, "cuda", how));
  assert_int_equal(train(&stopped, &s, "cuda", how), CUONN_E_INTERRUPTED);
  assert_int_equal(stopped.step, 8);
  cuonn_clear_stop();
  s.stop_after = 0;
  OK(train(&stopped, &s, "cuda", how));
  assert_same_state(&stopped, &whole);
  cuonn_training_state_free(&stopped);
  cuonn_training_state_free(&whole);
}

/* Ranges of a profiler are closed, and nothing stays but what waits for the next state. */
static void test_bits__same_after_a_stop(void **unused) {
  (void)unused;
  same_after_a_stop(shuffled);
  same_after_a_stop(dense);
  same_after_a_stop(by_matrix);
  same_after_a_stop(on_made);
}

static void test_nothing_is_left(void **unused) {
  (void)unused;
  cuda_release();
  assert_int_equal(simt_ranges(), 0);
  assert_int_equal(simt_alive(), 0);
}

int main(void) {
  chance c = {3};
  make_images(&data.train, kTrain, &c);
  make_images(&data.test, kTest, &c);
  cuonn_mesh_shape *shape;
  OK(cuonn_mesh_shape_rectangular(&shape, 16));
  far_chip(&made, shape, CUONN_STYLE_TOP, kLayers, &(cuonn_driver){.5, 7, 0}, true, 1);
  cuonn_mesh_shape_free(shape);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_losses__as_on_the_cpu),
      cmocka_unit_test(test_losses__as_on_the_cpu_shuffled),
      cmocka_unit_test(test_losses__as_on_the_cpu_with_errors),
      cmocka_unit_test(test_losses__as_on_the_cpu_dense),
      cmocka_unit_test(test_losses__as_on_the_cpu_on_a_fabricated_chip),
      cmocka_unit_test(test_losses__as_on_the_cpu_in_situ),
      cmocka_unit_test(test_losses__of_fields_on_three_backends),
      cmocka_unit_test(test_bits__of_fields_as_of_their_images),
      cmocka_unit_test(test_bits__same_in_every_run),
      cmocka_unit_test(test_bits__same_after_a_stop),
      cmocka_unit_test(test_nothing_is_left),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  cuonn_fabricated_free(&made);
  cuonn_dataset_free(&data);
  return failed;
}
