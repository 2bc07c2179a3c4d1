/* What a mesh's systematic errors mean for those who compute with it. */
#ifndef CUONN_MESH_ERRORS_H
#define CUONN_MESH_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/mesh.h"

/* Nodes of the kind mzi, no coupler error and no loss. */
bool mesh_is_ideal(const cuonn_mesh *mesh);

/* The most, in dB, that a node attenuates or amplifies, and one node of a column. */
double mesh_node_loss(const cuonn_mesh *mesh, size_t node);
double mesh_column_loss(const cuonn_mesh *mesh, size_t column);

#endif
