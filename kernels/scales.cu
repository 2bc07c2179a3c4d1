/* Scales of the fields that are sent through a chip: a block for the inputs x and one for c, of each layer and model.
 * Eight warps share the examples; the largest of their norms is the same in any order. Beside them other blocks draw
 * the errors with which the returned fields will be read. */
#include "scales.h"

#include "complex_numbers.h"
#include "device.h"
#include "noise.h"

static constexpr unsigned kWarps = 8, kThreads = kWarps * CUONN_WARP, kOfX = 0, kFirstOfFactors = 2;

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* The largest of the threads' values, in the first thread. */
DEVICE double largest_of_block(double *parts, double most) {
  parts[threadIdx.x] = most;
  sync_block();
  if (threadIdx.x == 0) {
    for (unsigned i = 0; i < kThreads; i++) most = fmax(most, parts[i]);
  }
  return most;
}

/* The largest power of an example. power_at(example, waveguide) */
template <class Power>
DEVICE double most_of_examples(double *parts, int n_examples, int n, Power power_at) {
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP, warp = static_cast<int>(threadIdx.x) / CUONN_WARP;
  double most = 0;
  for (int example = warp; example < n_examples; example += static_cast<int>(kWarps)) {
    double sum = 0;
    for (int w = lane; w < n; w += CUONN_WARP) sum += power_at(example, w);
    most = fmax(most, warp_sum(sum));
  }
  return largest_of_block(parts, most);
}

/* The largest power of a waveguide, over all examples. */
template <class Power>
DEVICE double most_of_waveguides(double *parts, int n_examples, int n, Power power_at) {
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP, warp = static_cast<int>(threadIdx.x) / CUONN_WARP;
  double most = 0;
  for (int first = 0; first < n; first += CUONN_WARP) {
    double sum = 0;
    if (first + lane < n) {
      for (int example = warp; example < n_examples; example += static_cast<int>(kWarps))
        sum += power_at(example, first + lane);
    }
    parts[threadIdx.x] = sum;
    sync_block();
    sum = 0;
    for (unsigned k = 0; k < kWarps; k++) sum += parts[k * CUONN_WARP + lane];
    most = fmax(most, sum);
    sync_block();
  }
  return largest_of_block(parts, most);
}

/* The scale of x or of c; 1 if all fields are 0. */
DEVICE void find_scale(const measure_task &t, const measure_block &of) {
  const bool of_x = of.block == kOfX;
  const int stride = mesh_stride(t.layout);
  const float2 *const c = of_x ? (t.x ? t.x + of.model * t.x_distance : nullptr)
                               : t.c + of.here * static_cast<size_t>(t.n_examples) * stride;
  const float *const h = of_x && t.h ? t.h + of.model * t.x_distance : nullptr;
  double *const scale = of_x ? &t.scales[of.here].x : &t.scales[of.here].y;
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
  const double most = t.readers[of.model].by_example
                          ? most_of_examples(parts, t.n_examples, t.layout.n_modes, power_at)
                          : most_of_waveguides(parts, t.n_examples, t.layout.n_modes, power_at);
  if (threadIdx.x == 0) *scale = most > 0 ? sqrt(most) : 1;
}

/* Factors of one field for each thread. */
DEVICE void draw_factors(const measure_task &t, const measure_block &of) {
  const chip_reader &reader = t.readers[of.model];
  const unsigned n = static_cast<unsigned>(t.layout.n_modes);
  const size_t i = static_cast<size_t>(of.block - kFirstOfFactors) * kThreads + threadIdx.x;
  const unsigned example = static_cast<unsigned>(i / n), waveguide = static_cast<unsigned>(i % n);
  if (example >= static_cast<unsigned>(t.n_examples) || reader.digital) return; /* which reads no fields that return */
  t.factors[(of.here * static_cast<size_t>(t.n_examples) + example) * mesh_stride(t.layout) + waveguide] =
      rounded(reading_factor(reader, READ_MEASUREMENT, of.layer, t.batch->number, example, waveguide, n));
}

/* Grid: x, c, and blocks for factors, of each layer and model. */
KERNEL k_scales(measure_task t) {
  const measure_block of(t);
  if (of.block < kFirstOfFactors) {
    find_scale(t, of);
  } else {
    draw_factors(t, of);
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_scales(const measure_task *task, cudaStream_t stream) {
  const size_t fields = static_cast<size_t>(task->n_examples) * static_cast<size_t>(task->layout.n_modes);
  const unsigned blocks = kFirstOfFactors + (task->factors ? blocks_for(fields, kThreads) : 0);
  return CUONN_LAUNCH(k_scales, measure_grid(*task, blocks), dim3(kThreads), kThreads * sizeof(double), stream, *task);
}
