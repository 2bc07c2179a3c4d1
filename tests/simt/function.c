/* Meshes as functions on the emulated cuda backend: what unit.function asks of the backends in host memory. */
#include "support/function.h"

#include <simt.h>

static void test_function__as_meshes(void **unused) {
  (void)unused;
  as_meshes("cuda");
}

static void test_function__keeps_handles(void **unused) {
  (void)unused;
  handles("cuda");
  assert_int_equal(cuonn_function_release(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_function__as_meshes),
      cmocka_unit_test(test_function__keeps_handles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
