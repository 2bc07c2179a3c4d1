#include "mesh/errors.h"

#include <math.h>

bool mesh_is_ideal(const cuonn_mesh *mesh) {
  for (size_t i = 0; i < 2 * cuonn_mesh_nodes(mesh->n_modes); i++) {
    if (mesh->coupler_error[i] != 0 || mesh->loss_db[i] != 0) return false;
  }
  return true;
}

double mesh_column_loss(const cuonn_mesh *mesh, size_t column) {
  double most = 0;
  const size_t end = cuonn_mesh_column_start(mesh->n_modes, column + 1);
  for (size_t k = cuonn_mesh_column_start(mesh->n_modes, column); k < end; k++) {
    most = fmax(most, fabs(mesh->loss_db[2 * k]) + fabs(mesh->loss_db[2 * k + 1]));
  }
  return most;
}
