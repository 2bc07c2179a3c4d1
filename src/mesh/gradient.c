/* Two gradients of the same meshes, compared over theta and phi of all of them. */
#include <math.h>

#include "cuonn/compute.h"

/* Scalar product, and squared norms of either and of their difference. */
typedef struct {
  double product, measured, exact, difference;
} sums;

static sums sums_of(const cuonn_mesh_gradient *measured, const cuonn_mesh_gradient *exact, size_t n_layers,
                    size_t n_modes) {
  sums s = {0};
  for (size_t l = 0; l < n_layers; l++) {
    for (size_t k = 0; k < cuonn_mesh_nodes(n_modes); k++) {
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
                            size_t n_modes) {
  const sums s = sums_of(measured, exact, n_layers, n_modes);
  const double norms = sqrt(s.measured) * sqrt(s.exact);
  return norms == 0 ? 1 : 1 - s.product / norms;
}

double cuonn_gradient_relative_error(const cuonn_mesh_gradient *measured, const cuonn_mesh_gradient *exact,
                                     size_t n_layers, size_t n_modes) {
  const sums s = sums_of(measured, exact, n_layers, n_modes);
  return sqrt(s.difference / s.exact);
}
