/* Layout of a mesh on the device. The N waveguides of a field are distributed over `lanes` lanes of a warp, `pairs`
 * pairs of waveguides each: lane l holds waveguides 2 pairs l .. 2 pairs (l + 1) - 1. Arrays over nodes are indexed by
 * place,
 *
 *   place = (column pairs + k % pairs) lanes + k / pairs,    k = top waveguide / 2
 *
 * so that the lanes of a warp, each of which computes the nodes of its own waveguides, read neighbouring addresses. A
 * node of an odd column that joins the waveguides of two lanes belongs to the upper lane. Top waveguides of even
 * columns are even, of odd ones odd, so that every mesh whose nodes join neighbouring waveguides fits, some columns
 * later than in its own list if need be. Places without a node hold idle nodes, which change no waveguide of the mesh.
 */
#ifndef CUONN_KERNELS_MESH_H
#define CUONN_KERNELS_MESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __CUDACC__
#define CUONN_HOST_DEVICE __host__ __device__ static inline
#else
#define CUONN_HOST_DEVICE static inline
#endif

enum {
  CUONN_DEVICE_MODES_MAX = 1024,
  CUONN_DEVICE_OTHER_MODES_MAX = 512, /* of nodes of another kind than mzi: beyond there is no shared memory for them */
  CUONN_BLOCK = 128,                  /* threads of a block that propagates fields: 128 / lanes examples at a time */
  CUONN_GRID_ROWS_MAX = 65535         /* blocks of a grid in y, and in z; in x there may be 2^31 - 1 */
};

typedef struct {
  int n_modes, n_columns, lanes, pairs;
  int lane_bits, pair_bits; /* their logarithms: kernels shift where they would divide */
  /* device, [place] number of the node, CUONN_IDLE_PLACE where there is none; NULL for the rectangular mesh: all places
   * that join two of its waveguides hold nodes */
  const uint32_t *nodes_at;
  /* device, [place] top waveguide + 65536 x bottom waveguide, CUONN_IDLE_PLACE where there is no node, of meshes whose
   * nodes join any two waveguides and stand as far_walk.h says; NULL: neighbours, which stand as above */
  const uint32_t *joined;
} mesh_layout;

#define CUONN_IDLE_PLACE UINT32_MAX

/* Of the rectangular mesh; n_columns and nodes_at are then set for another. */
CUONN_HOST_DEVICE mesh_layout mesh_layout_of(int n_modes) {
  mesh_layout layout = {n_modes, n_modes, 8, 1, 3, 0, NULL, NULL};
  while (layout.lanes < 32 && 2 * layout.lanes < n_modes) layout.lanes = 1 << ++layout.lane_bits;
  while (2 * layout.lanes * layout.pairs < n_modes) layout.pairs = 1 << ++layout.pair_bits;
  return layout;
}

/* Columns are processed two at a time, an even and an odd one; the last odd one may be missing. */
CUONN_HOST_DEVICE int mesh_column_pairs(mesh_layout layout) { return (layout.n_columns + 1) / 2; }

CUONN_HOST_DEVICE size_t mesh_places(mesh_layout layout) {
  return (size_t)mesh_column_pairs(layout) * 2 * (size_t)(layout.pairs * layout.lanes);
}

CUONN_HOST_DEVICE size_t mesh_place(mesh_layout layout, int column, int top) {
  const unsigned k = (unsigned)top / 2,
                 row = ((unsigned)column << layout.pair_bits) + (k & (unsigned)(layout.pairs - 1));
  return (row << layout.lane_bits) + (k >> layout.pair_bits);
}

/* Diagonals of places with column + top waveguide = 0, 2, 4, ... */
CUONN_HOST_DEVICE int mesh_diagonals(mesh_layout layout) { return (layout.n_columns + layout.n_modes - 1) / 2; }

/* Column of a place and, where nodes join neighbours, its top waveguide; false if there is no node. */
CUONN_HOST_DEVICE bool mesh_node_at(int *column, int *top, mesh_layout layout, size_t place) {
  const unsigned at = (unsigned)place, lane = at & (unsigned)(layout.lanes - 1), row = at >> layout.lane_bits;
  *column = (int)(row >> layout.pair_bits);
  *top = 2 * (int)((lane << layout.pair_bits) + (row & (unsigned)(layout.pairs - 1))) + *column % 2;
  if (layout.nodes_at) return layout.nodes_at[place] != CUONN_IDLE_PLACE;
  return *column < layout.n_columns && *top + 1 < layout.n_modes;
}

/* Number of the node at a place that holds one: column by column. */
CUONN_HOST_DEVICE unsigned mesh_node_number(mesh_layout layout, size_t place, int column, int top) {
  const int n = layout.n_modes;
  if (layout.nodes_at) return layout.nodes_at[place];
  return (unsigned)((column + 1) / 2 * (n / 2) + column / 2 * ((n - 1) / 2) + top / 2);
}

/* Distance of two examples in arrays of fields, in complex numbers: even, so that pairs are aligned to 16 bytes. */
CUONN_HOST_DEVICE int mesh_stride(mesh_layout layout) { return layout.n_modes + layout.n_modes % 2; }

/* Phase style: the shares of theta and phi that the shifters in the top and the bottom arm of a node apply. */
typedef struct {
  float theta[2], phi[2];
} style_arms;

/* What nodes have that MZIs have not (include/cuonn/shape.h): a coupler in front, a crossing behind. */
typedef struct {
  bool third, crossing;
} node_extras;

/* Weights of the flows of the two arms in the derivatives with respect to theta and phi, with their sign (node.h). */
typedef struct {
  float theta_common, theta_difference, phi_top, phi_bottom;
} gradient_weights;

CUONN_HOST_DEVICE gradient_weights gradient_weights_of(style_arms arms) {
  gradient_weights w = {-(arms.theta[0] + arms.theta[1]), -(arms.theta[0] - arms.theta[1]), -arms.phi[0], -arms.phi[1]};
  return w;
}

#endif
