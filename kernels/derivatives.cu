/* Derivatives from what the taps of a chip measured, with their shot noise. In double: the parts of the chunks are
 * added before the result is rounded once. */
#include "in_situ.h"

#include "complex_numbers.h"
#include "device.h"
#include "noise.h"

static constexpr int kWarps = 8;

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Number of a node, column by column. */
DEVICE unsigned node_number(int n_modes, int column, int top) {
  return static_cast<unsigned>((column + 1) / 2 * (n_modes / 2) + column / 2 * ((n_modes - 1) / 2) + top / 2);
}

DEVICE double derivative(double factor, double signal, double light, double shot, double normal) {
  return factor * (signal + shot * sqrt(fmax(light, 0.0)) * normal); /* light may be rounded below 0 where it is dark */
}

/* Grid: places by 32, layers, models. Warp w adds chunks w, w + 8, ..., and the eight sums are added in their order.
 * Shot noise is independent from reading to reading: its sum over the batch is one normal. */
KERNEL k_finish(float2 *gradient, measure_task t) {
  const unsigned lane = threadIdx.x % CUONN_WARP, warp = threadIdx.x / CUONN_WARP;
  const size_t place = static_cast<size_t>(blockIdx.x) * CUONN_WARP + lane, places = mesh_places(t.layout);
  const size_t here = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  int column = 0, top = 0;
  const bool node = place < places && mesh_node_at(&column, &top, t.layout, place);
  double sum[4] = {0, 0, 0, 0};
  for (int chunk = static_cast<int>(warp); node && chunk < t.n_chunks; chunk += kWarps) {
    const float4 v = t.sums[(here * t.n_chunks + chunk) * places + place];
    sum[0] += v.x;
    sum[1] += v.y;
    sum[2] += v.z;
    sum[3] += v.w;
  }
  double *const parts = shared_memory<double>(); /* [4][warp][lane] */
  for (int i = 0; i < 4; i++) parts[i * kWarps * CUONN_WARP + threadIdx.x] = sum[i];
  sync_block();
  if (warp != 0 || !node) return;
  for (int i = 0; i < 4; i++) {
    sum[i] = 0;
    for (int w = 0; w < kWarps; w++) sum[i] += parts[(i * kWarps + w) * CUONN_WARP + lane];
  }
  const chip_reader &reader = t.readers[blockIdx.z];
  const unsigned layer = static_cast<unsigned>(t.first_layer) + blockIdx.y;
  const double factor = t.scales[here].x * t.scales[here].y / 2;
  double2 normal = make_double2(0, 0);
  if (reader.tap_shot > 0) {
    normal = tap_normals(reader, layer, t.batch->number, node_number(t.layout.n_modes, column, top));
  }
  gradient[(static_cast<size_t>(blockIdx.z) * t.n_layers + layer) * places + place] =
      rounded(make_double2(derivative(factor, sum[0], sum[1], reader.tap_shot, normal.x),
                           derivative(factor, sum[2], sum[3], reader.tap_shot, normal.y)));
}

/* Grid: outputs, layers, models. */
KERNEL k_finish_outputs(float *d_gamma, measure_task t) {
  const int n = t.layout.n_modes, w = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const size_t here = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  if (w >= n) return;
  double signal = 0, light = 0;
  for (int chunk = 0; chunk < t.n_chunks; chunk++) {
    const float2 v = t.outputs[(here * t.n_chunks + chunk) * n + w];
    signal += v.x;
    light += v.y;
  }
  const chip_reader &reader = t.readers[blockIdx.z];
  const unsigned layer = static_cast<unsigned>(t.first_layer) + blockIdx.y;
  double2 normal = make_double2(0, 0);
  if (reader.tap_shot > 0) {
    normal = tap_normals(reader, layer, t.batch->number, node_number(n, n, 0) + static_cast<unsigned>(w));
  }
  const double factor = t.scales[here].x * t.scales[here].y / 2;
  d_gamma[(static_cast<size_t>(blockIdx.z) * t.n_layers + layer) * n + w] =
      static_cast<float>(derivative(factor, signal, light, reader.tap_shot, normal.x));
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_finish(float2 *gradient, float *d_gamma, const measure_task *task, cudaStream_t stream) {
  const unsigned threads = kWarps * CUONN_WARP;
  const cudaError_t phases =
      CUONN_LAUNCH(k_finish, measure_grid(*task, blocks_for(mesh_places(task->layout), CUONN_WARP)), dim3(threads),
                   4 * threads * sizeof(double), stream, gradient, *task);
  if (phases != cudaSuccess || !d_gamma) return phases;
  return CUONN_LAUNCH(k_finish_outputs, measure_grid(*task, blocks_for(static_cast<size_t>(task->layout.n_modes), 128)),
                      dim3(128), 0, stream, d_gamma, *task);
}
