/* The cuda backend against the reference: every kernel, under every schedule, and nothing is left behind. */
#define PARITY_BACKEND cuonn_backend_cuda
#define PARITY_BATCHES \
  { 1, 3, 7, 70 }
#define PARITY_ONE_PATH false
#define PARITY_ROUNDINGS 12 /* the emulation does not contract */
#define PARITY_DARK_FLOW true
#include "support/parity.h"

#include <simt.h>

#include "cuda/device.h"

int main(void) {
  const struct CMUnitTest tests[] = {PARITY_TESTS};
  int failed = 0;
  for (int schedule = 0; schedule < SIMT_SCHEDULES; schedule++) {
    simt_schedule(schedule);
    print_message("schedule %d\n", schedule);
    failed += cmocka_run_group_tests(tests, NULL, NULL);
  }
  cuda_release();
  if (failed == 0 && simt_alive() > 0) {
    print_error("%zu allocations, streams or graphs were not released\n", simt_alive());
    failed++;
  }
  return failed;
}
