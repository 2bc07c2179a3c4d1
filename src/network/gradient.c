/* Gradients of several meshes: as arrays, and two of them compared over theta and phi of all meshes. */
#include "network/gradient.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

cuonn_status gradients_create(cuonn_mesh_gradient **out, size_t n_layers, size_t n_nodes, size_t n_modes,
                              bool amplitudes) {
  const size_t each = 2 * n_nodes + (amplitudes ? 2 : 1) * n_modes;
  CUONN_TRY(cuonn_allocate(out, n_layers, sizeof **out + each * sizeof(double))); /* values behind the structs */
  for (size_t l = 0; l < n_layers; l++) {
    double *const at = (double *)(*out + n_layers) + l * each;
    (*out)[l] =
        (cuonn_mesh_gradient){at, at + n_nodes, at + 2 * n_nodes, amplitudes ? at + 2 * n_nodes + n_modes : NULL};
  }
  return CUONN_OK;
}

cuonn_status cuonn_gradients_create(cuonn_mesh_gradient **out, const cuonn_network_shape *shape) {
  return gradients_create(out, shape->n_layers, cuonn_network_nodes(shape), shape->n_modes,
                          shape->layer != CUONN_LAYER_UNITARY);
}

void cuonn_gradients_free(cuonn_mesh_gradient *gradients) { free(gradients); }

/* Scalar product, and squared norms of either and of their difference. */
typedef struct {
  double product, measured, exact, difference;
} sums;

static sums sums_of(const cuonn_mesh_gradient *measured, const cuonn_mesh_gradient *exact, size_t n_layers,
                    size_t n_nodes) {
  sums s = {0};
  for (size_t l = 0; l < n_layers; l++) {
    for (size_t k = 0; k < n_nodes; k++) {
      const double a[2] = {measured[l].d_theta[k], measured[l].d_phi[k]};
      const double b[2] = {exact[l].d_theta[k], exact[l].d_phi[k]};
      const double theta = a[0] - b[0], phi = a[1] - b[1];
      s.product += a[0] * b[0] + a[1] * b[1];
      s.measured += a[0] * a[0] + a[1] * a[1];
      s.exact += b[0] * b[0] + b[1] * b[1];
      s.difference += theta * theta + phi * phi;
    }
  }
  return s;
}

double cuonn_gradient_error(const cuonn_mesh_gradient *measured, const cuonn_mesh_gradient *exact, size_t n_layers,
                            size_t n_nodes) {
  const sums s = sums_of(measured, exact, n_layers, n_nodes);
  const double norms = sqrt(s.measured) * sqrt(s.exact);
  return norms == 0 ? 1 : 1 - s.product / norms;
}

double cuonn_gradient_relative_error(const cuonn_mesh_gradient *measured, const cuonn_mesh_gradient *exact,
                                     size_t n_layers, size_t n_nodes) {
  const sums s = sums_of(measured, exact, n_layers, n_nodes);
  return sqrt(s.difference / s.exact);
}
