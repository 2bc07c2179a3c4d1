/* Sums of gradients over chunks (chunks.h), and the step of the phases in double: 12,096 phases spread over the whole
 * device cost next to nothing. */
#include "optimizer.h"

#include "chunks.h"
#include "complex_numbers.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* The gradient at this lane's place, and where its node's phases are; whether this thread, of the first warp, holds
 * one. */
DEVICE bool sum_gradient(float2 &sum, size_t &at, const network_sums &sums) {
  const unsigned lane = threadIdx.x % CUONN_WARP, warp = threadIdx.x / CUONN_WARP;
  const unsigned layer = blockIdx.y, model = blockIdx.z;
  const size_t place = static_cast<size_t>(blockIdx.x) * CUONN_WARP + lane, places = mesh_places(sums.layout);
  const unsigned most_parts = sums.n_parts > 0 ? sums.n_parts : sums.most_chunks;
  const size_t layers = static_cast<size_t>(sums.n_layers), first = static_cast<size_t>(model) * most_parts;
  int column = 0, top = 0;
  const bool node = place < places && mesh_node_at(&column, &top, sums.layout, place);
  const float2 *const from = node ? sums.gradient + (first * layers + layer) * places + place : nullptr;
  sum = sum_chunks<float2, 16>(from, layers * places, sums.n_parts > 0 ? sums.n_parts : sums.batch->n_chunks);
  if (sums.common_phi && column + 1 == sums.layout.n_columns) sum.y = 0;
  at = (static_cast<size_t>(model) * layers + layer) * places + place;
  return node && warp == 0;
}

/* Mean loss of a model, by one warp. */
DEVICE void sum_losses(double *loss, const network_sums &sums, unsigned model) {
  const double *from = sums.losses + static_cast<size_t>(model) * sums.most_chunks;
  double sum = 0;
  for (unsigned chunk = threadIdx.x % CUONN_WARP; chunk < sums.batch->n_chunks; chunk += CUONN_WARP) sum += from[chunk];
  sum = warp_sum(sum);
  if (threadIdx.x % CUONN_WARP == 0) loss[model] = sum * sums.batch->share;
}

/* The same by the second warp of one of the model's blocks. */
DEVICE void sum_losses_aside(double *loss, const network_sums &sums) {
  if (blockIdx.x == 0 && blockIdx.y == 0 && threadIdx.x / CUONN_WARP == 1) sum_losses(loss, sums, blockIdx.z);
}

DEVICE void update(double &phase, double &first, double &second, double g, const optimizer_rule &rule,
                   const optimizer_step &step) {
  if (rule.sgd) {
    first = rule.momentum * first + g;
    phase -= step.rate * first;
  } else {
    first = rule.beta1 * first + (1 - rule.beta1) * g;
    second = rule.beta2 * second + (1 - rule.beta2) * g * g;
    phase -= step.rate * (first * step.correct1) / (sqrt(second * step.correct2) + rule.epsilon);
  }
}

DEVICE void update_node(const optimizer_state &state, size_t at, double2 g, const optimizer_step *steps) {
  const optimizer_rule rule = state.rules[blockIdx.z];
  const optimizer_step step = steps[blockIdx.z];
  double2 phase = state.phases[at], first = state.first[at], second = state.second[at];
  update(phase.x, first.x, second.x, g.x, rule, step);
  update(phase.y, first.y, second.y, g.y, rule, step);
  state.phases[at] = phase;
  state.first[at] = first;
  state.second[at] = second;
}

/* Grid: places by 32, layers, models. */
KERNEL k_update(double *loss, optimizer_state state, const optimizer_step *steps, network_sums sums) {
  float2 gradient;
  size_t at;
  const bool node = sum_gradient(gradient, at, sums);
  sum_losses_aside(loss, sums);
  if (node) update_node(state, at, make_double2(gradient.x, gradient.y), steps);
}

/* Grid: places, layers, models. */
KERNEL k_step(optimizer_state state, const optimizer_step *steps, const float2 *gradient, mesh_layout layout) {
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, places = mesh_places(layout);
  const size_t at = (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * places + place;
  int column, top;
  if (place >= places || !mesh_node_at(&column, &top, layout, place)) return;
  update_node(state, at, make_double2(gradient[at].x, gradient[at].y), steps);
}

/* Grid: waveguides, layers, models. */
KERNEL k_step_gamma(gamma_state state, const optimizer_step *steps, const float *d_gamma, int n_modes) {
  const int w = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const optimizer_rule rule = state.rules[blockIdx.z];
  if (w >= n_modes || !rule.gamma) return;
  const size_t at = (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * static_cast<size_t>(n_modes) + w;
  update(state.gamma[at], state.first[at], state.second[at], d_gamma[at], rule, steps[blockIdx.z]);
}

/* Grid: models; one warp. */
KERNEL k_loss(double *loss, network_sums sums) { sum_losses(loss, sums, blockIdx.x); }

/* Grid: places by 32, layers, models. */
KERNEL k_gradient(float2 *out, double *loss, network_sums sums) {
  float2 gradient;
  size_t at;
  const bool node = sum_gradient(gradient, at, sums);
  sum_losses_aside(loss, sums);
  if (node) out[at] = gradient;
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

extern "C" cudaError_t launch_step(const optimizer_state *state, const optimizer_step *steps, const float2 *gradient,
                                   mesh_layout layout, int n_layers, int n_models, cudaStream_t stream) {
  const unsigned threads = 128;
  const dim3 grid(blocks_for(mesh_places(layout), threads), static_cast<unsigned>(n_layers),
                  static_cast<unsigned>(n_models));
  return CUONN_LAUNCH(k_step, grid, dim3(threads), 0, stream, *state, steps, gradient, layout);
}

extern "C" cudaError_t launch_step_gamma(const gamma_state *state, const optimizer_step *steps, const float *d_gamma,
                                         int n_modes, int n_layers, int n_models, cudaStream_t stream) {
  const dim3 grid(blocks_for(static_cast<size_t>(n_modes), 128), static_cast<unsigned>(n_layers),
                  static_cast<unsigned>(n_models));
  return CUONN_LAUNCH(k_step_gamma, grid, dim3(128), 0, stream, *state, steps, d_gamma, n_modes);
}

extern "C" cudaError_t launch_loss(double *loss, const network_sums *sums, cudaStream_t stream) {
  return CUONN_LAUNCH(k_loss, dim3(static_cast<unsigned>(sums->n_models)), dim3(CUONN_WARP), 0, stream, loss, *sums);
}
