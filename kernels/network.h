/* Networks on batches: loss and gradient of every phase in one kernel. */
#ifndef CUONN_KERNELS_NETWORK_H
#define CUONN_KERNELS_NETWORK_H

#include <cuda_runtime.h>
#include <stdint.h>

#include "device_meshes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A batch, divided into chunks of one block each. Their number is a function of the batch and N alone, so that results
 * do not depend on the device, up to the batch that is divided into the most chunks; of a larger one also of how many
 * the device works on at once. */
typedef struct {
  unsigned first, count; /* examples order[first] .. order[first + count - 1] */
  unsigned n_chunks;
  double share;    /* of one example in the loss */
  unsigned number; /* of the step in the run, for noise */
} network_batch;

/* Examples that a block propagates at once. */
CUONN_HOST_DEVICE unsigned network_block_examples(mesh_layout layout) { return CUONN_BLOCK / (unsigned)layout.lanes; }

/* Whether a mesh of a network is one of every so many, from the first on; 0: none is. */
CUONN_HOST_DEVICE bool network_every(int every, int mesh) { return every > 0 && mesh % every == 0; }
/* Whether the phases of fields behind a mesh are seen, if they are behind every so many, up to the last one. */
CUONN_HOST_DEVICE bool network_sees_phases(int every, int mesh, int n_layers) {
  return network_every(every, mesh) && mesh + 1 < n_layers;
}

/* All arrays are on the device. */
typedef struct {
  device_meshes meshes; /* [model][layer]; turns are not used: only moduli are read */
  int n_layers, n_classes, n_models;
  const float2 *fields;  /* [example][stride] */
  const uint8_t *labels; /* [example] */
  const unsigned *order; /* [model][n_examples], NULL: in the order of the set */
  unsigned n_examples;
  const network_batch *batch;
  unsigned most_chunks;
  unsigned shards;  /* whose chunks are computed (chunks.h), a bit each */
  float2 *gradient; /* [model][chunk][layer][place] theta, phi */
  double *losses;   /* [model][chunk] summed, not divided */
  float2 *outputs;  /* scratch, network_outputs_size() */
  float2 *kept;     /* scratch, network_kept_size(); NULL if meshes.starts is */
} network_task;

/* Complex numbers of the scratch arrays. */
CUONN_HOST_DEVICE size_t network_outputs_size(mesh_layout layout, size_t n_models, size_t most_chunks,
                                              size_t n_layers) {
  return n_models * most_chunks * CUONN_BLOCK * n_layers * 2 * (size_t)layout.pairs;
}
CUONN_HOST_DEVICE size_t network_kept_size(mesh_layout layout, size_t n_models, size_t most_chunks, size_t n_layers,
                                           size_t n_segments) {
  return network_outputs_size(layout, n_models, most_chunks, n_layers) * n_segments;
}

/* How many chunks the device works on at once. */
cudaError_t network_resident_chunks(unsigned *n_chunks, const device_meshes *meshes);

/* Loss and gradient of a batch, for every model. */
cudaError_t launch_network(const network_task *task, cudaStream_t stream);

/* Orders of one epoch: order [n_models][n_examples], image of i under the permutation of (seed, epoch). */
cudaError_t launch_order(unsigned *order, const uint64_t *seeds, unsigned n_examples, unsigned epoch, int n_models,
                         cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
