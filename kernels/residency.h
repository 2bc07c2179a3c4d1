/* How many blocks of a kernel are resident on the device at once, and what follows for kernels that walk through meshes
 * (walk.h): two buffers, so that a panel is copied while the block works on the one before, or one, which takes less
 * shared memory and may let more blocks run. What needs fewer waves of blocks is faster; of the same number, two
 * buffers are. */
#ifndef CUONN_KERNELS_RESIDENCY_H
#define CUONN_KERNELS_RESIDENCY_H

#include "device.h"
#include "mesh.h"

/* Of one kernel. Launchers keep one as static thread_local: to ask the driver takes longer than a launch. */
class panel_buffers {
 public:
  /* Launches blocks of CUONN_BLOCK threads; the kernel's last parameter is the number of buffers. shared_bytes(n): of a
   * block with n of them; limit: what a block may ask for. */
  template <class... Parameters, class Bytes, class... Arguments>
  cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, Bytes shared_bytes, size_t limit, cudaStream_t stream,
                     const Arguments &...arguments) {
    const cudaError_t asked = ask(reinterpret_cast<const void *>(kernel), shared_bytes, limit);
    if (asked != cudaSuccess) return asked;
    const size_t n_blocks = static_cast<size_t>(grid.x) * grid.y * grid.z;
    const auto waves = [&](size_t resident) { return (n_blocks + resident - 1) / resident; };
    const int n_buffers = resident_[1] > 0 && waves(resident_[1]) <= waves(resident_[0]) ? 2 : 1;
    return CUONN_LAUNCH(kernel, grid, dim3(CUONN_BLOCK), shared_bytes(n_buffers), stream, arguments..., n_buffers);
  }

  /* The most blocks that are resident at once. */
  template <class... Parameters, class Bytes>
  cudaError_t most(unsigned *n_blocks, void (*kernel)(Parameters...), Bytes shared_bytes, size_t limit) {
    const cudaError_t asked = ask(reinterpret_cast<const void *>(kernel), shared_bytes, limit);
    *n_blocks = static_cast<unsigned>(resident_[0] > resident_[1] ? resident_[0] : resident_[1]);
    return asked;
  }

 private:
  int device_ = -1;             /* which the numbers are of */
  size_t resident_[2] = {1, 0}; /* blocks on the whole device, with one buffer and with two */

  template <class Bytes>
  cudaError_t ask(const void *kernel, Bytes shared_bytes, size_t limit) {
    int device, multiprocessors, blocks[2] = {0, 0};
    cudaError_t status = cudaGetDevice(&device);
    if (status == cudaSuccess && device == device_) return cudaSuccess;
    if (status == cudaSuccess)
      status = cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
    for (int i = 0; i < 2 && status == cudaSuccess; i++) {
      const size_t bytes = shared_bytes(i + 1);
      if (i == 1 && bytes > limit) break;
      status = cuonn_allow_shared(kernel, bytes);
      if (status == cudaSuccess)
        status = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks[i], kernel, CUONN_BLOCK, bytes);
    }
    if (status != cudaSuccess) {
      (void)cudaGetLastError(); /* returned here, not again by the next call */
      return status;
    }
    for (int i = 0; i < 2; i++) resident_[i] = static_cast<size_t>(blocks[i]) * static_cast<size_t>(multiprocessors);
    if (resident_[0] == 0) resident_[0] = 1; /* no block fits: the launch will say so */
    device_ = device;
    return cudaSuccess;
  }
};

#endif
