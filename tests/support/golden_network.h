/* A network of the golden values: groups network/TAG of golden.nc. */
#ifndef CUONN_TESTS_GOLDEN_NETWORK_H
#define CUONN_TESTS_GOLDEN_NETWORK_H

#include <string.h>

#include "cuonn/compute.h"
#include "support/close.h"
#include "support/golden.h"

static inline void golden_read_into(double *to, const char *group, const char *variable, size_t n) {
  double *const values = golden_read_n("golden.nc", group, variable, n);
  memcpy(to, values, n * sizeof *to);
  free(values);
}

/* The network, its batch [examples], whose fields and network the caller releases, and the batch's loss. */
static inline void golden_network(cuonn_network *net, cuonn_fields *input, uint8_t *labels, double *loss,
                                  const char *tag, const cuonn_network_shape *shape, size_t examples) {
  const size_t n = shape->n_modes, nodes = cuonn_mesh_nodes(n);
  char group[64];
  OK(cuonn_network_create(net, shape));
  OK(cuonn_fields_create(input, examples, n));
  snprintf(group, sizeof group, "network/%s", tag);
  golden_read_into(input->values, group, "input", 2 * examples * n);
  golden_read_into(loss, group, "loss", 1);
  double *const numbers = golden_read_n("golden.nc", group, "label", examples);
  for (size_t e = 0; e < examples; e++) labels[e] = (uint8_t)numbers[e];
  free(numbers);
  for (size_t l = 0; l < shape->n_layers; l++) {
    cuonn_mesh *const mesh = &net->layers[l];
    snprintf(group, sizeof group, "network/%s/layer%zu", tag, l);
    golden_read_into(mesh->theta, group, "theta", nodes);
    golden_read_into(mesh->phi, group, "phi", nodes);
    golden_read_into(mesh->gamma, group, "gamma", n);
    golden_read_into(mesh->coupler_error, group, "coupler_error", 2 * nodes);
    golden_read_into(mesh->loss_db, group, "loss_db", 2 * nodes);
  }
}

#endif
