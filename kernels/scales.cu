/* Scales of the fields that are sent through a chip: a block for the inputs x and one for c, of each layer and model.
 * Eight warps share the examples; the largest of their norms is the same in any order. */
#include "scales.h"

#include "device.h"

static constexpr int kWarps = 8;

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Grid: x and c, layers, models. The largest norm of an example, or of a waveguide over all of them; 1 if all
 * fields are 0. */
KERNEL k_scales(measure_task t) {
  const bool of_x = blockIdx.x == 0;
  const size_t here = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  const int n = t.layout.n_modes, stride = mesh_stride(t.layout);
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP, warp = static_cast<int>(threadIdx.x) / CUONN_WARP;
  const float2 *const c = of_x ? (t.x ? t.x + blockIdx.z * t.x_distance : nullptr)
                               : t.c + here * static_cast<size_t>(t.n_examples) * stride;
  const float *const h = of_x && t.h ? t.h + blockIdx.z * t.x_distance : nullptr;
  double *const scale = of_x ? &t.scales[here].x : &t.scales[here].y;
  if (!c && !h) { /* unit vectors */
    if (threadIdx.x == 0) *scale = 1;
    return;
  }
  const auto power_at = [&](int example, int w) {
    const size_t at = static_cast<size_t>(example) * stride + w;
    return h ? static_cast<double>(h[at]) * h[at]
             : static_cast<double>(c[at].x) * c[at].x + static_cast<double>(c[at].y) * c[at].y;
  };
  double *const parts = shared_memory<double>(); /* [warp][lane] */
  double most = 0;
  if (t.readers[blockIdx.z].by_example) {
    for (int example = warp; example < t.n_examples; example += kWarps) {
      double sum = 0;
      for (int w = lane; w < n; w += CUONN_WARP) sum += power_at(example, w);
      most = fmax(most, warp_sum(sum));
    }
    parts[threadIdx.x] = most;
    sync_block();
  } else {
    for (int first = 0; first < n; first += CUONN_WARP) {
      double sum = 0;
      if (first + lane < n) {
        for (int example = warp; example < t.n_examples; example += kWarps) sum += power_at(example, first + lane);
      }
      parts[threadIdx.x] = sum;
      sync_block();
      sum = 0;
      for (int k = 0; k < kWarps; k++) sum += parts[k * CUONN_WARP + lane];
      most = fmax(most, sum);
      sync_block();
    }
    parts[threadIdx.x] = most;
    sync_block();
  }
  if (threadIdx.x == 0) {
    for (int i = 0; i < kWarps * CUONN_WARP; i++) most = fmax(most, parts[i]);
    *scale = most > 0 ? sqrt(most) : 1;
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_scales(const measure_task *task, cudaStream_t stream) {
  const unsigned threads = kWarps * CUONN_WARP;
  return CUONN_LAUNCH(k_scales, measure_grid(*task, 2), dim3(threads), threads * sizeof(double), stream, *task);
}
