/* Element-wise steps around the matrix products that propagate batches through networks: evaluation, and the digital
 * half of training in situ. One thread per element, neighbouring threads at neighbouring addresses, and one warp per
 * example where its outputs are summed: bound by memory, which is read and written once. */
#include "dense.h"

#include "chunks.h"
#include "complex_numbers.h"
#include "device.h"
#include "softmax.h"

static constexpr int kWarps = 8;

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Example of the set that is number i of the batch, for this block's model. */
DEVICE size_t example_of(const batch_task &t, unsigned i) {
  const size_t at = t.batch->first + i;
  return t.order ? t.order[static_cast<size_t>(blockIdx.y) * t.n_examples + at] : at;
}

/* Grid: examples x stride, models. */
KERNEL k_gather(float2 *x, batch_task t) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const unsigned at = static_cast<unsigned>(i / t.stride);
  if (at >= static_cast<unsigned>(t.most_examples)) return;
  float2 field = make_float2(0, 0);
  if (at < t.batch->count) field = t.fields[example_of(t, at) * t.stride + i % t.stride];
  x[static_cast<size_t>(blockIdx.y) * t.most_examples * t.stride + i] = field;
}

/* Grid: elements. */
template <class Law>
KERNEL k_pass(float *out, const float2 *y, size_t count, field_law numbers) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) reinterpret_cast<typename Law::field *>(out)[i] = Law(numbers).pass(y[i]);
}

template <class Law>
KERNEL k_pass_back(float2 *c, const float *u, const float2 *y, size_t count, field_law numbers) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) c[i] = Law(numbers).back(reinterpret_cast<const typename Law::field *>(u)[i], y[i]);
}

/* The largest power of the warp and its class; of equal ones the lowest class. */
DEVICE void largest(float &most, int &best) {
  for (int mask = CUONN_WARP / 2; mask > 0; mask /= 2) {
    const float other = shuffle_xor(most, mask);
    const int its = shuffle_xor(best, mask);
    if (other > most || (other == most && its < best)) {
      most = other;
      best = its;
    }
  }
}

/* Classes of this lane and their powers, from the fields of an example in memory (softmax.h). */
template <class Visit>
DEVICE void visit_classes(const float2 *y, int n_classes, Visit visit) {
  for (int c = static_cast<int>(threadIdx.x) % CUONN_WARP; c < n_classes; c += CUONN_WARP) {
    float p = power(y[c]);
    visit(c, p);
  }
}

/* The squared error of an example, in every lane: sum over classes of (z - [it is the label])^2. */
template <class ForEachClass>
DEVICE float squared_error(int label, ForEachClass for_each_class) {
  float sum = 0;
  for_each_class([&](int c, float &power) {
    const float off = c == label ? power - 1 : power;
    sum += off * off;
  });
  return warp_sum(sum);
}

/* Writes the sum of the warps' losses, which their first lanes hold. */
DEVICE void write_loss(double *to, double loss) {
  double *const parts = shared_memory<double>();
  if (threadIdx.x % CUONN_WARP == 0) parts[threadIdx.x / CUONN_WARP] = loss;
  sync_block();
  if (threadIdx.x == 0) {
    loss = 0;
    for (int w = 0; w < kWarps; w++) loss += parts[w];
    *to = loss;
  }
}

/* Grid: blocks of examples, models. One warp per example, some examples a warp. Counts are whole numbers, so that their
 * order does not matter. */
KERNEL k_readout(readout_task t) {
  const int n_classes = t.n_classes;
  const size_t model = blockIdx.y, counts = static_cast<size_t>(n_classes) * n_classes;
  const float2 *const y = t.y + model * t.n_examples * n_classes;
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP, warp = static_cast<int>(threadIdx.x) / CUONN_WARP;
  double loss = 0;
  for (int i = warp; i < CUONN_READOUT_EXAMPLES; i += kWarps) {
    const int example = static_cast<int>(blockIdx.x) * CUONN_READOUT_EXAMPLES + i;
    if (example >= t.n_examples) break;
    const float2 *from = y + static_cast<size_t>(example) * n_classes;
    const auto for_each_class = [&](auto visit) { visit_classes(from, n_classes, visit); };
    const int label = t.labels[example];
    float most = -1;
    int best = n_classes;
    for_each_class([&](int c, float &power) {
      if (power > most) {
        most = power;
        best = c;
      }
    });
    largest(most, best);
    double own;
    if (t.squared) {
      own = static_cast<double>(squared_error(label, for_each_class));
    } else {
      own = softmax_of<CUONN_WARP>(most, for_each_class).cross_entropy(power(from[label]));
    }
    if (lane == 0) {
      loss += own;
      if (best < n_classes) { /* NaN predicts nothing */
        atomic_add(t.confusion + model * counts + label * n_classes + best, 1u);
      }
    }
  }
  write_loss(t.losses + model * t.losses_distance + blockIdx.x, loss);
}

/* Derivatives of the loss by the powers of an example, [class]: of the cross entropy p - [it is the label]. */
struct loss_slopes {
  softmax probabilities;
  bool squared;
  int label;
  DEVICE float of(int c, float power) const {
    const float wanted = c == label ? 1.f : 0.f;
    if (squared) return 2 * (power - wanted);
    return expf(power - probabilities.most) / probabilities.sum - wanted;
  }
};

/* Grid: chunks, models; one warp per example. c is 0 beyond the batch. */
KERNEL k_loss(float2 *c, double *losses, const float2 *y, batch_task t) {
  const network_batch &batch = *t.batch;
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP, warp = static_cast<int>(threadIdx.x) / CUONN_WARP;
  const unsigned most_examples = static_cast<unsigned>(t.most_examples);
  if (blockIdx.x >= batch.n_chunks) return;
  const chunk_range range(blockIdx.x, most_examples, batch.n_chunks);
  const float weight = 2 * static_cast<float>(batch.share);
  double loss = 0;
  for (unsigned i = range.first + static_cast<unsigned>(warp); i < range.end; i += kWarps) {
    const size_t row = (static_cast<size_t>(blockIdx.y) * most_examples + i) * t.stride;
    const bool there = i < batch.count;
    const int label = there ? t.labels[example_of(t, i)] : -1;
    const auto for_each_class = [&](auto visit) { visit_classes(y + row, t.n_classes, visit); };
    loss_slopes slopes = {{0, 1}, t.squared, label};
    double own;
    if (t.squared) {
      own = static_cast<double>(squared_error(label, for_each_class));
    } else {
      float most = -1;
      for_each_class([&](int, float &power) { most = fmaxf(most, power); });
      slopes.probabilities = softmax_of<CUONN_WARP>(example_max<CUONN_WARP>(most), for_each_class);
      own = there ? slopes.probabilities.cross_entropy(power(y[row + label])) : 0;
    }
    if (there && lane == 0) loss += own;
    for (int w = lane; w < t.n_written; w += CUONN_WARP) {
      float2 to = make_float2(0, 0);
      if (there && w < t.n_classes) {
        const float2 field = y[row + w];
        to = weight * slopes.of(w, power(field)) * field;
      }
      c[row + w] = to;
    }
  }
  write_loss(losses + static_cast<size_t>(blockIdx.y) * t.most_chunks + blockIdx.x, loss);
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_gather(float2 *x, const batch_task *task, cudaStream_t stream) {
  const size_t elements = static_cast<size_t>(task->most_examples) * static_cast<size_t>(task->stride);
  const dim3 grid(blocks_for(elements, 256), task->order ? static_cast<unsigned>(task->n_models) : 1);
  return CUONN_LAUNCH(k_gather, grid, dim3(256), 0, stream, x, *task);
}

/* A launcher of the kernels of one law, by its kind. */
template <template <class> class Launcher, class... Arguments>
static cudaError_t by_law(const field_law &law, Arguments... arguments) {
  switch (law.kind) {
    case CUONN_NONLINEARITY_SQUARE: return Launcher<square_law>::launch(law, arguments...);
    case CUONN_NONLINEARITY_SATURABLE: return Launcher<passing_law<saturable_law>>::launch(law, arguments...);
    case CUONN_NONLINEARITY_ELECTRO_OPTIC: return Launcher<passing_law<electro_optic_law>>::launch(law, arguments...);
    default: return Launcher<modulus_law>::launch(law, arguments...);
  }
}

template <class Law>
struct pass_launcher {
  static cudaError_t launch(const field_law &law, float *out, const float2 *y, size_t count, cudaStream_t stream) {
    return CUONN_LAUNCH(k_pass<Law>, dim3(blocks_for(count, 256)), dim3(256), 0, stream, out, y, count, law);
  }
};

template <class Law>
struct pass_back_launcher {
  static cudaError_t launch(const field_law &law, float2 *c, const float *u, const float2 *y, size_t count,
                            cudaStream_t stream) {
    return CUONN_LAUNCH(k_pass_back<Law>, dim3(blocks_for(count, 256)), dim3(256), 0, stream, c, u, y, count, law);
  }
};

extern "C" cudaError_t launch_pass(float *out, const float2 *y, size_t count, const field_law *law,
                                   cudaStream_t stream) {
  return by_law<pass_launcher>(*law, out, y, count, stream);
}

extern "C" cudaError_t launch_pass_back(float2 *c, const float *u, const float2 *y, size_t count, const field_law *law,
                                        cudaStream_t stream) {
  return by_law<pass_back_launcher>(*law, c, u, y, count, stream);
}

extern "C" cudaError_t launch_readout(const readout_task *task, cudaStream_t stream) {
  const unsigned blocks = blocks_for(static_cast<size_t>(task->n_examples), CUONN_READOUT_EXAMPLES);
  return CUONN_LAUNCH(k_readout, dim3(blocks, static_cast<unsigned>(task->n_models)), dim3(kWarps * CUONN_WARP),
                      kWarps * sizeof(double), stream, *task);
}

extern "C" cudaError_t launch_loss(float2 *c, double *losses, const float2 *y, const batch_task *task,
                                   cudaStream_t stream) {
  return CUONN_LAUNCH(k_loss, dim3(task->most_chunks, static_cast<unsigned>(task->n_models)), dim3(kWarps * CUONN_WARP),
                      kWarps * sizeof(double), stream, c, losses, y, *task);
}
