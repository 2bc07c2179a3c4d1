/* Sums over chunks, and the step of the phases. */
#ifndef CUONN_KERNELS_OPTIMIZER_H
#define CUONN_KERNELS_OPTIMIZER_H

#include <cuda_runtime.h>

#include "network.h"
#include "update.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Results of launch_network() or launch_matrix_gradient(). Arrays are on the device. */
typedef struct {
  mesh_layout layout;
  int n_layers, n_models;
  unsigned n_parts; /* of gradients; 0: the chunks of the batch */
  bool
      common_phi; /* phi is applied to both arms: in the last column it changes no modulus, its gradient is exactly 0 */
  const float2 *gradient; /* [model][chunk or part][layer][place] */
  loss_sums losses;
  int phases_every; /* meshes of which fields keep their phases, where common_phi does not count: as output_factors; not
                     * for launch_update() */
} network_sums;

/* One step of all phases. steps: [model]; loss: [model] mean loss of the batch. */
cudaError_t launch_update(double *loss, const optimizer_state *state, const optimizer_step *steps,
                          const network_sums *sums, cudaStream_t stream);

/* The gradient itself: [model][layer][place], and the loss. */
cudaError_t launch_gradient(float2 *out, double *loss, const network_sums *sums, cudaStream_t stream);

/* Sums of the chunks of some shards (chunks.h), a bit each: [shard][model][layer][place], in the order of the tree's
 * leaves. */
cudaError_t launch_shards(float2 *out, const network_sums *sums, unsigned shards, cudaStream_t stream);

/* One step of all phases along a given gradient, [model][layer][place]; d_gamma: [model][layer][N], not read where
 * outputs have no gamma. */
cudaError_t launch_step(const optimizer_state *state, const gamma_state *outputs, const optimizer_step *steps,
                        const float2 *gradient, const float *d_gamma, mesh_layout layout, int n_layers, int n_models,
                        cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
