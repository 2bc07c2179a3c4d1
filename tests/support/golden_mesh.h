/* Meshes of golden values. */
#ifndef CUONN_TESTS_GOLDEN_MESH_H
#define CUONN_TESTS_GOLDEN_MESH_H

#include <string.h>

#include "cuonn/mesh.h"
#include "support/golden.h"

/* The rectangular mesh of n waveguides, in style top, of a group of golden.nc. */
static inline void golden_read_mesh(cuonn_mesh *out, const char *group, size_t n) {
  assert_int_equal(cuonn_mesh_create(out, n, CUONN_STYLE_TOP), CUONN_OK);
  double *const to[] = {out->theta, out->phi, out->gamma, out->coupler_error, out->loss_db};
  const char *const names[] = {"theta", "phi", "gamma", "coupler_error", "loss_db"};
  const size_t nodes = out->n_nodes, counts[] = {nodes, nodes, n, 2 * nodes, 2 * nodes};
  for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
    double *const values = golden_read_n("golden.nc", group, names[i], counts[i]);
    memcpy(to[i], values, counts[i] * sizeof *values);
    free(values);
  }
}

#endif
