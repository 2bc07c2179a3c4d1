/* The public handle where device memory does not suffice, and where the device is lost. */
#define HANDLE_MODES 5
#include "support/handle.h"

#include "cuda/device.h"

#include <simt.h>

enum { kCount = kExamples * kModes };

static cuonn_status fields_there_and_back(cuonn_model *model) {
  static double y[2 * kCount], d[kNodes];
  const cuonn_buffer x = buffer(values, CUONN_COMPLEX128, kCount), out = buffer(y, x.type, kCount);
  const cuonn_phase_buffers gradient = {.theta = buffer(d, CUONN_FLOAT64, kNodes)};
  cuonn_status status = cuonn_model_propagate(&out, model, 0, 0, &x, false, NULL);
  if (status == CUONN_OK) status = cuonn_model_vjp(&gradient, &out, model, 0, 0, &x, &x, NULL);
  if (status == CUONN_OK) status = cuonn_model_set_phases(model, 0, 0, &gradient, NULL);
  return status;
}

/* Whichever allocation fails, the handle says so, and does it at the next call; nothing is left behind. */
static void test_memory__every_allocation_may_fail(void **unused) {
  (void)unused;
  cuda_release();
  for (long n = 0;; n++) {
    cuonn_model *const model = make("cuda", 0, 1);
    simt_fail_malloc_after(n);
    const cuonn_status status = fields_there_and_back(model);
    simt_fail_malloc_after(-1);
    if (status != CUONN_OK) {
      assert_int_equal(status, CUONN_E_MEMORY);
      OK(fields_there_and_back(model));
    }
    cuonn_model_destroy(model);
    cuda_release();
    assert_int_equal(simt_alive(), 0);
    if (status == CUONN_OK) {
      assert_true(n > 8);
      break;
    }
  }
}

static void test_lost__at_every_kernel(void **unused) {
  (void)unused;
  for (long n = 0;; n++) {
    cuonn_model *const model = make("cuda", 0, 1);
    OK(fields_there_and_back(model));
    simt_fail_launch_after(n);
    const cuonn_status status = fields_there_and_back(model);
    if (status != CUONN_OK) {
      assert_int_equal(status, CUONN_E_DEVICE);
      assert_non_null(strstr(cuonn_last_error(), "the GPU failed: "));
    }
    cuonn_model_destroy(model);
    cuda_release();
    simt_reset();
    if (status == CUONN_OK) {
      assert_true(n >= 8);
      break;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory__every_allocation_may_fail),
                                     cmocka_unit_test(test_lost__at_every_kernel)};
  const int failed = cmocka_run_group_tests(tests, setup, NULL);
  cuda_release();
  return failed;
}
