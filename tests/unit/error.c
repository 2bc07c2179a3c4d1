/* The text of the last failure: one line, whatever it quotes; the flag that asks a run to stop. */
#include "base/error.h"

#include <string.h>

#include "support/close.h"

static void test_text__is_one_line(void **state) {
  (void)state;
  assert_int_equal(cuonn_fail(CUONN_E_DATA, "attribute \"%s\" is unknown", "a\nb\tc\x1b"), CUONN_E_DATA);
  assert_string_equal(cuonn_last_error(), "attribute \"a b c \" is unknown");
}

static void test_text__may_quote_itself(void **state) {
  (void)state;
  cuonn_fail(CUONN_E_DATA, "theta[3] is nan");
  assert_int_equal(cuonn_fail_within(CUONN_E_DATA, "layer %d", 2), CUONN_E_DATA);
  assert_string_equal(cuonn_last_error(), "layer 2: theta[3] is nan");
}

static void test_text__is_cut_where_it_is_too_long(void **state) {
  (void)state;
  char longer[10000];
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = 0;
  cuonn_fail(CUONN_E_IO, "%s", longer);
  assert_in_range(strlen(cuonn_last_error()), 1000, sizeof longer - 2);
}

static void test_stop__is_remembered_until_cleared(void **state) {
  (void)state;
  assert_false(cuonn_stop_requested());
  cuonn_request_stop();
  assert_true(cuonn_stop_requested());
  cuonn_clear_stop();
  assert_false(cuonn_stop_requested());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text__is_one_line),
      cmocka_unit_test(test_text__may_quote_itself),
      cmocka_unit_test(test_text__is_cut_where_it_is_too_long),
      cmocka_unit_test(test_stop__is_remembered_until_cleared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
