/* Runs a kernel: each thread of a block is a fiber, which runs until it comes to a meeting (a barrier, shuffle, vote).
 * The engine holds the meetings, and finds those that can never take place. Only the order in which fibers run is
 * chosen, by the schedule; a fiber that is chosen runs until it waits, so that a warp gets as far ahead of the others
 * as the barriers let it. */
#include <sys/mman.h>
#include <boost/context/detail/fcontext.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>

#include "runtime.h"

using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

const simt_place *simt_here;

namespace {

constexpr size_t kStack = 256 * 1024, kPage = 4096;
constexpr size_t kFibers = 4 * SIMT_THREADS_PER_MULTIPROCESSOR;
const char *const kNames[] = {"sync_warp", "shuffle",  "shuffle_up", "shuffle_down", "shuffle_xor",
                              "a vote",    "warp_sum", "sync_block", "sync_grid"};

struct copy {
  void *to;
  const void *from;
};

struct fiber {
  enum { kReady, kWaits, kDone } state;
  simt_place place;
  fcontext_t context;
  char *stack; /* above its guard page */
  void *fake_stack;
  simt_meeting meeting;
  const char *file;
  int line, argument;
  uint64_t value;
  std::vector<std::vector<copy>> copies; /* groups that have not arrived; the last is still open */
};

struct warp {
  fiber *lanes;
  int size, block;
};

struct block_run {
  std::unique_ptr<simt_memory_block> shared;
  std::vector<warp> warps;
};

/* --- Stacks: one arena, used again by each launch --- */

char *arena;
size_t guarded; /* stacks that have their guard page */

char *stack_of(size_t number) {
  if (!arena) {
    void *memory = mmap(nullptr, kFibers * kStack, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
      perror("simt: memory for the stacks of the fibers");
      abort();
    }
    arena = static_cast<char *>(memory);
  }
  for (; guarded <= number; guarded++) mprotect(arena + guarded * kStack, kPage, PROT_NONE);
  return arena + number * kStack + kPage;
}

/* --- Switching between the engine and a fiber --- */

fcontext_t engine_context;
void *engine_fake_stack;
const void *engine_stack;
size_t engine_stack_bytes;
fiber *running;
bool grid_may_meet;       /* the launch is cooperative */
cudaError_t access_fault; /* of the threads that have run, with simt_now.error */
const std::function<void()> *kernel_body;

__attribute__((no_sanitize_address)) void fiber_main(transfer_t from) {
  __sanitizer_finish_switch_fiber(nullptr, &engine_stack, &engine_stack_bytes);
  engine_context = from.fctx;
  (*kernel_body)();
  running->state = fiber::kDone;
  __sanitizer_start_switch_fiber(nullptr, engine_stack, engine_stack_bytes);
  jump_fcontext(engine_context, nullptr);
}

/* The first access of a launch that a device would not allow; the launch fails when the thread waits next. */
void refuse_access(cudaError_t error, const std::string &what, const std::string &file, int line) {
  const uint3 thread = running->place.thread, block = running->place.block;
  char text[256];
  if (access_fault != cudaSuccess) return;
  access_fault = error;
  snprintf(text, sizeof text, "thread (%u,%u,%u) of block (%u,%u,%u): %s (%s:%d)", thread.x, thread.y, thread.z,
           block.x, block.y, block.z, what.c_str(), file.substr(file.rfind('/') + 1).c_str(), line);
  simt_now.error = text;
}

void resume(fiber &lane) {
  running = &lane;
  simt_here = &lane.place;
  lane.state = fiber::kReady;
  __sanitizer_start_switch_fiber(&engine_fake_stack, lane.stack, kStack - kPage);
  const transfer_t back = jump_fcontext(lane.context, nullptr);
  __sanitizer_finish_switch_fiber(engine_fake_stack, nullptr, nullptr);
  lane.context = back.fctx;
}

}  // namespace

uint64_t simt_meet(simt_meeting meeting, uint64_t value, int argument, const char *file, int line) {
  fiber *self = running;
  self->state = fiber::kWaits;
  self->meeting = meeting;
  self->value = value;
  self->argument = argument;
  self->file = file;
  self->line = line;
  __sanitizer_start_switch_fiber(&self->fake_stack, engine_stack, engine_stack_bytes);
  const transfer_t from = jump_fcontext(engine_context, nullptr);
  __sanitizer_finish_switch_fiber(self->fake_stack, &engine_stack, &engine_stack_bytes);
  engine_context = from.fctx;
  return self->value;
}

void simt_copy_16(void *to, const void *from, const char *file, int line) {
  const bool misaligned = (reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) % 16 != 0;
  if (misaligned || simt_unwritten(from, 16)) {
    refuse_access(misaligned ? cudaErrorMisalignedAddress : cudaErrorLaunchFailure,
                  misaligned ? "copy_16 at an address that is not a multiple of 16"
                             : "copy_16 from device memory that nobody wrote",
                  file, line);
  }
  if (running->copies.empty()) running->copies.emplace_back();
  memset(to, 0xff, 16);
  running->copies.back().push_back({to, from});
}

void simt_copy_group() {
  if (running->copies.empty()) running->copies.emplace_back();
  running->copies.emplace_back();
}

void simt_copy_wait(size_t newest) {
  while (running->copies.size() > newest + 1) {
    for (const copy &c : running->copies.front()) memcpy(c.to, c.from, 16);
    running->copies.erase(running->copies.begin());
  }
}

namespace {

/* --- Schedules --- */

int schedule;
uint64_t random_state;
const bool schedule_read = [] {
  const char *wanted = getenv("CUONN_SIMT_SCHEDULE");
  simt_schedule(wanted ? atoi(wanted) : 0);
  return true;
}();

unsigned draw(unsigned bound) { /* xorshift64; its bias does not matter here */
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return static_cast<unsigned>(random_state >> 33) % bound;
}

std::vector<int> order(size_t n) {
  std::vector<int> turns(n);
  std::iota(turns.begin(), turns.end(), 0);
  if (schedule == 1) std::reverse(turns.begin(), turns.end());
  if (schedule >= 2) {
    for (size_t i = n; i > 1; i--) std::swap(turns[i - 1], turns[draw(static_cast<unsigned>(i))]);
  }
  return turns;
}

/* --- Meetings --- */

std::string describe(const fiber &lane) {
  char text[256];
  const char *where = lane.state == fiber::kDone ? "has left" : kNames[lane.meeting];
  const int n = snprintf(text, sizeof text, "thread (%u,%u,%u) of block (%u,%u,%u) %s%s", lane.place.thread.x,
                         lane.place.thread.y, lane.place.thread.z, lane.place.block.x, lane.place.block.y,
                         lane.place.block.z, lane.state == fiber::kDone ? "" : "waits at ", where);
  if (lane.state == fiber::kWaits && n > 0 && n < static_cast<int>(sizeof text)) {
    const std::string file = lane.file;
    snprintf(text + n, sizeof text - n, " (%s:%d)", file.substr(file.rfind('/') + 1).c_str(), lane.line);
  }
  return text;
}

bool together(const fiber &a, const fiber &b) {
  if (a.state != b.state) return false;
  return a.state == fiber::kDone || (a.meeting == b.meeting && a.line == b.line);
}

bool refuse(const fiber &a, const fiber &b) {
  simt_now.error = describe(a) + ", " + describe(b);
  return false;
}

float as_float(uint64_t bits) {
  const uint32_t low = static_cast<uint32_t>(bits);
  return simt_bits<float>(low);
}

/* All lanes of a warp have come to the same meeting: gives each what it came for. */
bool hold(warp &w) {
  fiber *lanes = w.lanes;
  uint64_t came[CUONN_WARP];
  uint64_t votes = 0;
  if (w.size != CUONN_WARP) {
    simt_now.error = describe(lanes[0]) + ": the warp has only " + std::to_string(w.size) + " of 32 lanes";
    return false;
  }
  for (int i = 0; i < CUONN_WARP; i++) {
    came[i] = lanes[i].value;
    votes |= uint64_t(came[i] & 1) << i;
  }
  float sums[CUONN_WARP];
  if (lanes[0].meeting == SIMT_WARP_SUM) {
    for (int i = 0; i < CUONN_WARP; i++) sums[i] = as_float(came[i]);
    for (int mask = CUONN_WARP / 2; mask > 0; mask /= 2) {
      float next[CUONN_WARP];
      for (int i = 0; i < CUONN_WARP; i++) next[i] = sums[i] + sums[i ^ mask];
      std::copy(next, next + CUONN_WARP, sums);
    }
  }
  for (int i = 0; i < CUONN_WARP; i++) {
    int source = i;
    switch (lanes[i].meeting) {
      case SIMT_SHUFFLE: source = lanes[i].argument & (CUONN_WARP - 1); break;
      case SIMT_SHUFFLE_UP: source = i - lanes[i].argument; break;
      case SIMT_SHUFFLE_DOWN: source = i + lanes[i].argument; break;
      case SIMT_SHUFFLE_XOR: source = i ^ lanes[i].argument; break;
      default: break;
    }
    lanes[i].value = came[source >= 0 && source < CUONN_WARP ? source : i];
    if (lanes[i].meeting == SIMT_BALLOT) lanes[i].value = votes;
    if (lanes[i].meeting == SIMT_WARP_SUM) lanes[i].value = simt_bits<uint32_t>(sums[i]);
    lanes[i].state = fiber::kReady;
  }
  return true;
}

/* Runs a warp until it is done or waits for others. */
bool run_warp(warp &w) {
  while (w.lanes[0].state == fiber::kReady) {
    for (int i : order(w.size)) resume(w.lanes[i]);
    if (access_fault != cudaSuccess) return false;
    for (int i = 1; i < w.size; i++) {
      if (!together(w.lanes[0], w.lanes[i])) return refuse(w.lanes[0], w.lanes[i]);
    }
    if (w.lanes[0].state == fiber::kWaits && w.lanes[0].meeting < SIMT_SYNC_BLOCK && !hold(w)) return false;
  }
  return true;
}

/* If all warps wait at this kind of meeting, lets them go on. A warp that waits elsewhere, or has left, while others
 * wait will never come. */
bool release(std::vector<warp *> &warps, simt_meeting meeting) {
  const fiber *waits = nullptr, *other = nullptr;
  for (warp *w : warps) {
    const fiber &lane = w->lanes[0];
    if (lane.state == fiber::kReady) return true; /* may come yet */
    if (lane.state == fiber::kWaits && lane.meeting == meeting) waits = &lane;
    if (lane.state == fiber::kDone || lane.meeting != meeting) other = &lane;
  }
  if (!waits) return true;
  if (meeting == SIMT_SYNC_GRID && !grid_may_meet) {
    simt_now.error = describe(*waits) + ": the launch is not cooperative";
    return false;
  }
  if (other) return refuse(*waits, *other);
  for (warp *w : warps) {
    if (w->lanes[0].line != waits->line) return refuse(*waits, w->lanes[0]);
  }
  for (warp *w : warps) {
    for (int i = 0; i < w->size; i++) w->lanes[i].state = fiber::kReady;
  }
  return true;
}

bool any_ready(const std::vector<warp *> &warps) {
  for (const warp *w : warps) {
    if (w->lanes[0].state == fiber::kReady) return true;
  }
  return false;
}

/* Runs the warps of some blocks until all of them are done or wait for the grid. */
bool run_warps(std::vector<warp *> &warps, std::vector<std::vector<warp *>> &blocks) {
  while (any_ready(warps)) {
    for (int i : order(warps.size())) {
      if (warps[i]->lanes[0].state != fiber::kReady) continue;
      if (!run_warp(*warps[i])) return false;
      if (!release(blocks[warps[i]->block], SIMT_SYNC_BLOCK)) return false;
    }
  }
  return true;
}

/* Makes the fibers and the shared memory of one block. Fibers lie in `lanes`, stacks from `first` on. */
block_run make_block(int number, size_t first, fiber *lanes, uint3 index, dim3 grid, dim3 size, size_t shared_bytes) {
  block_run made;
  made.shared = std::make_unique<simt_memory_block>(shared_bytes);
  made.shared->poison(0xffffffffu); /* NaN */
  const int threads = static_cast<int>(size.x * size.y * size.z);
  for (int i = 0; i < threads; i++) {
    fiber &lane = lanes[i];
    const unsigned t = static_cast<unsigned>(i);
    lane = {};
    lane.place = {{t % size.x, t / size.x % size.y, t / size.x / size.y}, index, size, grid, made.shared->data};
    lane.stack = stack_of(first + t);
    lane.context = make_fcontext(lane.stack + kStack - kPage, kStack - kPage, fiber_main);
  }
  for (int i = 0; i < threads; i += CUONN_WARP) {
    made.warps.push_back({lanes + i, std::min(CUONN_WARP, threads - i), number});
  }
  return made;
}

/* Runs blocks that are resident together. */
bool run_blocks(const std::vector<size_t> &numbers, dim3 grid, dim3 size, size_t shared_bytes) {
  const size_t threads = size.x * size.y * size.z;
  std::vector<fiber> lanes(numbers.size() * threads);
  std::vector<block_run> resident;
  std::vector<std::vector<warp *>> blocks(numbers.size());
  std::vector<warp *> all;
  for (size_t b = 0; b < numbers.size(); b++) {
    const uint3 index = {static_cast<unsigned>(numbers[b] % grid.x),
                         static_cast<unsigned>(numbers[b] / grid.x % grid.y),
                         static_cast<unsigned>(numbers[b] / grid.x / grid.y)};
    resident.push_back(
        make_block(static_cast<int>(b), b * threads, &lanes[b * threads], index, grid, size, shared_bytes));
  }
  for (size_t b = 0; b < numbers.size(); b++) {
    for (warp &w : resident[b].warps) blocks[b].push_back(&w);
    all.insert(all.end(), blocks[b].begin(), blocks[b].end());
  }

  while (any_ready(all)) {
    if (schedule == 3) {
      if (!run_warps(all, blocks)) return false;
    } else {
      for (int b : order(blocks.size())) {
        if (!run_warps(blocks[b], blocks)) return false;
      }
    }
    if (!release(all, SIMT_SYNC_GRID)) return false;
  }
  for (const block_run &b : resident) {
    if (!b.shared->whole()) {
      simt_now.error = "a write beyond the " + std::to_string(shared_bytes) + " bytes of the block's shared memory";
      return false;
    }
  }
  return true;
}

}  // namespace

cudaError_t simt_run_kernel(dim3 grid, dim3 block, size_t shared_bytes, bool cooperative,
                            const std::function<void()> &body) {
  const size_t blocks = size_t(grid.x) * grid.y * grid.z;
  const simt_device_open open;
  kernel_body = &body;
  grid_may_meet = cooperative;
  access_fault = cudaSuccess;
  bool ran = true;
  if (cooperative) {
    std::vector<size_t> all(blocks);
    std::iota(all.begin(), all.end(), size_t(0));
    ran = run_blocks(all, grid, block, shared_bytes);
  } else {
    for (int b : order(blocks)) {
      ran = ran && run_blocks({static_cast<size_t>(b)}, grid, block, shared_bytes);
    }
  }
  simt_here = nullptr;
  if (!ran) __asan_unpoison_memory_region(arena, guarded * kStack); /* fibers were left in mid-run */
  return ran ? cudaSuccess : access_fault != cudaSuccess ? access_fault : cudaErrorLaunchFailure;
}

void simt_schedule(int number) {
  schedule = number % SIMT_SCHEDULES;
  random_state = 0x9e3779b97f4a7c15u * static_cast<unsigned>(number + 1);
}
