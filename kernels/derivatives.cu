/* Derivatives with respect to phases from the sums of the taps, with shot noise, and the step along them. In double:
 * sums over chunks (chunks.h) are rounded once, at the end. */
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
  DEVICE layer_scale(const measure_task &t, const measure_block &of)
      : layer(of.layer), factor(t.scales[of.here].x * t.scales[of.here].y / 2), reader(t.readers[of.model]) {}
  DEVICE double2 normals(const measure_task &t, unsigned number) const {
    return reader.tap_shot > 0 ? tap_normals(reader, layer, t.batch->number, number) : make_double2(0, 0);
  }
  DEVICE double derivative(double2 tap, double normal) const { /* rounding may leave a light below 0 */
    return factor * (tap.x + reader.tap_shot * sqrt(fmax(tap.y, 0.0)) * normal);
  }
};

/* Of 32 places, by the block's first warp. */
DEVICE void finish_nodes(const finish_task &f, const measure_task &t, const measure_block &of) {
  const size_t place = static_cast<size_t>(of.block) * CUONN_WARP + threadIdx.x % CUONN_WARP;
  const size_t places = mesh_places(t.layout), at = of.mesh(t) * places + place;
  int column = 0, top = 0;
  const bool node = place < places && mesh_node_at(&column, &top, t.layout, place);
  const float4 *const from = node ? t.sums + of.here * t.n_chunks * places + place : nullptr;
  const node_taps taps = sum_chunks<node_taps, 8>(from, places, static_cast<unsigned>(t.n_chunks));
  if (threadIdx.x >= CUONN_WARP || !node) return;
  const layer_scale scale(t, of);
  const double2 normal = scale.normals(t, mesh_node_number(t.layout, place, column, top));
  const float2 g = rounded(make_double2(scale.derivative(taps.theta, normal.x), scale.derivative(taps.phi, normal.y)));
  if (f.steps) {
    update_node(f.phases, f.steps, of.model, at, g);
  } else {
    f.gradient[at] = g;
  }
}

/* Of 32 outputs. */
DEVICE void finish_outputs(const finish_task &f, const measure_task &t, const measure_block &of, unsigned block) {
  const int n = t.layout.n_modes, w = static_cast<int>(block * CUONN_WARP + threadIdx.x % CUONN_WARP);
  const size_t at = of.mesh(t) * n + w;
  const float2 *const from = w < n ? t.outputs + of.here * t.n_chunks * n + w : nullptr;
  const double2 tap = sum_chunks<double2, 16>(from, static_cast<size_t>(n), static_cast<unsigned>(t.n_chunks));
  if (threadIdx.x >= CUONN_WARP || w >= n) return;
  const layer_scale scale(t, of);
  const double2 normal = scale.normals(t, t.n_nodes + static_cast<unsigned>(w));
  const float g = static_cast<float>(scale.derivative(tap, normal.x));
  if (f.steps) {
    update_output(f.outputs, f.steps, of.model, at, g);
  } else {
    f.d_gamma[at] = g;
  }
}

/* Grid: blocks for places, then blocks for outputs, of each layer and model. */
KERNEL __launch_bounds__(kChunkThreads, 2) k_finish(finish_task f, measure_task t, unsigned n_blocks_of_places) {
  const measure_block of(t);
  if (of.block < n_blocks_of_places) {
    finish_nodes(f, t, of);
  } else {
    finish_outputs(f, t, of, of.block - n_blocks_of_places);
  }
  if (of.block == 0 && blockIdx.y == 0 && threadIdx.x / CUONN_WARP == 1) sum_losses(f.loss, f.losses, of.model);
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_finish(const finish_task *finish, const measure_task *task, cudaStream_t stream) {
  const unsigned of_places = blocks_for(mesh_places(task->layout), CUONN_WARP);
  const unsigned of_outputs = blocks_for(static_cast<size_t>(task->layout.n_modes), CUONN_WARP);
  return CUONN_LAUNCH(k_finish, measure_grid(*task, of_places + of_outputs), dim3(kChunkThreads),
                      kChunkThreads * sizeof(node_taps), stream, *finish, *task, of_places);
}
