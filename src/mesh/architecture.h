/* Shapes that have a name. */
#ifndef CUONN_MESH_ARCHITECTURE_H
#define CUONN_MESH_ARCHITECTURE_H

#include "cuonn/shape.h"

/* Nodes of the shape that cuonn_mesh_shape_make() would make; fails as that does, before any memory is taken. */
cuonn_status architecture_nodes(size_t *out, cuonn_architecture architecture, size_t n_modes, size_t n_columns);

#endif
