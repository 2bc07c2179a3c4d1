/* Nonlinearities and losses of unitary layers: laws against their formulas, derivatives against finite differences, and
 * networks against a plain program of matrices (support/layers.h), on the backends that compute them. */
#include "support/layers.h"

enum { kLosses = 2, kCases = kLaws * kLosses };

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
    const cuonn_nonlinearity *const f = &laws[trial % kLaws];
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
    const cuonn_nonlinearity *const f = &laws[trial % kLaws];
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
  for (size_t kind = 0; kind < kLaws; kind++) {
    double g[2];
    cuonn_nonlinearity_pull_back(g, &laws[kind], (const double[]){0, 0}, (const double[]){1, 1});
    assert_true(isfinite(g[0]) && isfinite(g[1]));
    if (!cuonn_nonlinearity_keeps_phase(laws[kind].kind)) assert_true(g[0] == 0 && g[1] == 0);
  }
}

/* ---- networks ---- */

/* Number i of all laws and losses. */
static layered numbered(size_t i, size_t n, size_t n_examples, double error, double loss_db) {
  return (layered){.n = n,
                   .n_examples = n_examples,
                   .law = i / kLosses % kLaws,
                   .loss = (cuonn_loss)(i % kLosses),
                   .loss_per_class = (i / kLosses + i) % 2 == 0,
                   .style = CUONN_STYLE_BOTTOM,
                   .error = error,
                   .loss_db = loss_db,
                   .seed = 10 + i};
}

/* Fields behind k columns in float are off by some 6e-8 sqrt(8 k) / 2 (support/parity.h), 3e-7 here; each square law
 * doubles that, powers and their squares do so twice more. */
static const double kFloat = 2e-5;

/* By matrices it computes real numbers alone. */
static bool cpu_multiplies(size_t law) { return !cuonn_nonlinearity_keeps_phase(laws[law].kind); }

static void networks_are_the_formulas(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kCases; i++) {
    backend_computes("reference", "columns", numbered(i, 5, kExamples, .2, 1), 1e-13);
    backend_computes("reference", "columns", numbered(i, 5, kExamples, 0, 0), 1e-13);
  }
}

static void cpu_computes_them(void **unused) {
  (void)unused;
  static const char *const methods[] = {"columns", "dense", "auto"};
  for (size_t i = 0; i < 3 * (size_t)kCases; i++) {
    const char *const method = methods[i / kCases];
    const layered general = numbered(i, 5, kExamples, .2, 1), ideal = numbered(i, 5, kExamples, 0, 0);
    if (strcmp(method, "dense") == 0 && !cpu_multiplies(general.law)) continue;
    backend_computes("cpu", method, general, kFloat);
    backend_computes("cpu", method, ideal, kFloat);
  }
}

/* Several tiles, chunks and vectors: against the reference backend. */
static void cpu_agrees_on_many_examples(void **unused) {
  (void)unused;
  cuonn_context *judge, *context;
  OK(cuonn_context_create(&judge, "reference", 1));
  OK(cuonn_context_create(&context, "cpu", 3));
  for (size_t i = 0; i < 2 * (size_t)kCases; i++) {
    const layered p = numbered(i, 21, 150, 0, 0);
    fixture f;
    cuonn_mesh_gradient *want;
    double loss, loss_got;
    if (i >= kCases && !cpu_multiplies(p.law)) continue;
    create(&f, p);
    OK(cuonn_gradients_create(&want, &f.network.shape));
    OK(cuonn_context_set_method(context, i < kCases ? "columns" : "dense"));
    OK(cuonn_gradient(&loss, want, judge, &f.network, &f.input, f.labels));
    OK(cuonn_gradient(&loss_got, f.gradients, context, &f.network, &f.input, f.labels));
    CLOSE(&loss_got, &loss, 1, .rel = kFloat);
    for (size_t l = 0; l < kMeshes; l++) {
      const size_t nodes = f.network.layers[l].n_nodes;
      CLOSE(f.gradients[l].d_theta, want[l].d_theta, nodes, .rel = 10 * kFloat);
      CLOSE(f.gradients[l].d_phi, want[l].d_phi, nodes, .rel = 10 * kFloat);
      CLOSE(f.gradients[l].d_gamma, want[l].d_gamma, p.n, .rel = 10 * kFloat);
    }
    cuonn_gradients_free(want);
    release(&f);
  }
  cuonn_context_free(context);
  cuonn_context_free(judge);
}

static void chips_measure_them(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kCases; i++) {
    const layered p = numbered(i, 5, kExamples, .2, 0);
    chip_measures("reference", CUONN_MEASUREMENT_EXAMPLE, p, 1e-13);
    chip_measures("reference", CUONN_MEASUREMENT_MATRIX, p, 1e-13);
    chip_measures("cpu", CUONN_MEASUREMENT_EXAMPLE, p, kFloat);
    if (cpu_multiplies(p.law)) chip_measures("cpu", CUONN_MEASUREMENT_MATRIX, p, kFloat);
  }
}

/* ---- names and refusals ---- */

static void names_are_one_list(void **unused) {
  (void)unused;
  cuonn_nonlinearity_kind kind;
  cuonn_loss loss;
  for (int i = 0; i < kLaws; i++) {
    OK(cuonn_nonlinearity_parse(&kind, cuonn_nonlinearity_name((cuonn_nonlinearity_kind)i)));
    assert_int_equal(kind, i);
  }
  for (int i = 0; i < kLosses; i++) {
    OK(cuonn_loss_parse(&loss, cuonn_loss_name((cuonn_loss)i)));
    assert_int_equal(loss, i);
  }
  assert_null(cuonn_nonlinearity_name((cuonn_nonlinearity_kind)kLaws));
  assert_null(cuonn_loss_name((cuonn_loss)kLosses));
  REFUSED(cuonn_nonlinearity_parse(&kind, "relu"), CUONN_E_ARGUMENT, "nonlinearity \"relu\" is unknown; it is one of");
  REFUSED(cuonn_loss_parse(&loss, "hinge"), CUONN_E_ARGUMENT, "loss \"hinge\" is unknown; it is one of");
}

static void equal_means_one_function(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kLaws; i++) {
    cuonn_nonlinearity other = laws[i];
    for (size_t j = 0; j < kLaws; j++) assert_int_equal(cuonn_nonlinearity_equal(&laws[i], &laws[j]), i == j);
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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
