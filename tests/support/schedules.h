/* Tests under every schedule of the emulated device (tests/simt), after which nothing may be left behind. */
#ifndef TEST_SCHEDULES_H
#define TEST_SCHEDULES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <simt.h>

#include "cuda/device.h"

/* Returns the number of failures, `failed` among them. */
static int run_under_schedules(const struct CMUnitTest *tests, size_t n_tests, int failed) {
  for (int schedule = 0; schedule < SIMT_SCHEDULES; schedule++) {
    simt_schedule(schedule);
    print_message("schedule %d\n", schedule);
    failed += _cmocka_run_group_tests("tests", tests, n_tests, NULL, NULL);
  }
  cuda_release();
  if (failed == 0 && simt_alive() > 0) {
    print_error("%zu allocations, streams or graphs were not released\n", simt_alive());
    failed++;
  }
  return failed;
}

#endif
