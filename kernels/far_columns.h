/* Fields through meshes whose nodes join any two waveguides, and gradients of their phases (far_walk.h). The layouts
 * have `joined`; nodes are general. */
#ifndef CUONN_KERNELS_FAR_COLUMNS_H
#define CUONN_KERNELS_FAR_COLUMNS_H

#include <cuda_runtime.h>

#include "device_meshes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As launch_columns(), of as many meshes as a grid has rows at most. */
cudaError_t launch_far_columns(float2 *out, const device_meshes *meshes, int n_meshes, const float2 *in, int n_examples,
                               bool transposed, bool with_turns, cudaStream_t stream);

/* Gradients of the phases of all layers and models by vectors that go in and cotangents behind the last column. All
 * arrays are on the device; what is NULL is not wanted. */
typedef struct {
  device_meshes meshes; /* [model][layer] */
  int n_layers, n_models;
  int n_vectors, n_parts;  /* parts of the vectors, of a block each */
  const float2 *input;     /* [vector][stride] of one layer; NULL: unit vectors */
  const float2 *cotangent; /* [model][layer][vector][stride] */
  bool conjugate;          /* the cotangents are kept conjugate */
  float2 *gradient;        /* [model][part][layer][place] theta, phi; the parts are summed by the caller */
  float *d_gamma;          /* [part][N] of one layer, if its turns have been taken off the cotangents */
  float2 *backward;        /* [vector][stride] of one layer: U^T cotangent */
  float2 *kept;            /* scratch, network_kept_size() of so many chunks; NULL if meshes.starts is */
} far_gradient_task;
cudaError_t launch_far_gradient(const far_gradient_task *task, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
