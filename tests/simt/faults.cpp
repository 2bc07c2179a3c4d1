/* Faults that are planted in small kernels, and under which schedules the emulation finds each: by a launch that fails,
 * by AddressSanitizer, or by a wrong result. Beside each stands the kernel that does it right, which no schedule may
 * refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <cmocka.h>
}
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <simt.h>
#include "device.h"

namespace {

enum { kThreads = 96, kBlocks = 4 };

/* Each kernel adds 1 to its input, by a detour. */
DEVICE unsigned here() { return blockIdx.x * kThreads + threadIdx.x; }

template <bool kWrong>
KERNEL k_global_bounds(float *out, const float *in) {
  out[kWrong ? here() + 1 : here()] = in[here()] + 1;
}

template <bool kWrong>
KERNEL k_shared_bounds(float *out, const float *in) {
  float *s = shared_memory<float>();
  const unsigned at = threadIdx.x + (kWrong ? 1 : 0);
  s[at] = in[here()] + 1;
  out[here()] = s[at];
}

/* A thread of a later warp reads what an earlier warp wrote; the first warp reads its own. */
template <bool kWrong>
KERNEL k_read_behind(float *out, const float *in) {
  float *s = shared_memory<float>();
  s[threadIdx.x] = in[here()];
  if (!kWrong) sync_block();
  const unsigned from = threadIdx.x < CUONN_WARP ? threadIdx.x : threadIdx.x - CUONN_WARP;
  out[here()] = s[from] + 1 + in[here()] - in[blockIdx.x * kThreads + from];
}

/* The same the other way round. */
template <bool kWrong>
KERNEL k_read_ahead(float *out, const float *in) {
  float *s = shared_memory<float>();
  s[threadIdx.x] = in[here()];
  if (!kWrong) sync_block();
  const unsigned from = threadIdx.x < 2 * CUONN_WARP ? threadIdx.x + CUONN_WARP : threadIdx.x;
  out[here()] = s[from] + 1 + in[here()] - in[blockIdx.x * kThreads + from];
}

/* Shared memory is used again before all have read it. The sums would keep the warps in step if a shuffle were a
 * barrier of the block. */
template <bool kWrong>
KERNEL k_overwrite(float *out, const float *in) {
  float *s = shared_memory<float>();
  const unsigned from = (threadIdx.x + CUONN_WARP) % kThreads;
  s[threadIdx.x] = in[here()];
  sync_block();
  const float zero = warp_sum(0.0f);
  const float read = s[from];
  if (!kWrong) sync_block();
  s[threadIdx.x] = in[here()] + 1 + zero;
  sync_block();
  out[here()] = s[from] - read + in[here()];
}

template <bool kWrong>
KERNEL k_neighbour_lane(float *out, const float *in) {
  float *s = shared_memory<float>();
  const unsigned next = threadIdx.x % CUONN_WARP == CUONN_WARP - 1 ? threadIdx.x : threadIdx.x + 1;
  s[threadIdx.x] = in[here()];
  if (!kWrong) sync_warp();
  out[here()] = s[next] + 1 + in[here()] - in[here() + next - threadIdx.x];
}

template <bool kWrong>
KERNEL k_shuffle_apart(float *out, const float *in) {
  float v = in[here()] + 1;
  if (kWrong && threadIdx.x % CUONN_WARP < 16) {
    v = shuffle_xor(v, 1);
  } else {
    v = shuffle_xor(v, 1);
  }
  out[here()] = shuffle_xor(v, 1);
}

template <bool kWrong>
KERNEL k_shuffle_or_barrier(float *out, const float *in) {
  const float v = in[here()] + 1;
  if (kWrong && threadIdx.x == 7) sync_block();
  out[here()] = shuffle_xor(shuffle_xor(v, 1), 1);
}

template <bool kWrong>
KERNEL k_thread_leaves(float *out, const float *in) {
  out[here()] = in[here()] + 1;
  if (kWrong && threadIdx.x == 5) return;
  sync_block();
}

template <bool kWrong>
KERNEL k_warp_leaves(float *out, const float *in) {
  out[here()] = in[here()] + 1;
  if (kWrong && threadIdx.x / CUONN_WARP == 1) return;
  sync_block();
}

template <bool kWrong>
KERNEL k_barriers_apart(float *out, const float *in) {
  out[here()] = in[here()] + 1;
  if (kWrong && threadIdx.x / CUONN_WARP == 1) {
    sync_block();
  } else {
    sync_block();
  }
}

template <bool kWrong>
KERNEL k_shared_unset(float *out, const float *in) {
  float *s = shared_memory<float>();
  if (!kWrong || threadIdx.x != 40) s[threadIdx.x] = in[here()];
  sync_block();
  out[here()] = s[threadIdx.x] + 1;
}

template <bool kWrong>
KERNEL k_global_unset(float *out, const float *in) {
  if (!kWrong || here() != 40) out[here()] = in[here()] + 1;
}

/* A later block reads what an earlier one wrote, through global memory. */
template <bool kWrong>
KERNEL k_grid_behind(float *out, const float *in) {
  out[here()] = in[here()];
  if (!kWrong) sync_grid();
  const unsigned from = blockIdx.x == 0 ? here() : here() - kThreads;
  const float read = out[from] - in[from];
  sync_grid();
  out[here()] = read + in[here()] + 1;
}

template <bool kWrong>
KERNEL k_grid_ahead(float *out, const float *in) {
  out[here()] = in[here()];
  if (!kWrong) sync_grid();
  const unsigned from = blockIdx.x == kBlocks - 1 ? here() : here() + kThreads;
  const float read = out[from] - in[from];
  sync_grid();
  out[here()] = read + in[here()] + 1;
}

template <bool kWrong>
KERNEL k_block_leaves(float *out, const float *in) {
  out[here()] = in[here()] + 1;
  if (kWrong && blockIdx.x == 2) return;
  sync_grid();
}

/* 24 copies of 16 bytes bring a block's input to shared memory. One of them stands 4 bytes off at either end, or brings
 * what nobody wrote. */
enum copy_fault { kRightCopy, kOffThere, kOffHere, kNothingThere };
template <copy_fault kFault>
KERNEL k_copy_16(float *out, const float *in) {
  float *s = shared_memory<float>();
  if (threadIdx.x < kThreads / 4) {
    const bool wrong = threadIdx.x == 3;
    const float *const from = kFault == kNothingThere && wrong ? out : in;
    copy_16(s + 4 * threadIdx.x + (kFault == kOffHere && wrong),
            from + blockIdx.x * kThreads + 4 * threadIdx.x + (kFault == kOffThere && wrong));
  }
  copy_group();
  copy_wait<0>();
  sync_block();
  out[here()] = s[threadIdx.x] + 1;
}

/* Each thread reads its group of two or four numbers at once; one reads, or writes, where no group begins. A host
 * allows that. */
template <class Group, bool kWrong>
KERNEL k_read_off(float *out, const float *in) {
  constexpr unsigned each = sizeof(Group) / sizeof(float);
  const unsigned group = here() / each * each, at = kWrong && here() == 41 ? 41 : group;
  const Group numbers = *reinterpret_cast<const Group *>(in + at);
  float values[each];
  memcpy(values, &numbers, sizeof values);
  out[here()] = values[here() - at] + 1;
}

template <bool kWrong>
KERNEL k_write_off(float *out, const float *in) {
  if (here() % 2 != (kWrong && here() > 96)) return;
  *reinterpret_cast<float2 *>(out + here()) = make_float2(in[here()] + 1, in[here() + 1] + 1);
}

typedef void (*kernel)(float *, const float *);
struct fault {
  const char *name;
  kernel wrong, right;
  bool cooperative;
  /* by schedule 0, 1, 2, 3: F a failed launch or copy, W a wrong result, . not at all; NULL: in luck */
  const char *caught;
  const char *text; /* in simt_error, if it fails (with AddressSanitizer, bounds end the program instead) */
};
#define BOTH(k) k<true>, k<false>
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED "FFFF" /* UndefinedBehaviorSanitizer ends the program */
#else
#define SANITIZED nullptr
#endif
const fault faults[] = {
    {"write beyond an allocation", BOTH(k_global_bounds), false, "FFFF", "beyond an allocation"},
    {"write beyond shared memory", BOTH(k_shared_bounds), false, "FFFF", "384 bytes of the block's shared memory"},
    {"no barrier, read behind", BOTH(k_read_behind), false, ".WWW", ""},
    {"no barrier, read ahead", BOTH(k_read_ahead), false, "W.WW", ""},
    {"no barrier before reuse", BOTH(k_overwrite), false, "WWWW", ""},
    {"no barrier of the warp", BOTH(k_neighbour_lane), false, "W.WW", ""},
    {"lanes at two shuffles", BOTH(k_shuffle_apart), false, "FFFF", "waits at shuffle_xor (faults.cpp:"},
    {"lanes at shuffle and barrier", BOTH(k_shuffle_or_barrier), false, "FFFF", "waits at sync_block (faults.cpp:"},
    {"a thread leaves", BOTH(k_thread_leaves), false, "FFFF", "has left"},
    {"a warp leaves", BOTH(k_warp_leaves), false, "FFFF", "has left"},
    {"warps at two barriers", BOTH(k_barriers_apart), false, "FFFF", "waits at sync_block (faults.cpp:"},
    {"shared memory not set", BOTH(k_shared_unset), false, "WWWW", ""},
    {"global memory not set", BOTH(k_global_unset), false, "FFFF", "that nobody wrote: 4 of 1536 bytes"},
    {"copy_16 from no multiple of 16", k_copy_16<kOffThere>, k_copy_16<kRightCopy>, false, "FFFF",
     "a multiple of 16 (faults.cpp:"},
    {"copy_16 to no multiple of 16", k_copy_16<kOffHere>, k_copy_16<kRightCopy>, false, "FFFF",
     "a multiple of 16 (faults.cpp:"},
    {"copy_16 of memory not set", k_copy_16<kNothingThere>, k_copy_16<kRightCopy>, false, "FFFF", "that nobody wrote"},
    {"float2 read off its place", k_read_off<float2, true>, k_read_off<float2, false>, false, SANITIZED, ""},
    {"float4 read off its place", k_read_off<float4, true>, k_read_off<float4, false>, false, SANITIZED, ""},
    {"double2 read off its place", k_read_off<double2, true>, k_read_off<double2, false>, false, SANITIZED, ""},
    {"float2 written off its place", BOTH(k_write_off), false, SANITIZED, ""},
    {"no grid barrier, read behind", BOTH(k_grid_behind), true, ".FFF", "that nobody wrote"},
    {"no grid barrier, read ahead", BOTH(k_grid_ahead), true, "F.FF", "that nobody wrote"},
    {"a block leaves", BOTH(k_block_leaves), true, "FFFF", "has left"},
    {"grid barrier in a plain launch", k_grid_ahead<false>, k_global_unset<false>, false, "FFFF", "not cooperative"},
};

/* F, W or '.' for a kernel under a schedule; X if the text is not the one that is expected. */
char outcome(kernel run, bool cooperative, int schedule, const char *text) {
  float *in, *out, host[kBlocks * kThreads];
  for (int i = 0; i < kBlocks * kThreads; i++) host[i] = (float)(i % 251);
  simt_schedule(schedule);
  cudaMalloc(&in, sizeof host);
  cudaMalloc(&out, sizeof host);
  cudaMemcpy(in, host, sizeof host, cudaMemcpyHostToDevice);
  const size_t shared = kThreads * sizeof(float);
  const cudaError_t launched = cooperative ? CUONN_LAUNCH_COOPERATIVE(run, kBlocks, kThreads, shared, nullptr, out, in)
                                           : CUONN_LAUNCH(run, kBlocks, kThreads, shared, nullptr, out, in);
  if (launched != cudaSuccess) {
    const bool stays = cudaDeviceSynchronize() == launched && cudaGetLastError() == launched;
    return stays && strstr(simt_error(), text) ? 'F' : 'X';
  }
  char result = '.';
  const cudaError_t read = cudaMemcpy(host, out, sizeof host, cudaMemcpyDeviceToHost);
  if (read != cudaSuccess) return cudaGetLastError() == read && strstr(simt_error(), text) ? 'F' : 'X';
  for (int i = 0; i < kBlocks * kThreads; i++) {
    if (!(host[i] == (float)(i % 251 + 1))) result = 'W';
  }
  cudaFree(in);
  cudaFree(out);
  return result;
}

/* In a process of its own, which AddressSanitizer may end; its report is not shown. */
char outcome_apart(const fault &f, int schedule) {
  const pid_t child = fork();
  if (child == 0) {
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    _exit(outcome(f.wrong, f.cooperative, schedule, f.text));
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
#if defined(__SANITIZE_ADDRESS__)
  if (WIFSIGNALED(status) || WEXITSTATUS(status) == 1) return 'F';
#endif
  assert_true(WIFEXITED(status));
  return (char)WEXITSTATUS(status);
}

void test_faults__are_found(void **) {
  int failed = 0;
  for (const fault &f : faults) {
    char found[SIMT_SCHEDULES + 1] = "";
    if (!f.caught) continue;
    for (int s = 0; s < SIMT_SCHEDULES; s++) found[s] = outcome_apart(f, s);
    if (strcmp(found, f.caught) != 0) {
      print_error("%s: outcomes %s, should be %s\n", f.name, found, f.caught);
      failed++;
    }
  }
  assert_int_equal(failed, 0);
}

void test_faults__right_kernels_pass(void **) {
  for (const fault &f : faults) {
    for (int s = 0; s < SIMT_SCHEDULES; s++) {
      const char result = outcome(f.right, f.cooperative, s, "");
      if (result != '.') fail_msg("%s, done right, under schedule %d: %c %s", f.name, s, result, simt_error());
    }
  }
}

KERNEL k_partial_warp(float *out) { out[threadIdx.x] = warp_sum(1.0f); }

/* A warp of fewer than 32 threads has no full warp to shuffle in. */
void test_faults__partial_warp(void **) {
  float *out;
  cudaMalloc(&out, 40 * sizeof(float));
  assert_int_equal(CUONN_LAUNCH(k_partial_warp, 1, 40, 0, nullptr, out), cudaErrorLaunchFailure);
  assert_non_null(strstr(simt_error(), "only 8 of 32 lanes"));
  simt_reset();
  cudaFree(out);
}

/* The host cannot reach device memory; only AddressSanitizer sees it. */
void test_faults__host_reads_device(void **) {
#if defined(__SANITIZE_ADDRESS__)
  const pid_t child = fork();
  if (child == 0) {
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    float *out;
    cudaMalloc(&out, sizeof *out);
    *(volatile float *)out = 1;
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
#else
  skip();
#endif
}

}  // namespace

int main() {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_faults__are_found),
      cmocka_unit_test(test_faults__partial_warp), /* its fibers are left in mid-run: the next must not mind */
      cmocka_unit_test(test_faults__right_kernels_pass),
      cmocka_unit_test(test_faults__host_reads_device),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
