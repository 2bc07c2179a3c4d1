/* Any matrix as an svd layer: A = W S V^H, S in front of the mesh of W and behind that of V^H (Miller, Photonics
 * Research 1, 1 (2013)). */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/network.h"
#include "mesh/singular.h"

static cuonn_status check_size(const cuonn_network *layer, size_t n_rows, size_t n_columns) {
  const cuonn_network_shape *const shape = &layer->shape;
  CUONN_CHECK(shape->layer == CUONN_LAYER_SVD && shape->n_layers == 2, CUONN_E_SHAPE,
              "a matrix becomes one svd layer, not %zu meshes of %s layers", shape->n_layers,
              cuonn_layer_kind_name(shape->layer));
  CUONN_CHECK(n_rows >= 1 && n_columns >= 1 && n_rows <= shape->n_modes && n_columns <= shape->n_modes, CUONN_E_SHAPE,
              "a matrix of %zu rows and %zu columns does not fit into %zu waveguides", n_rows, n_columns,
              shape->n_modes);
  return CUONN_OK;
}

/* In the upper left corner of zeros. */
static cuonn_status pad(double complex *out, size_t n, const double *matrix, size_t n_rows, size_t n_columns) {
  for (size_t i = 0; i < n_rows * n_columns; i++) {
    const size_t row = i / n_columns, column = i % n_columns;
    const double re = matrix[2 * i], im = matrix[2 * i + 1];
    CUONN_CHECK(isfinite(re) && isfinite(im), CUONN_E_NONFINITE, "the matrix is %g + %g i at row %zu, column %zu", re,
                im, row, column);
    out[row * n + column] = re + I * im;
  }
  return CUONN_OK;
}

cuonn_status cuonn_network_decompose(cuonn_network *layer, double *scale, const double *matrix, size_t n_rows,
                                     size_t n_columns) {
  const size_t n = layer->shape.n_modes;
  const double most = fmin(layer->shape.amplitude_limit, 1);
  cuonn_status status = CUONN_OK;
  double complex *padded = NULL;
  mesh_singular s = {0};
  CUONN_TRY(check_size(layer, n_rows, n_columns));
  CUONN_TRY_DONE(cuonn_allocate(&padded, n * n, sizeof *padded));
  CUONN_TRY_DONE(pad(padded, n, matrix, n_rows, n_columns));
  CUONN_TRY_DONE(mesh_singular_values(&s, padded, n));
  CUONN_TRY_DONE(cuonn_mesh_decompose(&layer->layers[0], (const double *)s.right));
  CUONN_TRY_DONE(cuonn_mesh_decompose(&layer->layers[1], (const double *)s.left));
  const double largest = s.values[0] > 0 ? s.values[0] : 1;
  for (size_t k = 0; k < n; k++) layer->amplitudes[k] = most * (s.values[k] / largest);
  *scale = largest / most;
done:
  mesh_singular_free(&s);
  free(padded);
  return status;
}
