/* All readers of netCDF files on one file. */
#ifndef CUONN_TESTS_FUZZ_READERS_H
#define CUONN_TESTS_FUZZ_READERS_H

#include "cuonn/files.h"
#include "input.h"

static inline void read_in_every_way(const char *path) {
  double *matrix, *modes;
  size_t n, n_nodes, n_modes;
  uint8_t *labels;
  cuonn_origin origin;
  cuonn_mesh mesh;
  cuonn_mesh_shape *shape;
  cuonn_fabricated chip;
  cuonn_network network;
  cuonn_fields fields;
  cuonn_examples examples;
  cuonn_training_state state;
  cuonn_energy_point *points;
  cuonn_sweep_record sweep;
  cuonn_mesh_gradient *gradients, *exact;
  const cuonn_convention *convention;
  if (cuonn_unitary_read(&matrix, &n, path) == CUONN_OK) free(matrix);
  if (cuonn_mesh_read(&mesh, path) == CUONN_OK) cuonn_mesh_free(&mesh);
  if (cuonn_mesh_shape_read(&shape, 5, path) == CUONN_OK) cuonn_mesh_shape_free(shape);
  if (cuonn_fabricated_read(&chip, path) == CUONN_OK) cuonn_fabricated_free(&chip);
  if (cuonn_network_read(&network, path) == CUONN_OK) cuonn_network_free(&network);
  if (cuonn_network_read_any(&network, &convention, path) == CUONN_OK) cuonn_network_free(&network);
  if (cuonn_fields_read(&fields, path, "input") == CUONN_OK) cuonn_fields_free(&fields);
  if (cuonn_examples_read(&examples, path) == CUONN_OK) cuonn_examples_free(&examples);
  if (cuonn_labels_read(&labels, &n, path) == CUONN_OK) free(labels);
  if (cuonn_checkpoint_read(&state, &n, &origin, path) == CUONN_OK) {
    cuonn_origin_free(&origin);
    cuonn_training_state_free(&state);
  }
  if (cuonn_energy_read(&modes, &points, &n, path) == CUONN_OK) {
    free(modes);
    free(points);
  }
  if (cuonn_sweep_read(&sweep, path) == CUONN_OK) cuonn_sweep_record_free(&sweep);
  if (cuonn_gradient_read(&gradients, &exact, &n, &n_nodes, &n_modes, path) == CUONN_OK) {
    free(gradients);
    free(exact);
  }
}

#endif
