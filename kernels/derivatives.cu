/* Derivatives with respect to phases from the sums of the taps, with shot noise. In double: sums over chunks (chunks.h)
 * are rounded once, at the end. */
#include "derivatives.h"

#include "chunks.h"
#include "complex_numbers.h"
#include "noise.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Signal and light of one tap, and of the taps of theta and phi. */
DEVICE double2 operator+(double2 a, float2 b) { return make_double2(a.x + b.x, a.y + b.y); }
struct node_taps {
  double2 theta, phi;
};
DEVICE node_taps operator+(node_taps a, node_taps b) { return {a.theta + b.theta, a.phi + b.phi}; }
DEVICE node_taps operator+(node_taps a, float4 b) {
  return {a.theta + make_float2(b.x, b.y), a.phi + make_float2(b.z, b.w)};
}

/* Units and shot noise of a layer's derivatives. Shot noise is independent from reading to reading: its sum over the
 * batch is one normal. */
struct layer_scale {
  unsigned layer;
  double factor;
  const chip_reader &reader;
  DEVICE layer_scale(const measure_task &t, size_t here)
      : layer(static_cast<unsigned>(t.first_layer) + blockIdx.y),
        factor(t.scales[here].x * t.scales[here].y / 2),
        reader(t.readers[blockIdx.z]) {}
  DEVICE double2 normals(const measure_task &t, unsigned number) const {
    return reader.tap_shot > 0 ? tap_normals(reader, layer, t.batch->number, number) : make_double2(0, 0);
  }
  DEVICE double derivative(double2 tap, double normal) const { /* rounding may leave a light below 0 */
    return factor * (tap.x + reader.tap_shot * sqrt(fmax(tap.y, 0.0)) * normal);
  }
};

/* Grid: places by 32, layers, models. */
KERNEL k_finish(float2 *gradient, measure_task t) {
  const size_t place = static_cast<size_t>(blockIdx.x) * CUONN_WARP + threadIdx.x % CUONN_WARP;
  const size_t here = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y, places = mesh_places(t.layout);
  int column = 0, top = 0;
  const bool node = place < places && mesh_node_at(&column, &top, t.layout, place);
  const float4 *const from = node ? t.sums + here * t.n_chunks * places + place : nullptr;
  const node_taps taps = sum_chunks<node_taps, 8>(from, places, static_cast<unsigned>(t.n_chunks));
  if (threadIdx.x >= CUONN_WARP || !node) return;
  const layer_scale scale(t, here);
  const double2 normal = scale.normals(t, mesh_node_number(t.layout, place, column, top));
  gradient[(static_cast<size_t>(blockIdx.z) * t.n_layers + scale.layer) * places + place] =
      rounded(make_double2(scale.derivative(taps.theta, normal.x), scale.derivative(taps.phi, normal.y)));
}

/* Grid: outputs by 32, layers, models. */
KERNEL k_finish_outputs(float *d_gamma, measure_task t) {
  const int n = t.layout.n_modes, w = static_cast<int>(blockIdx.x * CUONN_WARP + threadIdx.x % CUONN_WARP);
  const size_t here = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  const float2 *const from = w < n ? t.outputs + here * t.n_chunks * n + w : nullptr;
  const double2 tap = sum_chunks<double2, 16>(from, static_cast<size_t>(n), static_cast<unsigned>(t.n_chunks));
  if (threadIdx.x >= CUONN_WARP || w >= n) return;
  const layer_scale scale(t, here);
  const double2 normal = scale.normals(t, t.n_nodes + static_cast<unsigned>(w));
  d_gamma[(static_cast<size_t>(blockIdx.z) * t.n_layers + scale.layer) * n + w] =
      static_cast<float>(scale.derivative(tap, normal.x));
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_finish(float2 *gradient, float *d_gamma, const measure_task *task, cudaStream_t stream) {
  const cudaError_t phases =
      CUONN_LAUNCH(k_finish, measure_grid(*task, blocks_for(mesh_places(task->layout), CUONN_WARP)),
                   dim3(kChunkThreads), kChunkThreads * sizeof(node_taps), stream, gradient, *task);
  if (phases != cudaSuccess || !d_gamma) return phases;
  const unsigned blocks = blocks_for(static_cast<size_t>(task->layout.n_modes), CUONN_WARP);
  return CUONN_LAUNCH(k_finish_outputs, measure_grid(*task, blocks), dim3(kChunkThreads),
                      kChunkThreads * sizeof(double2), stream, d_gamma, *task);
}
