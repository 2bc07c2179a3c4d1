#include "reference/program.h"

#include <string.h>

void reference_apply(const reference_model *m, size_t layer) {
  const cuonn_mesh *const from = &m->network.layers[layer], *const to = &m->applied.layers[layer];
  chip_phases_apply(to->theta, to->phi, &m->phases[layer], from->theta, from->phi);
  memcpy(to->gamma, from->gamma, from->n_modes * sizeof(double));
}

void reference_program(reference_state *s, const reference_model *m) {
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) reference_apply(m, l);
  reference_network_set(&s->network, &m->applied, m->network.amplitudes);
}
