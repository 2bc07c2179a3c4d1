/* Node coefficients from phases. */
#ifndef CUONN_KERNELS_COEFFICIENTS_H
#define CUONN_KERNELS_COEFFICIENTS_H

#include <cuda_runtime.h>

#include "mesh.h"

/* Planes of the nodes with taps, and of the stages: the last is of what a node has more than an MZI, cosine and sine of
 * the coupler in front, and 1 where there is a crossing. */
CUONN_HOST_DEVICE int tap_planes_of(node_extras extras) { return extras.third || extras.crossing ? 3 : 2; }
CUONN_HOST_DEVICE int stage_planes_of(node_extras extras) { return tap_planes_of(extras) + 1; }

#ifdef __cplusplus
extern "C" {
#endif

/* Couplers and shifters of one node, which do not change in training. */
typedef struct {
  double left[2], right[2]; /* cosine and sine of pi/4 + error; right - pi/2 in front of a crossing */
  double theta_amplitude, phi_amplitude;
} node_constants;

/* Fills places without a node, once; later launches leave them as they are. planes: 1. */
cudaError_t launch_idle_nodes(float4 *nodes, mesh_layout layout, int n_meshes, cudaStream_t stream);

/* Ideal nodes (node.h). phases: [mesh][place] theta, phi in radians; gamma: [mesh][N]; turns: [mesh][N] as in
 * columns.h, NULL if not wanted (then gamma is not read). */
cudaError_t launch_ideal_nodes(float4 *nodes, float2 *turns, const double2 *phases, const double *gamma,
                               mesh_layout layout, style_arms arms, int n_meshes, cudaStream_t stream);

/* What coefficients of nodes without an ideal form are written to; what is NULL is not wanted. */
typedef struct {
  float4 *nodes;  /* general nodes (node.h): two planes for the forward pass; NULL only if back is */
  float4 *back;   /* the same, three planes for the backward pass, four of third nodes */
  float4 *taps;   /* nodes with taps (tap_node.h), of the styles top and bottom: [mesh][place row][2 or 3][lane] */
  float2 *turns;  /* [mesh][N] exp(i gamma), of general nodes */
  float2 *gammas; /* [mesh][N] exp(i gamma), of nodes with taps */
} node_tables;

/* What does not change in training. */
typedef struct {
  const node_constants *constants; /* [mesh][place] */
  const double2 *third; /* [mesh][place] cosine and sine of pi/4 + error of the coupler in front; NULL: none */
  node_extras extras;
} node_parts;

cudaError_t launch_general_nodes(const node_tables *to, const double2 *phases, const double *gamma,
                                 const node_parts *parts, mesh_layout layout, style_arms arms, int n_meshes,
                                 cudaStream_t stream);

/* Stages of the nodes for propagation with taps: [place row][3 or 4][lane] outer top, bottom; couplers left, right
 * (cosine, sine); inner top, bottom; what else there is. One mesh. */
cudaError_t launch_stage_nodes(float4 *stages, float2 *turns, const double2 *phases, const double *gamma,
                               const node_parts *parts, mesh_layout layout, style_arms arms, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
