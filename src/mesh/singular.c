#include "mesh/singular.h"

#include <stdlib.h>

#include <cblas.h>
#include <lapacke.h>

#include "base/error.h"
#include "base/memory.h"

cuonn_status mesh_singular_values(mesh_singular *out, double complex *matrix, size_t n) {
  cuonn_status status = CUONN_OK;
  double *superdiagonal = NULL;
  const lapack_int size = (lapack_int)n;
  const int threads = openblas_get_num_threads();
  *out = (mesh_singular){0};
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

void mesh_singular_free(mesh_singular *singular) {
  free(singular->values);
  free(singular->right);
  free(singular->left);
  *singular = (mesh_singular){0};
}
