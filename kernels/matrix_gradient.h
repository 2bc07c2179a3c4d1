/* Gradients of phases from gradients of the matrices of meshes. */
#ifndef CUONN_KERNELS_MATRIX_GRADIENT_H
#define CUONN_KERNELS_MATRIX_GRADIENT_H

#include <cuda_runtime.h>

#include "device_meshes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All arrays are on the device. */
typedef struct {
  device_meshes meshes; /* [model][layer] */
  int n_layers, n_models;
  const float2 *matrices;    /* [model][layer][column][stride] of U, as launch_columns() builds them without turns */
  const float2 *derivatives; /* the same of conj(D): D_ij, the derivative with respect to U_ij, is the sum over a batch
                              * of (cotangent of output i) x (input j) */
  int n_parts;               /* of the columns; a function of N and the number of layers alone */
  float2 *gradient;          /* [model][part][layer][place] theta, phi; the parts are summed by the caller */
  float2 *kept;              /* scratch, network_kept_size() of so many chunks; NULL if meshes.starts is */
} matrix_gradient_task;

cudaError_t launch_matrix_gradient(const matrix_gradient_task *task, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
