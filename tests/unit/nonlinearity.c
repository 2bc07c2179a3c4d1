/* Nonlinearities and losses: against their formulas and a plain program of matrices, derivatives against finite
 * differences, on the backends that compute them.
 *
 * A central difference with step h = 1e-4 of functions of a few dozen phases is off by some f''' h^2 / 6 and eps f / h:
 * moduli bend near zero and powers are steep, so that third derivatives are up to 100 times the first (gradient.c). */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/compute.h"
#include "cuonn/model.h"
#include "support/close.h"
#include "support/dense.h"

enum { kN = 5, kLayers = 3, kClasses = 3, kExamples = 6, kNodes = kN * (kN - 1) / 2, kKinds = 4, kLosses = 2 };

static const double kStep = 1e-4;

static const cuonn_nonlinearity laws[] = {
    {.kind = CUONN_NONLINEARITY_MODULUS},
    {.kind = CUONN_NONLINEARITY_SQUARE},
    {.kind = CUONN_NONLINEARITY_SATURABLE, .optical_depth = 3, .saturation_power = .7},
    {.kind = CUONN_NONLINEARITY_ELECTRO_OPTIC, .tap = .2, .gain = .6, .bias = .3},
};

/* ---- one field ---- */

static double complex formula(const cuonn_nonlinearity *f, double complex y) {
  const double p = creal(y * conj(y));
  switch (f->kind) {
    case CUONN_NONLINEARITY_MODULUS: return sqrt(p);
    case CUONN_NONLINEARITY_SQUARE: return p;
    case CUONN_NONLINEARITY_SATURABLE: return y * exp(-f->optical_depth / 2 / (1 + p / f->saturation_power));
    case CUONN_NONLINEARITY_ELECTRO_OPTIC: break;
  }
  /* two arms of an interferometer, the phase delta in one of them */
  const double delta = M_PI * (f->gain * p + f->bias);
  return y * I * sqrt(1 - f->tap) * (1 + cexp(-I * delta)) / 2;
}

static void laws_are_the_formulas(void **unused) {
  (void)unused;
  chance c = {1};
  for (size_t trial = 0; trial < 400; trial++) {
    const cuonn_nonlinearity *const f = &laws[trial % kKinds];
    double y[2], h[2];
    chance_normals(y, 2, &c);
    if (trial < 4) y[0] = y[1] = 0;
    cuonn_nonlinearity_apply(h, f, y);
    const double complex want = formula(f, y[0] + I * y[1]);
    CLOSE(h, ((const double[]){creal(want), cimag(want)}), 2, .rel = 1e-14, .abs = 1e-15);
  }
}

static double along(const cuonn_nonlinearity *f, const double y[2], const double of_h[2]) {
  double h[2];
  cuonn_nonlinearity_apply(h, f, y);
  return h[0] * of_h[0] - h[1] * of_h[1];
}

static void pull_back_is_the_derivative(void **unused) {
  (void)unused;
  chance c = {2};
  for (size_t trial = 0; trial < 400; trial++) {
    const cuonn_nonlinearity *const f = &laws[trial % kKinds];
    double y[2], of_h[2], g[2], want[2];
    chance_normals(y, 2, &c);
    chance_normals(of_h, 2, &c);
    if (hypot(y[0], y[1]) < .1) y[0] = 1; /* a modulus has no derivative at zero */
    for (size_t i = 0; i < 2; i++) {
      double up[2] = {y[0], y[1]}, down[2] = {y[0], y[1]};
      up[i] += 1e-5, down[i] -= 1e-5;
      want[i] = (along(f, up, of_h) - along(f, down, of_h)) / 2e-5 * (i ? -1 : 1);
    }
    cuonn_nonlinearity_pull_back(g, f, y, of_h);
    CLOSE(g, want, 2, .rel = 1e-7, .abs = 1e-7);
    memcpy(g, of_h, sizeof g);
    cuonn_nonlinearity_pull_back(g, f, y, g); /* in place */
    CLOSE(g, want, 2, .rel = 1e-7, .abs = 1e-7);
  }
  for (size_t kind = 0; kind < kKinds; kind++) {
    double g[2];
    cuonn_nonlinearity_pull_back(g, &laws[kind], (const double[]){0, 0}, (const double[]){1, 1});
    assert_true(isfinite(g[0]) && isfinite(g[1]));
    if (!cuonn_nonlinearity_keeps_phase(laws[kind].kind)) assert_true(g[0] == 0 && g[1] == 0);
  }
}

/* ---- networks ---- */

typedef struct {
  cuonn_network network;
  cuonn_fields input;
  uint8_t labels[kExamples];
  cuonn_mesh_gradient *gradients;
} fixture;

static void create(fixture *f, size_t kind, size_t loss, double error, double loss_db, uint64_t seed) {
  chance c = {seed};
  cuonn_network_shape shape = {.n_modes = kN,
                               .n_layers = kLayers,
                               .n_classes = kClasses,
                               .style = CUONN_STYLE_BOTTOM,
                               .loss_per_class = seed % 2 == 0,
                               .nonlinearity = laws[kind],
                               .loss = (cuonn_loss)loss};
  OK(cuonn_network_create(&f->network, &shape));
  for (size_t l = 0; l < kLayers; l++) dense_random(&f->network.layers[l], &c, error, loss_db);
  OK(cuonn_fields_create(&f->input, kExamples, kN));
  chance_normals(f->input.values, 2 * kExamples * kN, &c);
  for (size_t e = 0; e < kExamples; e++) f->labels[e] = (uint8_t)(e % kClasses);
  OK(cuonn_gradients_create(&f->gradients, &f->network.shape));
}

static void release(fixture *f) {
  cuonn_gradients_free(f->gradients);
  cuonn_fields_free(&f->input);
  cuonn_network_free(&f->network);
}

static double formula_of_loss(const fixture *f, const double complex *y, size_t label) {
  double z[kClasses], sum = 0, loss = 0;
  for (size_t k = 0; k < kClasses; k++) z[k] = creal(y[k] * conj(y[k]));
  for (size_t k = 0; k < kClasses; k++) sum += exp(z[k]);
  for (size_t k = 0; k < kClasses; k++) loss += pow(z[k] - (k == label), 2);
  if (f->network.shape.loss == CUONN_LOSS_CROSS_ENTROPY) loss = log(sum) - z[label];
  return loss / (f->network.shape.loss_per_class ? kClasses : 1);
}

/* By matrices. */
static double plain_loss(const fixture *f) {
  double complex u[kN * kN], x[kN], y[kN];
  double loss = 0;
  for (size_t e = 0; e < kExamples; e++) {
    memcpy(x, f->input.values + 2 * e * kN, sizeof x);
    for (size_t l = 0; l < kLayers; l++) {
      dense_matrix(u, &f->network.layers[l]);
      for (size_t i = 0; i < kN; i++) {
        y[i] = 0;
        for (size_t j = 0; j < kN; j++) y[i] += u[i * kN + j] * x[j];
      }
      for (size_t i = 0; i < kN; i++) x[i] = formula(&f->network.shape.nonlinearity, y[i]);
    }
    loss += formula_of_loss(f, y, f->labels[e]) / kExamples;
  }
  return loss;
}

static double slope(const fixture *f, double *phase) {
  const double middle = *phase;
  *phase = middle + kStep;
  const double up = plain_loss(f);
  *phase = middle - kStep;
  const double down = plain_loss(f);
  *phase = middle;
  return (up - down) / (2 * kStep);
}

static void differences(double want[3][kNodes], const fixture *f, size_t l) {
  const cuonn_mesh *const mesh = &f->network.layers[l];
  for (size_t k = 0; k < kNodes; k++) want[0][k] = slope(f, &mesh->theta[k]), want[1][k] = slope(f, &mesh->phi[k]);
  for (size_t w = 0; w < kN; w++) want[2][w] = slope(f, &mesh->gamma[w]);
}

/* Losses, and gradients of all phases. rel: of the loss, which bounds what rounding does to gradients, too. */
static void backend_computes(const char *backend, const char *method, size_t kind, size_t loss, bool ideal,
                             double rel) {
  fixture f;
  cuonn_context *context;
  cuonn_evaluation e = {0};
  double got, want[3][kNodes];
  OK(cuonn_context_create(&context, backend, 1));
  OK(cuonn_context_set_method(context, method));
  create(&f, kind, loss, ideal ? 0 : .2, ideal ? 0 : 1, 10 + kind + loss);
  OK(cuonn_gradient(&got, f.gradients, context, &f.network, &f.input, f.labels));
  OK(cuonn_evaluate(&e, context, &f.network, &f.input, f.labels));
  const double plain = plain_loss(&f);
  CLOSE(&got, &plain, 1, .rel = rel);
  CLOSE(&e.loss, &plain, 1, .rel = rel);
  for (size_t l = 0; l < kLayers; l++) {
    const double abs = 1e-8 + (1e-9 + 30 * rel) * plain; /* 10 eps / h, eps = 1e-14 */
    const bool seen = l + 1 < kLayers && cuonn_nonlinearity_keeps_phase(laws[kind].kind);
    differences(want, &f, l);
    CLOSE(f.gradients[l].d_theta, want[0], kNodes, .rel = 1e-6, .abs = abs);
    CLOSE(f.gradients[l].d_phi, want[1], kNodes, .rel = 1e-6, .abs = abs);
    CLOSE(f.gradients[l].d_gamma, want[2], kN, .rel = 1e-6, .abs = abs);
    for (size_t w = 0; w < kN; w++) assert_int_equal(f.gradients[l].d_gamma[w] != 0, seen);
  }
  release(&f);
  cuonn_context_free(context);
}

static void networks_are_the_formulas(void **unused) {
  (void)unused;
  for (size_t kind = 0; kind < kKinds; kind++) {
    for (size_t loss = 0; loss < kLosses; loss++) {
      backend_computes("reference", "columns", kind, loss, false, 1e-13);
      backend_computes("reference", "columns", kind, loss, true, 1e-13);
    }
  }
}

/* Fields behind k columns in float are off by some 6e-8 sqrt(8 k) / 2 (support/parity.h), 3e-7 here; each square law
 * doubles that, powers and their squares do so twice more. */
static const double kFloat = 2e-5;

/* By matrices it computes real numbers alone. */
static bool cpu_multiplies(size_t kind) { return !cuonn_nonlinearity_keeps_phase(laws[kind].kind); }

/* Several tiles, chunks and vectors: against the reference backend. */
static void cpu_agrees_on_many_examples(void **unused) {
  enum { kModes = 21, kMany = 150, kWideNodes = kModes * (kModes - 1) / 2 };
  (void)unused;
  cuonn_context *judge, *context;
  cuonn_fields input;
  uint8_t labels[kMany];
  chance c = {3};
  OK(cuonn_context_create(&judge, "reference", 1));
  OK(cuonn_context_create(&context, "cpu", 3));
  OK(cuonn_fields_create(&input, kMany, kModes));
  chance_normals(input.values, 2 * kMany * kModes, &c);
  for (size_t i = 0; i < 2 * kMany * kModes; i++)
    input.values[i] *= .5; /* powers of which squares of squares stay small */
  for (size_t e = 0; e < kMany; e++) labels[e] = (uint8_t)(e % 4);
  for (size_t i = 0; i < kKinds * kLosses * 2; i++) {
    const size_t kind = i / kLosses % kKinds;
    cuonn_network network;
    cuonn_mesh_gradient *want, *got;
    double loss, loss_got;
    cuonn_network_shape shape = {.n_modes = kModes, .n_layers = 3, .n_classes = 4, .style = CUONN_STYLE_TOP};
    shape.nonlinearity = laws[kind];
    shape.loss = (cuonn_loss)(i % kLosses);
    OK(cuonn_network_create(&network, &shape));
    for (size_t l = 0; l < 3; l++) dense_random(&network.layers[l], &c, 0, 0);
    OK(cuonn_gradients_create(&want, &shape));
    OK(cuonn_gradients_create(&got, &shape));
    OK(cuonn_context_set_method(context, i < kKinds * kLosses || !cpu_multiplies(kind) ? "columns" : "dense"));
    OK(cuonn_gradient(&loss, want, judge, &network, &input, labels));
    OK(cuonn_gradient(&loss_got, got, context, &network, &input, labels));
    CLOSE(&loss_got, &loss, 1, .rel = kFloat);
    for (size_t l = 0; l < 3; l++) {
      CLOSE(got[l].d_theta, want[l].d_theta, kWideNodes, .rel = 10 * kFloat);
      CLOSE(got[l].d_phi, want[l].d_phi, kWideNodes, .rel = 10 * kFloat);
      CLOSE(got[l].d_gamma, want[l].d_gamma, kModes, .rel = 10 * kFloat);
    }
    cuonn_gradients_free(got);
    cuonn_gradients_free(want);
    cuonn_network_free(&network);
  }
  cuonn_fields_free(&input);
  cuonn_context_free(context);
  cuonn_context_free(judge);
}

static void cpu_computes_them(void **unused) {
  (void)unused;
  static const char *const methods[] = {"columns", "dense", "auto"};
  for (size_t i = 0; i < kKinds * kLosses * 3; i++) {
    const size_t kind = i / kLosses % kKinds;
    const char *const method = methods[i / kLosses / kKinds];
    if (strcmp(method, "dense") == 0 && !cpu_multiplies(kind)) continue;
    backend_computes("cpu", method, kind, i % kLosses, false, kFloat);
    backend_computes("cpu", method, kind, i % kLosses, true, kFloat);
  }
}

/* Without noise and lost light a chip measures the exact gradient, whatever is between its meshes. */
static void backend_measures(const char *backend, cuonn_measurement measurement, size_t kind, size_t loss, double rel) {
  fixture f;
  cuonn_context *context, *judge;
  cuonn_mesh_gradient *exact;
  double got, want;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.measurement = measurement;
  OK(cuonn_context_create(&context, backend, 1));
  OK(cuonn_context_create(&judge, "reference", 1));
  create(&f, kind, loss, .2, 0, 20 + kind + loss);
  OK(cuonn_gradients_create(&exact, &f.network.shape));
  OK(cuonn_gradient(&want, exact, judge, &f.network, &f.input, f.labels));
  for (int method = CUONN_GRADIENT_ANALOG; method <= CUONN_GRADIENT_DIGITAL; method++) {
    OK(cuonn_gradient_on_chip(&got, f.gradients, context, &f.network, &chip, (cuonn_gradient_method)method, &f.input,
                              f.labels));
    CLOSE(&got, &want, 1, .rel = rel);
    for (size_t l = 0; l < kLayers; l++) {
      const double abs = 100 * rel * want;
      CLOSE(f.gradients[l].d_theta, exact[l].d_theta, kNodes, .abs = abs);
      CLOSE(f.gradients[l].d_phi, exact[l].d_phi, kNodes, .abs = abs);
      CLOSE(f.gradients[l].d_gamma, exact[l].d_gamma, kN, .abs = abs);
    }
  }
  cuonn_gradients_free(exact);
  release(&f);
  cuonn_context_free(judge);
  cuonn_context_free(context);
}

static void chips_measure_them(void **unused) {
  (void)unused;
  for (size_t kind = 0; kind < kKinds; kind++) {
    for (size_t loss = 0; loss < kLosses; loss++) {
      backend_measures("reference", CUONN_MEASUREMENT_EXAMPLE, kind, loss, 1e-13);
      backend_measures("reference", CUONN_MEASUREMENT_MATRIX, kind, loss, 1e-13);
    }
  }
}

static void cpu_measures_them(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kKinds * kLosses; i++) {
    const size_t kind = i / kLosses;
    backend_measures("cpu", CUONN_MEASUREMENT_EXAMPLE, kind, i % kLosses, kFloat);
    if (cpu_multiplies(kind)) backend_measures("cpu", CUONN_MEASUREMENT_MATRIX, kind, i % kLosses, kFloat);
  }
}

/* ---- names and refusals ---- */

static void names_are_one_list(void **unused) {
  (void)unused;
  cuonn_nonlinearity_kind kind;
  cuonn_loss loss;
  for (int i = 0; i < kKinds; i++) {
    OK(cuonn_nonlinearity_parse(&kind, cuonn_nonlinearity_name((cuonn_nonlinearity_kind)i)));
    assert_int_equal(kind, i);
  }
  for (int i = 0; i < kLosses; i++) {
    OK(cuonn_loss_parse(&loss, cuonn_loss_name((cuonn_loss)i)));
    assert_int_equal(loss, i);
  }
  assert_null(cuonn_nonlinearity_name((cuonn_nonlinearity_kind)kKinds));
  assert_null(cuonn_loss_name((cuonn_loss)kLosses));
  REFUSED(cuonn_nonlinearity_parse(&kind, "relu"), CUONN_E_ARGUMENT, "nonlinearity \"relu\" is unknown; it is one of");
  REFUSED(cuonn_loss_parse(&loss, "hinge"), CUONN_E_ARGUMENT, "loss \"hinge\" is unknown; it is one of");
}

static void equal_means_one_function(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kKinds; i++) {
    cuonn_nonlinearity other = laws[i];
    for (size_t j = 0; j < kKinds; j++) assert_int_equal(cuonn_nonlinearity_equal(&laws[i], &laws[j]), i == j);
    other.optical_depth += 1;
    assert_int_equal(cuonn_nonlinearity_equal(&laws[i], &other), laws[i].kind != CUONN_NONLINEARITY_SATURABLE);
    other = laws[i];
    other.bias += 1;
    assert_int_equal(cuonn_nonlinearity_equal(&laws[i], &other), laws[i].kind != CUONN_NONLINEARITY_ELECTRO_OPTIC);
  }
}

static void matrices_are_refused_where_phases_stay(void **unused) {
  (void)unused;
  cuonn_context *context;
  cuonn_model_options options = CUONN_MODEL_OPTIONS_INIT;
  cuonn_model *model;
  cuonn_network network;
  cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
  OK(cuonn_context_create(&context, "cpu", 1));
  options.shape.nonlinearity.kind = CUONN_NONLINEARITY_SATURABLE;
  OK(cuonn_context_set_method(context, "dense"));
  REFUSED(cuonn_model_create(&model, context, &options), CUONN_E_ARGUMENT,
          "method dense of backend cpu does not compute unitary layers with the nonlinearity saturable; use columns or "
          "auto");
  OK(cuonn_context_set_method(context, "auto"));
  options.measurement = CUONN_MEASUREMENT_MATRIX;
  REFUSED(cuonn_model_create(&model, context, &options), CUONN_E_ARGUMENT,
          "backend cpu reads no matrices (measurement matrix) of unitary layers with the nonlinearity saturable");
  options.measurement = CUONN_MEASUREMENT_EXAMPLE;
  OK(cuonn_model_create(&model, context, &options));
  settings.chip.measurement = CUONN_MEASUREMENT_MATRIX; /* which tests with noise would follow */
  OK(cuonn_network_create(&network, &options.shape));
  REFUSED(cuonn_model_set(model, 0, &network, NULL, &settings), CUONN_E_ARGUMENT, "backend cpu reads no matrices");
  cuonn_network_free(&network);
  cuonn_model_destroy(model);
  cuonn_context_free(context);
}

static void bad_numbers_are_refused(void **unused) {
  (void)unused;
  const struct {
    cuonn_nonlinearity f;
    const char *text;
  } cases[] = {
      {{.kind = (cuonn_nonlinearity_kind)7}, "nonlinearity 7 is not one of the four"},
      {{CUONN_NONLINEARITY_SATURABLE, -1, 1, 0, 0, 0}, "optical_depth is -1; it is at least 0"},
      {{CUONN_NONLINEARITY_SATURABLE, 1, 0, 0, 0, 0}, "saturation_power is 0; it is above 0"},
      {{CUONN_NONLINEARITY_SATURABLE, NAN, 1, 0, 0, 0}, "optical_depth is nan"},
      {{CUONN_NONLINEARITY_ELECTRO_OPTIC, 1, 1, 1, 0, 0}, "tap is 1; it is 0 up to but not 1"},
      {{CUONN_NONLINEARITY_ELECTRO_OPTIC, 1, 1, 0, INFINITY, 0}, "gain is inf"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
    cuonn_network network;
    shape.nonlinearity = cases[i].f;
    REFUSED(cuonn_network_create(&network, &shape), CUONN_E_ARGUMENT, cases[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(laws_are_the_formulas),     cmocka_unit_test(pull_back_is_the_derivative),
      cmocka_unit_test(networks_are_the_formulas), cmocka_unit_test(chips_measure_them),
      cmocka_unit_test(names_are_one_list),        cmocka_unit_test(equal_means_one_function),
      cmocka_unit_test(bad_numbers_are_refused),   cmocka_unit_test(matrices_are_refused_where_phases_stay),
      cmocka_unit_test(cpu_computes_them),         cmocka_unit_test(cpu_agrees_on_many_examples),
      cmocka_unit_test(cpu_measures_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
