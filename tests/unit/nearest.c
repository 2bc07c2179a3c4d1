/* The unitary nearest to a matrix: against matrices whose polar factor is known, and what must be refused. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/mesh.h"
#include "support/chance.h"
#include "support/close.h"

typedef double complex complex_t;

/* out = U H with a Hermitian H = Q diag(values) Q^H, Q another unitary: U is the polar factor of out if all values are
 * positive.
 */
static void make_polar(complex_t *out, const complex_t *u, const complex_t *q, const double *values, size_t n) {
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      out[i * n + j] = 0;
      for (size_t m = 0; m < n; m++) {
        complex_t h = 0;
        for (size_t k = 0; k < n; k++) h += q[m * n + k] * values[k] * conj(q[j * n + k]);
        out[i * n + j] += u[i * n + m] * h;
      }
    }
  }
}

enum { kMost = 12 };
static complex_t u[kMost * kMost], q[kMost * kMost], matrix[kMost * kMost], got[kMost * kMost];

static void make_unitaries(size_t n) {
  OK(cuonn_haar_unitary((double *)u, n, 1, 0));
  OK(cuonn_haar_unitary((double *)q, n, 2, 0));
}

static void test_nearest__is_the_polar_factor(void **state) {
  (void)state;
  for (size_t n = 2; n <= kMost; n++) {
    double values[kMost], squares = 0;
    cuonn_nearest how;
    make_unitaries(n);
    for (size_t k = 0; k < n; k++) {
      values[k] = 0.01 + 3 * (double)k / (double)n; /* far from unitary */
      squares += (values[k] - 1) * (values[k] - 1);
    }
    make_polar(matrix, u, q, values, n);
    OK(cuonn_nearest_unitary((double *)got, &how, (const double *)matrix, n));
    /* rounding, over the least singular value: n 1e-16 / .01 */
    CLOSE((const double *)got, (const double *)u, 2 * n * n, .abs = 1e-13 * (double)n);
    CLOSE(&how.frobenius, (double[]){sqrt(squares)}, 1, .rel = 1e-13);
    CLOSE(&how.least_singular, (double[]){values[0]}, 1, .rel = 1e-11);
    CLOSE(&how.largest_singular, (double[]){values[n - 1]}, 1, .rel = 1e-13);
    double largest = 0;
    for (size_t i = 0; i < n * n; i++) largest = fmax(largest, cabs(matrix[i] - u[i]));
    CLOSE(&how.largest, &largest, 1, .rel = 1e-12);
    assert_true(cuonn_unitarity_error((const double *)got, n) < 1e-14 * (double)n);
  }
}

/* No other unitary is nearer: small turns of the result in all directions only go away. */
static void test_nearest__has_no_nearer_neighbour(void **state) {
  (void)state;
  enum { n = 5 };
  cuonn_nearest how;
  chance c = {4};
  for (size_t i = 0; i < n * n; i++) matrix[i] = chance_normal(&c) + I * chance_normal(&c);
  OK(cuonn_nearest_unitary((double *)got, &how, (const double *)matrix, n));
  for (size_t a = 0; a < n; a++) {
    for (size_t b = 0; b <= a; b++) {
      for (int turn = -1; turn <= 1; turn += 2) {
        complex_t other[n * n];
        const double s = sin(1e-3 * turn), co = cos(1e-3 * turn);
        memcpy(other, got, sizeof other);
        for (size_t k = 0; k < n; k++) {
          if (a == b) {
            other[a * n + k] *= co + I * s;
            continue;
          }
          other[a * n + k] = co * got[a * n + k] - s * got[b * n + k];
          other[b * n + k] = s * got[a * n + k] + co * got[b * n + k];
        }
        double squares = 0;
        for (size_t i = 0; i < n * n; i++) squares += creal((other[i] - matrix[i]) * conj(other[i] - matrix[i]));
        assert_true(sqrt(squares) > how.frobenius);
      }
    }
  }
}

/* What decompose refuses by a hair: a product in single precision, and six digits. */
static void test_nearest__mends_rounded_unitaries(void **state) {
  (void)state;
  enum { n = 12 };
  make_unitaries(n);
  for (int digits = 0; digits < 2; digits++) {
    cuonn_nearest how;
    cuonn_mesh mesh;
    for (size_t i = 0; i < n * n; i++) {
      const double re = creal(u[i]), im = cimag(u[i]);
      matrix[i] = digits ? round(re * 1e6) / 1e6 + I * (round(im * 1e6) / 1e6)
                         : (float)re * 1.000001 + I * ((float)im * 1.000001);
    }
    OK(cuonn_mesh_create(&mesh, n, CUONN_STYLE_TOP));
    REFUSED(cuonn_mesh_decompose(&mesh, (const double *)matrix), CUONN_E_DATA, "decompose --nearest");
    OK(cuonn_nearest_unitary((double *)matrix, &how, (const double *)matrix, n)); /* in place */
    assert_true(how.frobenius > 1e-7 && how.frobenius < 1e-4 && how.largest <= how.frobenius);
    OK(cuonn_mesh_decompose(&mesh, (const double *)matrix));
    cuonn_mesh_free(&mesh);
  }
}

static void test_nearest__refuses_singular_ones(void **state) {
  (void)state;
  enum { n = 4 };
  cuonn_nearest how;
  const double values[n] = {0, 1, 1, 2};
  make_unitaries(n);
  make_polar(matrix, u, q, values, n);
  memset(got, 0, sizeof got);
  REFUSED(cuonn_nearest_unitary((double *)got, &how, (const double *)matrix, n), CUONN_E_DATA, "singular");
  REFUSED(cuonn_nearest_unitary((double *)got, &how, (const double *)got, n), CUONN_E_DATA, "singular"); /* all zero */
  matrix[5] = NAN;
  REFUSED(cuonn_nearest_unitary((double *)got, &how, (const double *)matrix, n), CUONN_E_NONFINITE, "row 1, column 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nearest__is_the_polar_factor),
      cmocka_unit_test(test_nearest__has_no_nearer_neighbour),
      cmocka_unit_test(test_nearest__mends_rounded_unitaries),
      cmocka_unit_test(test_nearest__refuses_singular_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
