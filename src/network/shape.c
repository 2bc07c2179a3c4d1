#include "network/shape.h"

#include "base/error.h"

cuonn_status network_shape_own(cuonn_network_shape *shape) {
  cuonn_mesh_shape *mesh = cuonn_mesh_shape_share(shape->mesh);
  shape->mesh = NULL;
  if (!mesh) CUONN_TRY(cuonn_mesh_shape_rectangular(&mesh, shape->n_modes));
  shape->mesh = mesh;
  return CUONN_OK;
}

void network_shape_disown(cuonn_network_shape *shape) {
  cuonn_mesh_shape_free((cuonn_mesh_shape *)shape->mesh);
  shape->mesh = NULL;
}
