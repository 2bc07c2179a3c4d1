/* What tests/simt/include/simt.h says, where the device is a real one: it has one schedule, its own, and no faults are
 * planned. A test that needs more of the emulation does not compile here; tests/gpu/CMakeLists.txt leaves it out. */
#ifndef SIMT_H
#define SIMT_H

#include <stddef.h>

enum { SIMT_SCHEDULES = 1 };

static inline void simt_schedule(int schedule) { (void)schedule; }
static inline void simt_reset(void) {}

/* The device is what it is: a test that asks for another runs once more on this one. */
static inline void simt_device(int multiprocessors, size_t shared_bytes) { (void)multiprocessors, (void)shared_bytes; }

static inline void simt_memory(size_t bytes) { (void)bytes; }

static inline const char *simt_error(void) { return "see the status"; }

/* What CUDA does not count is taken for right. */
static inline size_t simt_alive(void) { return 0; }
static inline size_t simt_launches(void) { return 0; }
static inline int simt_ranges(void) { return 0; }

#endif
