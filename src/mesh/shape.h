/* The insides of a shape, for those who compute with it. */
#ifndef CUONN_MESH_SHAPE_H
#define CUONN_MESH_SHAPE_H

#include <stdatomic.h>

#include "cuonn/shape.h"

struct cuonn_mesh_shape {
  atomic_size_t owners;
  size_t n_modes, n_nodes;
  size_t n_columns;           /* of nodes: that of gamma is column n_columns */
  cuonn_mesh_column *columns; /* [n_columns + 1] */
  uint32_t (*pairs)[2];       /* [node] */
  uint32_t *column_of;        /* [node] */
  uint32_t *node_below;       /* [n_columns][n_modes] node whose top waveguide it is, SHAPE_NO_NODE if none */
  cuonn_architecture architecture;
  cuonn_node_kind node;
  bool neighbours; /* the bottom waveguide of every node is the one below its top waveguide */
};

#define SHAPE_NO_NODE UINT32_MAX

/* Whether it is the rectangular mesh of N columns. */
static inline bool shape_is_complete(const cuonn_mesh_shape *shape) {
  return shape->architecture == CUONN_ARCHITECTURE_RECTANGULAR && shape->n_columns == shape->n_modes;
}

/* Couplers of each node. */
static inline size_t shape_couplers(const cuonn_mesh_shape *shape) { return cuonn_node_kind_couplers(shape->node); }

/* The same nodes in the same columns, of the same kind. */
bool shape_equal(const cuonn_mesh_shape *a, const cuonn_mesh_shape *b);

/* Number of the node of a column whose top waveguide is `top`, SHAPE_NO_NODE if there is none. */
static inline uint32_t shape_node_at(const cuonn_mesh_shape *shape, size_t column, size_t top) {
  return shape->node_below[column * shape->n_modes + top];
}

#endif
