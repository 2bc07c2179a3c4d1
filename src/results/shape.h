/* Shapes of meshes in files: attributes architecture, columns and node, and of custom ones the list of their nodes. */
#ifndef CUONN_RESULTS_SHAPE_H
#define CUONN_RESULTS_SHAPE_H

#include "cuonn/shape.h"
#include "results/variables.h"

enum { RESULTS_SHAPE_VARIABLES = 2 };

/* Writes the attributes of a shape. Before results_define(). */
cuonn_status results_put_shape_attributes(const results_file *file, const cuonn_mesh_shape *shape);

/* The variables pair(node, arm) and column(node) of a custom shape. Returns their number, 0 for all others. */
size_t results_shape_variables(results_variable out[RESULTS_SHAPE_VARIABLES], const cuonn_mesh_shape *shape);

/* Writes these variables. */
cuonn_status results_put_shape(const results_file *file, const cuonn_mesh_shape *shape);

/* Finds the architecture of a file's meshes; without one, it is rectangular. */
cuonn_status results_get_architecture(cuonn_architecture *out, const results_file *file);

/* Reads the shape of a file's meshes, whose N and number of nodes are those of its phases. */
cuonn_status results_get_shape(cuonn_mesh_shape **out, const results_file *file, size_t n_modes, size_t n_nodes);

#endif
