/* Images to fields, around cuFFT's transform: one kernel before it, and one after it that selects the frequencies in
 * the order of the shifted spectrum and normalizes. */
#include "fourier.h"

#include "complex_numbers.h"
#include "device.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Grid: pixels. */
KERNEL k_pixels(float *out, const uint8_t *pixels, size_t count) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) out[i] = pixels[i];
}

/* The spectrum at frequency f[0] down and f[1] across. The transform of real numbers gives half of the spectrum; the
 * other half holds the conjugates at opposite frequencies. */
DEVICE float2 frequency(const float2 *half, const int *f, int height, int width) {
  const int v = f[0] < 0 ? f[0] + height : f[0];
  const int u = f[1] < 0 ? f[1] + width : f[1], stored = width / 2 + 1;
  return u < stored ? half[v * stored + u] : conjugate(half[(height - v) % height * stored + width - u]);
}

/* One warp per image; the half spectrum is read twice, the second time from the L1 or L2 cache. */
KERNEL k_crop(float2 *out, const float2 *half, const int *frequencies, int height, int width, int n, bool reference,
              int stride, int n_images) {
  const int image = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / CUONN_WARP);
  const int lane = static_cast<int>(threadIdx.x) % CUONN_WARP;
  if (image >= n_images) return;
  half += static_cast<size_t>(image) * height * (width / 2 + 1);
  out += static_cast<size_t>(image) * stride;
  float sum = 0;
  for (int k = lane; k < n; k += CUONN_WARP) sum += sqrtf(power(frequency(half, frequencies + 2 * k, height, width)));
  sum = warp_sum(sum);
  const float scale = sum == 0 ? 0 : static_cast<float>(n) / sum;
  for (int k = lane; k < stride; k += CUONN_WARP) {
    out[k] = k < n ? scale * frequency(half, frequencies + 2 * k, height, width)
                   : make_float2(reference && k == n ? 1 : 0, 0);
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

static const unsigned kThreads = 256;

extern "C" cudaError_t launch_pixels(float *out, const uint8_t *pixels, size_t count, cudaStream_t stream) {
  return CUONN_LAUNCH(k_pixels, dim3(blocks_for(count, kThreads)), dim3(kThreads), 0, stream, out, pixels, count);
}

extern "C" cudaError_t launch_crop(float2 *out, const float2 *half, const int *frequencies, int height, int width,
                                   int n, bool reference, int stride, int n_images, cudaStream_t stream) {
  return CUONN_LAUNCH(k_crop, dim3(blocks_for(static_cast<size_t>(n_images), kThreads / CUONN_WARP)), dim3(kThreads), 0,
                      stream, out, half, frequencies, height, width, n, reference, stride, n_images);
}
