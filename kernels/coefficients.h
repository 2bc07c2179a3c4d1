/* Node coefficients from phases. */
#ifndef CUONN_KERNELS_COEFFICIENTS_H
#define CUONN_KERNELS_COEFFICIENTS_H

#include <cuda_runtime.h>

#include "mesh.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Couplers and shifters of one node, which do not change in training. */
typedef struct {
  double left[2], right[2]; /* cosine and sine of pi/4 + error */
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
  float4 *back;   /* the same, three planes for the backward pass */
  float4 *taps;   /* nodes with taps (tap_node.h), of the styles top and bottom: [mesh][place row][2][lane] */
  float2 *turns;  /* [mesh][N] exp(i gamma), of general nodes */
  float2 *gammas; /* [mesh][N] exp(i gamma), of nodes with taps */
} node_tables;

/* constants: [mesh][place]. */
cudaError_t launch_general_nodes(const node_tables *to, const double2 *phases, const double *gamma,
                                 const node_constants *constants, mesh_layout layout, style_arms arms, int n_meshes,
                                 cudaStream_t stream);

/* Stages of the nodes for propagation with taps: [place row][3][lane] outer top, bottom; couplers left, right (cosine,
 * sine); inner top, bottom. One mesh. */
cudaError_t launch_stage_nodes(float4 *stages, float2 *turns, const double2 *phases, const double *gamma,
                               const node_constants *constants, mesh_layout layout, style_arms arms,
                               cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
