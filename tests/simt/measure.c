/* What benchmarks ask of the cuda backend: sensible numbers, no leaks. Their size says nothing in emulation. */
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "cuda/device.h"
#include "support/close.h"

#include <simt.h>

static void test_machine(void **state) {
  (void)state;
  backend_machine machine;
  OK(cuonn_backend_cuda.measure_machine(&machine, (backend_place){0}));
  assert_true(strlen(machine.name) > 0);
  assert_true(machine.bytes_per_second > 0 && isfinite(machine.bytes_per_second));
  assert_true(machine.flops_per_second > 0 && isfinite(machine.flops_per_second));
  assert_true(machine.clock_hz >= 0 && isfinite(machine.clock_hz));
}

static void test_propagation(void **state) {
  (void)state;
  enum { kSamples = 3, kModes = 9, kExamples = 5 };
  const backend_propagation what[] = {BACKEND_NODE_FORM, BACKEND_ALL_STAGES};
  cuonn_mesh mesh;
  cuonn_fields in;
  OK(cuonn_mesh_create(&mesh, kModes, CUONN_STYLE_TOP));
  OK(cuonn_fields_create(&in, kExamples, kModes));
  for (size_t i = 0; i < 2 * kExamples * kModes; i++) in.values[i] = 1;
  for (size_t i = 0; i < 2; i++) {
    double seconds[kSamples + 1] = {-1, -1, -1, -1};
    OK(cuonn_backend_cuda.time_propagation(seconds, kSamples, what[i], &mesh, &in, (backend_place){0}));
    for (size_t k = 0; k < kSamples; k++) assert_true(seconds[k] >= 0 && isfinite(seconds[k]));
    assert_true(seconds[kSamples] == -1);
  }
  cuonn_fields_free(&in);
  cuonn_mesh_free(&mesh);
}

static void test_nothing_is_left(void **state) {
  (void)state;
  cuda_release();
  assert_int_equal(simt_alive(), 0);
}

int main(void) {
  simt_memory((size_t)32 << 20); /* of which a quarter is copied to and fro */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_machine),
      cmocka_unit_test(test_propagation),
      cmocka_unit_test(test_nothing_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
