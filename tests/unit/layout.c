/* The list of layouts: whole structs, each followed by all of its fields, in their order and without a gap that
 * alignment does not explain. */
#include "cuonn/layout.h"

#include <stdint.h>
#include <string.h>

#include "cuonn/cuonn.h"
#include "support/close.h"

/* A field that is missing in the list leaves a gap of its size: no field that is aligned to its size leaves more than
 * size - 1 bytes, at most 7, and a field of fewer bytes than such a gap would hide in it only beside one of 8. */
static void test_layout__whole(void **unused) {
  (void)unused;
  cuonn_layout at, whole = {0};
  size_t end = 0, n_types = 0, i = 0;
  for (; cuonn_layout_at(&at, i); i++) {
    if (at.field[0] == 0) {
      assert_true(whole.size - end < 8);
      assert_true(i == 0 || strcmp(whole.type, at.type) != 0);
      whole = at;
      end = 0;
      n_types++;
      continue;
    }
    assert_string_equal(at.type, whole.type);
    assert_true(at.offset >= end && at.offset - end < 8 && at.size > 0);
    end = at.offset + at.size;
    assert_true(end <= whole.size);
  }
  assert_true(whole.size - end < 8);
  assert_true(n_types >= 20);
  assert_false(cuonn_layout_at(&at, i));
  assert_null(at.type);
  assert_false(cuonn_layout_at(&at, SIZE_MAX));
}

static void test_layout__as_compiled_here(void **unused) {
  (void)unused;
  cuonn_layout at;
  int found = 0;
  for (size_t i = 0; cuonn_layout_at(&at, i); i++) {
    if (strcmp(at.type, "cuonn_mesh") != 0) continue;
    if (at.field[0] == 0) found += at.size == sizeof(cuonn_mesh);
    if (strcmp(at.field, "gamma") == 0) found += at.offset == offsetof(cuonn_mesh, gamma);
  }
  assert_int_equal(found, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layout__whole),
      cmocka_unit_test(test_layout__as_compiled_here),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
