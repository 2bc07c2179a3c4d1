/* What device code uses beyond plain C++: shared memory and copies to it, barriers, shuffles, votes, sums, one atomic,
 * grid-wide barriers and launches. All kernels take these from here alone, because each is defined twice: below, for
 * nvcc, and in simt_device.h, with which the tests run the same kernels on a CPU (tests/simt). Operations on a warp
 * need the full warp: all 32 lanes call them together.
 *
 * A kernel is written   template <int kN> KERNEL k_name(float *out, ...) { float *s = shared_memory<float>(); ... }
 * and launched          CUONN_LAUNCH(k_name<64>, grid, block, shared_bytes, stream, out, ...)
 * A name with a comma in it goes into parentheses: (k_name<64, true>). Both launch macros give a cudaError_t. */
#ifndef CUONN_KERNELS_DEVICE_H
#define CUONN_KERNELS_DEVICE_H

#include <cuda_runtime.h>
#include <stddef.h>

#define CUONN_WARP 32

#ifdef __CUDACC__
#include <cooperative_groups.h>
#include <cuda_pipeline.h>

#define KERNEL __global__ void
#define DEVICE __device__ __forceinline__

/* Base of the block's dynamic shared memory. */
template <class T>
DEVICE T *shared_memory() {
  extern __shared__ __align__(16) unsigned char cuonn_shared_bytes[];
  return reinterpret_cast<T *>(cuonn_shared_bytes);
}

DEVICE void sync_block() { __syncthreads(); }
DEVICE void sync_warp() { __syncwarp(); }
DEVICE void sync_grid() { cooperative_groups::this_grid().sync(); } /* in cooperative launches only */

/* The value of another lane; up, down: a lane without such a neighbour keeps its own. */
template <class T>
DEVICE T shuffle(T value, int lane) {
  return __shfl_sync(0xffffffffu, value, lane);
}
template <class T>
DEVICE T shuffle_up(T value, unsigned delta) {
  return __shfl_up_sync(0xffffffffu, value, delta);
}
template <class T>
DEVICE T shuffle_down(T value, unsigned delta) {
  return __shfl_down_sync(0xffffffffu, value, delta);
}
template <class T>
DEVICE T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}

/* Asynchronous copies from global to shared memory. copy_group() closes a group of the copies since the last one;
 * copy_wait<n>() returns when all groups of this thread but the newest n are complete; other threads see them after a
 * barrier. to and from are aligned to 16 bytes. */
DEVICE void copy_16(void *to, const void *from) { __pipeline_memcpy_async(to, from, 16); }
DEVICE void copy_group() { __pipeline_commit(); }
template <int kNewest>
DEVICE void copy_wait() {
  __pipeline_wait_prior(kNewest);
}

DEVICE bool any_lane(bool p) { return __any_sync(0xffffffffu, p); }
DEVICE bool all_lanes(bool p) { return __all_sync(0xffffffffu, p); }
DEVICE unsigned which_lanes(bool p) { return __ballot_sync(0xffffffffu, p); } /* CUDA keeps the name ballot */

/* Sum over the warp, in every lane, always in the same order: pairs 16 apart, then 8, 4, 2, 1. */
template <class T>
DEVICE T warp_sum(T value) {
#pragma unroll
  for (int mask = CUONN_WARP / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

DEVICE long long clock_cycles() { return clock64(); } /* of the multiprocessor; 0 where there is none */

DEVICE unsigned atomic_add(unsigned *target, unsigned value) { return atomicAdd(target, value); }

/* More than 48 KiB of dynamic shared memory a block must be requested for each kernel. */
static inline cudaError_t cuonn_allow_shared(const void *kernel, size_t bytes) {
  if (bytes <= 48 * 1024) return cudaSuccess;
  const cudaError_t asked =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  if (asked != cudaSuccess) (void)cudaGetLastError();
  return asked;
}

/* Launches with the arguments converted to the kernel's own types. */
template <bool kCooperative, class... Parameters, class... Arguments>
cudaError_t cuonn_launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
                         Arguments... arguments) {
  const void *entry = reinterpret_cast<const void *>(kernel);
  const cudaError_t allowed = cuonn_allow_shared(entry, shared_bytes);
  if (allowed != cudaSuccess) return allowed;
  const auto launch = [&](Parameters... values) {
    void *pointers[] = {const_cast<void *>(static_cast<const void *>(&values))..., nullptr};
    return kCooperative ? cudaLaunchCooperativeKernel(entry, grid, block, pointers, shared_bytes, stream)
                        : cudaLaunchKernel(entry, grid, block, pointers, shared_bytes, stream);
  };
  const cudaError_t launched = launch(static_cast<Parameters>(arguments)...);
  if (launched != cudaSuccess) (void)cudaGetLastError(); /* returned here, not again by the next call */
  return launched;
}

#else
#include <simt_device.h> /* found in tests/simt */
#endif

/* Sum over each group of kLanes lanes, a power of 2, side by side, in every one of them: in the order of warp_sum(). */
template <int kLanes, class T>
DEVICE T group_sum(T value) {
#pragma unroll
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

/* Blocks of so many threads for one thread per element. */
static inline unsigned blocks_for(size_t elements, unsigned threads) {
  return static_cast<unsigned>((elements + threads - 1) / threads);
}

#define CUONN_LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  cuonn_launch<false>(kernel, grid, block, shared_bytes, stream, __VA_ARGS__)
#define CUONN_LAUNCH_COOPERATIVE(kernel, grid, block, shared_bytes, stream, ...) \
  cuonn_launch<true>(kernel, grid, block, shared_bytes, stream, __VA_ARGS__)

#endif
