#include "comm/one.h"

#include <sched.h>
#include <string.h>

static uint64_t counter;

static void broadcast(comm *c, void *bytes, size_t size) { (void)c, (void)bytes, (void)size; }

static void gather(comm *c, uint64_t *all, uint64_t own) {
  (void)c;
  *all = own;
}

static void exchange(comm *c, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes) {
  (void)c, (void)out_sizes;
  memcpy(in, out, *in_sizes);
}

static uint64_t next(comm *c) {
  (void)c;
  return counter++;
}

static void nothing(comm *c) { (void)c; }

static void end(comm *c, int code) { (void)c, (void)code; }

comm *comm_open_one(void) {
  static comm one = {broadcast, gather, exchange, next, nothing, end, nothing, 0, 1, 1, 0, 1};
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) one.processors = CPU_COUNT(&set);
  counter = 0;
  return &one;
}
