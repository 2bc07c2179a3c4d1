/* A network as plain data: its meshes, checks, and starting phases. */
#include "cuonn/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "network/layer.h"
#include "network/shape.h"

void cuonn_network_shape_init(cuonn_network_shape *out) { *out = (cuonn_network_shape)CUONN_NETWORK_SHAPE_INIT; }

size_t cuonn_network_nodes(const cuonn_network_shape *shape) {
  return shape->mesh ? cuonn_mesh_shape_nodes(shape->mesh) : cuonn_mesh_nodes(shape->n_modes);
}

size_t cuonn_network_parameters(const cuonn_network_shape *shape) {
  return 2 * cuonn_network_nodes(shape) + shape->n_modes * (shape->layer == CUONN_LAYER_UNITARY ? 1 : 2);
}

/* All light passes, or as much as may. */
static cuonn_status create_amplitudes(cuonn_network *out) {
  const cuonn_network_shape *const shape = &out->shape;
  const double most = shape->amplitude_limit < 1 ? shape->amplitude_limit : 1;
  CUONN_TRY(cuonn_allocate(&out->amplitudes, shape->n_layers * shape->n_modes, sizeof *out->amplitudes));
  for (size_t i = 0; i < shape->n_layers * shape->n_modes; i++) {
    out->amplitudes[i] = cuonn_network_has_amplitudes(shape, i / shape->n_modes) ? most : 1;
  }
  return CUONN_OK;
}

cuonn_status cuonn_network_create(cuonn_network *out, const cuonn_network_shape *shape) {
  memset(out, 0, sizeof *out);
  CUONN_CHECK(shape->n_modes >= 2 && shape->n_modes <= CUONN_MODES_MAX, CUONN_E_SHAPE,
              "a network has 2 to %d waveguides, not %zu", CUONN_MODES_MAX, shape->n_modes);
  CUONN_CHECK(shape->n_layers >= 1 && shape->n_layers <= CUONN_LAYERS_MAX, CUONN_E_SHAPE,
              "a network has 1 to %d layers, not %zu", CUONN_LAYERS_MAX, shape->n_layers);
  CUONN_CHECK(shape->n_classes >= 2 && shape->n_classes <= shape->n_modes && shape->n_classes <= 256, CUONN_E_SHAPE,
              "a network of %zu waveguides reads 2 to %zu classes, not %zu", shape->n_modes,
              shape->n_modes < 256 ? shape->n_modes : 256, shape->n_classes);
  CUONN_CHECK(cuonn_phase_style_name(shape->style), CUONN_E_SHAPE, "phase style %d is not one of the four",
              (int)shape->style);
  CUONN_TRY(cuonn_nonlinearity_check(&shape->nonlinearity));
  CUONN_CHECK(cuonn_loss_name(shape->loss), CUONN_E_SHAPE, "loss %d is not one of the two", (int)shape->loss);
  CUONN_TRY(network_check_layers(shape));
  CUONN_CHECK(!shape->mesh || cuonn_mesh_shape_modes(shape->mesh) == shape->n_modes, CUONN_E_SHAPE,
              "a network of %zu waveguides cannot have meshes of %zu", shape->n_modes,
              cuonn_mesh_shape_modes(shape->mesh));

  cuonn_status status = CUONN_OK;
  out->shape = *shape;
  CUONN_TRY_DONE(network_shape_own(&out->shape));
  CUONN_TRY_DONE(cuonn_allocate(&out->layers, shape->n_layers, sizeof *out->layers));
  for (size_t l = 0; l < shape->n_layers; l++) {
    CUONN_TRY_DONE(cuonn_mesh_create_shaped(&out->layers[l], out->shape.mesh, shape->style));
  }
  if (shape->layer != CUONN_LAYER_UNITARY) CUONN_TRY_DONE(create_amplitudes(out));
done:
  if (status != CUONN_OK) cuonn_network_free(out);
  return status;
}

cuonn_status cuonn_network_check(const cuonn_network *network) {
  for (size_t l = 0; l < network->shape.n_layers; l++) {
    const cuonn_status status = cuonn_mesh_check(&network->layers[l]);
    if (status != CUONN_OK) return cuonn_fail_within(status, "layer %zu", l);
  }
  return network_check_amplitudes(network);
}

cuonn_status cuonn_network_copy(cuonn_network *to, const cuonn_network *from) {
  const cuonn_network_shape *const shape = &from->shape;
  for (size_t l = 0; l < shape->n_layers; l++) CUONN_TRY(cuonn_mesh_copy(&to->layers[l], &from->layers[l]));
  if (from->amplitudes) {
    memcpy(to->amplitudes, from->amplitudes, shape->n_layers * shape->n_modes * sizeof *to->amplitudes);
  }
  return CUONN_OK;
}

void cuonn_network_free(cuonn_network *network) {
  if (!network) return;
  for (size_t l = 0; network->layers && l < network->shape.n_layers; l++) cuonn_mesh_free(&network->layers[l]);
  free(network->layers);
  free(network->amplitudes);
  network_shape_disown(&network->shape);
  memset(network, 0, sizeof *network);
}

static cuonn_status start_from_unitaries(cuonn_network *network, uint64_t seed) {
  const size_t n = network->shape.n_modes;
  double *unitary = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&unitary, 2 * n * n, sizeof *unitary));
  for (size_t l = 0; l < network->shape.n_layers; l++) {
    CUONN_TRY_DONE(cuonn_haar_unitary(unitary, n, seed, (uint32_t)l));
    CUONN_TRY_DONE(cuonn_mesh_decompose(&network->layers[l], unitary));
  }
done:
  free(unitary);
  return status;
}

cuonn_status cuonn_network_initialize(cuonn_network *network, cuonn_network_start start, uint64_t seed) {
  if (start == CUONN_START_HAAR) return start_from_unitaries(network, seed);
  CUONN_CHECK(start == CUONN_START_HAAR_PHASES, CUONN_E_ARGUMENT, "start %d is neither haar nor haar-phases",
              (int)start);
  for (size_t l = 0; l < network->shape.n_layers; l++) {
    CUONN_TRY(cuonn_mesh_randomize(&network->layers[l], seed, (uint32_t)l));
  }
  return CUONN_OK;
}
