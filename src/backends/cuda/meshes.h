/* Meshes of one layout on the device: the layers of all models of a state, or the one mesh of a call. */
#ifndef CUDA_MESHES_H
#define CUDA_MESHES_H

#include <stdint.h>

#include "cuda/device.h"
#include "cuonn/mesh.h"
#include "kernels/coefficients.h"
#include "kernels/device_meshes.h"
#include "mesh/shape.h"

typedef struct {
  mesh_layout layout;
  style_arms arms;
  size_t n_meshes, n_nodes, places; /* nodes and places of one mesh */
  uint32_t *place;                  /* host, [node] */
  bool aligned;                     /* column c of the shape is column c + first_column here, with all its nodes */
  size_t first_column;
  double2 *phases;        /* device, [mesh][place] theta, phi */
  const double2 *applied; /* the same as nodes have them; `phases` unless a chip changes them */
  double *gamma;          /* device, [mesh][N]; NULL if outputs are only read as moduli */
  node_extras extras;
  node_constants *constants; /* device, [mesh][place]; NULL while all nodes are ideal */
  double2 *third;            /* device, [mesh][place]; NULL as constants, and where nodes have no third coupler */
  float4 *nodes, *back;      /* device */
  float2 *turns;             /* device, [mesh][N]; NULL as gamma */
  int *starts;               /* device, [mesh][column]; NULL if no fields need to be kept */
  device_meshes view;        /* the same for kernels */
  cuda_memory lasting, kind; /* kind: what depends on the kind of nodes */
} cuda_meshes;

/* Of any shape. CUONN_E_SHAPE for more waveguides than the kernels hold.
 * with_outputs: gamma and the phases that nodes leave are kept. */
cuonn_status cuda_meshes_create(cuda_meshes *out, size_t n_meshes, const cuonn_mesh_shape *shape,
                                cuonn_phase_style style, bool with_outputs, const cuda_session *session);
void cuda_meshes_free(cuda_meshes *meshes);

/* Takes the kind of nodes, errors and losses from host meshes: [mesh], all of one shape. Allocates. */
cuonn_status cuda_meshes_set_errors(cuda_meshes *meshes, const cuonn_mesh *const *from, cudaStream_t stream);
/* Phases of one mesh, from and to arrays by node: theta, phi [node]. `scratch`: [place] on the host. */
cuonn_status cuda_meshes_set_pairs(double2 *device, const cuda_meshes *meshes, size_t mesh, const double *theta,
                                   const double *phi, double2 *scratch, cudaStream_t stream);
cuonn_status cuda_meshes_get_pairs(double *theta, double *phi, const cuda_meshes *meshes, size_t mesh,
                                   const double2 *device, double2 *scratch, cudaStream_t stream);
/* Coefficients from phases: launches only. */
cuonn_status cuda_meshes_fill(const cuda_meshes *meshes, cudaStream_t stream);
/* The same with nodes with taps, [mesh], and gammas, [mesh][N] exp(i gamma), but without what general nodes need on the
 * way back. */
cuonn_status cuda_meshes_fill_taps(float4 *taps, float2 *gammas, const cuda_meshes *meshes, cudaStream_t stream);

/* What launch_general_nodes() and launch_stage_nodes() take of them. */
node_parts cuda_meshes_parts(const cuda_meshes *meshes);

/* The view of meshes from `first` on. */
device_meshes cuda_meshes_view(const cuda_meshes *meshes, size_t first);

/* Only the constants of nodes, [mesh][place]: what launch_stage_nodes() needs. */
cuonn_status cuda_meshes_set_constants(cuda_meshes *meshes, const cuonn_mesh *const *from, cudaStream_t stream);

enum { kMostChunks = 512 }; /* of a batch: four blocks for each multiprocessor of a large device */

/* Chunks of a batch of so many examples. */
unsigned cuda_chunks(size_t n_examples, mesh_layout layout, size_t n_layers);

#endif
