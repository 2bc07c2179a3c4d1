/* Outputs of meshes as factors of the rows of their matrices. A batch goes through U = O V, of the nodes' matrix V and
 * O = diag(turn x amplitude); what O has to be told comes from the derivatives of matrices, and does not grow with the
 * batch: with D the derivative with respect to U, that with respect to V is O D, and with
 *   P_i = turn_i sum over j of V_ij D_ij,
 * the sum over examples of (cotangent) x (field in front of the amplitude), amplitude s_i has the derivative Re P_i and
 * gamma_i has - s_i Im P_i (docs/physics.md, eq. 13, 17e).
 *
 * A block that sums has 32 rows and 8 warps, which take every eighth column each; the eight sums are added in their
 * order. */
#include "outputs.h"

#include "chunks.h"
#include "complex_numbers.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Turn and amplitude of an output of mesh blockIdx.y of model blockIdx.z. */
struct output {
  float2 turn = make_float2(1, 0);
  float amplitude = 1;
  size_t at; /* [model][mesh][N] */
  DEVICE output(const output_factors &t, unsigned w)
      : at((blockIdx.z * static_cast<size_t>(t.n_layers) + blockIdx.y) * static_cast<size_t>(t.n_modes) + w) {
    if (t.turns) turn = t.turns[at];
    if (t.amplitudes) amplitude = static_cast<float>(t.amplitudes[at]);
  }
  DEVICE float2 factor() const { return amplitude * turn; }
};

/* The matrix of that mesh, in an array of them. */
DEVICE size_t matrix_at(const output_factors &t) {
  return (blockIdx.z * static_cast<size_t>(t.n_layers) + blockIdx.y) * static_cast<size_t>(t.n_modes) * t.stride;
}

/* Grid: elements of a matrix, meshes, models. */
KERNEL k_outputs(float2 *out, const float2 *matrices, output_factors t) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x, row = i % static_cast<unsigned>(t.stride);
  if (i >= static_cast<unsigned>(t.n_modes) * t.stride || row >= static_cast<unsigned>(t.n_modes)) return;
  const size_t at = matrix_at(t) + i;
  out[at] = output(t, row).factor() * matrices[at];
}

/* Grid: rows by 32, meshes, models. */
KERNEL __launch_bounds__(kChunkThreads)
    k_outputs_back(float2 *derivatives, float *d_gamma, float *d_amplitude, const float2 *matrices, output_factors t) {
  const unsigned warp = threadIdx.x / CUONN_WARP, lane = threadIdx.x % CUONN_WARP;
  const unsigned n = static_cast<unsigned>(t.n_modes), row = blockIdx.x * CUONN_WARP + lane;
  const output own(t, row < n ? row : 0);
  const float2 back = conjugate(own.factor());
  float2 sum = make_float2(0, 0);
  if (row < n) {
    size_t at = matrix_at(t) + warp * static_cast<size_t>(t.stride) + row;
#pragma unroll 4
    for (unsigned j = warp; j < n; j += kChunkWarps, at += kChunkWarps * static_cast<size_t>(t.stride)) {
      const float2 d = derivatives[at];
      sum = sum + matrices[at] * conjugate(d);
      derivatives[at] = back * d;
    }
  }
  float2 *const parts = shared_memory<float2>(); /* [warp][lane] */
  parts[threadIdx.x] = sum;
  sync_block();
  if (warp > 0 || row >= n) return;
  for (unsigned w = 1; w < kChunkWarps; w++) sum = sum + parts[w * CUONN_WARP + lane];
  const float2 flow = own.turn * sum;
  const int mesh = static_cast<int>(blockIdx.y);
  d_gamma[own.at] = network_sees_phases(t.phases_every, mesh, t.n_layers) ? -own.amplitude * flow.y : 0;
  d_amplitude[own.at] = network_every(t.amplitudes_every, mesh) ? flow.x : 0;
}

/* The nearest that the chip can have, as network_clip_amplitude() (src/network/layer.h). */
DEVICE double clip(double s, double limit) { return s > limit ? limit : s < -limit ? -limit : s; }

/* Grid: outputs, meshes, models. */
KERNEL k_amplitudes(amplitude_state state, const optimizer_step *steps, const float *d_amplitude, output_factors t) {
  const unsigned w = blockIdx.x * blockDim.x + threadIdx.x;
  if (w >= static_cast<unsigned>(t.n_modes) || !network_every(t.amplitudes_every, static_cast<int>(blockIdx.y))) return;
  const size_t at = output(t, w).at;
  double s = state.amplitudes[at];
  update(s, state.first[at], state.second[at], static_cast<double>(d_amplitude[at]), state.rules[blockIdx.z],
         steps[blockIdx.z]);
  state.amplitudes[at] = clip(s, state.limit);
}

/* -------------------------------------------------------------------------------------------------------- launchers */

static dim3 grid_of(const output_factors &t, size_t count, unsigned threads) {
  return dim3(blocks_for(count, threads), static_cast<unsigned>(t.n_layers), static_cast<unsigned>(t.n_models));
}

extern "C" cudaError_t launch_outputs(float2 *out, const float2 *matrices, const output_factors *factors,
                                      cudaStream_t stream) {
  const size_t elements = static_cast<size_t>(factors->n_modes) * static_cast<size_t>(factors->stride);
  return CUONN_LAUNCH(k_outputs, grid_of(*factors, elements, 256), dim3(256), 0, stream, out, matrices, *factors);
}

extern "C" cudaError_t launch_outputs_back(float2 *derivatives, float *d_gamma, float *d_amplitude,
                                           const float2 *matrices, const output_factors *factors, cudaStream_t stream) {
  return CUONN_LAUNCH(k_outputs_back, grid_of(*factors, static_cast<size_t>(factors->n_modes), CUONN_WARP),
                      dim3(kChunkThreads), kChunkThreads * sizeof(float2), stream, derivatives, d_gamma, d_amplitude,
                      matrices, *factors);
}

extern "C" cudaError_t launch_amplitudes(const amplitude_state *state, const optimizer_step *steps,
                                         const float *d_amplitude, const output_factors *factors, cudaStream_t stream) {
  return CUONN_LAUNCH(k_amplitudes, grid_of(*factors, static_cast<size_t>(factors->n_modes), 128), dim3(128), 0, stream,
                      *state, steps, d_amplitude, *factors);
}
