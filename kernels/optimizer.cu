/* Sums of gradients over chunks (chunks.h), and the step of the phases in double: 12,096 phases spread over the whole
 * device cost next to nothing. */
#include "optimizer.h"

#include "chunks.h"
#include "complex_numbers.h"
#include "shards.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* What a lane of a block that sums over chunks works at: a place on layer blockIdx.y of model blockIdx.z. */
struct summed_place {
  size_t place, at; /* within the mesh; within the phases of all meshes */
  int column = 0, top = 0;
  bool node;
  DEVICE explicit summed_place(const network_sums &sums) {
    const size_t places = mesh_places(sums.layout);
    place = static_cast<size_t>(blockIdx.x) * CUONN_WARP + threadIdx.x % CUONN_WARP;
    at = (blockIdx.z * static_cast<size_t>(sums.n_layers) + blockIdx.y) * places + place;
    node = place < places && mesh_node_at(&column, &top, sums.layout, place);
  }
  DEVICE bool writes() const { return node && threadIdx.x < CUONN_WARP; } /* the first warp, for all */
};

DEVICE const float2 *first_part(const network_sums &sums, const summed_place &here) {
  const unsigned most_parts = sums.n_parts > 0 ? sums.n_parts : sums.losses.most_chunks;
  const size_t layers = static_cast<size_t>(sums.n_layers), places = mesh_places(sums.layout);
  const size_t first = static_cast<size_t>(blockIdx.z) * most_parts * layers + blockIdx.y;
  return here.node ? sums.gradient + first * places + here.place : nullptr;
}

DEVICE float2 sum_gradient(const network_sums &sums, const summed_place &here) {
  const size_t layers = static_cast<size_t>(sums.n_layers), places = mesh_places(sums.layout);
  const float2 *const from = first_part(sums, here);
  const unsigned n_parts = sums.n_parts > 0 ? sums.n_parts : sums.losses.batch->n_chunks;
  float2 sum = sum_chunks<float2, 16>(from, layers * places, n_parts);
  if (sums.common_phi && here.column + 1 == sums.layout.n_columns) sum.y = 0;
  return sum;
}

/* The mean loss by the second warp of one of the model's blocks. */
DEVICE void sum_losses_aside(double *loss, const network_sums &sums) {
  if (blockIdx.x == 0 && blockIdx.y == 0 && threadIdx.x / CUONN_WARP == 1) sum_losses(loss, sums.losses, blockIdx.z);
}

/* Grid: places by 32, layers, models. */
KERNEL __launch_bounds__(kChunkThreads, 3)
    k_update(double *loss, optimizer_state state, const optimizer_step *steps, network_sums sums) {
  const summed_place here(sums);
  node_state node;
  if (here.writes()) node.read(state, steps, blockIdx.z, here.at);
  const float2 gradient = sum_gradient(sums, here);
  sum_losses_aside(loss, sums);
  if (here.writes()) node.move(state, here.at, gradient);
}

/* Grid: blocks for places, then blocks for outputs; layers, models. */
KERNEL k_step(optimizer_state state, gamma_state outputs, const optimizer_step *steps, const float2 *gradient,
              const float *d_gamma, mesh_layout layout, unsigned n_blocks_of_places) {
  const size_t layer = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y, places = mesh_places(layout);
  if (blockIdx.x >= n_blocks_of_places) {
    const unsigned w = (blockIdx.x - n_blocks_of_places) * blockDim.x + threadIdx.x;
    const size_t at = layer * static_cast<size_t>(layout.n_modes) + w;
    if (w < static_cast<unsigned>(layout.n_modes)) update_output(outputs, steps, blockIdx.z, at, d_gamma[at]);
    return;
  }
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, at = layer * places + place;
  int column, top;
  if (place >= places || !mesh_node_at(&column, &top, layout, place)) return;
  update_node(state, steps, blockIdx.z, at, gradient[at]);
}

/* Grid: places by 32, layers, models. */
KERNEL __launch_bounds__(kChunkThreads, 3) k_gradient(float2 *out, double *loss, network_sums sums) {
  const summed_place here(sums);
  if (network_sees_phases(sums.phases_every, static_cast<int>(blockIdx.y), sums.n_layers)) sums.common_phi = false;
  const float2 gradient = sum_gradient(sums, here);
  sum_losses_aside(loss, sums);
  if (here.writes()) out[here.at] = gradient;
}

/* Grid: places by 32, layers, models. Of each of the shards, in the order of the tree's leaves; 0 where is no node. */
KERNEL __launch_bounds__(kChunkThreads, 3) k_shards(float2 *out, network_sums sums, unsigned shards) {
  const summed_place here(sums);
  const size_t layers = static_cast<size_t>(sums.n_layers), places = mesh_places(sums.layout);
  const unsigned warp = threadIdx.x / CUONN_WARP;
  const bool own[2] = {(shards >> warp & 1) != 0, (shards >> (warp + kChunkWarps) & 1) != 0};
  float2 two[2];
  sum_two_shards<float2, 16>(two, own, first_part(sums, here), layers * places, sums.losses.batch->n_chunks);
  if (here.place >= places) return;
  for (unsigned leaf = 0; leaf < kShards; leaf++) {
    const unsigned shard = shard_of_leaf(leaf);
    if (!(shards >> shard & 1)) continue;
    if (shard % kChunkWarps == warp) out[here.at] = two[shard / kChunkWarps];
    out += sums.n_models * layers * places;
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

static dim3 grid_of(const network_sums &sums) {
  return dim3(blocks_for(mesh_places(sums.layout), CUONN_WARP), static_cast<unsigned>(sums.n_layers),
              static_cast<unsigned>(sums.n_models));
}

static const size_t kSharedBytes = kChunkThreads * sizeof(float2);

extern "C" cudaError_t launch_update(double *loss, const optimizer_state *state, const optimizer_step *steps,
                                     const network_sums *sums, cudaStream_t stream) {
  return CUONN_LAUNCH(k_update, grid_of(*sums), dim3(kChunkThreads), kSharedBytes, stream, loss, *state, steps, *sums);
}

extern "C" cudaError_t launch_gradient(float2 *out, double *loss, const network_sums *sums, cudaStream_t stream) {
  return CUONN_LAUNCH(k_gradient, grid_of(*sums), dim3(kChunkThreads), kSharedBytes, stream, out, loss, *sums);
}

extern "C" cudaError_t launch_step(const optimizer_state *state, const gamma_state *outputs,
                                   const optimizer_step *steps, const float2 *gradient, const float *d_gamma,
                                   mesh_layout layout, int n_layers, int n_models, cudaStream_t stream) {
  const unsigned threads = 128, of_places = blocks_for(mesh_places(layout), threads);
  const unsigned of_outputs = outputs->gamma ? blocks_for(static_cast<size_t>(layout.n_modes), threads) : 0;
  const dim3 grid(of_places + of_outputs, static_cast<unsigned>(n_layers), static_cast<unsigned>(n_models));
  return CUONN_LAUNCH(k_step, grid, dim3(threads), 0, stream, *state, *outputs, steps, gradient, d_gamma, layout,
                      of_places);
}

extern "C" cudaError_t launch_shards(float2 *out, const network_sums *sums, unsigned shards, cudaStream_t stream) {
  return CUONN_LAUNCH(k_shards, grid_of(*sums), dim3(kChunkThreads), 0, stream, out, *sums, shards);
}
