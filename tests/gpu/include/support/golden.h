/* The golden values without netCDF, for a machine that has no such library: one file of doubles a variable, as
 * bundle/export_golden.c writes them, in the folder that CUONN_GOLDEN names. The functions are those of
 * tests/support/golden.h. */
#ifndef CUONN_TESTS_GOLDEN_H
#define CUONN_TESTS_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static inline double *golden_read(const char *file, const char *group, const char *variable, size_t *count) {
  const char *const folder = getenv("CUONN_GOLDEN");
  char path[1024];
  snprintf(path, sizeof path, "%s/%s/%s%s%s", folder ? folder : CUONN_TEST_GOLDEN, file, group, *group ? "/" : "",
           variable);
  FILE *const from = fopen(path, "rb");
  if (!from) fail_msg("%s cannot be read", path);
  assert_int_equal(fseek(from, 0, SEEK_END), 0);
  const size_t n = (size_t)ftell(from) / sizeof(double);
  rewind(from);
  double *const values = malloc((n > 0 ? n : 1) * sizeof *values);
  assert_non_null(values);
  assert_int_equal(fread(values, sizeof *values, n, from), n);
  fclose(from);
  if (count != NULL) *count = n;
  return values;
}

static inline double *golden_read_n(const char *file, const char *group, const char *variable, size_t n) {
  size_t count = 0;
  double *const values = golden_read(file, group, variable, &count);
  if (count != n) fail_msg("%s/%s of %s has %zu values, should have %zu", group, variable, file, count, n);
  return values;
}

#endif
