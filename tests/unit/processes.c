/* Processes that share a training, as threads that exchange through memory: the bits of one alone, for every sum that a
 * step and an evaluation have, by computed, measured and noisy readings; what they agree on; refusals; how much they
 * send. Ranks that have no chunk are among them, and the last batch of an epoch has fewer chunks than the others. */
#include "cuonn/processes.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/processes.h"
#include "cuonn/training.h"
#include "support/chance.h"
#include "support/close.h"

enum { kModes = 20, kLayers = 2, kClasses = 5, kTrain = 1130, kTest = 150, kBatch = 1030, kEpochs = 3, kMost = 18 };

static double values[2 * (kTrain + kTest) * kModes];
static uint8_t labels[kTrain + kTest];
static cuonn_dataset data;
static const cuonn_features_options features = CUONN_FEATURES_OPTIONS_INIT;

static int setup(void **unused) {
  (void)unused;
  chance c = {3};
  chance_normals(values, sizeof values / sizeof *values, &c);
  for (size_t e = 0; e < kTrain + kTest; e++) labels[e] = (uint8_t)chance_index(&c, kClasses);
  data.train = (cuonn_examples){.n_examples = kTrain, .labels = labels, .fields = {kTrain, kModes, values}};
  data.test = (cuonn_examples){
      .n_examples = kTest, .labels = labels + kTrain, .fields = {kTest, kModes, values + (size_t)2 * kTrain * kModes}};
  return 0;
}

/* --- the processes --- */

typedef struct {
  pthread_barrier_t here;
  size_t size;
  const char *out[kMost];
  const size_t *sizes[kMost];
  _Atomic size_t begun[kMost]; /* exchanges */
  size_t sent;                 /* bytes from one process to another, of all */
  bool fits;                   /* each got what it was told to get */
} world;

typedef struct {
  world *w;
  size_t rank;
  const char *method;
  const cuonn_network_shape *shape;
  const cuonn_training_options *options;
  double shift;    /* of a phase that the run begins with */
  size_t stops_at; /* step after which it asks for an end; 0: never */

  cuonn_training_state state;
  cuonn_epoch_record records[kEpochs];
  size_t n_records;
  uint64_t confusion[kClasses * kClasses];
  size_t n_correct;
  cuonn_status status;
  char reason[256];
} process;

static void exchange(void *user, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes) {
  const process *const p = user;
  world *const w = p->w;
  w->begun[p->rank]++;
  w->out[p->rank] = out;
  w->sizes[p->rank] = out_sizes;
  pthread_barrier_wait(&w->here);
  char *to = in;
  for (size_t r = 0; r < w->size; r++) {
    const char *from = w->out[r];
    for (size_t q = 0; q < p->rank; q++) from += w->sizes[r][q];
    if (w->sizes[r][p->rank] != in_sizes[r]) w->fits = false;
    memcpy(to, from, in_sizes[r]);
    to += in_sizes[r];
    if (p->rank == 0 && r > 0) w->sent += in_sizes[r];
  }
  pthread_barrier_wait(&w->here);
}

static cuonn_status on_epoch(void *user, const cuonn_epoch_record *record, const cuonn_training_state *state,
                             bool improved) {
  process *const p = user;
  (void)state, (void)improved;
  p->records[p->n_records++] = *record;
  return CUONN_OK;
}

static cuonn_status on_step(void *user, uint64_t step, double loss) {
  const process *const p = user;
  world *const w = p->w;
  (void)loss;
  if (step != p->stops_at) return CUONN_OK;
  for (size_t r = 0; r < w->size; r++) {
    while (r != p->rank && w->begun[r] <= w->begun[p->rank]) sched_yield(); /* all others have looked already */
  }
  cuonn_request_stop();
  return CUONN_OK;
}

/* The confusion of the test set. */
static cuonn_status evaluate(process *p, cuonn_context *context) {
  cuonn_model_options options = {
      .n_models = 1, .shape = p->state.network.shape, .batch_size = 0, .gradient = CUONN_GRADIENT_EXACT};
  const cuonn_model_settings settings = {.optimizer = p->options->optimizer, .chip = p->options->chip};
  cuonn_evaluation out = {.confusion = p->confusion};
  cuonn_model *model;
  cuonn_status status = cuonn_model_create(&model, context, &options);
  if (status == CUONN_OK) status = cuonn_model_set_examples(model, CUONN_SPLIT_TEST, &data.test, &features);
  if (status == CUONN_OK) status = cuonn_model_set(model, 0, &p->state.network, NULL, &settings);
  if (status == CUONN_OK) status = cuonn_model_evaluate(&out, model, 0, CUONN_SPLIT_TEST);
  cuonn_model_destroy(model);
  p->n_correct = out.n_correct;
  return status;
}

static void begin(process *p) {
  chance c = {5};
  OK(cuonn_training_state_create(&p->state, p->shape));
  OK(cuonn_network_initialize(&p->state.network, CUONN_START_HAAR, 11));
  for (size_t l = 0; l < p->shape->n_layers; l++) {
    cuonn_mesh *const mesh = &p->state.network.layers[l];
    for (size_t i = 0; i < 2 * mesh->n_nodes; i++) mesh->coupler_error[i] = chance_uniform(&c, -.05, .05);
    for (size_t i = 0; i < 2 * mesh->n_nodes; i++) mesh->loss_db[i] = chance_uniform(&c, 0, .1);
  }
  p->state.network.layers[1].phi[7] += p->shift;
}

static void *work(void *user) {
  process *const p = user;
  const cuonn_processes all = {p->rank, p->w->size, exchange, p, NULL, NULL};
  const cuonn_training_callbacks callbacks = {.user = p, .on_epoch = on_epoch, .on_step = on_step};
  cuonn_context *context;
  p->status = cuonn_context_create(&context, "cpu", 1 + (int)(p->rank + p->w->size) % 2);
  if (p->status == CUONN_OK) p->status = cuonn_context_set_method(context, p->method);
  if (p->status == CUONN_OK) p->status = cuonn_context_share(context, &all);
  if (p->status == CUONN_OK) p->status = cuonn_train(&p->state, context, &data, &features, p->options, &callbacks);
  if (p->status == CUONN_OK) p->status = evaluate(p, context);
  snprintf(p->reason, sizeof p->reason, "%s", p->status == CUONN_OK ? "" : cuonn_last_error());
  cuonn_context_free(context);
  return NULL;
}

/* So many processes do something; returns bytes sent. */
static size_t do_together(process *p, size_t size, void *(*what)(void *)) {
  static world w;
  pthread_t ids[kMost];
  memset(&w, 0, sizeof w);
  w.size = size;
  w.fits = true;
  assert_int_equal(pthread_barrier_init(&w.here, NULL, (unsigned)size), 0);
  for (size_t r = 0; r < size; r++) {
    p[r].w = &w;
    p[r].rank = r;
  }
  for (size_t r = 0; r < size; r++) assert_int_equal(pthread_create(&ids[r], NULL, what, &p[r]), 0);
  for (size_t r = 0; r < size; r++) assert_int_equal(pthread_join(ids[r], NULL), 0);
  pthread_barrier_destroy(&w.here);
  assert_true(w.fits);
  return w.sent;
}

/* They train, from their beginnings. */
static size_t together(process *p, size_t size) {
  for (size_t r = 0; r < size; r++) begin(&p[r]);
  return do_together(p, size, work);
}

static void end(process *p, size_t size) {
  for (size_t r = 0; r < size; r++) cuonn_training_state_free(&p[r].state);
}

static void make(process *p, const char *method, const cuonn_network_shape *shape,
                 const cuonn_training_options *options) {
  memset(p, 0, kMost * sizeof *p);
  for (size_t r = 0; r < kMost; r++) p[r] = (process){.method = method, .shape = shape, .options = options};
}

static const cuonn_network_shape plain = {kModes,
                                          kLayers,
                                          kClasses,
                                          CUONN_STYLE_TOP,
                                          true,
                                          NULL,
                                          CUONN_NONLINEARITY_INIT,
                                          CUONN_LOSS_CROSS_ENTROPY,
                                          CUONN_LAYER_UNITARY,
                                          1};

static cuonn_training_options training(void) {
  cuonn_training_options out = CUONN_TRAINING_OPTIONS_INIT;
  out.epochs = kEpochs;
  out.batch_size = kBatch;
  out.drop_last = false;
  out.order = CUONN_ORDER_SHUFFLED;
  out.train_gamma = true;
  return out;
}

/* --- the same bits --- */

static void expect_same(const process *got, const process *want) {
  const cuonn_network *const a = &got->state.network, *const b = &want->state.network;
  const size_t nodes = a->layers->n_nodes * sizeof(double), modes = kModes * sizeof(double);
  assert_string_equal(got->reason, "");
  for (size_t l = 0; l < kLayers; l++) {
    assert_memory_equal(a->layers[l].theta, b->layers[l].theta, nodes);
    assert_memory_equal(a->layers[l].phi, b->layers[l].phi, nodes);
    assert_memory_equal(a->layers[l].gamma, b->layers[l].gamma, modes);
  }
  if (a->amplitudes) assert_memory_equal(a->amplitudes, b->amplitudes, kLayers * modes);
  assert_memory_equal(got->state.moments, want->state.moments,
                      cuonn_training_moments_count(&a->shape) * sizeof(double));
  assert_int_equal(got->n_records, kEpochs);
  for (size_t e = 0; e < kEpochs; e++) {
    const cuonn_epoch_record *const x = &got->records[e], *const y = &want->records[e];
    assert_memory_equal(&x->train_loss, &y->train_loss, sizeof(double));
    assert_memory_equal(&x->test_loss, &y->test_loss, sizeof(double));
    assert_memory_equal(&x->test_accuracy, &y->test_accuracy, sizeof(double));
    assert_memory_equal(&x->gradient_error_batch, &y->gradient_error_batch, sizeof(double));
  }
  assert_int_equal(got->n_correct, want->n_correct);
  assert_memory_equal(got->confusion, want->confusion, sizeof want->confusion);
}

static void compare(const char *method, const cuonn_network_shape *shape, const cuonn_training_options *options) {
  static const size_t sizes[] = {2, 3, kMost};
  static process alone[kMost], shared[kMost];
  make(alone, method, shape, options);
  together(alone, 1);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    make(shared, method, shape, options);
    together(shared, sizes[i]);
    for (size_t r = 0; r < sizes[i]; r++) expect_same(&shared[r], alone);
    end(shared, sizes[i]);
  }
  end(alone, 1);
}

static void test_processes__columns(void **unused) {
  (void)unused;
  const cuonn_training_options options = training();
  compare("columns", &plain, &options);
}

static void test_processes__dense(void **unused) {
  (void)unused;
  const cuonn_training_options options = training();
  compare("dense", &plain, &options);
}

/* Outputs keep their phases, so that gamma has a gradient, and there are amplitudes. */
static void test_processes__amplitudes(void **unused) {
  (void)unused;
  const cuonn_training_options options = training();
  cuonn_network_shape shape = plain;
  shape.nonlinearity.kind = CUONN_NONLINEARITY_SATURABLE;
  shape.layer = CUONN_LAYER_DIAGONAL;
  compare("columns", &shape, &options);
}

/* And they are compared with the exact ones. */
static void test_processes__ideal_gradients(void **unused) {
  (void)unused;
  cuonn_training_options options = training();
  options.gradient = CUONN_GRADIENT_IDEAL;
  compare("columns", &plain, &options);
}

/* Each tile of a chip that measures and reads with noise is of one process, and the scale is of the whole batch. */
static void test_processes__analog(void **unused) {
  (void)unused;
  cuonn_training_options options = training();
  options.gradient = CUONN_GRADIENT_ANALOG;
  options.chip.tap_shot = options.chip.io_amplitude = options.chip.io_phase = .02;
  compare("columns", &plain, &options);
}

static void test_processes__digital_with_amplitudes(void **unused) {
  (void)unused;
  cuonn_training_options options = training();
  cuonn_network_shape shape = plain;
  options.gradient = CUONN_GRADIENT_DIGITAL;
  options.chip.scale = CUONN_SCALE_STUDY;
  options.chip.tap_shot = .02;
  shape.nonlinearity.kind = CUONN_NONLINEARITY_SATURABLE;
  shape.layer = CUONN_LAYER_DIAGONAL;
  compare("columns", &shape, &options);
}

static void test_processes__measured_matrices(void **unused) {
  (void)unused;
  cuonn_training_options options = training();
  options.gradient = CUONN_GRADIENT_ANALOG;
  options.chip.measurement = CUONN_MEASUREMENT_MATRIX;
  options.chip.tap_shot = options.chip.io_phase = .02;
  compare("auto", &plain, &options);
}

static void test_processes__moved_phases(void **unused) {
  (void)unused;
  cuonn_training_options options = training();
  options.gradient = CUONN_GRADIENT_SPSA;
  options.chip.io_phase = .02;
  compare("columns", &plain, &options);
}

static void test_processes__noisy_tests(void **unused) {
  (void)unused;
  cuonn_training_options options = training();
  options.chip.io_amplitude = .05;
  compare("columns", &plain, &options);
}

/* --- any number of processes, of chunks, of numbers --- */

/* Number i of a chunk: with an order of adding that is not the tree's, some sum would round to another number. */
static double number(size_t chunk, size_t i) { return 1 / (1 + (double)chunk + .37 * (double)(i % 1009)); }

static void fill_chunk(char *to, size_t chunk, size_t count, size_t width) {
  for (size_t i = 0; i < count; i++) {
    if (width == sizeof(double))
      ((double *)to)[i] = number(chunk, i);
    else
      ((float *)to)[i] = (float)number(chunk, i);
  }
}

/* The first chunk after the sums of n chunks were added up. p: NULL: by one process. */
static void add_chunks(char *sums, cpu_processes *p, size_t n, size_t count, size_t width) {
  const cpu_chunks own = cpu_own_chunks(p, n);
  const cpu_terms terms = {sums, count * width, count, width};
  cpu_team alone;
  cpu_team_create(&alone);
  alone.size = 1;
  memset(sums, 0xff, n * count * width); /* NaN */
  for (size_t c = own.first; c < own.end; c++) fill_chunk(sums + c * count * width, c, count, width);
  cpu_processes_add(p, &alone, &terms, n);
  cpu_team_destroy(&alone);
}

static bool same_sums(cpu_processes *p, size_t n, size_t count, size_t width) {
  const size_t size = n * count * width;
  char *const got = aligned_alloc(64, (size + 63) / 64 * 64), *const want = aligned_alloc(64, (size + 63) / 64 * 64);
  add_chunks(got, p, n, count, width);
  add_chunks(want, NULL, n, count, width);
  const bool same = memcmp(got, want, count * width) == 0;
  free(want);
  free(got);
  return same;
}

static bool fills(cpu_processes *p, size_t n) {
  double of_chunks[kMostChunks];
  const cpu_chunks own = cpu_own_chunks(p, n);
  bool good = true;
  for (size_t c = 0; c < n; c++) of_chunks[c] = c >= own.first && c < own.end ? number(c, 0) : -1;
  cpu_processes_fill(p, of_chunks, n);
  for (size_t c = 0; c < n; c++) good = good && of_chunks[c] == number(c, 0);
  return good;
}

static void *add_all(void *user) {
  static const size_t counts[] = {1, 300};
  process *const p = user;
  const cuonn_processes all = {p->rank, p->w->size, exchange, p, NULL, NULL};
  cpu_processes shared;
  p->status = cpu_processes_create(&shared, &all);
  for (size_t n = 1; n <= kMostChunks && p->status == CUONN_OK; n++) {
    bool good = fills(&shared, n);
    for (size_t i = 0; i < 2; i++) {
      const size_t width = (n + i) % 2 ? sizeof(double) : sizeof(float);
      good = same_sums(&shared, n, counts[i], width) && good;
    }
    if (n == 11) good = same_sums(&shared, n, 40000, sizeof(double)) && good; /* more than is sent at once */
    if (!good) snprintf(p->reason, sizeof p->reason, "%zu chunks on %zu processes", n, p->w->size);
  }
  cpu_processes_free(&shared);
  return NULL;
}

static void test_processes__any_number(void **unused) {
  (void)unused;
  static const size_t sizes[] = {1, 2, 3, 5, 6, 7, 11, 16, kMost};
  static process p[kMost];
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    make(p, "columns", &plain, NULL);
    do_together(p, sizes[i], add_all);
    for (size_t r = 0; r < sizes[i]; r++) {
      assert_int_equal(p[r].status, CUONN_OK);
      assert_string_equal(p[r].reason, "");
    }
  }
}

/* --- agreement --- */

static void test_processes__stop_together(void **unused) {
  (void)unused;
  static process p[kMost];
  cuonn_training_options options = training();
  options.batch_size = 20; /* several calls of steps an epoch */
  make(p, "columns", &plain, &options);
  p[1].stops_at = 17;
  together(p, 3);
  cuonn_clear_stop();
  for (size_t r = 0; r < 3; r++) {
    assert_int_equal(p[r].status, CUONN_E_INTERRUPTED);
    assert_true(p[r].state.step >= 17 && p[r].state.step < 57);
    assert_int_equal(p[r].state.step, p[0].state.step);
  }
  end(p, 3);
}

static void test_processes__phases_that_differ(void **unused) {
  (void)unused;
  static process p[kMost];
  const cuonn_training_options options = training();
  make(p, "columns", &plain, &options);
  p[2].shift = 1e-15;
  together(p, 3);
  for (size_t r = 0; r < 3; r++) {
    assert_int_equal(p[r].status, CUONN_E_PROCESSES);
    assert_non_null(strstr(p[r].reason, "rank 2 has other phases than rank 0 after step 2 of 6"));
    assert_int_equal(p[r].n_records, 0);
  }
  end(p, 3);
}

/* --- traffic --- */

/* To rank 0 of two: one sum of the other's half of the chunks, by its slice, and the other slice's total: as many bytes
 * as the sums of nodes have. Losses, counts and words of agreement are the rest. */
static void test_processes__send_slices(void **unused) {
  (void)unused;
  static process p[kMost];
  cuonn_training_options options = training();
  options.drop_last = true;
  make(p, "columns", &plain, &options);
  const size_t sent = together(p, 2), steps = kEpochs;
  const size_t sums = sizeof(double) * 2 * kLayers * (kModes * (kModes - 1) / 2);
  assert_string_equal(p[0].reason, "");
  assert_true(sent >= steps * sums && sent < steps * sums + 2000);
  end(p, 2);
}

/* --- refusals --- */

static void test_processes__refusal(void **unused) {
  (void)unused;
  const cuonn_processes all = {0, 2, exchange, NULL, NULL, NULL};
  cuonn_context *context;
  OK(cuonn_context_create(&context, "reference", 1));
  assert_int_equal(cuonn_context_share(context, &all), CUONN_E_ARGUMENT);
  assert_non_null(strstr(cuonn_last_error(), "backend reference does not share a training among processes"));
  cuonn_context_free(context);
}

static void test_processes__one_is_alone(void **unused) {
  (void)unused;
  const cuonn_processes one = {0, 1, exchange, NULL, NULL, NULL};
  cuonn_context *context;
  OK(cuonn_context_create(&context, "reference", 1));
  OK(cuonn_context_share(context, &one));
  assert_null(cuonn_context_processes(context));
  cuonn_context_free(context);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_processes__columns),
      cmocka_unit_test(test_processes__dense),
      cmocka_unit_test(test_processes__amplitudes),
      cmocka_unit_test(test_processes__ideal_gradients),
      cmocka_unit_test(test_processes__analog),
      cmocka_unit_test(test_processes__digital_with_amplitudes),
      cmocka_unit_test(test_processes__measured_matrices),
      cmocka_unit_test(test_processes__moved_phases),
      cmocka_unit_test(test_processes__noisy_tests),
      cmocka_unit_test(test_processes__any_number),
      cmocka_unit_test(test_processes__stop_together),
      cmocka_unit_test(test_processes__phases_that_differ),
      cmocka_unit_test(test_processes__send_slices),
      cmocka_unit_test(test_processes__refusal),
      cmocka_unit_test(test_processes__one_is_alone),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
