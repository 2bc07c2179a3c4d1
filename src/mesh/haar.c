/* Unitaries from the Haar measure, and phases with the law that such unitaries have. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <cblas.h>
#include <lapacke.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "cuonn/mesh.h"
#include "mesh/fit.h"
#include "mesh/shape.h"

cuonn_status cuonn_haar_unitary(double *unitary, size_t n_modes, uint64_t seed, uint32_t stream) {
  const random_place place = {seed, RANDOM_UNITARY, stream, 0};
  const lapack_int n = (lapack_int)n_modes;
  lapack_complex_double *const q = (lapack_complex_double *)unitary;
  lapack_complex_double *tau = NULL, *diagonal = NULL;
  cuonn_status status = CUONN_OK;
  const int threads = openblas_get_num_threads();

  CUONN_TRY_DONE(cuonn_allocate(&tau, n_modes, sizeof *tau));
  CUONN_TRY_DONE(cuonn_allocate(&diagonal, n_modes, sizeof *diagonal));
  for (size_t i = 0; i < n_modes * n_modes; i++) random_normals(unitary + 2 * i, place, (uint32_t)i);

  openblas_set_num_threads(1); /* the bits must not depend on the number of threads */
  lapack_int info = LAPACKE_zgeqrf(LAPACK_ROW_MAJOR, n, n, q, n, tau);
  for (size_t i = 0; i < n_modes; i++) diagonal[i] = q[i * n_modes + i];
  if (info == 0) info = LAPACKE_zungqr(LAPACK_ROW_MAJOR, n, n, n, q, n, tau);
  openblas_set_num_threads(threads);
  CUONN_CHECK_DONE(info == 0, info <= LAPACK_WORK_MEMORY_ERROR ? CUONN_E_MEMORY : CUONN_E_INTERNAL,
                   "the QR factorisation of a %zu x %zu matrix failed (LAPACK info %d)", n_modes, n_modes, (int)info);

  /* Without the phases of R's diagonal the result depends on LAPACK's sign convention and is not Haar. */
  for (size_t r = 0; r < n_modes; r++) {
    for (size_t c = 0; c < n_modes; c++) q[r * n_modes + c] *= diagonal[c] / cabs(diagonal[c]);
  }
done:
  free(diagonal);
  free(tau);
  return status;
}

/* Distance of a node to the nearest edge of the mesh: odd numbers count from the columns at both ends, even ones from
 * the outermost waveguides. Along a diagonal they read 1, 3, 5, ..., 6, 4, 2. */
static size_t haar_exponent(size_t n_modes, size_t column, size_t top) {
  const size_t ends = column < n_modes - 1 - column ? column : n_modes - 1 - column;
  const size_t sides = top < n_modes - 2 - top ? top : n_modes - 2 - top;
  return ends <= sides ? 2 * ends + 1 : 2 * sides + 2;
}

size_t cuonn_mesh_haar_exponent(size_t n_modes, size_t node) {
  size_t column = 0, before = 0; /* nodes of the columns before */
  while (before + (n_modes - column % 2) / 2 <= node) before += (n_modes - column++ % 2) / 2;
  return haar_exponent(n_modes, column, column % 2 + 2 * (node - before));
}

/* Of a node of any shape. A triangular mesh sums the power of top + 1 elements of a row of a Haar-random unitary above
 * one more; nodes of meshes that cannot have every unitary are Haar-random by themselves. */
static size_t exponent_of(const cuonn_mesh_shape *shape, size_t node) {
  const size_t top = shape->pairs[node][0];
  if (shape_is_complete(shape)) return haar_exponent(shape->n_modes, shape->column_of[node], top);
  return shape->architecture == CUONN_ARCHITECTURE_TRIANGULAR ? top + 1 : 1;
}

cuonn_status cuonn_mesh_randomize(cuonn_mesh *mesh, uint64_t seed, uint32_t stream) {
  const random_place place = {seed, RANDOM_PHASES, stream, 0};
  const double turn = 2 * M_PI;
  uint32_t index = 0; /* the largest mesh draws 2^28 numbers */
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    /* x = cos^2(theta/2) has the distribution function x^k; 1 - x without cancellation. */
    const double log_x = log(random_uniform(place, index++)) / (double)exponent_of(mesh->shape, k);
    mesh->theta[k] = 2 * atan2(sqrt(-expm1(log_x)), exp(log_x / 2));
    mesh->phi[k] = turn * random_uniform(place, index++);
  }
  for (size_t w = 0; w < mesh->n_modes; w++) mesh->gamma[w] = turn * random_uniform(place, index++);
  return mesh->style == CUONN_STYLE_SYMMETRIC ? CUONN_OK : mesh_from_mzi(mesh);
}
