/* Between and behind the matrix products of the dense path. */
#include "readout.h"

#include "complex_numbers.h"
#include "device.h"

static constexpr int kWarps = 8;

/* ---------------------------------------------------------------------------------------------------------- kernels */

KERNEL k_modulus(float *out, const float2 *y, size_t count) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) out[i] = sqrtf(power(y[i]));
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

/* One warp an example, some examples a warp. Counts are whole numbers, so that their order does not matter. */
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

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_modulus(float *out, const float2 *y, size_t count, cudaStream_t stream) {
  const unsigned threads = 256;
  return CUONN_LAUNCH(k_modulus, dim3(static_cast<unsigned>((count + threads - 1) / threads)), dim3(threads), 0, stream,
                      out, y, count);
}

extern "C" cudaError_t launch_readout(double *losses, unsigned *confusion, const float2 *y, const uint8_t *labels,
                                      int n_classes, int n_examples, cudaStream_t stream) {
  const unsigned blocks = static_cast<unsigned>((n_examples + CUONN_READOUT_EXAMPLES - 1) / CUONN_READOUT_EXAMPLES);
  return CUONN_LAUNCH(k_readout, dim3(blocks), dim3(kWarps * CUONN_WARP), kWarps * sizeof(double), stream, losses,
                      confusion, y, labels, n_classes, n_examples);
}
