/* Additions of a tree over arrays in memory: one thread a number, which reads and writes each array once. */
#include "shards.h"

#include "device.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Grid: numbers. */
KERNEL k_leaves(float *out, const float *in, leaf_sums of, size_t count, size_t distance) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= count) return;
  float sums[CUONN_LEAVES];
#pragma unroll
  for (int leaf = 0; leaf < CUONN_LEAVES; leaf++) {
    const bool present = of.present >> leaf & 1;
    sums[leaf] = present ? in[i] : 0;
    if (present) in += distance;
  }
  unsigned adds = of.adds;
#pragma unroll
  for (int apart = 1; apart < CUONN_LEAVES; apart *= 2) {
#pragma unroll
    for (int leaf = 0; leaf < CUONN_LEAVES; leaf += 2 * apart, adds >>= 1) {
      if (adds & 1) sums[leaf] += sums[leaf + apart];
    }
  }
#pragma unroll
  for (int leaf = 0; leaf < CUONN_LEAVES; leaf++) {
    if (!(of.left >> leaf & 1)) continue;
    out[i] = sums[leaf];
    out += distance;
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_leaves(float *out, const float *in, const leaf_sums *sums, size_t count, size_t distance,
                                     cudaStream_t stream) {
  return CUONN_LAUNCH(k_leaves, dim3(blocks_for(count, 256)), dim3(256), 0, stream, out, in, *sums, count, distance);
}
