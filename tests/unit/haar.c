/* Unitaries and phases drawn from the Haar measure have its distribution.
 *
 * Seeds are fixed, so that nothing here is left to chance. A distribution is judged by the test of Kolmogorov and
 * Smirnov: for the right law, D sqrt(n) exceeds 2.6 with probability 2 exp(-2 x 2.6^2) = 3e-6, and some 200 laws are
 * judged. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/mesh.h"
#include "support/close.h"
#include "support/dense.h"

enum { kDraws = 4000 };

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts values that were mapped by their distribution function, and compares them with the uniform law on 0..1. */
static double distance_from_uniform(double *u, size_t n) {
  double distance = 0;
  qsort(u, n, sizeof *u, ascending);
  for (size_t i = 0; i < n; i++) {
    const double above = (double)(i + 1) / (double)n - u[i], below = u[i] - (double)i / (double)n;
    distance = fmax(distance, fmax(above, below));
  }
  return distance * sqrt((double)n);
}

static void is_uniform(double *u, const char *what, size_t i) {
  const double distance = distance_from_uniform(u, kDraws);
  if (!(distance <= 2.6)) fail_msg("%s %zu: D sqrt(n) = %g", what, i, distance);
}

/* Fraction of a turn, 0..1. */
static double turns(double complex z) { return carg(z) / (2 * M_PI) + 0.5; }

/* |U_ij|^2 has the law Beta(1, N - 1), the phase of U_ij is uniform (Zyczkowski, Kus, J. Phys. A 27, 4235 (1994)), and
 * E |tr U^k|^2 = min(k, N) (Diaconis, Shahshahani, J. Appl. Prob. 31A, 49 (1994)).
 * u: [draw][row][column] */
static void are_haar(const double complex *u, size_t n) {
  double *law = malloc(kDraws * sizeof *law);
  assert_non_null(law);
  for (size_t ij = 0; ij < n * n; ij++) {
    for (size_t d = 0; d < kDraws; d++) {
      const double complex z = u[d * n * n + ij];
      law[d] = 1 - pow(fmax(0, 1 - creal(z * conj(z))), (double)n - 1);
    }
    is_uniform(law, "power of element", ij);
    for (size_t d = 0; d < kDraws; d++) law[d] = turns(u[d * n * n + ij]);
    is_uniform(law, "phase of element", ij);
  }
  /* Two columns are independent but for being orthogonal: so is the phase between them in a row. */
  for (size_t d = 0; d < kDraws; d++) law[d] = turns(u[d * n * n] * conj(u[d * n * n + 1]));
  is_uniform(law, "phase between elements of row", 0);

  double trace = 0, trace_of_square = 0;
  for (size_t d = 0; d < kDraws; d++) {
    double complex t = 0, t2 = 0;
    for (size_t i = 0; i < n; i++) {
      t += u[d * n * n + i * n + i];
      for (size_t j = 0; j < n; j++) t2 += u[d * n * n + i * n + j] * u[d * n * n + j * n + i];
    }
    trace += creal(t * conj(t)) / kDraws;
    trace_of_square += creal(t2 * conj(t2)) / kDraws;
  }
  /* tr U and tr U^2 are nearly normal: the standard deviation of |tr|^2 is its mean, so 4.7 deviations are allowed. */
  assert_true(fabs(trace - 1) < 4.7 / sqrt(kDraws));
  assert_true(fabs(trace_of_square - 2) < 4.7 * 2 / sqrt(kDraws));
  free(law);
}

static double complex *matrices(size_t n) {
  double complex *u = malloc(kDraws * n * n * sizeof *u);
  assert_non_null(u);
  return u;
}

static void unitaries_have_the_haar_law(void **unused) {
  (void)unused;
  for (size_t n = 4; n <= 5; n++) {
    double complex *u = matrices(n);
    for (size_t d = 0; d < kDraws; d++) {
      OK(cuonn_haar_unitary((double *)(u + d * n * n), n, d, 1));
      assert_true(cuonn_unitarity_error((const double *)(u + d * n * n), n) < 1e-14);
    }
    are_haar(u, n);
    free(u);
  }
}

static void streams_of_a_seed_are_independent(void **unused) {
  (void)unused;
  double complex *u = matrices(4), other[16];
  /* The product of two independent Haar unitaries, one conjugated, is Haar; of two equal ones it is 1. */
  for (size_t d = 0; d < kDraws; d++) {
    double complex one[16];
    OK(cuonn_haar_unitary((double *)one, 4, 7, (uint32_t)(2 * d)));
    OK(cuonn_haar_unitary((double *)other, 4, 7, (uint32_t)(2 * d + 1)));
    for (size_t i = 0; i < 4; i++) {
      for (size_t j = 0; j < 4; j++) {
        u[16 * d + 4 * i + j] = 0;
        for (size_t k = 0; k < 4; k++) u[16 * d + 4 * i + j] += conj(one[4 * k + i]) * other[4 * k + j];
      }
    }
  }
  are_haar(u, 4);
  free(u);
}

static void unitaries_repeat_and_differ(void **unused) {
  (void)unused;
  enum { kN = 64 };
  double *a = malloc(2 * kN * kN * sizeof *a), *b = malloc(2 * kN * kN * sizeof *b);
  assert_true(a && b);
  const uint64_t seed = UINT64_C(0x123456789abcdef);
  OK(cuonn_haar_unitary(a, kN, seed, 3));
  OK(cuonn_haar_unitary(b, kN, seed, 3));
  assert_memory_equal(a, b, 2 * kN * kN * sizeof *a);
  assert_true(cuonn_unitarity_error(a, kN) < 1e-13);
  const struct {
    uint64_t seed;
    uint32_t stream;
  } others[] = {{seed, 4}, {seed + 1, 3}, {seed ^ UINT64_C(1) << 40, 3}};
  for (size_t i = 0; i < 3; i++) {
    OK(cuonn_haar_unitary(b, kN, others[i].seed, others[i].stream));
    for (size_t k = 0; k < 2 * kN * kN; k++) assert_true(a[k] != b[k]);
  }
  free(b);
  free(a);
}

/* Column by column. The next test holds them against the phases of Haar-random unitaries. */
static void exponents_count_the_way_to_the_edge(void **unused) {
  (void)unused;
  const size_t two[] = {1}, three[] = {1, 2, 1}, four[] = {1, 1, 3, 2, 2, 1}, five[] = {1, 1, 3, 2, 2, 4, 3, 2, 1, 1};
  const size_t eight[] = {1, 1, 1, 1, 3, 3, 3, 2, 5, 5, 2, 4, 7, 4, 2, 6, 6, 2, 4, 5, 4, 2, 3, 3, 2, 1, 1, 1};
  const struct {
    size_t n;
    const size_t *want;
  } meshes[] = {{2, two}, {3, three}, {4, four}, {5, five}, {8, eight}};
  for (size_t i = 0; i < sizeof meshes / sizeof *meshes; i++) {
    for (size_t k = 0; k < cuonn_mesh_nodes(meshes[i].n); k++) {
      assert_int_equal(cuonn_mesh_haar_exponent(meshes[i].n, k), meshes[i].want[k]);
    }
  }
}

static size_t exponent(const cuonn_mesh *mesh, size_t node) {
  if (cuonn_mesh_shape_architecture(mesh->shape) == CUONN_ARCHITECTURE_RECTANGULAR)
    return cuonn_mesh_haar_exponent(mesh->n_modes, node);
  for (size_t c = 0;; c++) {
    const cuonn_mesh_column column = cuonn_mesh_shape_column(mesh->shape, c);
    if (node < column.first + column.count) return column.pairs[node - column.first][0] + 1;
  }
}

/* theta, phi and gamma of drawn meshes, judged node by node. */
static void phases_have_their_law(size_t n, cuonn_architecture architecture, void (*draw)(cuonn_mesh *mesh, size_t d)) {
  const size_t nodes = cuonn_mesh_nodes(n);
  double *theta = malloc(nodes * kDraws * sizeof *theta), *phi = malloc(nodes * kDraws * sizeof *phi);
  double *gamma = malloc(n * kDraws * sizeof *gamma);
  assert_true(theta && phi && gamma);
  cuonn_mesh mesh;
  cuonn_mesh_shape *shape;
  OK(cuonn_mesh_shape_make(&shape, architecture, n, 0));
  OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_TOP));
  cuonn_mesh_shape_free(shape);
  for (size_t d = 0; d < kDraws; d++) {
    draw(&mesh, d);
    for (size_t k = 0; k < nodes; k++) {
      const double c = cos(mesh.theta[k] / 2);
      theta[k * kDraws + d] = pow(c * c, (double)exponent(&mesh, k));
      phi[k * kDraws + d] = mesh.phi[k] / (2 * M_PI);
    }
    for (size_t w = 0; w < n; w++) gamma[w * kDraws + d] = mesh.gamma[w] / (2 * M_PI);
  }
  for (size_t k = 0; k < nodes; k++) is_uniform(theta + k * kDraws, "theta of node", k);
  for (size_t k = 0; k < nodes; k++) is_uniform(phi + k * kDraws, "phi of node", k);
  for (size_t w = 0; w < n; w++) is_uniform(gamma + w * kDraws, "gamma of waveguide", w);
  cuonn_mesh_free(&mesh);
  free(gamma);
  free(phi);
  free(theta);
}

static void draw_unitary(cuonn_mesh *mesh, size_t d) {
  double u[2 * 7 * 7];
  OK(cuonn_haar_unitary(u, mesh->n_modes, d, 2));
  OK(cuonn_mesh_decompose(mesh, u));
}

static void draw_phases(cuonn_mesh *mesh, size_t d) { OK(cuonn_mesh_randomize(mesh, d, 2)); }

static void decomposed_unitaries_have_the_law_of_phases(void **unused) {
  (void)unused;
  for (size_t n = 2; n <= 7; n++) phases_have_their_law(n, CUONN_ARCHITECTURE_RECTANGULAR, draw_unitary);
  for (size_t n = 2; n <= 7; n++) phases_have_their_law(n, CUONN_ARCHITECTURE_TRIANGULAR, draw_unitary);
}

static void drawn_phases_have_the_law_of_phases(void **unused) {
  (void)unused;
  for (size_t n = 2; n <= 7; n++) phases_have_their_law(n, CUONN_ARCHITECTURE_RECTANGULAR, draw_phases);
  for (size_t n = 2; n <= 7; n++) phases_have_their_law(n, CUONN_ARCHITECTURE_TRIANGULAR, draw_phases);
}

static void drawn_phases_make_haar_unitaries(void **unused) {
  (void)unused;
  const cuonn_phase_style styles[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM, CUONN_STYLE_DIFFERENTIAL};
  for (size_t n = 4; n <= 5; n++) {
    double complex *u = matrices(n);
    for (size_t s = 0; s < 3; s++) {
      cuonn_mesh mesh;
      OK(cuonn_mesh_create(&mesh, n, styles[s]));
      for (size_t d = 0; d < kDraws; d++) {
        OK(cuonn_mesh_randomize(&mesh, d, (uint32_t)s));
        dense_matrix(u + d * n * n, &mesh);
      }
      are_haar(u, n);
      cuonn_mesh_free(&mesh);
    }
    free(u);
  }
}

static void drawn_phases_repeat_and_differ(void **unused) {
  (void)unused;
  cuonn_mesh a, b;
  OK(cuonn_mesh_create(&a, 9, CUONN_STYLE_SYMMETRIC));
  OK(cuonn_mesh_create(&b, 9, CUONN_STYLE_SYMMETRIC));
  a.coupler_error[5] = a.loss_db[5] = 0.25;
  OK(cuonn_mesh_randomize(&a, 11, 0));
  OK(cuonn_mesh_randomize(&b, 11, 0));
  assert_true(a.coupler_error[5] == 0.25 && a.loss_db[5] == 0.25);
  assert_memory_equal(a.theta, b.theta, 36 * sizeof(double));
  assert_memory_equal(a.phi, b.phi, 36 * sizeof(double));
  assert_memory_equal(a.gamma, b.gamma, 9 * sizeof(double));
  for (int other = 0; other < 2; other++) {
    OK(cuonn_mesh_randomize(&b, other ? 12 : 11, other ? 0 : 1));
    for (size_t k = 0; k < 36; k++) assert_true(a.theta[k] != b.theta[k] && a.phi[k] != b.phi[k]);
    for (size_t w = 0; w < 9; w++) assert_true(a.gamma[w] != b.gamma[w]);
  }
  cuonn_mesh_free(&b);
  cuonn_mesh_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unitaries_have_the_haar_law),
      cmocka_unit_test(streams_of_a_seed_are_independent),
      cmocka_unit_test(unitaries_repeat_and_differ),
      cmocka_unit_test(exponents_count_the_way_to_the_edge),
      cmocka_unit_test(decomposed_unitaries_have_the_law_of_phases),
      cmocka_unit_test(drawn_phases_have_the_law_of_phases),
      cmocka_unit_test(drawn_phases_make_haar_unitaries),
      cmocka_unit_test(drawn_phases_repeat_and_differ),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
