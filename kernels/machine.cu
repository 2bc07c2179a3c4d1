/* The two limits of a device: bytes and multiply-adds a second. */
#include "machine.h"

#include "device.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Whole lines, one after another over all blocks: the bandwidth of the memory. */
KERNEL k_copy(float4 *to, const float4 *from, size_t count) {
  const size_t step = static_cast<size_t>(gridDim.x) * blockDim.x;
  for (size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) to[i] = from[i];
}

/* Eight chains hide the latency of a multiply-add. */
KERNEL k_multiply_adds(float *out, long long *cycles, int n_rounds) {
  const long long begin = clock_cycles();
  const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  const float a = 1.0f - 1e-6f * static_cast<float>(thread % 7), b = 1e-6f;
  float x[8];
#pragma unroll
  for (int i = 0; i < 8; i++) x[i] = static_cast<float>(i);
  for (int round = 0; round < n_rounds; round++) {
#pragma unroll
    for (int repeat = 0; repeat < 8; repeat++) {
#pragma unroll
      for (int i = 0; i < 8; i++) x[i] = __fmaf_rn(x[i], a, b);
    }
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < 8; i++) sum += x[i];
  out[thread] = sum;
  if (thread == 0) *cycles = clock_cycles() - begin;
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_copy(float4 *to, const float4 *from, size_t count, cudaStream_t stream) {
  const size_t blocks = (count + 255) / 256;
  return CUONN_LAUNCH(k_copy, dim3(static_cast<unsigned>(blocks < 65536 ? blocks : 65536)), dim3(256), 0, stream, to,
                      from, count);
}

extern "C" cudaError_t launch_multiply_adds(float *out, long long *cycles, int n_blocks, int n_rounds,
                                            cudaStream_t stream) {
  return CUONN_LAUNCH(k_multiply_adds, dim3(static_cast<unsigned>(n_blocks)), dim3(256), 0, stream, out, cycles,
                      n_rounds);
}

extern "C" cudaError_t find_kernels(void) {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, k_copy);
}
