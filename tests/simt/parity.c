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

/* More waveguides than a lane has pairs for, up to 16 pairs a lane, odd and even; on a device with the shared memory of
 * large GPUs and on one with that of workstation cards, where panels are not copied ahead. */
static void large(size_t shared_bytes) {
  const size_t sizes[] = {200, 301, 520};
  chance c = {shared_bytes};
  cuda_release(); /* sessions know the device that they were made for */
  simt_device(3, shared_bytes);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int general = 0; general < 2; general++) {
      const problem p = {.modes = sizes[i],
                         .layers = 1 + sizes[i] % 2,
                         .classes = 10,
                         .batch = 5,
                         .style = styles[i],
                         .error = 0.05 * general,
                         .loss = 0.1 * general};
      check_network(&p, &c);
      if (i == 0) check_mesh(&(problem){.modes = 530, .batch = 2, .error = p.error, .loss = p.loss}, &c);
    }
  }
  cuda_release();
  simt_device(2, 232448);
}
static void test_large__of_large_gpus(void **state) { (void)state, large(232448); }
static void test_large__of_workstation_cards(void **state) { (void)state, large(101376); }

static void test_mesh__refuses_more_than_the_kernels_hold(void **state) {
  (void)state;
  cuonn_mesh mesh;
  cuonn_fields in;
  OK(cuonn_mesh_create(&mesh, 1025, CUONN_STYLE_TOP));
  OK(cuonn_fields_create(&in, 1, 1025));
  REFUSED(cuonn_backend_cuda.propagate(in.values, NULL, &mesh, &in, false, 1), CUONN_E_SHAPE,
          "up to 1024 waveguides, this one has 1025; use backend cpu");
  cuonn_fields_free(&in);
  cuonn_mesh_free(&mesh);
}

int main(void) {
  const struct CMUnitTest tests[] = {PARITY_TESTS, cmocka_unit_test(test_large__of_large_gpus),
                                     cmocka_unit_test(test_large__of_workstation_cards),
                                     cmocka_unit_test(test_mesh__refuses_more_than_the_kernels_hold)};
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
