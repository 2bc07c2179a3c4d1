/* Networks on chips: measured gradients, noise, and training with both. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "chip/noise.h"
#include "cuonn/training.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"

enum { kModes = 6, kNodes = 15, kLayers = 2, kClasses = 4, kExamples = 7, kPhases = 2 * kNodes + kModes };

static const char *const backends[] = {"reference", "cpu"};

/* A network, a batch, and room for its gradients: [layer][kPhases], theta, phi, gamma. */
typedef struct {
  cuonn_context *context;
  cuonn_network network;
  cuonn_fields input;
  uint8_t labels[kExamples];
  double loss, values[kLayers * kPhases];
  cuonn_mesh_gradient gradients[kLayers];
} fixture;

static void create(fixture *f, const char *backend, cuonn_phase_style style, double loss_db) {
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, kClasses, style, true, NULL);
  chance c = {11};
  OK(cuonn_context_create(&f->context, backend, 2));
  OK(cuonn_network_create(&f->network, &shape));
  OK(cuonn_fields_create(&f->input, kExamples, kModes));
  for (size_t l = 0; l < kLayers; l++) dense_random(&f->network.layers[l], &c, .1, loss_db);
  chance_normals(f->input.values, 2 * kExamples * kModes, &c);
  for (size_t e = 0; e < kExamples; e++) f->labels[e] = (uint8_t)(e % kClasses);
  for (size_t l = 0; l < kLayers; l++) {
    double *const at = f->values + l * kPhases;
    f->gradients[l] = (cuonn_mesh_gradient){at, at + kNodes, at + 2 * kNodes, NULL};
  }
}

static void release(fixture *f) {
  cuonn_fields_free(&f->input);
  cuonn_network_free(&f->network);
  cuonn_context_free(f->context);
}

static void measure(fixture *f, const cuonn_chip_options *chip, cuonn_gradient_method method) {
  for (size_t i = 0; i < kLayers * kPhases; i++) f->values[i] = NAN;
  OK(cuonn_gradient_on_chip(&f->loss, f->gradients, f->context, &f->network, chip, method, &f->input, f->labels));
}

/* A float rounds by 6e-8; some dozen columns there and back, and differences of powers, lose up to two digits. */
static double tolerance(const char *backend) { return strcmp(backend, "reference") == 0 ? 1e-12 : 1e-5; }

static void test_gradient__lossless_chip_without_noise_is_exact(void **unused) {
  (void)unused;
  const cuonn_phase_style styles[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM};
  const cuonn_gradient_method methods[] = {CUONN_GRADIENT_ANALOG, CUONN_GRADIENT_DIGITAL};
  for (size_t i = 0; i < sizeof backends / sizeof *backends * 2 * 2 * 4; i++) {
    const char *const backend = backends[i / 16];
    fixture f;
    create(&f, backend, styles[i / 8 % 2], 0);
    OK(cuonn_gradient(&f.loss, f.gradients, f.context, &f.network, &f.input, f.labels));
    const double loss = f.loss;
    double want[kLayers * kPhases];
    memcpy(want, f.values, sizeof want);
    cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
    chip.measurement = (cuonn_measurement)(i % 2);
    chip.scale = (cuonn_measurement_scale)(i / 2 % 2);
    measure(&f, &chip, methods[i / 4 % 2]);
    CLOSE(&f.loss, &loss, 1, .rel = tolerance(backend));
    CLOSE(f.values, want, kLayers * kPhases, .rel = tolerance(backend));
    release(&f);
  }
}

static void test_gradient__dark_batch_gives_zeros(void **unused) {
  (void)unused;
  for (size_t i = 0; i < sizeof backends / sizeof *backends * 4; i++) {
    fixture f;
    create(&f, backends[i / 4], CUONN_STYLE_TOP, .5);
    memset(f.input.values, 0, 2 * kExamples * kModes * sizeof(double));
    cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
    chip.tap_shot = chip.io_amplitude = chip.io_phase = .1;
    chip.measurement = (cuonn_measurement)(i % 2);
    measure(&f, &chip, i / 2 % 2 ? CUONN_GRADIENT_ANALOG : CUONN_GRADIENT_DIGITAL);
    /* with unit vectors, taps see light, whose shot noise is scaled by a cotangent that is zero everywhere: by 1 */
    const size_t n = chip.measurement == CUONN_MEASUREMENT_EXAMPLE ? kLayers * kPhases : 0;
    for (size_t k = 0; k < kLayers * kPhases; k++) assert_true(isfinite(f.values[k]));
    for (size_t k = 0; k < n; k++) assert_true(f.values[k] == 0);
    release(&f);
  }
}

static void test_gradient__lossy_chip_differs_and_is_refused_for_two_arms(void **unused) {
  (void)unused;
  fixture f;
  const cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  create(&f, "reference", CUONN_STYLE_TOP, 1);
  OK(cuonn_gradient(&f.loss, f.gradients, f.context, &f.network, &f.input, f.labels));
  double exact[kLayers * kPhases];
  cuonn_mesh_gradient gradients[kLayers];
  memcpy(exact, f.values, sizeof exact);
  for (size_t l = 0; l < kLayers; l++) {
    double *const at = exact + l * kPhases;
    gradients[l] = (cuonn_mesh_gradient){at, at + kNodes, at + 2 * kNodes, NULL};
  }
  measure(&f, &chip, CUONN_GRADIENT_ANALOG);
  const double error = cuonn_gradient_error(f.gradients, gradients, kLayers, kNodes);
  assert_true(error > 1e-4 && error < .5);
  assert_true(fabs(cuonn_gradient_error(gradients, gradients, kLayers, kNodes)) < 1e-15);
  release(&f);

  create(&f, "reference", CUONN_STYLE_DIFFERENTIAL, 0);
  REFUSED(cuonn_gradient_on_chip(&f.loss, f.gradients, f.context, &f.network, &chip, CUONN_GRADIENT_ANALOG, &f.input,
                                 f.labels),
          CUONN_E_ARGUMENT, "differential");
  release(&f);
}

/* Of all that a chip may have, the ideal gradient sees nothing: it is that of the same phases on bare meshes. */
static void test_gradient__ideal_knows_nothing_of_the_chip(void **unused) {
  (void)unused;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.phase_bits = 3;
  chip.crosstalk = chip.phase_error = chip.tap_shot = chip.io_amplitude = chip.io_phase = .1;
  for (size_t i = 0; i < sizeof backends / sizeof *backends * 4; i++) {
    fixture f;
    create(&f, backends[i / 4], (cuonn_phase_style)(i % 4), .5);
    measure(&f, &chip, CUONN_GRADIENT_IDEAL);
    const double loss = f.loss;
    double got[kLayers * kPhases];
    memcpy(got, f.values, sizeof got);
    for (size_t l = 0; l < kLayers; l++) {
      memset(f.network.layers[l].coupler_error, 0, 2 * kNodes * sizeof(double));
      memset(f.network.layers[l].loss_db, 0, 2 * kNodes * sizeof(double));
    }
    OK(cuonn_gradient(&f.loss, f.gradients, f.context, &f.network, &f.input, f.labels));
    assert_true(f.loss == loss);
    assert_memory_equal(got, f.values, sizeof got);
    release(&f);
  }
}

/* Light too strong for squares, from the start or after a mesh with gain, is refused as that. */
static void test_powers__overflow_is_refused(void **unused) {
  (void)unused;
  const cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  const cuonn_gradient_method methods[] = {CUONN_GRADIENT_EXACT, CUONN_GRADIENT_ANALOG, CUONN_GRADIENT_IDEAL};
  for (size_t i = 0; i < sizeof backends / sizeof *backends * 3; i++) {
    const cuonn_gradient_method method = methods[i % 3];
    const double most = i / 3 == 0 ? 1e200 : 1e22; /* its square is beyond double, or beyond float */
    cuonn_evaluation test = {0};
    fixture f;
    create(&f, backends[i / 3], CUONN_STYLE_TOP, 0);
    for (size_t k = 0; k < 2 * kExamples * kModes; k++) f.input.values[k] *= most;
    REFUSED(cuonn_gradient_on_chip(&f.loss, f.gradients, f.context, &f.network, &chip, method, &f.input, f.labels),
            CUONN_E_NONFINITE, "powers overflow at the input; scale the fields down, or give the shifters less gain");
    REFUSED(cuonn_evaluate_on_chip(&test, f.context, &f.network, &chip, &f.input, f.labels), CUONN_E_NONFINITE,
            "powers overflow at the input");
    for (size_t k = 0; k < 2 * kExamples * kModes; k++) f.input.values[k] /= most;
    for (size_t k = 0; k < 2 * kNodes; k++) f.network.layers[1].loss_db[k] = -20 * log10(most);
    REFUSED(cuonn_evaluate_on_chip(&test, f.context, &f.network, &chip, &f.input, f.labels), CUONN_E_NONFINITE,
            "powers overflow in layer 1");
    release(&f);
  }
}

/* Which of the indices of a reading a draw depends on. */
typedef struct {
  bool use, layer, step, example, waveguide;
} indices;

/* Draws of a reading and of five more, each with one index that is another: what it depends on. uses: training or
 * measurement against test. */
static indices field_indices(cuonn_noise_draw draw, cuonn_measurement measurement, chip_use use) {
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.noise_draw = draw;
  chip.measurement = measurement;
  chip.io_amplitude = .1;
  const chip_reading reading = {&chip, use, 1, 3, 0}, of_test = {&chip, CHIP_TEST, 1, 3, 0},
                     of_layer = {&chip, use, 2, 3, 0}, of_step = {&chip, use, 1, 5, 0};
  double factor[6][2];
  chip_read_factor(factor[0], &reading, 4, 2, kModes);
  chip_read_factor(factor[1], &of_test, 4, 2, kModes);
  chip_read_factor(factor[2], &of_layer, 4, 2, kModes);
  chip_read_factor(factor[3], &of_step, 4, 2, kModes);
  chip_read_factor(factor[4], &reading, 5, 2, kModes);
  chip_read_factor(factor[5], &reading, 4, 3, kModes);
  bool other[6];
  for (size_t i = 1; i < 6; i++) other[i] = factor[i][0] != factor[0][0];
  return (indices){other[1], other[2], other[3], other[4], other[5]};
}

static void assert_indices(indices got, indices want) {
  assert_int_equal(got.use, want.use);
  assert_int_equal(got.layer, want.layer);
  assert_int_equal(got.step, want.step);
  assert_int_equal(got.example, want.example);
  assert_int_equal(got.waveguide, want.waveguide);
}

static void test_noise__of_fields_has_its_indices(void **unused) {
  (void)unused;
  static const struct {
    cuonn_noise_draw draw;
    indices training; /* use: whether a test has another draw */
    bool measured;    /* whether a measurement has another draw than training */
  } cases[] = {{CUONN_NOISE_FRESH, {true, true, true, true, true}, true},
               {CUONN_NOISE_FROZEN, {false, true, false, false, true}, true},
               {CUONN_NOISE_FROZEN_PER_USE, {true, true, false, false, true}, true},
               {CUONN_NOISE_FROZEN_SHARED, {false, false, false, false, true}, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (int m = 0; m < 2; m++) {
      const cuonn_measurement measurement = (cuonn_measurement)m;
      indices want = cases[i].training;
      want.example = want.example || measurement == CUONN_MEASUREMENT_MATRIX; /* a column of the matrix */
      assert_indices(field_indices(cases[i].draw, measurement, CHIP_TRAINING), want);
      want.use = cases[i].measured;
      assert_indices(field_indices(cases[i].draw, measurement, CHIP_MEASUREMENT), want);
    }
  }
}

static void tap_normals(double out[2], cuonn_noise_draw draw, uint32_t layer, uint32_t step, size_t place) {
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.noise_draw = draw;
  chip_tap_normals(out, &(chip_reading){&chip, CHIP_MEASUREMENT, layer, step, 0}, place);
}

static void test_noise__of_taps_has_its_indices(void **unused) {
  (void)unused;
  for (int d = CUONN_NOISE_FRESH; d <= CUONN_NOISE_FROZEN_SHARED; d++) {
    const cuonn_noise_draw draw = (cuonn_noise_draw)d;
    double normal[2], layer[2], step[2], place[2];
    tap_normals(normal, draw, 1, 3, 4);
    tap_normals(layer, draw, 2, 3, 4);
    tap_normals(step, draw, 1, 5, 4);
    tap_normals(place, draw, 1, 3, 5);
    for (size_t i = 0; i < 2; i++) {
      assert_int_equal(layer[i] != normal[i], draw != CUONN_NOISE_FROZEN_SHARED);
      assert_int_equal(step[i] != normal[i], draw == CUONN_NOISE_FRESH);
      assert_true(place[i] != normal[i]);
    }
    assert_true(normal[0] != normal[1]);
  }
}

/* --- Shot noise of a whole batch in one draw, against every reading of every example --- */

enum { kDraws = 4000 };

/* The largest norm of an example. */
static double largest_norm(const cuonn_fields *fields) {
  double most = 0;
  for (size_t e = 0; e < kExamples; e++) {
    double power = 0;
    for (size_t i = 2 * e * kModes; i < 2 * (e + 1) * kModes; i++) power += fields->values[i] * fields->values[i];
    most = fmax(most, sqrt(power));
  }
  return most;
}

enum { kReadings = 3 };

/* What a scheme reads of every example at the tap of theta of node k; from the field stages of a mesh alone. */
typedef struct {
  double weight[kReadings], power[kReadings][kExamples];
} tap_powers;

static tap_powers read_tap(size_t k, const cuonn_mesh *mesh, const cuonn_fields *x, const cuonn_fields *g,
                           cuonn_gradient_method method, cuonn_context *context) {
  const bool analog = method == CUONN_GRADIENT_ANALOG;
  const double complex turn[kReadings] = {-I, analog ? I : 0}; /* the last reading is of g on its way back */
  tap_powers out = {.weight = {analog ? .5 : 1, analog ? -.5 : -1, analog ? 0 : -1}};
  const double x_most = largest_norm(x), g_most = largest_norm(g);
  size_t column = 0;
  while (cuonn_mesh_shape_column(mesh->shape, column + 1).first <= k && column + 1 < kModes) column++;
  const cuonn_mesh_column nodes = cuonn_mesh_shape_column(mesh->shape, column);
  const size_t arm = nodes.pairs[k - nodes.first][0];
  cuonn_fields sent, back, through;
  OK(cuonn_fields_create(&sent, kExamples, kModes));
  OK(cuonn_fields_create(&back, kExamples, kModes));
  OK(cuonn_fields_create(&through, kExamples, kModes));
  double stage[2 * kModes * kExamples * kModes];
  const cuonn_taps taps = {.before_theta = stage};
  for (size_t r = kReadings; r-- > 0;) {
    const bool backward = r == kReadings - 1;
    for (size_t i = 0; i < kExamples * kModes && !backward; i++) {
      const double complex a = (back.values[2 * i] + I * back.values[2 * i + 1]) / g_most;
      const double complex f = (x->values[2 * i] + I * x->values[2 * i + 1]) / x_most + turn[r] * conj(a);
      sent.values[2 * i] = creal(f);
      sent.values[2 * i + 1] = cimag(f);
    }
    OK(cuonn_propagate(backward ? &back : &through, &taps, context, mesh, backward ? g : &sent, backward));
    for (size_t e = 0; e < kExamples; e++) {
      const double *const field = stage + 2 * ((column * kExamples + e) * kModes + arm);
      out.power[r][e] = (field[0] * field[0] + field[1] * field[1]) / (backward ? g_most * g_most : 1);
    }
  }
  cuonn_fields_free(&through);
  cuonn_fields_free(&back);
  cuonn_fields_free(&sent);
  return out;
}

/* The derivative by theta, every power with a draw of its own. */
static void example_draws(double *out, size_t seed, const tap_powers *tap, double scale, double shot) {
  chance c = {seed + 1};
  for (size_t d = 0; d < kDraws; d++) {
    out[d] = 0;
    for (size_t i = 0; i < kReadings * kExamples; i++) {
      const double power = tap->power[i / kExamples][i % kExamples];
      const double read = power + shot * sqrt(power) * chance_normal(&c);
      out[d] += scale / 2 * tap->weight[i / kExamples] * read;
    }
  }
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Largest difference of two samples' distribution functions (Kolmogorov and Smirnov). */
static double largest_gap(double *a, double *b) {
  double most = 0;
  qsort(a, kDraws, sizeof *a, ascending);
  qsort(b, kDraws, sizeof *b, ascending);
  for (size_t i = 0, j = 0; i < kDraws && j < kDraws;) {
    if (a[i] <= b[j]) {
      i++;
    } else {
      j++;
    }
    most = fmax(most, fabs((double)i - (double)j) / kDraws);
  }
  return most;
}

/* Cotangent of the loss of a network of one layer: softmax of the first powers, averaged over examples and classes. */
static void loss_cotangent(cuonn_fields *g, const fixture *f) {
  cuonn_fields out;
  OK(cuonn_fields_create(&out, kExamples, kModes));
  OK(cuonn_propagate(&out, NULL, f->context, &f->network.layers[0], &f->input, false));
  for (size_t e = 0; e < kExamples; e++) {
    double sum = 0, z[kClasses];
    for (size_t k = 0; k < kClasses; k++) {
      const double *const y = out.values + 2 * (e * kModes + k);
      sum += z[k] = exp(y[0] * y[0] + y[1] * y[1]);
    }
    for (size_t k = 0; k < kClasses; k++) {
      const double d = 2 * (z[k] / sum - (k == f->labels[e])) / (kExamples * kClasses);
      g->values[2 * (e * kModes + k)] = d * out.values[2 * (e * kModes + k)];
      g->values[2 * (e * kModes + k) + 1] = -d * out.values[2 * (e * kModes + k) + 1];
    }
  }
  cuonn_fields_free(&out);
}

/* Three nodes, both schemes. A normal depends on its seed and place, not on the scheme: each scheme has seeds of its
 * own, so that one's luck is not the other's. The gap of two samples of m exceeds c sqrt(2 / m) with probability 2
 * exp(-2 c^2) (Smirnov 1948): below 1e-7 for c = 2.9. */
static void test_shot_noise__of_a_batch_is_that_of_its_examples(void **unused) {
  (void)unused;
  static const cuonn_gradient_method methods[] = {CUONN_GRADIENT_ANALOG, CUONN_GRADIENT_DIGITAL};
  static double fast[kNodes][kDraws], each[kDraws];
  fixture f;
  create(&f, "reference", CUONN_STYLE_TOP, .5);
  f.network.shape.n_layers = 1;
  cuonn_fields g;
  OK(cuonn_fields_create(&g, kExamples, kModes));
  loss_cotangent(&g, &f);
  const double scale = largest_norm(&f.input) * largest_norm(&g);
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.tap_shot = .2;
  for (size_t m = 0; m < 2; m++) {
    for (size_t d = 0; d < kDraws; d++) {
      chip.seed = m * kDraws + d;
      measure(&f, &chip, methods[m]);
      for (size_t k = 0; k < kNodes; k++) fast[k][d] = f.gradients[0].d_theta[k];
    }
    const size_t nodes[] = {0, 7, 11};
    for (size_t i = 0; i < 3; i++) {
      const tap_powers tap = read_tap(nodes[i], &f.network.layers[0], &f.input, &g, methods[m], f.context);
      example_draws(each, m * kNodes + nodes[i], &tap, scale, chip.tap_shot);
      assert_true(largest_gap(fast[nodes[i]], each) < 2.9 * sqrt(2.0 / kDraws));
    }
  }
  cuonn_fields_free(&g);
  f.network.shape.n_layers = kLayers;
  release(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradient__lossless_chip_without_noise_is_exact),
      cmocka_unit_test(test_gradient__dark_batch_gives_zeros),
      cmocka_unit_test(test_gradient__lossy_chip_differs_and_is_refused_for_two_arms),
      cmocka_unit_test(test_gradient__ideal_knows_nothing_of_the_chip),
      cmocka_unit_test(test_powers__overflow_is_refused),
      cmocka_unit_test(test_noise__of_fields_has_its_indices),
      cmocka_unit_test(test_noise__of_taps_has_its_indices),
      cmocka_unit_test(test_shot_noise__of_a_batch_is_that_of_its_examples),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
