/* Where light is stronger than numbers can say: asked when a loss or a gradient is not finite, though all that it is made
 * from is. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "backends/backend.h"
#include "base/error.h"

/* Whether a backend in float can square all amplitudes; in double nearly all that it cannot comes later. */
static bool powers_hold(const cuonn_fields *fields) {
  for (size_t i = 0; i < fields->n_examples * fields->n_modes; i++) {
    const double re = fields->values[2 * i], im = fields->values[2 * i + 1];
    if (!(re * re + im * im <= FLT_MAX)) return false; /* NaN, too */
  }
  return true;
}

cuonn_status backend_find_overflow(bool *found, char where[BACKEND_WHERE], const cuonn_context *context,
                                   const cuonn_network *network, const cuonn_fields *input) {
  const size_t n_layers = network->shape.n_layers, n_values = input->n_examples * input->n_modes;
  cuonn_fields in = {0}, out = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_fields_create(&in, input->n_examples, input->n_modes));
  CUONN_TRY_DONE(cuonn_fields_create(&out, input->n_examples, input->n_modes));
  memcpy(in.values, input->values, 2 * n_values * sizeof(double));
  snprintf(where, BACKEND_WHERE, "at the input");
  *found = !powers_hold(&in);
  for (size_t l = 0; !*found && l < n_layers; l++) {
    const cuonn_mesh *const mesh = &network->layers[l];
    CUONN_TRY_DONE(context->backend->propagate(out.values, NULL, mesh, &in, false, context->threads));
    snprintf(where, BACKEND_WHERE, "in layer %zu", l);
    *found = !powers_hold(&out);
    for (size_t i = 0; i < n_values; i++) {
      in.values[2 * i] = hypot(out.values[2 * i], out.values[2 * i + 1]);
      in.values[2 * i + 1] = 0;
    }
  }
done:
  cuonn_fields_free(&out);
  cuonn_fields_free(&in);
  return status;
}

static bool all_finite(const double *values, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(values[i])) return false;
  }
  return true;
}

bool backend_gradient_overflows(char where[BACKEND_WHERE], const cuonn_mesh_gradient *gradients,
                                const cuonn_network_shape *shape) {
  const size_t n = shape->n_modes, nodes = cuonn_mesh_nodes(n);
  for (size_t l = shape->n_layers; l-- > 0;) { /* the way back begins at the last */
    const cuonn_mesh_gradient *const g = &gradients[l];
    if (all_finite(g->d_theta, nodes) && all_finite(g->d_phi, nodes) && all_finite(g->d_gamma, n)) continue;
    snprintf(where, BACKEND_WHERE, "in layer %zu, where the gradient is measured", l);
    return true;
  }
  return false;
}
