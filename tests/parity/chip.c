/* Networks on chips: the cpu backend (float, threads) against the reference (double), with the same seeds and so the same
 * noise; the golden gradients of one mesh; and bits that do not depend on the number of threads.
 *
 * Tolerance: tests/support/parity.h says why fields behind k columns are off by some u sqrt(8 k) / 2, u = 6e-8, and
 * gradients by a few times that. Here light goes back, in again, and through every later layer. Digital gradients are
 * differences of powers several times their size: 4 times as much is allowed for them. */
#include <complex.h>
#include <float.h>
#include <string.h>

#include "backends/backend.h"
#include "cpu/in_situ.h"
#include "support/close.h"
#include "support/dense.h"
#include "support/golden.h"

enum { kLayers = 2, kClasses = 4, kTrain = 150, kTest = 90, kSteps = 3, kMostModes = 33 };

typedef struct {
  const cuonn_backend *backend;
  void *state;
} computing;

typedef struct {
  size_t n, nodes;
  cuonn_network network;
  cuonn_fields fields[2];
  uint8_t labels[kTrain];
} fixture;

static void create(fixture *f, size_t n, cuonn_phase_style style, double loss_db) {
  const cuonn_network_shape shape = {n, kLayers, kClasses, style, true};
  chance c = {n};
  f->n = n;
  f->nodes = cuonn_mesh_nodes(n);
  OK(cuonn_network_create(&f->network, &shape));
  for (size_t l = 0; l < kLayers; l++) dense_random(&f->network.layers[l], &c, .1, loss_db);
  OK(cuonn_fields_create(&f->fields[0], kTrain, n));
  OK(cuonn_fields_create(&f->fields[1], kTest, n));
  for (size_t i = 0; i < 2; i++) {
    chance_normals(f->fields[i].values, 2 * f->fields[i].n_examples * n, &c);
    memset(f->fields[i].values, 0, 2 * n * sizeof(double)); /* one dark example */
  }
  for (size_t e = 0; e < kTrain; e++) f->labels[e] = (uint8_t)(e % kClasses);
}

static void release(fixture *f) {
  cuonn_fields_free(&f->fields[1]);
  cuonn_fields_free(&f->fields[0]);
  cuonn_network_free(&f->network);
}

static computing open_backend(const cuonn_backend *backend, fixture *f, const cuonn_chip_options *chip,
                              cuonn_gradient_method method, int threads) {
  static const cuonn_optimizer_options sgd = {.kind = CUONN_OPTIMIZER_SGD, .learning_rate = .5};
  computing c = {backend, NULL};
  const backend_problem problem = {1, f->network.shape, 100, CUONN_ORDER_SHUFFLED, threads};
  OK(backend->create(&c.state, &problem));
  OK(backend->set_fields(c.state, BACKEND_TRAIN, &f->fields[0], f->labels));
  OK(backend->set_fields(c.state, BACKEND_TEST, &f->fields[1], f->labels));
  OK(backend->set_model(c.state, 0,
                        &(backend_model){.network = &f->network,
                                         .optimizer = &sgd,
                                         .seed = 5,
                                         .gradient = method,
                                         .train_gamma = true,
                                         .chip = chip}));
  return c;
}

/* What a backend makes of a chip: gradients of a batch, losses of steps, a test after them, phases. */
typedef struct {
  double gradient[kLayers][kMostModes * kMostModes]; /* theta, phi, gamma */
  double losses[kSteps + 2];
  double correct;
  double phases[kLayers][kMostModes * kMostModes];
} outcome;

static void compute(outcome *out, const cuonn_backend *backend, fixture *f, const cuonn_chip_options *chip,
                    cuonn_gradient_method method, int threads) {
  cuonn_mesh_gradient gradients[kLayers];
  computing c = open_backend(backend, f, chip, method, threads);
  memset(out, 0, sizeof *out);
  for (size_t l = 0; l < kLayers; l++) {
    double *const at = out->gradient[l];
    gradients[l] = (cuonn_mesh_gradient){at, at + f->nodes, at + 2 * f->nodes};
  }
  const backend_step first = {.epoch = 1, .first = 7, .count = 83, .number = 12};
  OK(backend->measure(&out->losses[kSteps], gradients, c.state, 0, BACKEND_TRAIN, &first, method));
  for (size_t i = 0; i < kSteps; i++) {
    const backend_step step = {0, 40 * i, i == 2 ? 30 : 40, 1, i, (uint32_t)i};
    OK(backend->train_steps(&out->losses[i], c.state, &step, 1));
  }
  cuonn_evaluation test = {0};
  OK(backend->evaluate(&test, c.state, 0, BACKEND_TEST));
  out->losses[kSteps + 1] = test.loss;
  out->correct = (double)test.n_correct;
  cuonn_network trained;
  OK(cuonn_network_create(&trained, &f->network.shape));
  OK(backend->get_model(&(backend_model){.network = &trained}, c.state, 0));
  for (size_t l = 0; l < kLayers; l++) {
    memcpy(out->phases[l], trained.layers[l].theta, f->nodes * sizeof(double));
    memcpy(out->phases[l] + f->nodes, trained.layers[l].phi, f->nodes * sizeof(double));
    memcpy(out->phases[l] + 2 * f->nodes, trained.layers[l].gamma, f->n * sizeof(double));
  }
  cuonn_network_free(&trained);
  backend->destroy(c.state);
}

static void compare(fixture *f, const cuonn_chip_options *chip, cuonn_gradient_method method) {
  static outcome want, got, alone;
  const double unit = FLT_EPSILON / 2 * sqrt((double)(3 * kLayers * f->n));
  const double tolerance = (method == CUONN_GRADIENT_DIGITAL ? 128 : 32) * unit;
  compute(&want, &cuonn_backend_reference, f, chip, method, 1);
  compute(&got, &cuonn_backend_cpu, f, chip, method, 3);
  compute(&alone, &cuonn_backend_cpu, f, chip, method, 1);
  assert_memory_equal(&got, &alone, sizeof got);
  for (size_t l = 0; l < kLayers; l++) {
    CLOSE(got.gradient[l], want.gradient[l], 2 * f->nodes + f->n, .rel = tolerance);
    CLOSE(got.phases[l], want.phases[l], 2 * f->nodes + f->n, .rel = kSteps * tolerance);
  }
  CLOSE(got.losses, want.losses, kSteps + 2, .rel = kSteps * tolerance);
  CLOSE(&got.correct, &want.correct, 1, .abs = 1); /* two outputs may be equal but for rounding */
}

static cuonn_chip_options noisy(size_t i) {
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.seed = i;
  chip.measurement = (cuonn_measurement)(i % 2);
  chip.scale = (cuonn_measurement_scale)(i / 2 % 2);
  chip.noise_draw = (cuonn_noise_draw)(i % 3);
  chip.tap_shot = .02;
  chip.io_amplitude = chip.io_phase = .05;
  return chip;
}

static void test_chip__same_noise_as_reference(void **unused) {
  (void)unused;
  const size_t sizes[] = {4, 5, 16, 33};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * 6; i++) {
    fixture f;
    create(&f, sizes[i / 6], i % 2 ? CUONN_STYLE_BOTTOM : CUONN_STYLE_TOP, .3);
    const cuonn_chip_options chip = noisy(i);
    compare(&f, &chip, CUONN_GRADIENT_ANALOG);
    compare(&f, &chip, CUONN_GRADIENT_DIGITAL);
    release(&f);
  }
}

/* Every style can be read with noise, and programmed with errors; training may know them, or not. */
static void test_chip__computed_gradients_of_programmed_phases(void **unused) {
  (void)unused;
  for (size_t style = 0; style < 4; style++) {
    fixture f;
    create(&f, 9, (cuonn_phase_style)style, style % 2 ? .3 : 0);
    cuonn_chip_options chip = noisy(style);
    chip.crosstalk = .02;
    chip.phase_error = .05;
    chip.phase_bits = style / 2 ? 0 : 3; /* coarse: no phase comes near a step's edge in both, and rounds apart */
    compare(&f, &chip, CUONN_GRADIENT_EXACT);
    compare(&f, &chip, CUONN_GRADIENT_IDEAL);
    release(&f);
  }
}

/* Models side by side, with gradients of every kind, have the bits that each has alone. */
static void test_chip__models_do_not_meet(void **unused) {
  enum { kModels = 4 };
  (void)unused;
  static const cuonn_optimizer_options sgd = {.kind = CUONN_OPTIMIZER_SGD, .learning_rate = .5};
  const cuonn_backend *const cpu = &cuonn_backend_cpu;
  fixture f;
  create(&f, 9, CUONN_STYLE_TOP, .3);
  cuonn_chip_options chips[kModels];
  double together[kSteps * kModels], alone[kSteps];
  void *all, *one;
  OK(cpu->create(&all, &(backend_problem){kModels, f.network.shape, 100, CUONN_ORDER_SHUFFLED, 3}));
  OK(cpu->set_fields(all, BACKEND_TRAIN, &f.fields[0], f.labels));
  backend_step steps[kSteps];
  backend_model models[kModels];
  for (size_t i = 0; i < kSteps; i++) steps[i] = (backend_step){0, 40 * i, 40, 1, i, (uint32_t)i};
  for (size_t m = 0; m < kModels; m++) {
    chips[m] = noisy(m);
    models[m] = (backend_model){
        .network = &f.network, .optimizer = &sgd, .seed = m, .gradient = (cuonn_gradient_method)m, .chip = &chips[m]};
    OK(cpu->set_model(all, m, &models[m]));
  }
  OK(cpu->train_steps(together, all, steps, kSteps));
  for (size_t m = 0; m < kModels; m++) {
    OK(cpu->create(&one, &(backend_problem){1, f.network.shape, 100, CUONN_ORDER_SHUFFLED, 2}));
    OK(cpu->set_fields(one, BACKEND_TRAIN, &f.fields[0], f.labels));
    OK(cpu->set_model(one, 0, &models[m]));
    OK(cpu->train_steps(alone, one, steps, kSteps));
    for (size_t i = 0; i < kSteps; i++) assert_true(alone[i] == together[i * kModels + m]);
    cpu->destroy(one);
  }
  cpu->destroy(all);
  release(&f);
}

/* --- One mesh against golden values --- */

static void to_tiles(float *to, const double *from, const cpu_tiling *t) {
  memset(to, 0, t->n_tiles * cpu_tile_size(t) * sizeof *to);
  for (size_t e = 0; e < t->count; e++) {
    for (size_t w = 0; w < t->n_modes; w++) {
      float *const at = to + e / t->lanes * cpu_tile_size(t) + w * 2 * t->lanes + e % t->lanes;
      at[0] = (float)from[2 * (e * t->n_modes + w)];
      at[t->lanes] = (float)from[2 * (e * t->n_modes + w) + 1];
    }
  }
}

static void golden_mesh(size_t n, const char *name, cuonn_gradient_method method) {
  enum { kExamples = 5 };
  const size_t nodes = cuonn_mesh_nodes(n);
  char group[64];
  snprintf(group, sizeof group, "in_situ/%zu", n);
  cuonn_mesh mesh = {n,
                     CUONN_STYLE_TOP,
                     golden_read_n("golden.nc", group, "theta", nodes),
                     golden_read_n("golden.nc", group, "phi", nodes),
                     golden_read_n("golden.nc", group, "gamma", n),
                     golden_read_n("golden.nc", group, "coupler_error", 2 * nodes),
                     golden_read_n("golden.nc", group, "loss_db", 2 * nodes)};
  double *const input = golden_read_n("golden.nc", group, "input", 2 * kExamples * n);
  double *const cotangent = golden_read_n("golden.nc", group, "cotangent", 2 * kExamples * n);
  snprintf(group, sizeof group, "in_situ/%zu/%s", n, name);
  double *const d_theta = golden_read_n("golden.nc", group, "d_theta", nodes);
  double *const d_phi = golden_read_n("golden.nc", group, "d_phi", nodes);
  double *const d_gamma = golden_read_n("golden.nc", group, "d_gamma", n);

  const cpu_tiling t = cpu_tiling_of(kExamples, n);
  const size_t size = t.n_tiles * cpu_tile_size(&t);
  float *const x = aligned_alloc(64, size * sizeof *x), *const g = aligned_alloc(64, size * sizeof *g);
  assert_true(x && g);
  to_tiles(x, input, &t);
  to_tiles(g, cotangent, &t);
  cpu_tap_mesh taps;
  cpu_measure_space space;
  OK(cpu_tap_mesh_create(&taps, n));
  cpu_tap_mesh_set(&taps, &mesh);
  OK(cpu_measure_space_create(&space, kExamples, n, 2));
  const cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  const chip_reading reading = {&chip, CHIP_MEASUREMENT, 0, 0};
  double got[3][28];
  cuonn_mesh_gradient gradient = {got[0], got[1], got[2]};
  cpu_team alone;
  cpu_team_create(&alone);
  alone.size = 1;
  cpu_measure(&gradient, g, x, &taps, &t, method, &reading, &space, cpu_kernels_choose(), &alone);
  cpu_team_destroy(&alone);
  CLOSE(got[0], d_theta, nodes, .rel = 1e-5); /* a tenth of what is asked: some 10 u by the above */
  CLOSE(got[1], d_phi, nodes, .rel = 1e-5);
  CLOSE(got[2], d_gamma, n, .rel = 1e-5);

  cpu_measure_space_free(&space);
  cpu_tap_mesh_free(&taps);
  free(g);
  free(x);
  free(d_gamma);
  free(d_phi);
  free(d_theta);
  free(cotangent);
  free(input);
  cuonn_mesh_free(&mesh);
}

static void test_measure__golden(void **unused) {
  (void)unused;
  for (size_t n = 6; n <= 8; n += 2) {
    golden_mesh(n, "analog", CUONN_GRADIENT_ANALOG);
    golden_mesh(n, "digital", CUONN_GRADIENT_DIGITAL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_chip__same_noise_as_reference),
      cmocka_unit_test(test_chip__computed_gradients_of_programmed_phases),
      cmocka_unit_test(test_chip__models_do_not_meet),
      cmocka_unit_test(test_measure__golden),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
