#include "cpu/layers.h"

#include <string.h>

#include "cpu/state.h"

cuonn_status cpu_set_phases(void *state, size_t model, size_t layer, const double *theta, const double *phi,
                            const double *gamma) {
  cpu_state *const s = state;
  const cuonn_mesh *const to = s->models[model].network.layers + layer;
  const size_t n = to->n_modes, nodes = to->n_nodes;
  if (theta) memcpy(to->theta, theta, nodes * sizeof *theta);
  if (phi) memcpy(to->phi, phi, nodes * sizeof *phi);
  if (gamma) memcpy(to->gamma, gamma, n * sizeof *gamma);
  cpu_program_layer(s->models + model, layer, s->kernels);
  return CUONN_OK;
}

backend_layer cpu_layer_of(void *state, size_t model, size_t layer) {
  const cpu_model *const of = ((cpu_state *)state)->models + model;
  return (backend_layer){of->applied.layers + layer, of->phases + layer};
}
