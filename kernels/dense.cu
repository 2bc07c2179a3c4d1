/* Before, between and behind the matrix products by which batches pass networks: evaluation, and the digital half of
 * training in situ. Element by element, neighbouring threads at neighbouring addresses; where an example is summed
 * over, one warp per example. */
#include "dense.h"

#include "complex_numbers.h"
#include "device.h"

static constexpr int kWarps = 8;

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Grid: examples x stride, models. */
KERNEL k_gather(float2 *x, batch_task t) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const unsigned at = static_cast<unsigned>(i / t.stride);
  if (at >= static_cast<unsigned>(t.most_examples)) return;
  float2 field = make_float2(0, 0);
  if (at < t.batch->count) {
    size_t example = t.batch->first + at;
    if (t.order) example = t.order[static_cast<size_t>(blockIdx.y) * t.n_examples + example];
    field = t.fields[example * t.stride + i % t.stride];
  }
  x[static_cast<size_t>(blockIdx.y) * t.most_examples * t.stride + i] = field;
}

KERNEL k_modulus(float *out, const float2 *y, size_t count) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) out[i] = sqrtf(power(y[i]));
}

/* d|y| = Re(conj(y) dy) / |y|, 0 where y is 0 */
KERNEL k_modulus_back(float2 *c, const float *u, const float2 *y, size_t count) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float size = power(y[i]);
  c[i] = (size == 0 ? 0 : u[i] / sqrtf(size)) * y[i]; /* == so that NaN stays NaN */
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

/* One warp per example, some examples a warp. Counts are whole numbers, so that their order does not matter. */
KERNEL k_readout(double *losses, unsigned *confusion, const float2 *y, const uint8_t *labels, int n_classes,
                 int n_examples) {
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP, warp = static_cast<int>(threadIdx.x) / CUONN_WARP;
  double loss = 0;
  for (int i = warp; i < CUONN_READOUT_EXAMPLES; i += kWarps) {
    const int example = static_cast<int>(blockIdx.x) * CUONN_READOUT_EXAMPLES + i;
    if (example >= n_examples) break;
    const float2 *from = y + static_cast<size_t>(example) * n_classes;
    const int label = labels[example];
    float most = -1, sum = 0;
    int best = n_classes;
    for (int c = lane; c < n_classes; c += CUONN_WARP) {
      const float p = power(from[c]);
      if (p > most) {
        most = p;
        best = c;
      }
    }
    largest(most, best);
    for (int c = lane; c < n_classes; c += CUONN_WARP) sum += expf(power(from[c]) - most);
    sum = warp_sum(sum);
    if (lane == 0) {
      loss += static_cast<double>(logf(sum)) + static_cast<double>(most) - static_cast<double>(power(from[label]));
      if (best < n_classes) atomic_add(confusion + label * n_classes + best, 1u); /* NaN predicts nothing */
    }
  }
  double *const parts = shared_memory<double>();
  if (lane == 0) parts[warp] = loss;
  sync_block();
  if (threadIdx.x == 0) {
    double total = 0;
    for (int w = 0; w < kWarps; w++) total += parts[w];
    losses[blockIdx.x] = total;
  }
}

/* Grid: chunks, models; one warp per example. Examples that are not there get c = 0. */
KERNEL k_cross_entropy(float2 *c, double *losses, const float2 *y, batch_task t) {
  const network_batch &batch = *t.batch;
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP, warp = static_cast<int>(threadIdx.x) / CUONN_WARP;
  const unsigned most = static_cast<unsigned>(t.most_examples);
  if (blockIdx.x >= batch.n_chunks) return;
  const unsigned first = static_cast<unsigned>(static_cast<unsigned long long>(blockIdx.x) * most / batch.n_chunks);
  const unsigned end = static_cast<unsigned>((blockIdx.x + 1ull) * most / batch.n_chunks);
  double loss = 0;
  for (unsigned i = first + static_cast<unsigned>(warp); i < end; i += kWarps) {
    const size_t row = (static_cast<size_t>(blockIdx.y) * most + i) * t.stride;
    const bool there = i < batch.count;
    int label = -1;
    if (there) {
      size_t example = batch.first + i;
      if (t.order) example = t.order[static_cast<size_t>(blockIdx.y) * t.n_examples + example];
      label = t.labels[example];
    }
    float most_power = -1, own = 0, sum = 0;
    for (int w = lane; w < t.n_classes; w += CUONN_WARP) {
      const float p = power(y[row + w]);
      most_power = fmaxf(most_power, p);
      if (w == label) own = p;
    }
    for (int mask = CUONN_WARP / 2; mask > 0; mask /= 2) most_power = fmaxf(most_power, shuffle_xor(most_power, mask));
    for (int w = lane; w < t.n_classes; w += CUONN_WARP) sum += expf(power(y[row + w]) - most_power);
    sum = warp_sum(sum);
    own = warp_sum(own);
    if (there && lane == 0)
      loss += static_cast<double>(most_power) - static_cast<double>(own) + static_cast<double>(logf(sum));
    for (int w = lane; w < t.n_modes; w += CUONN_WARP) {
      float2 to = make_float2(0, 0);
      if (there && w < t.n_classes) {
        const float2 field = y[row + w];
        const float wanted = w == label ? 1.f : 0.f;
        to = 2 * static_cast<float>(batch.share) * (expf(power(field) - most_power) / sum - wanted) * field;
      }
      c[row + w] = to;
    }
  }
  double *const parts = shared_memory<double>();
  if (lane == 0) parts[warp] = loss;
  sync_block();
  if (threadIdx.x == 0) {
    loss = 0;
    for (int w = 0; w < kWarps; w++) loss += parts[w];
    losses[static_cast<size_t>(blockIdx.y) * t.most_chunks + blockIdx.x] = loss;
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_gather(float2 *x, const batch_task *task, cudaStream_t stream) {
  const size_t elements = static_cast<size_t>(task->most_examples) * static_cast<size_t>(task->stride);
  const dim3 grid(blocks_for(elements, 256), task->order ? static_cast<unsigned>(task->n_models) : 1);
  return CUONN_LAUNCH(k_gather, grid, dim3(256), 0, stream, x, *task);
}

extern "C" cudaError_t launch_modulus(float *out, const float2 *y, size_t count, cudaStream_t stream) {
  return CUONN_LAUNCH(k_modulus, dim3(blocks_for(count, 256)), dim3(256), 0, stream, out, y, count);
}

extern "C" cudaError_t launch_modulus_back(float2 *c, const float *u, const float2 *y, size_t count,
                                           cudaStream_t stream) {
  return CUONN_LAUNCH(k_modulus_back, dim3(blocks_for(count, 256)), dim3(256), 0, stream, c, u, y, count);
}

extern "C" cudaError_t launch_readout(double *losses, unsigned *confusion, const float2 *y, const uint8_t *labels,
                                      int n_classes, int n_examples, cudaStream_t stream) {
  const unsigned blocks = blocks_for(static_cast<size_t>(n_examples), CUONN_READOUT_EXAMPLES);
  return CUONN_LAUNCH(k_readout, dim3(blocks), dim3(kWarps * CUONN_WARP), kWarps * sizeof(double), stream, losses,
                      confusion, y, labels, n_classes, n_examples);
}

extern "C" cudaError_t launch_cross_entropy(float2 *c, double *losses, const float2 *y, const batch_task *task,
                                            cudaStream_t stream) {
  return CUONN_LAUNCH(k_cross_entropy, dim3(task->most_chunks, static_cast<unsigned>(task->n_models)),
                      dim3(kWarps * CUONN_WARP), kWarps * sizeof(double), stream, c, losses, y, *task);
}
