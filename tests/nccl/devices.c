/* Joining GPUs and exchanging between them (src/comm) with another library in place of NCCL's (library.c), in forked
 * processes: every part comes where it belongs, also parts of no bytes; and where not all can join, all say why. */
#include "comm/devices.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "support/close.h"
#include "support/forks.h"

enum { kSize = 4, kMost = 100 };

/* ------------------------------------------------------------------------------------------------------- processes */

static struct {
  pthread_barrier_t here;
  uint64_t words[kSize];
  char bytes[256];
} * w; /* what they share */

static void broadcast(comm *c, void *bytes, size_t size) {
  if (c->rank == 0) memcpy(w->bytes, bytes, size);
  pthread_barrier_wait(&w->here);
  memcpy(bytes, w->bytes, size);
  pthread_barrier_wait(&w->here);
}

static void gather(comm *c, uint64_t *all, uint64_t own) {
  w->words[c->rank] = own;
  pthread_barrier_wait(&w->here);
  memcpy(all, w->words, sizeof w->words);
  pthread_barrier_wait(&w->here);
}

/* Calls a function in each of them, which returns 0. */
static void together(int (*call)(comm *c)) {
  pid_t ids[kSize];
  const size_t rank = forks_begin(ids, kSize);
  if (rank < kSize) {
    comm c = {.broadcast = broadcast, .gather = gather, .rank = (int)rank, .size = kSize};
    _exit(call(&c));
  }
  assert_int_equal(forks_end(ids, kSize), kSize); /* else the rank that failed */
}

static int setup(void **unused) {
  (void)unused;
  pthread_barrierattr_t shared;
  w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (w == MAP_FAILED) return 1;
  pthread_barrierattr_init(&shared);
  pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
  return pthread_barrier_init(&w->here, &shared, kSize);
}

static bool joins(comm *c, uint64_t device, const char *line) {
  uint64_t all[kSize];
  char got[256];
  const bool joined = comm_join_devices(c, all, device, got, sizeof got);
  if (strcmp(got, line) == 0) return joined;
  fprintf(stderr, "rank %d: %s\n", c->rank, got);
  exit(1);
}

/* -------------------------------------------------------------------------------------------------------- exchanges */

/* Bytes from one to another in one of several exchanges, and which. */
static size_t bytes(int exchange, int from, int to) {
  return (size_t)((from * 7 + to * 13 + exchange * 5) % 4 * ((from + to) % kMost));
}
static char byte(int exchange, int from, int to, size_t i) {
  return (char)(exchange * 101 + from * 31 + to * 17 + (int)i);
}

/* more: bytes that are waited for in vain. */
static bool exchanges(comm *c, int exchange, size_t more) {
  char in[kSize * kMost], out[kSize * kMost], *at = out;
  size_t in_sizes[kSize], out_sizes[kSize];
  for (int r = 0; r < kSize; r++) {
    in_sizes[r] = bytes(exchange, r, c->rank);
    out_sizes[r] = bytes(exchange, c->rank, r);
    for (size_t i = 0; i < out_sizes[r]; i++) *at++ = byte(exchange, c->rank, r, i);
  }
  in_sizes[1] += more;
  if (comm_exchange_devices(c, in, in_sizes, out, out_sizes, NULL) != CUONN_OK) return false;
  at = in;
  for (int r = 0; r < kSize; r++) {
    for (size_t i = 0; i < in_sizes[r]; i++)
      if (*at++ != byte(exchange, r, c->rank, i)) return false;
  }
  return true;
}

static int exchange_three_times(comm *c) {
  if (!joins(c, (uint64_t)c->rank, "NCCL 2.28.9")) return 1;
  for (int e = 0; e < 3; e++)
    if (!exchanges(c, e, 0)) return 1;
  if (!joins(c, (uint64_t)c->rank, "NCCL 2.28.9") || !exchanges(c, 3, 0)) return 1; /* as they are */
  comm_leave_devices();
  return 0;
}

static void test_devices__exchange(void **unused) {
  (void)unused;
  together(exchange_three_times);
}

static int wait_in_vain(comm *c) {
  if (!joins(c, (uint64_t)c->rank, "NCCL 2.28.9") || exchanges(c, 0, c->rank == 2 ? 3 : 0)) return 1;
  return strcmp(cuonn_last_error(), "NCCL failed in an exchange: invalid argument") == 0 ? 0 : 1;
}

static void test_devices__parts_that_do_not_fit(void **unused) {
  (void)unused;
  together(wait_in_vain);
}

/* ------------------------------------------------------------------------------------------------ where none is used
 */

static int share_a_device(comm *c) {
  return joins(c, c->rank == 3 ? 1 : (uint64_t)c->rank, "ranks 1 and 3 compute on the same GPU") ? 1 : 0;
}

/* 2.13 lacks what is called; so does one that says no version. */
static int have_an_old_one(comm *c) {
  if (c->rank == 2) setenv("STAND_IN_VERSION", "21304", 1);
  return joins(c, (uint64_t)c->rank, "rank 2 finds no libnccl.so.2 of NCCL 2.14 or later") ? 1 : 0;
}

static int have_two_versions(comm *c) {
  if (c->rank == 3) setenv("STAND_IN_VERSION", "21400", 1);
  return joins(c, (uint64_t)c->rank, "rank 3 has another version of NCCL than rank 0") ? 1 : 0;
}

static void test_devices__not_of_all(void **unused) {
  (void)unused;
  together(share_a_device);
  together(have_an_old_one);
  together(have_two_versions);
}

static const char *where;

/* The others would wait for ever for the one that fails; afterwards they could join again. */
static int fail_to_join(comm *c) {
  char line[64];
  snprintf(line, sizeof line, "NCCL fails on rank %s: unhandled system error", strchr(where, ' ') + 1);
  setenv("STAND_IN_FAILS", where, 1);
  if (joins(c, (uint64_t)c->rank, line)) return 1;
  unsetenv("STAND_IN_FAILS");
  if (!joins(c, (uint64_t)c->rank, "NCCL 2.28.9") || !exchanges(c, 0, 0)) return 1;
  comm_leave_devices();
  return 0;
}

static void test_devices__that_fail(void **unused) {
  (void)unused;
  static const char *const all[] = {"id 0", "join 0", "join 1", "joining 2"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    where = all[i];
    together(fail_to_join);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_devices__exchange),
      cmocka_unit_test(test_devices__parts_that_do_not_fit),
      cmocka_unit_test(test_devices__not_of_all),
      cmocka_unit_test(test_devices__that_fail),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
