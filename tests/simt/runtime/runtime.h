/* What the parts of the emulation know of each other. */
#ifndef SIMT_RUNTIME_H
#define SIMT_RUNTIME_H

#include <cuda_runtime.h>

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <simt.h>

#define CUONN_WARP 32
#include <simt_device.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
inline void __asan_poison_memory_region(const volatile void *, size_t) {}
inline void __asan_unpoison_memory_region(const volatile void *, size_t) {}
inline void __sanitizer_start_switch_fiber(void **, const void *, size_t) {}
inline void __sanitizer_finish_switch_fiber(void *, const void **, size_t *) {}
#endif

/* Memory whose edges are watched: by AddressSanitizer where it is at hand, else by guard words. */
struct simt_memory_block {
  char *data = nullptr;
  size_t bytes = 0;
  int device = 0;

  explicit simt_memory_block(size_t bytes_);
  ~simt_memory_block();
  simt_memory_block(const simt_memory_block &) = delete;
  simt_memory_block &operator=(const simt_memory_block &) = delete;
  void poison(uint32_t word);
  bool whole() const;
};

/* While one lives, memory of the current device may be touched; at other times AddressSanitizer reports it, for it is
 * out of the host's reach, and of other devices'. */
struct simt_device_open {
  simt_device_open();
  ~simt_device_open();
};

struct simt_one_device {
  int multiprocessors = 2;
  size_t shared_optin = 232448;
  size_t memory = size_t(1) << 30;
  long launches_left = -1;
  cudaError_t sticky = cudaSuccess;
};

struct simt_state {
  simt_one_device devices[SIMT_DEVICES];
  simt_kind kind = SIMT_GPU;
  cudaError_t no_code = cudaErrorNoKernelImageForDevice;  // what SIMT_OLD_GPU says of a kernel
  long mallocs_left = -1;
  std::string error;
};
extern simt_state simt_now;
extern thread_local int simt_current; /* device of the calling thread */
inline simt_one_device &simt_one() { return simt_now.devices[simt_current]; }

/* Threads take turns: each call of the runtime is one, and so is each kernel. */
extern std::recursive_mutex simt_turns;
#define SIMT_TURN const std::lock_guard<std::recursive_mutex> turn(simt_turns)
extern size_t simt_objects; /* streams, events, graphs, plans and handles that are alive */

/* Each word of device memory until it is written: NaN as a float, and as a double one that no computation gives,
 * because it would be a quiet one. */
enum : uint32_t { SIMT_UNWRITTEN = 0x7ff5a5edu };

enum { SIMT_THREADS_PER_MULTIPROCESSOR = 2048, SIMT_BLOCKS_PER_MULTIPROCESSOR = 32 };

/* Runs a kernel; if it fails, the reason is in simt_now.error. */
cudaError_t simt_run_kernel(dim3 grid, dim3 block, size_t shared_bytes, bool cooperative,
                            const std::function<void()> &body);

/* Keeps the error for cudaGetLastError, and gives it back. */
cudaError_t simt_fail(cudaError_t error);
/* Runs it now, or records it where the stream is being captured. */
cudaError_t simt_perform(cudaStream_t stream, std::function<cudaError_t()> work);
/* Whether the bytes lie within one allocation of memory of the current device. */
bool simt_on_device(const void *pointer, size_t bytes);
/* Whether one of these words still is as fresh device memory is. */
bool simt_unwritten(const void *pointer, size_t bytes);
/* Whether a call that allocates, frees or waits comes while a stream is being captured: it is refused, and has spoiled
 * the capture. */
bool simt_spoils_capture(void);
/* Whether the stream is alive and the device well, which has to be the current one. */
cudaError_t simt_check_stream(cudaStream_t stream);
/* Fails the launch that runs or the call that is made, for good. */
cudaError_t simt_lose(cudaError_t error, const std::string &why);

#endif
