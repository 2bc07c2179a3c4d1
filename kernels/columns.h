/* Fields through meshes, node by node. */
#ifndef CUONN_KERNELS_COLUMNS_H
#define CUONN_KERNELS_COLUMNS_H

#include <cuda_runtime.h>

#include "device_meshes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out = U in for n_meshes meshes, or with transposed out = U^T in.
 * out: [mesh][example][stride]; in: [example][stride], the same for all meshes, or NULL for the N unit vectors, so that
 * out is [mesh][column of U][row]. with_turns: false leaves out the factors `turns`. stride: mesh_stride(). */
cudaError_t launch_columns(float2 *out, const device_meshes *meshes, int n_meshes, const float2 *in, int n_examples,
                           bool transposed, bool with_turns, cudaStream_t stream);

/* Vector-Jacobian products of one mesh: flows of theta and phi, and of gamma, over the batch.
 * gradient: [chunk][place] theta, phi; d_gamma: [chunk][N]; backward: [example][stride] U^T g, or NULL.
 * kept: fields for the backward pass, kept_size() float2, NULL if meshes->starts is. The chunks are summed by the
 * caller. */
typedef struct {
  float2 *gradient;
  float *d_gamma;
  float2 *backward;
  const float2 *input; /* [example][stride] */
  float2 *cotangent;   /* [example][stride], used up */
  float2 *kept;
  int n_examples, n_chunks;
} vjp_task;
cudaError_t launch_vjp(const vjp_task *task, const device_meshes *meshes, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
