/* What meshes of a network make up, and what is behind each: amplitudes, the nonlinearity. */
#include "network/layer.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/name.h"

static const char *const kind_names[] = {
    [CUONN_LAYER_UNITARY] = "unitary", [CUONN_LAYER_SVD] = "svd", [CUONN_LAYER_DIAGONAL] = "diagonal"};
enum { kKinds = sizeof kind_names / sizeof *kind_names };

const char *cuonn_layer_kind_name(cuonn_layer_kind kind) { return (unsigned)kind < kKinds ? kind_names[kind] : NULL; }

cuonn_status cuonn_layer_kind_parse(cuonn_layer_kind *out, const char *name) {
  size_t at;
  CUONN_TRY(name_find(&at, "layer", kind_names, kKinds, name));
  *out = (cuonn_layer_kind)at;
  return CUONN_OK;
}

cuonn_status network_check_layers(const cuonn_network_shape *shape) {
  CUONN_CHECK(cuonn_layer_kind_name(shape->layer), CUONN_E_SHAPE, "layer %d is not one of the three",
              (int)shape->layer);
  if (shape->layer == CUONN_LAYER_UNITARY) return CUONN_OK;
  CUONN_CHECK(shape->amplitude_limit > 0 && isfinite(shape->amplitude_limit), CUONN_E_SHAPE,
              "amplitude_limit is %g; it is above 0", shape->amplitude_limit);
  CUONN_CHECK(shape->layer != CUONN_LAYER_SVD || shape->n_layers % 2 == 0, CUONN_E_SHAPE,
              "a network has %zu meshes, but an svd layer takes two", shape->n_layers);
  return CUONN_OK;
}

bool cuonn_network_has_amplitudes(const cuonn_network_shape *shape, size_t mesh) {
  return shape->layer == CUONN_LAYER_DIAGONAL || (shape->layer == CUONN_LAYER_SVD && mesh % 2 == 0);
}

bool cuonn_network_has_nonlinearity(const cuonn_network_shape *shape, size_t mesh) {
  return mesh + 1 < shape->n_layers && (shape->layer != CUONN_LAYER_SVD || mesh % 2 == 1);
}

bool network_keeps_phase(const cuonn_network_shape *shape, size_t mesh) {
  return mesh + 1 < shape->n_layers &&
         (!cuonn_network_has_nonlinearity(shape, mesh) || cuonn_nonlinearity_keeps_phase(shape->nonlinearity.kind));
}

bool network_keeps_phases(const cuonn_network_shape *shape) {
  return shape->layer == CUONN_LAYER_SVD || cuonn_nonlinearity_keeps_phase(shape->nonlinearity.kind);
}

cuonn_status network_check_amplitudes(const cuonn_network *network) {
  const cuonn_network_shape *const shape = &network->shape;
  for (size_t i = 0; network->amplitudes && i < shape->n_layers * shape->n_modes; i++) {
    const size_t mesh = i / shape->n_modes;
    const double s = network->amplitudes[i];
    CUONN_CHECK(isfinite(s), CUONN_E_NONFINITE, "layer %zu: amplitude %zu is %g", mesh, i % shape->n_modes, s);
    CUONN_CHECK(!cuonn_network_has_amplitudes(shape, mesh) || fabs(s) <= shape->amplitude_limit, CUONN_E_ARGUMENT,
                "layer %zu: amplitude %zu is %g; attenuators and amplifiers of this network have -%g to %g", mesh,
                i % shape->n_modes, s, shape->amplitude_limit, shape->amplitude_limit);
  }
  return CUONN_OK;
}

void cuonn_network_pass(double *h, const cuonn_network *network, size_t mesh, const double *y) {
  const cuonn_network_shape *const shape = &network->shape;
  const size_t n = shape->n_modes;
  const double *const s = cuonn_network_has_amplitudes(shape, mesh) ? network->amplitudes + mesh * n : NULL;
  for (size_t w = 0; w < n; w++) {
    const double field[2] = {(s ? s[w] : 1) * y[2 * w], (s ? s[w] : 1) * y[2 * w + 1]};
    if (cuonn_network_has_nonlinearity(shape, mesh)) {
      cuonn_nonlinearity_apply(h + 2 * w, &shape->nonlinearity, field);
    } else {
      memcpy(h + 2 * w, field, sizeof field);
    }
  }
}
