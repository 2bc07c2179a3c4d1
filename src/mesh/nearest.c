/* The unitary nearest to a matrix: the unitary factor of its polar decomposition. With A = W S V^H (singular values S),
 * it is W V^H, and |A - W V^H|_F^2 = sum over (s_k - 1)^2 (Fan and Hoffman, Proc. Am. Math. Soc. 6, 111 (1955), theorem
 * 1; Higham, SIAM J. Sci. Stat. Comput. 7, 1160 (1986)). */
#include <complex.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/mesh.h"
#include "mesh/singular.h"

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
  mesh_singular s = {0};
  for (size_t i = 0; i < 2 * n * n; i++) {
    CUONN_CHECK(isfinite(matrix[i]), CUONN_E_NONFINITE, "the matrix is %g at row %zu, column %zu", matrix[i], i / 2 / n,
                i / 2 % n);
  }
  CUONN_TRY_DONE(cuonn_allocate(&copy, n * n, sizeof *copy));
  memcpy(copy, matrix, n * n * sizeof *copy);
  CUONN_TRY_DONE(mesh_singular_values(&s, copy, n));
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
  mesh_singular_free(&s);
  free(copy);
  return status;
}
