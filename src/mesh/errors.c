#include "mesh/errors.h"

#include <math.h>

#include "mesh/shape.h"

bool mesh_is_ideal(const cuonn_mesh *mesh) {
  if (mesh->shape->node != CUONN_NODE_MZI) return false;
  for (size_t i = 0; i < 2 * mesh->n_nodes; i++) {
    if (mesh->coupler_error[i] != 0 || mesh->loss_db[i] != 0) return false;
  }
  return true;
}

double mesh_node_loss(const cuonn_mesh *mesh, size_t node) {
  return fabs(mesh->loss_db[2 * node]) + fabs(mesh->loss_db[2 * node + 1]);
}

double mesh_column_loss(const cuonn_mesh *mesh, size_t column) {
  double most = 0;
  const cuonn_mesh_column *const c = mesh->shape->columns + column;
  for (size_t k = c->first; k < c->first + c->count; k++) {
    most = fmax(most, mesh_node_loss(mesh, k));
  }
  return most;
}
