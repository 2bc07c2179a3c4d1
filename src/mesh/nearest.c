/* The unitary nearest to a matrix: the unitary factor of its polar decomposition. With A = W S V^H (singular values S),
 * it is W V^H, and |A - W V^H|_F^2 = sum over (s_k - 1)^2 (Fan and Hoffman, Proc. Am. Math. Soc. 6, 111 (1955), theorem
 * 1; Higham, SIAM J. Sci. Stat. Comput. 7, 1160 (1986)). */
#include <complex.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>
#include <lapacke.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/mesh.h"

/* Singular vectors of a matrix, row by row. */
typedef struct {
  double complex *left, *right; /* [n][n] W and V^H */
  double *values;               /* [n] falling */
} singular;

static cuonn_status decompose(singular *out, double complex *matrix, size_t n) {
  cuonn_status status = CUONN_OK;
  double *superdiagonal = NULL;
  const lapack_int size = (lapack_int)n;
  const int threads = openblas_get_num_threads();
  CUONN_TRY_DONE(cuonn_allocate(&out->left, n * n, sizeof *out->left));
  CUONN_TRY_DONE(cuonn_allocate(&out->right, n * n, sizeof *out->right));
  CUONN_TRY_DONE(cuonn_allocate(&out->values, n, sizeof *out->values));
  CUONN_TRY_DONE(cuonn_allocate(&superdiagonal, n, sizeof *superdiagonal));
  openblas_set_num_threads(1); /* the bits must not depend on the number of threads */
  const lapack_int info = LAPACKE_zgesvd(LAPACK_ROW_MAJOR, 'A', 'A', size, size, (lapack_complex_double *)matrix, size,
                                         out->values, (lapack_complex_double *)out->left, size,
                                         (lapack_complex_double *)out->right, size, superdiagonal);
  openblas_set_num_threads(threads);
  CUONN_CHECK_DONE(info == 0, info <= LAPACK_WORK_MEMORY_ERROR ? CUONN_E_MEMORY : CUONN_E_INTERNAL,
                   "the singular values of a %zu x %zu matrix were not found (LAPACK info %d)", n, n, (int)info);
done:
  free(superdiagonal);
  return status;
}

static void multiply(double complex *out, const double complex *left, const double complex *right, size_t n) {
  memset(out, 0, n * n * sizeof *out);
  for (size_t row = 0; row < n; row++) {
    for (size_t k = 0; k < n; k++) {
      const double complex factor = left[row * n + k];
      for (size_t column = 0; column < n; column++) out[row * n + column] += factor * right[k * n + column];
    }
  }
}

static void measure(cuonn_nearest *out, const double *nearest, const double *matrix, const double *singular_values,
                    size_t n) {
  double squares = 0, largest = 0;
  for (size_t i = 0; i < n * n; i++) {
    const double distance = hypot(nearest[2 * i] - matrix[2 * i], nearest[2 * i + 1] - matrix[2 * i + 1]);
    squares += distance * distance;
    largest = fmax(largest, distance);
  }
  *out = (cuonn_nearest){sqrt(squares), largest, singular_values[n - 1], singular_values[0]};
}

cuonn_status cuonn_nearest_unitary(double *unitary, cuonn_nearest *out, const double *matrix, size_t n_modes) {
  const size_t n = n_modes;
  cuonn_status status = CUONN_OK;
  double complex *copy = NULL;
  singular s = {0};
  for (size_t i = 0; i < 2 * n * n; i++) {
    CUONN_CHECK(isfinite(matrix[i]), CUONN_E_NONFINITE, "the matrix is %g at row %zu, column %zu", matrix[i], i / 2 / n,
                i / 2 % n);
  }
  CUONN_TRY_DONE(cuonn_allocate(&copy, n * n, sizeof *copy));
  memcpy(copy, matrix, n * n * sizeof *copy);
  CUONN_TRY_DONE(decompose(&s, copy, n));
  /* below this, rounding decides what the factor is */
  CUONN_CHECK_DONE(
      s.values[n - 1] > (double)n * DBL_EPSILON * s.values[0], CUONN_E_DATA,
      "the matrix is singular (singular values from %.3g to %.3g), so that no unitary is the nearest: many "
      "are as near",
      s.values[n - 1], s.values[0]);
  multiply(copy, s.left, s.right, n);
  measure(out, (const double *)copy, matrix, s.values, n);
  memcpy(unitary, copy, n * n * sizeof *copy);
done:
  free(s.values);
  free(s.right);
  free(s.left);
  free(copy);
  return status;
}
