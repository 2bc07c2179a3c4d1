/* The cuda backend against the reference: every kernel, under every schedule, and nothing is left behind. */
#define PARITY_BACKEND cuonn_backend_cuda
#define PARITY_BATCHES \
  { 1, 3, 7, 70 }
#define PARITY_ONE_PATH false
#define PARITY_ROUNDINGS 12 /* the emulation does not contract */
#define PARITY_DARK_FLOW true
#include "support/parity.h"

#include "support/schedules.h"

/* Eight and sixteen pairs a lane; and with the shared memory of workstation cards, where the largest panels are not
 * copied ahead. Once: what differs from small meshes is sizes, not who waits for whom. */
static void test_large__networks(void **state) {
  (void)state;
  chance c = {1};
  check_network(&(problem){.modes = 257, .layers = 1, .classes = 10, .batch = 2, .style = CUONN_STYLE_BOTTOM}, &c);
  check_network(&(problem){.modes = 514, .layers = 1, .classes = 10, .batch = 2, .error = 0.05, .loss = 0.1}, &c);
}

static void test_large__mesh_on_a_workstation_card(void **state) {
  (void)state;
  chance c = {2};
  cuda_release(); /* sessions know the device that they were made for */
  simt_device(3, 101376);
  check_mesh(&(problem){.modes = 513, .batch = 1, .error = 0.05, .loss = 0.1}, &c);
  cuda_release();
  simt_device(2, 232448);
}

/* More examples than a block for each chunk takes at once: blocks go on to the next, and add to what they have. */
static void test_large__batches(void **state) {
  (void)state;
  chance c = {3};
  for (int lossy = 0; lossy < 2; lossy++) {
    const problem p = {.modes = 3, .layers = 2, .classes = 2, .batch = 16 * 512 + 50, .loss = 2. * lossy};
    check_network(&p, &c);
    check_mesh(&p, &c);
  }
}

static void test_mesh__refuses_more_than_the_kernels_hold(void **state) {
  (void)state;
  cuonn_mesh mesh;
  cuonn_fields in;
  OK(cuonn_mesh_create(&mesh, 1025, CUONN_STYLE_TOP));
  OK(cuonn_fields_create(&in, 1, 1025));
  const cuonn_buffer x = buffer_of_fields(&in);
  REFUSED(cuonn_backend_cuda.propagate(&x, NULL, &mesh, &x, false, (backend_place){0}), CUONN_E_SHAPE,
          "up to 1024 waveguides, this one has 1025; use backend cpu");
  cuonn_fields_free(&in);
  cuonn_mesh_free(&mesh);
}

int main(void) {
  const struct CMUnitTest tests[] = {PARITY_TESTS, cmocka_unit_test(test_mesh__refuses_more_than_the_kernels_hold)};
  const struct CMUnitTest large[] = {cmocka_unit_test(test_large__batches), cmocka_unit_test(test_large__networks),
                                     cmocka_unit_test(test_large__mesh_on_a_workstation_card)};
  const int failed = cmocka_run_group_tests(large, NULL, NULL);
  return run_under_schedules(tests, sizeof tests / sizeof *tests, failed);
}
