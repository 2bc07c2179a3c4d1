/* Processes that share a training on devices, forked, that exchange through shared memory: the bits of one alone, by
 * columns and by pieces of a dense batch, between hosts and between devices. Ranks that have no part of a batch are
 * among them, and the last batch of an epoch is smaller than the others. */
#include "cuonn/processes.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "cuda/device.h"
#include "cuonn/training.h"
#include "kernels/mesh.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/forks.h"

#include <simt.h>

enum { kModes = 10, kLayers = 2, kClasses = 3, kTrain = 4500, kTest = 40, kEpochs = 2, kMost = 18, kRoom = 1 << 20 };
enum { kNodes = kModes * (kModes - 1) / 2, kMoments = 2 * kLayers * (kModes + 1) * kModes };

static double values[2 * (kTrain + kTest) * kModes];
static uint8_t labels[kTrain + kTest];
static const cuonn_features_options features = CUONN_FEATURES_OPTIONS_INIT;
static const cuonn_network_shape plain =
    CUONN_NETWORK_SHAPE_OF(kModes, kLayers, kClasses, CUONN_STYLE_DIFFERENTIAL, false, NULL);

/* What is trained, and how. */
typedef struct {
  const char *method;
  size_t n_train;
  cuonn_training_options options;
  bool by_device, refused; /* as join_devices() answers */
  const char *backend;     /* NULL: cuda */
  bool amplitudes;         /* and fields behind layers that keep their phases */
} job;

/* --- the processes --- */

/* What one ends with. */
typedef struct {
  double phases[kLayers][2][kNodes], outputs[kLayers][2][kModes], moments[kMoments];
  double losses[2 * kEpochs], errors[kEpochs]; /* of training, then of tests */
  size_t n_records, between_devices, asked;    /* exchanges between devices, and whether they can be */
  char reason[256];
} outcome;

typedef struct {
  pthread_barrier_t here;
  size_t size, sent; /* bytes to rank 0 from the others */
  size_t sizes[kMost][kMost];
  char bytes[kMost][kRoom];
  outcome outcomes[kMost];
} world;
static world *w;
static size_t rank;

static cuonn_status exchange_fits(void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes) {
  bool fits = true;
  size_t total = 0;
  for (size_t r = 0; r < w->size; r++) total += out_sizes[r];
  if (total > kRoom) return cuonn_fail(CUONN_E_INTERNAL, "%zu bytes are more than this test has room for", total);
  memcpy(w->bytes[rank], out, total);
  memcpy(w->sizes[rank], out_sizes, w->size * sizeof *out_sizes);
  pthread_barrier_wait(&w->here);
  char *to = in;
  for (size_t r = 0; r < w->size; r++) {
    const char *from = w->bytes[r];
    for (size_t q = 0; q < rank; q++) from += w->sizes[r][q];
    fits = fits && w->sizes[r][rank] == in_sizes[r];
    memcpy(to, from, in_sizes[r]);
    to += in_sizes[r];
    if (rank == 0 && r > 0) w->sent += in_sizes[r];
  }
  pthread_barrier_wait(&w->here);
  return fits ? CUONN_OK : cuonn_fail(CUONN_E_INTERNAL, "parts do not fit");
}

static void end_here(const char *reason) {
  snprintf(w->outcomes[rank].reason, sizeof w->outcomes[rank].reason, "%s", reason);
  _exit(1);
}

static void exchange(void *user, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes) {
  (void)user;
  if (exchange_fits(in, in_sizes, out, out_sizes) != CUONN_OK) end_here(cuonn_last_error());
}

static cuonn_status exchange_device(void *user, void *in, const size_t *in_sizes, const void *out,
                                    const size_t *out_sizes, void *stream) {
  static char here[kRoom], there[kRoom];
  size_t in_total = 0, out_total = 0;
  (void)user;
  w->outcomes[rank].between_devices++;
  for (size_t r = 0; r < w->size; r++) {
    in_total += in_sizes[r];
    out_total += out_sizes[r];
  }
  if (in_total > kRoom || out_total > kRoom) end_here("more bytes than this test has room for");
  CUONN_CUDA(cudaStreamSynchronize(stream));
  CUONN_CUDA(cudaMemcpy(here, out, out_total, cudaMemcpyDeviceToHost));
  CUONN_TRY(exchange_fits(there, in_sizes, here, out_sizes));
  CUONN_CUDA(cudaMemcpy(in, there, in_total, cudaMemcpyHostToDevice));
  return CUONN_OK;
}

/* All are asked once, with the device that computes. */
static bool join_devices(void *user, const void *device) {
  const job *const j = user;
  struct cudaDeviceProp properties;
  int current;
  if (cudaGetDevice(&current) != cudaSuccess || cudaGetDeviceProperties(&properties, current) != cudaSuccess)
    end_here("there is no current device");
  if (memcmp(device, &properties.uuid, sizeof properties.uuid) != 0) end_here("another device is current");
  w->outcomes[rank].asked++;
  return !j->refused;
}

static cuonn_status on_epoch(void *user, const cuonn_epoch_record *record, const cuonn_training_state *state,
                             bool improved) {
  outcome *const o = user;
  (void)state, (void)improved;
  o->losses[o->n_records] = record->train_loss;
  o->losses[kEpochs + o->n_records] = record->test_loss;
  o->errors[o->n_records++] = record->gradient_error_batch;
  return CUONN_OK;
}

static cuonn_status begin(cuonn_training_state *state, const job *j) {
  chance c = {5};
  cuonn_network_shape shape = plain;
  if (j->amplitudes) {
    shape.nonlinearity.kind = CUONN_NONLINEARITY_SATURABLE;
    shape.layer = CUONN_LAYER_DIAGONAL;
  }
  CUONN_TRY(cuonn_training_state_create(state, &shape));
  CUONN_TRY(cuonn_network_initialize(&state->network, CUONN_START_HAAR, 11));
  for (size_t l = 0; l < kLayers; l++) {
    cuonn_mesh *const mesh = &state->network.layers[l];
    for (size_t i = 0; i < (size_t)2 * kNodes; i++) mesh->coupler_error[i] = chance_uniform(&c, -.05, .05);
    for (size_t i = 0; i < (size_t)2 * kNodes; i++) mesh->loss_db[i] = chance_uniform(&c, 0, .1);
  }
  return CUONN_OK;
}

static cuonn_status train(outcome *to, const job *j) {
  const cuonn_processes all = {.rank = rank,
                               .size = w->size,
                               .exchange = exchange,
                               .user = (void *)j,
                               .exchange_device = j->by_device ? exchange_device : NULL,
                               .join_devices = join_devices};
  const cuonn_training_callbacks callbacks = {.user = to, .on_epoch = on_epoch};
  double *const tests = values + (size_t)2 * kTrain * kModes;
  const cuonn_dataset data = {
      .train = {.n_examples = j->n_train, .labels = labels, .fields = {j->n_train, kModes, values}},
      .test = {.n_examples = kTest, .labels = labels + kTrain, .fields = {kTest, kModes, tests}}};
  cuonn_training_state state;
  cuonn_context *context;
  CUONN_TRY(begin(&state, j));
  CUONN_TRY(cuonn_context_create(&context, j->backend ? j->backend : "cuda", 1));
  CUONN_TRY(cuonn_context_set_method(context, j->method));
  CUONN_TRY(cuonn_context_share(context, &all));
  CUONN_TRY(cuonn_train(&state, context, &data, &features, &j->options, &callbacks));
  for (size_t l = 0; l < kLayers; l++) {
    memcpy(to->phases[l][0], state.network.layers[l].theta, sizeof to->phases[l][0]);
    memcpy(to->phases[l][1], state.network.layers[l].phi, sizeof to->phases[l][1]);
    memcpy(to->outputs[l][0], state.network.layers[l].gamma, sizeof to->outputs[l][0]);
    if (j->amplitudes) memcpy(to->outputs[l][1], state.network.amplitudes + l * kModes, sizeof to->outputs[l][1]);
  }
  memcpy(to->moments, state.moments, cuonn_training_moments_count(&state.network.shape) * sizeof *to->moments);
  return CUONN_OK;
}

/* So many processes from their beginnings. */
static void together(const job *j, size_t size) {
  pthread_barrierattr_t shared;
  pid_t ids[kMost];
  memset(w, 0, sizeof *w);
  w->size = size;
  pthread_barrierattr_init(&shared);
  pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
  assert_int_equal(pthread_barrier_init(&w->here, &shared, (unsigned)size), 0);
  rank = forks_begin(ids, size);
  if (rank < size) {
    if (train(&w->outcomes[rank], j) != CUONN_OK) end_here(cuonn_last_error());
    _exit(0);
  }
  const size_t failed = forks_end(ids, size);
  if (failed < size) fail_msg("rank %zu: %s", failed, w->outcomes[failed].reason);
}

static int setup(void **unused) {
  (void)unused;
  chance c = {3};
  chance_normals(values, sizeof values / sizeof *values, &c);
  for (size_t e = 0; e < kTrain + kTest; e++) labels[e] = (uint8_t)chance_index(&c, kClasses);
  w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return w == MAP_FAILED;
}

/* --- the same bits --- */

static job job_of(const char *method, size_t n_train, size_t batch_size) {
  job out = {.method = method, .n_train = n_train, .options = CUONN_TRAINING_OPTIONS_INIT};
  out.options.epochs = kEpochs;
  out.options.batch_size = batch_size;
  out.options.drop_last = false;
  out.options.order = CUONN_ORDER_SHUFFLED;
  return out;
}

static void compare(const job *j, const size_t *sizes, size_t n_sizes) {
  static outcome alone;
  together(j, 1);
  alone = w->outcomes[0];
  assert_int_equal(alone.n_records, kEpochs);
  for (size_t i = 0; i < n_sizes; i++) {
    together(j, sizes[i]);
    for (size_t r = 0; r < sizes[i]; r++) {
      outcome *const got = &w->outcomes[r];
      assert_true((got->between_devices > 0) == (j->by_device && !j->refused));
      assert_int_equal(got->asked, j->by_device);
      got->between_devices = got->asked = 0;
      assert_memory_equal(got, &alone, sizeof alone);
    }
  }
}

/* Chunks of 16 examples, 34 in a batch and 6 in the last one. */
static void test_processes__columns(void **unused) {
  (void)unused;
  static const size_t sizes[] = {2, 3, kMost};
  job j = job_of("columns", 620, 530);
  compare(&j, sizes, 3);
}

/* Gradients by the programmed phases, which another kernel makes of the sums; compared with exact ones. */
static void test_processes__columns_of_a_chip(void **unused) {
  (void)unused;
  static const size_t sizes[] = {3};
  job j = job_of("columns", 620, 530);
  j.options.chip.crosstalk = .05;
  compare(&j, sizes, 1);
  j.options.gradient = CUONN_GRADIENT_IDEAL;
  compare(&j, sizes, 1);
}

/* Four pieces, of which the last batch has one alone. */
static void test_processes__dense(void **unused) {
  (void)unused;
  static const size_t sizes[] = {3, 5};
  job j = job_of("dense", kTrain, 4100);
  compare(&j, sizes, 2);
}

static void test_processes__dense_with_amplitudes(void **unused) {
  (void)unused;
  static const size_t sizes[] = {3};
  job j = job_of("dense", kTrain, 4100);
  j.amplitudes = j.options.train_gamma = true;
  compare(&j, sizes, 1);
}

/* Pieces are the batch: the losses that backend cpu has (as in training.c). */
static void test_processes__pieces_as_on_the_cpu(void **unused) {
  (void)unused;
  double want[2 * kEpochs];
  job j = job_of("dense", kTrain, 4100);
  j.backend = "cpu";
  together(&j, 1);
  memcpy(want, w->outcomes->losses, sizeof want); /* of training and of tests */
  j.backend = NULL;
  together(&j, 1);
  CLOSE(w->outcomes->losses, want, (size_t)2 * kEpochs, .rel = 2e-5);
}

static void test_processes__between_devices(void **unused) {
  (void)unused;
  static const size_t sizes[] = {3};
  job columns = job_of("columns", 620, 530), dense = job_of("dense", kTrain, 4100);
  columns.by_device = dense.by_device = true;
  compare(&columns, sizes, 1);
  compare(&dense, sizes, 1);
  columns.refused = dense.refused = true;
  compare(&columns, sizes, 1);
  compare(&dense, sizes, 1);
}

/* To rank 0 of two: one sum of the other's half of the batch, by its slice, and the other slice's total: as many bytes
 * as all phases have in float, for places without a node too. Losses and words of agreement are the rest. */
static void test_processes__send_slices(void **unused) {
  (void)unused;
  job j = job_of("columns", 530, 530);
  together(&j, 2);
  const mesh_layout layout = mesh_layout_of(kModes);
  const size_t sums = sizeof(float2) * kLayers * mesh_places(layout), chunks = 34;
  assert_true(w->sent >= kEpochs * sums && w->sent < kEpochs * (sums + chunks * sizeof(double)) + 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_processes__columns),
      cmocka_unit_test(test_processes__columns_of_a_chip),
      cmocka_unit_test(test_processes__dense),
      cmocka_unit_test(test_processes__dense_with_amplitudes),
      cmocka_unit_test(test_processes__pieces_as_on_the_cpu),
      cmocka_unit_test(test_processes__between_devices),
      cmocka_unit_test(test_processes__send_slices),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
