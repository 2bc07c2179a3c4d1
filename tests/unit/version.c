/* Version, build and libraries: one line each, with numbers in them. */
#include "cuonn/version.h"

#include <ctype.h>
#include <string.h>

#include "support/close.h"

static void test_version__is_that_of_the_headers(void **state) {
  (void)state;
  assert_string_equal(cuonn_version(), CUONN_VERSION);
}

static void test_build__names_compiler_and_type(void **state) {
  (void)state;
  assert_non_null(strstr(cuonn_build(), ", "));
  assert_null(strchr(cuonn_build(), '\n'));
}

static void test_libraries__name_each_with_its_number(void **state) {
  (void)state;
  static const char *const names[] = {"libyaml ", "netCDF ", "OpenBLAS ", "LAPACK ", "zlib ", "xxHash "};
  const char *text = cuonn_libraries();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *at = strstr(text, names[i]);
    if (!at || !isdigit((unsigned char)at[strlen(names[i])])) fail_msg("no \"%s<number>\" in: %s", names[i], text);
  }
  assert_null(strchr(text, '\n'));
  assert_ptr_equal(text, cuonn_libraries());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_version__is_that_of_the_headers),
      cmocka_unit_test(test_build__names_compiler_and_type),
      cmocka_unit_test(test_libraries__name_each_with_its_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
