/* One mesh as the hot loops want it: which nodes in which order, and their coefficients in float. */
#ifndef CPU_LAYER_H
#define CPU_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cpu/kernels.h"
#include "cuonn/status.h"
#include "mesh/node.h"
#include "mesh/shape.h"

/* A run of columns, the same for all examples. */
typedef struct {
  size_t first, count; /* nodes, as positions in `order` */
  bool invertible;     /* false: one column that attenuates too much to be undone; its input is kept instead */
} layer_segment;

typedef struct {
  /* Shape of the mesh that is walked, whose nodes are meant below: the mesh's own, or, if it is split, that of
   * mesh_split_third(). */
  cuonn_mesh_shape *shape;
  bool split;
  size_t n_modes, n_read;
  node_arms arms;
  bool ideal; /* no coupler error, no loss: ideal_node, else general_node */

  /* Nodes that can reach a wanted output, so ordered that neighbours in the list share waveguides. */
  size_t n_nodes;
  uint32_t *order;   /* [n_nodes] number of the node in the mesh */
  uint32_t *place;   /* [node of the mesh] its position in `order`, UINT32_MAX if it is left out */
  node_reach *reach; /* [n_nodes] wanted outputs */

  bool *recalled; /* [node of the mesh] it lies in a segment that is not invertible */

  size_t n_segments;
  layer_segment *segments;
  bool keeps; /* the fields at the start of every segment are kept for the way back */

  /* Coefficients, made from the phases by layer_fill(). */
  ideal_node *ideal_nodes;
  general_node *general_nodes;
  float *factor;      /* [segment][n_modes]: field = factor x what the ideal nodes left, times exp(i phase) */
  double *phase;      /* [n_modes] at the outputs */
  float (*output)[2]; /* [n_modes] factor of the last segment, phase and gamma; made by layer_fill_outputs() alone */

  const double *amplitudes; /* [n_modes] behind it; not owned; NULL: none, as layer_create() leaves it */
  node_fixed *fixed;        /* [node of the mesh] */
  double *scratch;          /* kLayerScratch x nodes of the mesh + 3 n_modes */
} cpu_layer;

enum { kLayerScratch = 9, kIdealColumns = 64 };

/* Nodes that a layer of a shape walks: [node of the mesh] there. */
static inline size_t layer_walked_nodes(const cuonn_mesh_shape *shape) {
  return shape->node == CUONN_NODE_MZI3 ? 2 * shape->n_nodes : shape->n_nodes;
}

/* What a node of the mesh, which has this shape, is made of. */
static inline node_fixed layer_node_fixed(const cpu_layer *layer, const cuonn_mesh_shape *shape, size_t node) {
  if (!layer->split) return layer->fixed[node];
  const cuonn_mesh_column *const column = shape->columns + shape->column_of[node];
  const node_fixed *const third = layer->fixed + column->first + node;
  node_fixed out = third[column->count];
  memcpy(out.first, third->right, sizeof out.first);
  return out;
}

/* Reads style, errors and losses of a mesh, whose outputs 0 .. n_read - 1 are wanted. Release with layer_free(); zeroed
 * on failure. */
cuonn_status layer_create(cpu_layer *out, const cuonn_mesh *mesh, size_t n_read);
void layer_free(cpu_layer *layer);

/* After layer_fill(): the true outputs with their phases, which only some nonlinearities need. */
void layer_fill_outputs(cpu_layer *layer, const double *gamma);

/* Floats that layer_forward() keeps. */
size_t layer_kept_size(const cpu_layer *layer, size_t lanes);
/* x: [n_modes][2][lanes], in place. The true outputs are x factor[last segment] exp(i phase). */
void layer_forward(float *x, float *kept, const cpu_layer *layer, size_t lanes, const cpu_kernels *kernels);
/* x: what layer_forward() left, used up; g: its cotangent, which ends at the input. Adds to sums[n_nodes]. */
void layer_backward(node_sums *sums, float *x, float *g, const float *kept, const cpu_layer *layer, size_t lanes,
                    const cpu_kernels *kernels);

/* g: [n_modes][2][lanes] zeroed; becomes rows of the layer's matrix, exp(i phase) left out: lane i that of output
 * first + i, zero where there is no such output that is wanted. */
void layer_rows(float *g, const cpu_layer *layer, size_t first, size_t lanes, const cpu_kernels *kernels);
/* From fields x, lane i of which is read at output first + i alone: the sums of layer_forward() and layer_backward().
 * g: what layer_rows() made; both are used up. kept: as layer_forward() has it. */
void layer_rows_backward(node_sums *sums, float *x, float *g, float *kept, const cpu_layer *layer, size_t first,
                         size_t lanes, const cpu_kernels *kernels);

/* Factors of the true outputs, exp(i phase) left out: all that moduli need. */
static inline const float *layer_output_factor(const cpu_layer *layer) {
  return layer->factor + (layer->n_segments - 1) * layer->n_modes;
}

#endif
