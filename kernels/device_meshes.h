/* Meshes on the device. */
#ifndef CUONN_KERNELS_DEVICE_MESHES_H
#define CUONN_KERNELS_DEVICE_MESHES_H

#include <cuda_runtime.h>

#include "mesh.h"

/* Meshes of one layout as the kernels read them (coefficients.h fills the nodes). All arrays are on the device. */
typedef struct {
  mesh_layout layout;
  gradient_weights weights;
  bool ideal;          /* which form of node (node.h) */
  bool third;          /* of nodes that are not ideal: which of the other two */
  const float4 *nodes; /* [mesh][place row][plane][lane] for the forward pass, and for transposed meshes */
  const float4 *back;  /* the same for the backward pass; `nodes` where nodes are ideal */
  const float2 *turns; /* [mesh][N] exp(i (gamma + phase that the nodes leave out)), by which outputs are multiplied */
  const int *starts;   /* [mesh][column] segments, as in walk.h; NULL: no fields need to be kept */
  int n_segments;      /* most of a mesh */
  size_t shared_limit; /* bytes that a block may ask for on this device */
} device_meshes;

#endif
