/* Memory: zeroed, aligned, and refused where there is not enough. */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/close.h"

static void test_allocate__zeroes_and_aligns(void **state) {
  (void)state;
  static const size_t counts[] = {0, 1, 3, 8, 1000};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    double *block;
    OK(cuonn_allocate(&block, counts[i], sizeof *block));
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 64, 0);
    for (size_t k = 0; k < counts[i]; k++) assert_true(block[k] == 0);
    free(block);
  }
}

static void test_allocate__refuses_what_cannot_be_addressed(void **state) {
  (void)state;
  double *block = (double *)state;
  REFUSED(cuonn_allocate(&block, SIZE_MAX / 4, sizeof *block), CUONN_E_MEMORY, "more than can be addressed");
  assert_null(block);
}

/* All memory that the machine has is never free; where it were promised all the same, its use would end the process. */
static void test_allocate__refuses_more_than_there_is(void **state) {
  (void)state;
  const size_t whole = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
  unsigned char *block = (unsigned char *)state;
  REFUSED(cuonn_allocate(&block, whole, 1), CUONN_E_MEMORY, "not enough memory");
  assert_null(block);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_allocate__zeroes_and_aligns),
      cmocka_unit_test(test_allocate__refuses_what_cannot_be_addressed),
      cmocka_unit_test(test_allocate__refuses_more_than_there_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
