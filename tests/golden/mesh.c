/* Meshes against values of an independent program (simphox + JAX): decomposition, propagation and its derivatives.
 *
 * Tolerances: light meets some ten roundings of 1e-16 a node, and 64 nodes in a row; sums over examples add no more. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/compute.h"
#include "support/close.h"
#include "support/dense.h"
#include "support/golden.h"

static const size_t sizes[] = {4, 5, 8, 64};
enum { kSizes = sizeof sizes / sizeof *sizes, kExamples = 6 };

static void read_into(double *to, const char *group, const char *variable, size_t n) {
  double *values = golden_read_n("golden.nc", group, variable, n);
  memcpy(to, values, n * sizeof *to);
  free(values);
}

/* The mesh of forward/N; without errors and losses it is that of propagate/N. */
static cuonn_mesh read_mesh(const char *group, size_t n, cuonn_phase_style style, bool with_errors) {
  cuonn_mesh mesh;
  const size_t nodes = cuonn_mesh_nodes(n);
  OK(cuonn_mesh_create(&mesh, n, style));
  read_into(mesh.theta, group, "theta", nodes);
  read_into(mesh.phi, group, "phi", nodes);
  read_into(mesh.gamma, group, "gamma", n);
  if (with_errors) {
    read_into(mesh.coupler_error, group, "coupler_error", 2 * nodes);
    read_into(mesh.loss_db, group, "loss_db", 2 * nodes);
  }
  return mesh;
}

static cuonn_fields read_fields(const char *group, const char *variable, size_t n) {
  cuonn_fields fields;
  OK(cuonn_fields_create(&fields, kExamples, n));
  read_into(fields.values, group, variable, 2 * kExamples * n);
  return fields;
}

static cuonn_context *reference(void) {
  cuonn_context *context;
  OK(cuonn_context_create(&context, "reference", 0));
  assert_string_equal(cuonn_context_backend(context), "reference");
  return context;
}

static void decompose(void **unused) {
  (void)unused;
  const size_t n_of[] = {2, 3, 4, 5, 8, 16, 33, 64};
  const cuonn_phase_style styles[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM, CUONN_STYLE_DIFFERENTIAL};
  for (size_t i = 0; i < sizeof n_of / sizeof *n_of; i++) {
    const size_t n = n_of[i];
    char group[32];
    snprintf(group, sizeof group, "decompose/%zu", n);
    double *unitary = golden_read_n("golden.nc", group, "unitary", 2 * n * n);
    double complex *got = malloc(n * n * sizeof *got);
    assert_non_null(got);

    /* the golden phases make the golden matrix, so that style top means the same in both programs */
    cuonn_mesh mesh = read_mesh(group, n, CUONN_STYLE_TOP, false);
    dense_matrix(got, &mesh);
    CLOSE((double *)got, unitary, 2 * n * n, .abs = 1e-13);

    for (size_t s = 0; s < 3; s++) {
      mesh.style = styles[s];
      OK(cuonn_mesh_decompose(&mesh, unitary));
      dense_matrix(got, &mesh);
      CLOSE((double *)got, unitary, 2 * n * n, .abs = 1e-13);
    }
    cuonn_mesh_free(&mesh);
    free(got);
    free(unitary);
  }
}

static void propagate_and_vjp(void **unused) {
  (void)unused;
  cuonn_context *context = reference();
  for (size_t i = 0; i < kSizes; i++) {
    const size_t n = sizes[i], nodes = cuonn_mesh_nodes(n), count = 2 * kExamples * n;
    char group[32], name[32];
    snprintf(group, sizeof group, "forward/%zu", n);
    cuonn_fields input = read_fields(group, "input", n), cotangent = read_fields(group, "cotangent", n);
    cuonn_fields output, backward;
    OK(cuonn_fields_create(&output, kExamples, n));
    OK(cuonn_fields_create(&backward, kExamples, n));
    double *d_theta = malloc(nodes * sizeof(double)), *d_phi = malloc(nodes * sizeof(double));
    double *d_gamma = malloc(n * sizeof(double));
    assert_true(d_theta && d_phi && d_gamma);

    for (int style = CUONN_STYLE_TOP; style <= CUONN_STYLE_DIFFERENTIAL; style++) {
      const char *const style_name = cuonn_phase_style_name((cuonn_phase_style)style);
      cuonn_mesh mesh = read_mesh(group, n, (cuonn_phase_style)style, true);
      const struct {
        const char *name;
        const double *got;
        size_t n;
      } arrays[] = {{"output", output.values, count},
                    {"d_theta", d_theta, nodes},
                    {"d_phi", d_phi, nodes},
                    {"d_gamma", d_gamma, n}};

      OK(cuonn_propagate(&output, NULL, context, &mesh, &input, false));
      cuonn_mesh_gradient gradient = {d_theta, d_phi, d_gamma, NULL};
      for (size_t k = 0; k < nodes; k++) d_theta[k] = d_phi[k] = NAN; /* must be overwritten */
      for (size_t w = 0; w < n; w++) d_gamma[w] = NAN;
      OK(cuonn_vjp(&gradient, NULL, context, &mesh, &input, &cotangent));
      for (size_t a = 0; a < sizeof arrays / sizeof *arrays; a++) {
        snprintf(name, sizeof name, "%s_%s", arrays[a].name, style_name);
        double *want = golden_read_n("golden.nc", group, name, arrays[a].n);
        CLOSE(arrays[a].got, want, arrays[a].n, .rel = 1e-12);
        free(want);
      }

      if (style == CUONN_STYLE_TOP || style == CUONN_STYLE_BOTTOM) { /* the golden file has no other */
        snprintf(name, sizeof name, "backward_%s", style_name);
        double *want = golden_read_n("golden.nc", group, name, count);
        OK(cuonn_propagate(&backward, NULL, context, &mesh, &input, true));
        CLOSE(backward.values, want, count, .rel = 1e-12);
        free(want);
      }
      cuonn_mesh_free(&mesh);
    }
    free(d_gamma);
    free(d_phi);
    free(d_theta);
    cuonn_fields_free(&backward);
    cuonn_fields_free(&output);
    cuonn_fields_free(&cotangent);
    cuonn_fields_free(&input);
  }
  cuonn_context_free(context);
}

static void taps(void **unused) {
  (void)unused;
  cuonn_context *context = reference();
  for (size_t i = 0; i < kSizes; i++) {
    const size_t n = sizes[i], count = n * 2 * kExamples * n;
    char forward[32], group[32];
    snprintf(forward, sizeof forward, "forward/%zu", n);
    snprintf(group, sizeof group, "propagate/%zu", n);
    cuonn_mesh mesh = read_mesh(forward, n, CUONN_STYLE_TOP, false);
    cuonn_fields input = read_fields(forward, "input", n), output;
    OK(cuonn_fields_create(&output, kExamples, n));
    double *before_phi = malloc(count * sizeof(double)), *before_theta = malloc(count * sizeof(double));
    assert_true(before_phi && before_theta);
    const cuonn_taps stages = {.before_phi = before_phi, .before_theta = before_theta};
    OK(cuonn_propagate(&output, &stages, context, &mesh, &input, false));
    double *want = golden_read_n("golden.nc", group, "before_phi", count);
    CLOSE(before_phi, want, count, .rel = 1e-12);
    free(want);
    want = golden_read_n("golden.nc", group, "before_theta", count);
    CLOSE(before_theta, want, count, .rel = 1e-12);
    free(want);
    free(before_theta);
    free(before_phi);
    cuonn_fields_free(&output);
    cuonn_fields_free(&input);
    cuonn_mesh_free(&mesh);
  }
  cuonn_context_free(context);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decompose),
      cmocka_unit_test(propagate_and_vjp),
      cmocka_unit_test(taps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
