/* The CUDA runtime's functions. Work is done when it is asked for, or recorded where its stream is being captured; only
 * what asynchronous copies do to pinned memory waits until the host waits for them. What CUDA would refuse, or leave
 * undefined, is refused. */
#include "runtime.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <thread>

struct CUgraph_st {
  int device = simt_current;
  std::vector<std::function<cudaError_t()>> nodes;
};
struct CUgraphExec_st : CUgraph_st {};
struct capture {
  cudaStream_t origin;
  std::thread::id by = std::this_thread::get_id();
  CUgraph_st graph;
  bool invalid = false;
  std::set<cudaStream_t> unjoined; /* forked streams whose last work the origin does not wait for */
};
struct CUstream_st {
  int device;
  bool blocking;
  std::shared_ptr<capture> into; /* while it is being captured */
};
struct CUevent_st {
  int device = simt_current;
  bool timed, recorded = false;
  std::chrono::steady_clock::time_point when;
  std::weak_ptr<capture> into; /* was recorded in this capture, */
  cudaStream_t from = nullptr; /* by this stream, */
  size_t copies = 0;           /* after so many copies */
};

simt_state simt_now;
thread_local int simt_current;
std::recursive_mutex simt_turns;
size_t simt_objects;

namespace {

std::map<const char *, std::unique_ptr<simt_memory_block>> device_memory, pinned_memory;
thread_local cudaError_t last_error;
size_t device_bytes[SIMT_DEVICES], kernels_run, queued, waits;
std::set<cudaStream_t> streams;
std::set<cudaEvent_t> events;
std::map<std::pair<int, const void *>, int> shared_asked; /* device, kernel -> bytes */

constexpr size_t kGuard = 256;
constexpr uint32_t kGuardWord = 0x7fffbeefu; /* NaN as a float, so that reads beyond the edge are seen too */
constexpr uint32_t kNoNumber = 0xffffffffu;  /* NaN as a float and as a double */

/* An asynchronous copy from or to pinned memory, which goes on until the host waits for one of these streams. */
struct copy_under_way {
  size_t number;
  int device;
  std::set<cudaStream_t> streams;
  char *host;
  bool to_host;
  std::vector<char> bytes;
};
std::vector<copy_under_way> under_way;
size_t copies_begun;
const cudaStream_t *graph_runs_in; /* while a graph is run */

/* The copies that are such are done. */
template <class Such>
cudaError_t finish_such(Such such) {
  bool changed = false;
  std::vector<copy_under_way> left;
  for (copy_under_way &copy : under_way) {
    if (!such(copy)) {
      left.push_back(std::move(copy));
    } else if (copy.to_host) {
      memcpy(copy.host, copy.bytes.data(), copy.bytes.size());
    } else {
      changed = changed || memcmp(copy.host, copy.bytes.data(), copy.bytes.size()) != 0;
    }
  }
  under_way = std::move(left);
  if (changed) return simt_lose(cudaErrorUnknown, "the host wrote to pinned memory while it was being copied");
  return cudaSuccess;
}

/* Those that are to be seen now: of one stream, or all of the device, and no later than the given one. */
cudaError_t finish_copies(bool all, cudaStream_t stream, size_t until) {
  return finish_such([=](const copy_under_way &copy) {
    return copy.number <= until && (all ? copy.device == simt_current : copy.streams.count(stream) > 0);
  });
}

/* Those from pinned memory that a copy of the same stream writes over: the stream has done them before. */
cudaError_t finish_reads(cudaStream_t stream, const char *to, size_t bytes) {
  return finish_such([=](const copy_under_way &copy) {
    return !copy.to_host && copy.streams.count(stream) > 0 && copy.host < to + bytes &&
           to < copy.host + copy.bytes.size();
  });
}

/* The block of memory that the address lies in, or null. */
const simt_memory_block *find(const std::map<const char *, std::unique_ptr<simt_memory_block>> &memory,
                              const void *address) {
  const char *p = static_cast<const char *>(address);
  auto above = memory.upper_bound(p);
  if (above == memory.begin()) return nullptr;
  const simt_memory_block *block = std::prev(above)->second.get();
  return p < block->data + block->bytes || p == block->data ? block : nullptr;
}

/* Devices of the machine, and which of them the process sees, in its own order: the variables are read at the start. */
int n_machine;
std::vector<int> visible;

void see_devices(int n) {
  n_machine = std::min(std::max(n, 1), int(SIMT_DEVICES));
  visible.clear();
  const char *listed = getenv("CUDA_VISIBLE_DEVICES");
  for (int i = 0; !listed && i < n_machine; i++) visible.push_back(i);
  while (listed && *listed) {
    char *end;
    const long number = strtol(listed, &end, 10);
    if (end == listed || number < 0 || number >= n_machine) break; /* CUDA sees those before */
    visible.push_back(static_cast<int>(number));
    listed = *end == ',' ? end + 1 : end;
  }
}
const bool devices_seen = [] {
  const char *wanted = getenv("CUONN_SIMT_DEVICES");
  see_devices(wanted ? atoi(wanted) : 1);
  return true;
}();

bool is_there(int device) { return device >= 0 && size_t(device) < visible.size(); }

/* Devices that run nothing until they are let go, or others have run so many kernels. */
bool held[SIMT_DEVICES];
size_t others_first[SIMT_DEVICES], counted[SIMT_DEVICES], *kernels_of = counted;
std::condition_variable_any let_go;

/* Waits for that; to be called where the thread has no turn yet. */
void wait_until_let_go(std::unique_lock<std::recursive_mutex> &turn) {
  const int device = simt_current;
  let_go.wait(turn, [device] { return !held[device] && kernels_run - kernels_of[device] >= others_first[device]; });
}

/* What the environment plans for a device: "DEVICE:NUMBER". */
bool planned(const char *name, int *device, long *number) {
  const char *plan = getenv(name);
  return plan && sscanf(plan, "%d:%ld", device, number) == 2 && *device >= 0 && *device < SIMT_DEVICES;
}

struct environment {
  environment() {
    int device;
    long number;
    if (planned("CUONN_SIMT_LOSE", &device, &number)) simt_now.devices[device].launches_left = number;
    if (planned("CUONN_SIMT_AFTER", &device, &number)) others_first[device] = size_t(number);
    const char *path = getenv("CUONN_SIMT_COUNT");
    const int file = path ? open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
    if (file < 0) return;
    void *shared = ftruncate(file, sizeof counted) == 0
                       ? mmap(nullptr, sizeof counted, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
                       : MAP_FAILED;
    if (shared != MAP_FAILED) kernels_of = static_cast<size_t *>(shared);
    close(file);
  }
} environment_now;

/* What all calls that need a device begin with. */
cudaError_t well() {
  switch (simt_now.kind) {
    case SIMT_NO_GPU: return simt_fail(cudaErrorNoDevice);
    case SIMT_NO_DRIVER:
    case SIMT_OLD_DRIVER: return simt_fail(cudaErrorInsufficientDriver);
    default: return simt_one().sticky ? simt_fail(simt_one().sticky) : cudaSuccess;
  }
}
#define WELL()                                    \
  do {                                            \
    const cudaError_t well_now = well();          \
    if (well_now != cudaSuccess) return well_now; \
  } while (0)

/* What must not be done in a capture is refused, and spoils it. */
cudaError_t spoil(capture &into, cudaError_t error) {
  into.invalid = true;
  return simt_fail(error);
}

/* What must not be done while the thread captures any stream: allocating, freeing, waiting, querying; and, with
 * cudaErrorStreamCaptureImplicit, use of the legacy stream, which waits for the others. */
cudaError_t outside_capture(cudaError_t refusal = cudaErrorStreamCaptureUnsupported) {
  WELL();
  bool spoiled = false;
  for (cudaStream_t s : streams) {
    if (s->into && s->into->by == std::this_thread::get_id()) spoil(*s->into, refusal), spoiled = true;
  }
  return spoiled ? refusal : cudaSuccess;
}
#define OUTSIDE_CAPTURE(...)                                  \
  do {                                                        \
    const cudaError_t outside = outside_capture(__VA_ARGS__); \
    if (outside != cudaSuccess) return outside;               \
  } while (0)

/* What work in a stream begins with. */
cudaError_t may_use(cudaStream_t stream) {
  const cudaError_t usable = simt_check_stream(stream);
  if (usable != cudaSuccess) return usable;
  if (!stream) OUTSIDE_CAPTURE(cudaErrorStreamCaptureImplicit);
  if (stream && stream->into && stream->into->invalid) return simt_fail(cudaErrorStreamCaptureInvalidated);
  return cudaSuccess;
}
#define MAY_USE(stream)                         \
  do {                                          \
    const cudaError_t usable = may_use(stream); \
    if (usable != cudaSuccess) return usable;   \
  } while (0)

cudaError_t allocate(std::map<const char *, std::unique_ptr<simt_memory_block>> &memory, void **pointer, size_t bytes) {
  OUTSIDE_CAPTURE();
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  const bool planned = simt_now.mallocs_left == 0;
  if (simt_now.mallocs_left > 0) simt_now.mallocs_left--;
  const bool on_device = &memory == &device_memory;
  if (planned || (on_device && device_bytes[simt_current] + bytes > simt_one().memory))
    return simt_fail(cudaErrorMemoryAllocation);
  auto block = std::make_unique<simt_memory_block>(bytes);
  block->device = simt_current;
  block->poison(on_device ? uint32_t(SIMT_UNWRITTEN) : kNoNumber);
  *pointer = block->data;
  if (on_device) {
    device_bytes[simt_current] += bytes;
    __asan_poison_memory_region(block->data, bytes);
  }
  memory[block->data] = std::move(block);
  return cudaSuccess;
}

cudaError_t release(std::map<const char *, std::unique_ptr<simt_memory_block>> &memory, void *pointer) {
  if (!pointer) return cudaSuccess;
  const auto found = memory.find(static_cast<const char *>(pointer));
  if (found == memory.end()) return simt_fail(cudaErrorInvalidValue);
  if (simt_spoils_capture()) return cudaErrorStreamCaptureUnsupported;
  finish_copies(true, nullptr, copies_begun); /* freeing waits for all work */
  const bool whole = found->second->whole();
  if (&memory == &device_memory) {
    device_bytes[found->second->device] -= found->second->bytes;
    __asan_unpoison_memory_region(pointer, found->second->bytes);
  }
  memory.erase(found);
  if (!whole) return simt_lose(cudaErrorIllegalAddress, "a write beyond an allocation, found when it was freed");
  return well();
}

cudaError_t new_stream(cudaStream_t *stream, bool blocking) {
  WELL();
  *stream = new CUstream_st{simt_current, blocking, nullptr};
  streams.insert(*stream);
  simt_objects++;
  return cudaSuccess;
}

cudaError_t new_event(cudaEvent_t *event, bool timed) {
  WELL();
  *event = new CUevent_st{};
  (*event)->timed = timed;
  events.insert(*event);
  simt_objects++;
  return cudaSuccess;
}

cudaError_t check_copy(const void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
  const bool to_device = find(device_memory, to) != nullptr, from_device = find(device_memory, from) != nullptr;
  if (kind != cudaMemcpyDefault) {
    const bool wants_to = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool wants_from = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if (wants_to != to_device || wants_from != from_device) return simt_fail(cudaErrorInvalidMemcpyDirection);
  }
  if ((to_device && !simt_on_device(to, bytes)) || (from_device && !simt_on_device(from, bytes))) {
    return simt_fail(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

/* What comes to the host must have been written, by a copy, a memset or a kernel: looks for whole words that still hold
 * what fresh device memory holds. */
cudaError_t check_written(const char *from, size_t bytes) {
  const simt_memory_block *const block = find(device_memory, from);
  if (!block) return cudaSuccess;
  size_t missing = 0, first = 0;
  for (size_t at = (4 - (from - block->data) % 4) % 4; at + 4 <= bytes; at += 4) {
    if (!simt_unwritten(from + at, 4)) continue;
    if (missing == 0) first = static_cast<size_t>(from - block->data) + at;
    missing += 4;
  }
  if (missing == 0) return cudaSuccess;
  char text[256];
  snprintf(text, sizeof text,
           "a copy to the host of device memory that nobody wrote: %zu of %zu bytes, the first at %p, byte %zu of an "
           "allocation of %zu (or they were computed from such)",
           missing, bytes, static_cast<const void *>(block->data + first), first, block->bytes);
  return simt_lose(cudaErrorUnknown, text);
}

/* Copies one row now. Where CUDA would go on copying behind the host's back, the host's memory shows it: until it is
 * waited for, what comes from the device is not there yet. */
cudaError_t copy_row(char *to, const char *from, size_t bytes, cudaStream_t asked) {
  const cudaStream_t stream = graph_runs_in ? *graph_runs_in : asked;
  if (!find(device_memory, to)) {
    const cudaError_t written = check_written(from, bytes);
    if (written != cudaSuccess) return written;
  }
  const bool to_pinned = find(pinned_memory, to) != nullptr, from_pinned = find(pinned_memory, from) != nullptr;
  if (stream && to_pinned) {
    const cudaError_t read = finish_reads(stream, to, bytes);
    if (read != cudaSuccess) return read;
  }
  if (stream && (to_pinned || from_pinned)) {
    char *host = to_pinned ? to : const_cast<char *>(from);
    under_way.push_back(
        {++copies_begun, simt_current, {stream}, host, to_pinned, std::vector<char>(from, from + bytes)});
  }
  if (stream && to_pinned) {
    memset(to, 0xff, bytes);
  } else {
    memmove(to, from, bytes);
  }
  return cudaSuccess;
}

/* Whether memory that a graph was recorded with is still there: on the device, or pinned. */
bool still_there(const void *p) { return find(device_memory, p) || find(pinned_memory, p); }

cudaError_t run_launch(dim3 grid, dim3 block, size_t shared, bool cooperative, const std::function<void()> &body) {
  if (simt_one().launches_left == 0) return simt_lose(cudaErrorLaunchFailure, "the planned loss of the device");
  if (simt_one().launches_left > 0) simt_one().launches_left--;
  kernels_run++;
  kernels_of[simt_current]++;
  let_go.notify_all();
  const cudaError_t ran = simt_run_kernel(grid, block, shared, cooperative, body);
  if (ran != cudaSuccess) return simt_lose(ran, simt_now.error);
  for (const auto &each : device_memory) {
    if (!each.second->whole()) return simt_lose(cudaErrorIllegalAddress, "a write beyond an allocation");
  }
  return cudaSuccess;
}

}  // namespace

/* --- Memory whose edges are watched --- */

simt_memory_block::simt_memory_block(size_t bytes_) : bytes(bytes_) {
#if defined(__SANITIZE_ADDRESS__)
  void *memory = nullptr;
  if (posix_memalign(&memory, 256, bytes)) abort(); /* with AddressSanitizer's own guards at its edges */
  data = static_cast<char *>(memory);
#else
  const size_t words = (bytes + 3) / 4 * 4;
  void *memory = nullptr;
  if (posix_memalign(&memory, 256, words + 2 * kGuard)) abort();
  data = static_cast<char *>(memory) + kGuard;
  for (size_t i = 0; i < kGuard; i += 4) {
    memcpy(data - kGuard + i, &kGuardWord, 4);
    memcpy(data + words + i, &kGuardWord, 4);
  }
  memset(data + bytes, 0xbe, words - bytes);
#endif
}

simt_memory_block::~simt_memory_block() {
#if defined(__SANITIZE_ADDRESS__)
  free(data);
#else
  free(data - kGuard);
#endif
}

void simt_memory_block::poison(uint32_t word) {
  for (size_t i = 0; i < bytes; i += 4) memcpy(data + i, &word, std::min(bytes - i, size_t(4)));
}

bool simt_memory_block::whole() const {
#if !defined(__SANITIZE_ADDRESS__)
  const size_t words = (bytes + 3) / 4 * 4;
  for (size_t i = bytes; i < words; i++) {
    if (static_cast<unsigned char>(data[i]) != 0xbe) return false;
  }
  for (size_t i = 0; i < kGuard; i += 4) {
    if (memcmp(data - kGuard + i, &kGuardWord, 4) || memcmp(data + words + i, &kGuardWord, 4)) return false;
  }
#endif
  return true;
}

simt_device_open::simt_device_open() {
  for (const auto &each : device_memory) {
    if (each.second->device == simt_current) __asan_unpoison_memory_region(each.first, each.second->bytes);
  }
}
simt_device_open::~simt_device_open() {
  for (const auto &each : device_memory) __asan_poison_memory_region(each.first, each.second->bytes);
}

/* --- Errors, and what tests ask for --- */

cudaError_t simt_fail(cudaError_t error) { return last_error = error; }

cudaError_t simt_lose(cudaError_t error, const std::string &why) {
  simt_now.error = why;
  simt_one().sticky = error;
  return simt_fail(error);
}

bool simt_on_device(const void *pointer, size_t bytes) {
  const simt_memory_block *block = find(device_memory, pointer);
  return block && block->device == simt_current &&
         static_cast<const char *>(pointer) + bytes <= block->data + block->bytes;
}

bool simt_unwritten(const void *pointer, size_t bytes) {
  const uint32_t fresh = SIMT_UNWRITTEN;
  for (size_t i = 0; i + 4 <= bytes; i += 4) {
    if (memcmp(static_cast<const char *>(pointer) + i, &fresh, 4) == 0) return true;
  }
  return false;
}

bool simt_spoils_capture(void) { return outside_capture() == cudaErrorStreamCaptureUnsupported; }

cudaError_t simt_check_stream(cudaStream_t stream) {
  WELL();
  if (stream && (!streams.count(stream) || stream->device != simt_current)) {
    return simt_fail(cudaErrorInvalidResourceHandle);
  }
  return cudaSuccess;
}

cudaError_t simt_perform(cudaStream_t stream, std::function<cudaError_t()> work) {
  MAY_USE(stream);
  if (!stream || !stream->into) {
    queued++;
    return work();
  }
  if (stream != stream->into->origin) stream->into->unjoined.insert(stream);
  stream->into->graph.nodes.push_back(std::move(work));
  return cudaSuccess;
}

void simt_reset(void) {
  SIMT_TURN;
  under_way.clear();
  simt_now = simt_state();
  last_error = cudaSuccess;
}
const char *simt_error(void) {
  SIMT_TURN;
  return simt_now.error.c_str();
}
void simt_device(int multiprocessors, size_t shared_bytes) {
  SIMT_TURN;
  simt_one().multiprocessors = std::min(std::max(multiprocessors, 2), 4);
  simt_one().shared_optin = shared_bytes;
}
void simt_memory(size_t bytes) {
  SIMT_TURN;
  simt_one().memory = bytes;
}
void simt_no_device(simt_kind kind) {
  SIMT_TURN;
  simt_now.kind = kind;
}
void simt_no_code(int error) {
  SIMT_TURN;
  simt_now.kind = SIMT_OLD_GPU;
  simt_now.no_code = static_cast<cudaError_t>(error);
}
void simt_fail_malloc_after(long n) {
  SIMT_TURN;
  simt_now.mallocs_left = n;
}
void simt_fail_launch_after(long n) {
  SIMT_TURN;
  simt_one().launches_left = n;
}
void simt_devices(int n) {
  SIMT_TURN;
  see_devices(n);
}
void simt_hold(bool hold) {
  SIMT_TURN;
  held[simt_current] = hold;
  let_go.notify_all();
}
size_t simt_alive(void) {
  SIMT_TURN;
  return device_memory.size() + pinned_memory.size() + simt_objects;
}
size_t simt_launches(void) {
  SIMT_TURN;
  return kernels_run;
}
size_t simt_queued(void) {
  SIMT_TURN;
  return queued;
}
size_t simt_waits(void) {
  SIMT_TURN;
  return waits;
}

const char *cudaGetErrorName(cudaError_t error) {
#define SIMT_ERROR_NAME(name, value, text) \
  if (error == name) return #name;
  SIMT_ERRORS(SIMT_ERROR_NAME)
  return "unrecognized error code";
}
const char *cudaGetErrorString(cudaError_t error) {
#define SIMT_ERROR_TEXT(name, value, text) \
  if (error == name) return text;
  SIMT_ERRORS(SIMT_ERROR_TEXT)
  return "unrecognized error code";
}
cudaError_t cudaPeekAtLastError(void) {
  SIMT_TURN;
  return simt_one().sticky ? simt_one().sticky : last_error;
}
cudaError_t cudaGetLastError(void) {
  SIMT_TURN;
  const cudaError_t last = cudaPeekAtLastError();
  last_error = cudaSuccess;
  return last;
}

/* --- The device --- */

cudaError_t cudaDriverGetVersion(int *version) {
  SIMT_TURN;
  *version = simt_now.kind == SIMT_NO_DRIVER ? 0 : simt_now.kind == SIMT_OLD_DRIVER ? 12020 : CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int *version) {
  SIMT_TURN;
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int *count) {
  SIMT_TURN;
  *count = 0;
  if (simt_now.kind != SIMT_GPU && simt_now.kind != SIMT_OLD_GPU) return well();
  if (visible.empty()) return simt_fail(cudaErrorNoDevice);
  *count = static_cast<int>(visible.size());
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int *device) {
  SIMT_TURN;
  WELL();
  *device = simt_current;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  SIMT_TURN;
  if (!is_there(device)) return simt_fail(cudaErrorInvalidDevice);
  simt_current = device;
  return well();
}
cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device) {
  SIMT_TURN;
  WELL();
  if (!is_there(device)) return simt_fail(cudaErrorInvalidDevice);
  const simt_one_device &of = simt_now.devices[device];
  const int shared_optin = static_cast<int>(of.shared_optin);
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = 48 * 1024; break;
    case cudaDevAttrWarpSize: *value = CUONN_WARP; break;
    case cudaDevAttrMultiProcessorCount: *value = of.multiprocessors; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = SIMT_THREADS_PER_MULTIPROCESSOR; break;
    case cudaDevAttrComputeCapabilityMajor: *value = simt_now.kind == SIMT_OLD_GPU ? 7 : 9; break;
    case cudaDevAttrComputeCapabilityMinor: *value = 0; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: *value = shared_optin + 1024; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = shared_optin; break;
    case cudaDevAttrCooperativeLaunch: *value = 1; break;
    case cudaDevAttrClockRate: *value = 1000000; break; /* kHz; as all times, without meaning */
    case cudaDevAttrMemoryClockRate: *value = 1000000; break;
    case cudaDevAttrGlobalMemoryBusWidth: *value = 64; break;
    case cudaDevAttrL2CacheSize: *value = 1 << 20; break;
    default: return simt_fail(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device) {
  SIMT_TURN;
  WELL();
  if (!is_there(device)) return simt_fail(cudaErrorInvalidDevice);
  const simt_one_device &of = simt_now.devices[device];
  *properties = {"emulated device",
                 of.memory,
                 48 * 1024,
                 of.shared_optin,
                 of.shared_optin + 1024,
                 simt_now.kind == SIMT_OLD_GPU ? 7 : 9,
                 0,
                 of.multiprocessors,
                 CUONN_WARP,
                 1024,
                 SIMT_THREADS_PER_MULTIPROCESSOR,
                 1 << 20,
                 64,
                 1,
                 0,
                 {{static_cast<char>(visible[size_t(device)])}}};
  const char *names = getenv("CUONN_SIMT_NAMES");
  const size_t number = static_cast<size_t>(visible[size_t(device)]);
  if (names && number < strlen(names)) {
    snprintf(properties->name, sizeof properties->name, "emulated device %c", names[number]);
  }
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize(void) {
  SIMT_TURN;
  OUTSIDE_CAPTURE();
  return finish_copies(true, nullptr, copies_begun);
}

/* --- Memory --- */

cudaError_t cudaMalloc(void **pointer, size_t bytes) {
  SIMT_TURN;
  return allocate(device_memory, pointer, bytes);
}
cudaError_t cudaFree(void *pointer) {
  SIMT_TURN;
  return release(device_memory, pointer);
}
cudaError_t cudaMallocHost(void **pointer, size_t bytes) {
  SIMT_TURN;
  return allocate(pinned_memory, pointer, bytes);
}
cudaError_t cudaHostAlloc(void **pointer, size_t bytes, unsigned flags) {
  SIMT_TURN;
  (void)flags;
  return allocate(pinned_memory, pointer, bytes);
}
cudaError_t cudaFreeHost(void *pointer) {
  SIMT_TURN;
  return release(pinned_memory, pointer);
}
cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes) {
  SIMT_TURN;
  WELL();
  const size_t all = simt_one().memory, used = device_bytes[simt_current];
  *total_bytes = all;
  *free_bytes = all > used ? all - used : 0;
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, const void *pointer) {
  SIMT_TURN;
  WELL();
  const simt_memory_block *const there = find(device_memory, pointer), *const pinned = find(pinned_memory, pointer);
  const simt_memory_block *const block = there ? there : pinned;
  attributes->type = there ? cudaMemoryTypeDevice : pinned ? cudaMemoryTypeHost : cudaMemoryTypeUnregistered;
  attributes->device = block ? block->device : -1;
  return cudaSuccess;
}

cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                              size_t height, enum cudaMemcpyKind kind, cudaStream_t stream) {
  SIMT_TURN;
  WELL();
  if (width == 0 || height == 0) return cudaSuccess;
  if (to_pitch < width || from_pitch < width) return simt_fail(cudaErrorInvalidValue);
  const cudaError_t right = check_copy(to, from, width, kind);
  if (right != cudaSuccess) return right;
  const size_t to_span = (height - 1) * to_pitch + width, from_span = (height - 1) * from_pitch + width;
  if ((find(device_memory, to) && !simt_on_device(to, to_span)) ||
      (find(device_memory, from) && !simt_on_device(from, from_span))) {
    return simt_fail(cudaErrorInvalidValue);
  }
  MAY_USE(stream);
  const bool captured = stream && stream->into;
  if (captured && !(still_there(to) && still_there(from))) {
    simt_now.error = "a copy of pageable memory is captured: the graph keeps its address, and copies what stands there";
    return spoil(*stream->into, cudaErrorStreamCaptureUnsupported);
  }
  return simt_perform(stream, [=] {
    const simt_device_open open;
    cudaError_t copied = cudaSuccess;
    if (captured && !(still_there(to) && still_there(from))) {
      return simt_lose(cudaErrorIllegalAddress, "a graph copies memory that was freed");
    }
    for (size_t row = 0; row < height && copied == cudaSuccess; row++) {
      copied = copy_row(static_cast<char *>(to) + row * to_pitch, static_cast<const char *>(from) + row * from_pitch,
                        width, stream);
    }
    return copied;
  });
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream) {
  return cudaMemcpy2DAsync(to, bytes, from, bytes, bytes, 1, kind, stream);
}
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind) {
  return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
}
cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream) {
  SIMT_TURN;
  WELL();
  if (bytes == 0) return cudaSuccess;
  if (!simt_on_device(to, bytes)) return simt_fail(cudaErrorInvalidValue);
  return simt_perform(stream, [=] {
    const simt_device_open open;
    if (!simt_on_device(to, bytes)) return simt_lose(cudaErrorIllegalAddress, "a graph sets memory that was freed");
    memset(to, byte, bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaMemset(void *to, int byte, size_t bytes) { return cudaMemsetAsync(to, byte, bytes, nullptr); }

/* --- Streams and events --- */

cudaError_t cudaStreamCreate(cudaStream_t *stream) {
  SIMT_TURN;
  return new_stream(stream, true);
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) {
  SIMT_TURN;
  return new_stream(stream, !(flags & cudaStreamNonBlocking));
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  SIMT_TURN;
  if (!streams.erase(stream)) return simt_fail(cudaErrorInvalidResourceHandle);
  delete stream;
  simt_objects--;
  return well();
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  SIMT_TURN;
  waits++;
  MAY_USE(stream);
  if (stream && stream->into) return spoil(*stream->into, cudaErrorStreamCaptureUnsupported);
  return finish_copies(!stream, stream, copies_begun);
}
cudaError_t cudaStreamQuery(cudaStream_t stream) { return cudaStreamSynchronize(stream); }

cudaError_t cudaEventCreate(cudaEvent_t *event) {
  SIMT_TURN;
  return new_event(event, true);
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags) {
  SIMT_TURN;
  return new_event(event, !(flags & cudaEventDisableTiming));
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  SIMT_TURN;
  if (!events.erase(event)) return simt_fail(cudaErrorInvalidResourceHandle);
  delete event;
  simt_objects--;
  return well();
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  SIMT_TURN;
  MAY_USE(stream);
  if (!events.count(event) || event->device != simt_current) return simt_fail(cudaErrorInvalidResourceHandle);
  event->recorded = true;
  event->when = std::chrono::steady_clock::now();
  event->into = stream ? stream->into : nullptr;
  event->from = stream;
  event->copies = copies_begun;
  return cudaSuccess;
}
/* In a capture, a stream that waits for an event of it joins it; the origin's waiting joins the stream back. Nothing in
 * it may wait for what is outside, nor for another capture. */
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  SIMT_TURN;
  (void)flags;
  MAY_USE(stream);
  if (!events.count(event)) return simt_fail(cudaErrorInvalidResourceHandle);
  const std::shared_ptr<capture> into = event->into.lock();
  if (stream && stream->into && stream->into != into) {
    if (into) into->invalid = true;
    return spoil(*stream->into, into ? cudaErrorStreamCaptureMerge : cudaErrorStreamCaptureIsolation);
  }
  if (!into) {
    for (copy_under_way &copy : under_way) {
      if (copy.number <= event->copies && copy.streams.count(event->from)) copy.streams.insert(stream);
    }
    return cudaSuccess;
  }
  if (into->invalid) return simt_fail(cudaErrorStreamCaptureInvalidated);
  if (stream == into->origin) {
    into->unjoined.erase(event->from);
  } else {
    stream->into = into;
    into->unjoined.insert(stream);
  }
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  SIMT_TURN;
  WELL();
  if (!events.count(event)) return simt_fail(cudaErrorInvalidResourceHandle);
  if (const std::shared_ptr<capture> into = event->into.lock()) return spoil(*into, cudaErrorCapturedEvent);
  OUTSIDE_CAPTURE();
  return finish_copies(false, event->from, event->copies);
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  SIMT_TURN;
  waits++;
  return cudaEventQuery(event);
}
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end) {
  SIMT_TURN;
  WELL();
  if (!events.count(start) || !events.count(end) || !start->timed || !end->timed || !start->recorded ||
      !end->recorded) {
    return simt_fail(cudaErrorInvalidResourceHandle);
  }
  *milliseconds = std::chrono::duration<float, std::milli>(end->when - start->when).count();
  return cudaSuccess;
}

/* --- Graphs --- */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode) {
  SIMT_TURN;
  (void)mode; /* all are as strict as the global one */
  const cudaError_t usable = simt_check_stream(stream);
  if (usable != cudaSuccess) return usable;
  if (!stream) return simt_fail(cudaErrorStreamCaptureUnsupported);
  if (stream->into) return simt_fail(cudaErrorInvalidValue);
  stream->into = std::make_shared<capture>();
  stream->into->origin = stream;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
  SIMT_TURN;
  *graph = nullptr;
  if (!streams.count(stream) || !stream->into || stream->into->origin != stream) {
    return simt_fail(cudaErrorStreamCaptureUnmatched);
  }
  const std::shared_ptr<capture> done = stream->into;
  for (cudaStream_t s : streams) {
    if (s->into == done) s->into = nullptr;
  }
  if (done->invalid) return simt_fail(cudaErrorStreamCaptureInvalidated);
  if (!done->unjoined.empty()) return simt_fail(cudaErrorStreamCaptureUnjoined);
  WELL();
  *graph = new CUgraph_st(std::move(done->graph));
  simt_objects++;
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus *status) {
  SIMT_TURN;
  *status = !stream || !stream->into ? cudaStreamCaptureStatusNone
            : stream->into->invalid  ? cudaStreamCaptureStatusInvalidated
                                     : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags) {
  SIMT_TURN;
  (void)flags;
  OUTSIDE_CAPTURE();
  *exec = new CUgraphExec_st{*graph};
  simt_objects++;
  return cudaSuccess;
}
cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t stream) {
  SIMT_TURN;
  return exec->device == simt_current ? simt_check_stream(stream) : simt_fail(cudaErrorInvalidResourceHandle);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  std::unique_lock<std::recursive_mutex> turn(simt_turns);
  wait_until_let_go(turn);
  if (exec->device != simt_current) return simt_fail(cudaErrorInvalidResourceHandle);
  return simt_perform(stream, [exec, stream] {
    cudaError_t done = cudaSuccess;
    graph_runs_in = &stream;
    for (size_t i = 0; i < exec->nodes.size() && done == cudaSuccess; i++) done = exec->nodes[i]();
    graph_runs_in = nullptr;
    return done;
  });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  SIMT_TURN;
  if (!graph) return simt_fail(cudaErrorInvalidValue);
  delete graph;
  simt_objects--;
  return well();
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  SIMT_TURN;
  if (!exec) return simt_fail(cudaErrorInvalidValue);
  delete exec;
  simt_objects--;
  return well();
}

/* --- Kernels --- */

cudaError_t cudaFuncSetAttribute(const void *kernel, enum cudaFuncAttribute attribute, int value) {
  SIMT_TURN;
  WELL();
  if (simt_now.kind == SIMT_OLD_GPU) return simt_fail(simt_now.no_code);
  if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
  if (value < 0 || static_cast<size_t>(value) > simt_one().shared_optin) return simt_fail(cudaErrorInvalidValue);
  shared_asked[{simt_current, kernel}] = value;
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *attributes, const void *kernel) {
  SIMT_TURN;
  WELL();
  if (simt_now.kind == SIMT_OLD_GPU) return simt_fail(simt_now.no_code);
  const auto asked = shared_asked.find({simt_current, kernel});
  *attributes = {0, 0, 0, 1024, 32, 90, 90, asked == shared_asked.end() ? 48 * 1024 : asked->second};
  return cudaSuccess;
}
/* Threads, shared memory (and the 1 KiB that CUDA keeps of it for each block) and the number of blocks are limited;
 * registers are not. */
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *kernel, int threads, size_t shared) {
  SIMT_TURN;
  *blocks = 0;
  struct cudaFuncAttributes attributes = {};
  const cudaError_t known = cudaFuncGetAttributes(&attributes, kernel);
  if (known != cudaSuccess) return known;
  if (threads <= 0 || threads > 1024) return simt_fail(cudaErrorInvalidValue);
  if (shared > static_cast<size_t>(attributes.maxDynamicSharedSizeBytes)) return cudaSuccess;
  const int warps = (threads + CUONN_WARP - 1) / CUONN_WARP;
  const int by_threads = SIMT_THREADS_PER_MULTIPROCESSOR / CUONN_WARP / warps;
  const int by_shared = static_cast<int>((simt_one().shared_optin + 1024) / (shared + 1024));
  *blocks = std::min({by_threads, by_shared, int(SIMT_BLOCKS_PER_MULTIPROCESSOR)});
  return cudaSuccess;
}

cudaError_t simt_launch(const void *kernel, dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
                        bool cooperative, std::function<void()> body) {
  std::unique_lock<std::recursive_mutex> turn(simt_turns);
  wait_until_let_go(turn);
  struct cudaFuncAttributes attributes = {};
  const cudaError_t known = cudaFuncGetAttributes(&attributes, kernel);
  if (known != cudaSuccess) return known;
  const size_t threads = size_t(block.x) * block.y * block.z, blocks = size_t(grid.x) * grid.y * grid.z;
  if (threads == 0 || threads > 1024 || block.z > 64 || blocks == 0 || grid.x > 0x7fffffffu || grid.y > 65535 ||
      grid.z > 65535) {
    return simt_fail(cudaErrorInvalidConfiguration);
  }
  if (shared_bytes > std::min(simt_one().shared_optin, size_t(attributes.maxDynamicSharedSizeBytes))) {
    return simt_fail(cudaErrorInvalidValue);
  }
  if (cooperative) {
    int resident = 0;
    cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel, static_cast<int>(threads), shared_bytes);
    if (blocks > size_t(resident) * size_t(simt_one().multiprocessors)) {
      return simt_fail(cudaErrorCooperativeLaunchTooLarge);
    }
  }
  return simt_perform(stream, [=] { return run_launch(grid, block, shared_bytes, cooperative, body); });
}
