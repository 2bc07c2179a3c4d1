/* Scales of the fields that are sent through a chip: a block for the inputs x and one for c, of each layer and model.
 * Eight warps share the examples; the largest of their norms is the same in any order. Beside them other blocks draw
 * the errors with which the returned fields will be read. */
#include "scales.h"

#include "complex_numbers.h"
#include "device.h"
#include "noise.h"

static constexpr int kWarps = 8, kReads = 8; /* kReads: that a thread has in flight */
static constexpr unsigned kThreads = kWarps * CUONN_WARP, kOfX = 0, kFirstOfFactors = 2;

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* The largest of the threads' values. */
DEVICE double largest_of_block(double *parts, double most) {
  for (int mask = CUONN_WARP / 2; mask > 0; mask /= 2) most = fmax(most, shuffle_xor(most, mask));
  if (threadIdx.x % CUONN_WARP == 0) parts[threadIdx.x / CUONN_WARP] = most;
  sync_block();
  for (int w = 0; w < kWarps; w++) most = fmax(most, parts[w]);
  return most;
}

DEVICE double power_of(float2 field) {
  return static_cast<double>(field.x) * field.x + static_cast<double>(field.y) * field.y;
}

/* Fields of kReads of the warp's examples at one waveguide, from `first` on; 0 behind the last. */
template <class Field>
DEVICE void read_examples(float2 (&fields)[kReads], int first, int n_examples, int w, Field field_at) {
#pragma unroll
  for (int i = 0; i < kReads; i++) {
    const int example = first + i * kWarps;
    fields[i] = example < n_examples ? field_at(example, w) : make_float2(0, 0);
  }
}

/* The largest power of an example. field_at(example, waveguide) */
template <class Field>
DEVICE double most_of_examples(double *parts, int n_examples, int n, Field field_at) {
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP, warp = static_cast<int>(threadIdx.x) / CUONN_WARP;
  double most = 0;
  for (int first = warp; first < n_examples; first += kReads * kWarps) {
    double sums[kReads] = {};
    for (int w = lane; w < n; w += CUONN_WARP) {
      float2 fields[kReads];
      read_examples(fields, first, n_examples, w, field_at);
#pragma unroll
      for (int i = 0; i < kReads; i++) sums[i] += power_of(fields[i]);
    }
#pragma unroll
    for (int i = 0; i < kReads; i++) most = fmax(most, warp_sum(sums[i]));
  }
  return largest_of_block(parts, most);
}

/* The largest power of a waveguide, over all examples. */
template <class Field>
DEVICE double most_of_waveguides(double *parts, int n_examples, int n, Field field_at) {
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP, warp = static_cast<int>(threadIdx.x) / CUONN_WARP;
  double most = 0;
  for (int w = lane; w - lane < n; w += CUONN_WARP) {
    double sum = 0;
    for (int first = warp; w < n && first < n_examples; first += kReads * kWarps) {
      float2 fields[kReads];
      read_examples(fields, first, n_examples, w, field_at);
#pragma unroll
      for (int i = 0; i < kReads; i++) sum += power_of(fields[i]);
    }
    parts[threadIdx.x] = sum;
    sync_block();
    sum = 0;
    for (int k = 0; k < kWarps; k++) sum += parts[k * CUONN_WARP + lane];
    most = fmax(most, sum);
    sync_block();
  }
  return largest_of_block(parts, most);
}

/* The scale of x or of c; 1 if all fields are 0. */
DEVICE void find_scale(const measure_task &t, const measure_block &of) {
  const bool of_x = of.block == kOfX, by_example = t.readers[of.model].by_example;
  const int stride = mesh_stride(t.layout), n = t.layout.n_modes;
  const float2 *const c = of_x ? (t.x ? t.x + of.model * t.x_distance : nullptr)
                               : t.c + of.here * static_cast<size_t>(t.n_examples) * stride;
  const float *const h = of_x && t.h ? t.h + of.model * t.x_distance : nullptr;
  double *const parts = shared_memory<double>(); /* [warp][lane] */
  const auto largest = [&](auto field_at) {
    return by_example ? most_of_examples(parts, t.n_examples, n, field_at)
                      : most_of_waveguides(parts, t.n_examples, n, field_at);
  };
  double most = 1; /* of unit vectors */
  if (h) {
    most = largest([&](int example, int w) { return make_float2(h[static_cast<size_t>(example) * stride + w], 0); });
  } else if (c) {
    most = largest([&](int example, int w) { return c[static_cast<size_t>(example) * stride + w]; });
  }
  if (threadIdx.x == 0) (of_x ? t.scales[of.here].x : t.scales[of.here].y) = most > 0 ? sqrt(most) : 1;
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
