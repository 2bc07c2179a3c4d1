/* The twins of what kernels/device.h offers: every barrier, shuffle and vote is a meeting of a warp's, a block's or the
 * grid's fibers, and says where in the source it stands, so that lanes at different meetings are told apart. */
#ifndef SIMT_DEVICE_H
#define SIMT_DEVICE_H

#include <functional>
#include <type_traits>

#define KERNEL void
#define DEVICE inline __attribute__((always_inline))

struct simt_place {
  uint3 thread, block;
  dim3 block_size, grid_size;
  void *shared;
};
extern const simt_place *simt_here; /* of the fiber that runs */
#define threadIdx (simt_here->thread)
#define blockIdx (simt_here->block)
#define blockDim (simt_here->block_size)
#define gridDim (simt_here->grid_size)

enum simt_meeting {
  SIMT_SYNC_WARP,
  SIMT_SHUFFLE,
  SIMT_SHUFFLE_UP,
  SIMT_SHUFFLE_DOWN,
  SIMT_SHUFFLE_XOR,
  SIMT_BALLOT,
  SIMT_WARP_SUM,
  SIMT_SYNC_BLOCK,
  SIMT_SYNC_GRID
};
/* Waits for all who must come; gives what the meeting gave to this lane. */
uint64_t simt_meet(simt_meeting meeting, uint64_t value, int argument, const char *file, int line);
cudaError_t simt_launch(const void *kernel, dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
                        bool cooperative, std::function<void()> body);

template <class T>
DEVICE T *shared_memory() {
  return static_cast<T *>(simt_here->shared);
}

#define SIMT_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()
DEVICE void sync_block(SIMT_SITE) { simt_meet(SIMT_SYNC_BLOCK, 0, 0, file, line); }
DEVICE void sync_warp(SIMT_SITE) { simt_meet(SIMT_SYNC_WARP, 0, 0, file, line); }
DEVICE void sync_grid(SIMT_SITE) { simt_meet(SIMT_SYNC_GRID, 0, 0, file, line); }

template <class T>
DEVICE T simt_exchange(simt_meeting meeting, T value, int argument, const char *file, int line) {
  static_assert(std::is_arithmetic<T>::value && sizeof(T) <= 8, "lanes exchange numbers");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = simt_meet(meeting, bits, argument, file, line);
  memcpy(&value, &bits, sizeof value);
  return value;
}
template <class T>
DEVICE T shuffle(T value, int lane, SIMT_SITE) {
  return simt_exchange(SIMT_SHUFFLE, value, lane, file, line);
}
template <class T>
DEVICE T shuffle_up(T value, unsigned delta, SIMT_SITE) {
  return simt_exchange(SIMT_SHUFFLE_UP, value, (int)delta, file, line);
}
template <class T>
DEVICE T shuffle_down(T value, unsigned delta, SIMT_SITE) {
  return simt_exchange(SIMT_SHUFFLE_DOWN, value, (int)delta, file, line);
}
template <class T>
DEVICE T shuffle_xor(T value, int mask, SIMT_SITE) {
  return simt_exchange(SIMT_SHUFFLE_XOR, value, mask, file, line);
}

/* What is copied arrives as late as it may: until the wait for it, NaN stands there. */
void simt_copy_16(void *to, const void *from, const char *file, int line);
void simt_copy_group();
void simt_copy_wait(size_t newest);
DEVICE void copy_16(void *to, const void *from, SIMT_SITE) { simt_copy_16(to, from, file, line); }
DEVICE void copy_group() { simt_copy_group(); }
template <int kNewest>
DEVICE void copy_wait() {
  simt_copy_wait(kNewest);
}

DEVICE unsigned which_lanes(bool p, SIMT_SITE) { return (unsigned)simt_meet(SIMT_BALLOT, p, 0, file, line); }
DEVICE bool any_lane(bool p, SIMT_SITE) { return which_lanes(p, file, line) != 0; }
DEVICE bool all_lanes(bool p, SIMT_SITE) { return which_lanes(p, file, line) == 0xffffffffu; }

/* Floats, of which there are many, are added in one meeting; others as on the device, to the same order. */
template <class T>
DEVICE T warp_sum(T value, SIMT_SITE) {
  if (std::is_same<T, float>::value) return simt_exchange(SIMT_WARP_SUM, value, 0, file, line);
  for (int mask = CUONN_WARP / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask, file, line);
  return value;
}

DEVICE long long clock_cycles() { return 0; }

DEVICE unsigned atomic_add(unsigned *target, unsigned value) {
  const unsigned before = *target; /* one fiber runs at a time, and switches at meetings only */
  *target = before + value;
  return before;
}

static inline cudaError_t cuonn_allow_shared(const void *kernel, size_t bytes) {
  if (bytes <= 48 * 1024) return cudaSuccess;
  const cudaError_t asked =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  if (asked != cudaSuccess) (void)cudaGetLastError();
  return asked;
}

template <bool kCooperative, class... Parameters, class... Arguments>
cudaError_t cuonn_launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
                         Arguments... arguments) {
  const void *entry = reinterpret_cast<const void *>(kernel);
  const cudaError_t allowed = cuonn_allow_shared(entry, shared_bytes);
  if (allowed != cudaSuccess) return allowed;
  const auto body = [kernel](Parameters... values) { return std::function<void()>([=] { kernel(values...); }); };
  const cudaError_t launched =
      simt_launch(entry, grid, block, shared_bytes, stream, kCooperative, body(static_cast<Parameters>(arguments)...));
  if (launched != cudaSuccess) (void)cudaGetLastError();
  return launched;
}

#endif
