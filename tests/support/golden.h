/* Reading golden values: netCDF variables of tests/golden/ as arrays of doubles. */
#ifndef CUONN_TESTS_GOLDEN_H
#define CUONN_TESTS_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <netcdf.h>

#include <cmocka.h>

#define GOLDEN_NC(call)                                                                                               \
  do {                                                                                                                \
    const int golden_rc = (call);                                                                                     \
    if (golden_rc != NC_NOERR) fail_msg("%s: %s/%s of %s: %s", #call, group, variable, path, nc_strerror(golden_rc)); \
  } while (0)

/* Values of a variable of any numeric type, converted to double; complex arrays come as (real, imaginary) pairs.
 * file: "golden.nc"; group: "forward/8", or "" for the file itself; count (may be NULL): number of doubles.
 * Fails the running test if anything is absent. Release with free(). */
static inline double *golden_read(const char *file, const char *group, const char *variable, size_t *count) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", CUONN_TEST_GOLDEN, file);
  int root = -1, id = -1, var = -1, n_dims = 0, dims[NC_MAX_VAR_DIMS];
  GOLDEN_NC(nc_open(path, NC_NOWRITE, &root));
  id = root;
  if (group[0] != '\0') GOLDEN_NC(nc_inq_grp_full_ncid(root, group, &id));
  GOLDEN_NC(nc_inq_varid(id, variable, &var));
  GOLDEN_NC(nc_inq_var(id, var, NULL, NULL, &n_dims, dims, NULL));
  size_t n = 1;
  for (int d = 0; d < n_dims; d++) {
    size_t length = 0;
    GOLDEN_NC(nc_inq_dimlen(id, dims[d], &length));
    n *= length;
  }
  double *const values = malloc((n > 0 ? n : 1) * sizeof *values);
  assert_non_null(values);
  GOLDEN_NC(nc_get_var_double(id, var, values));
  GOLDEN_NC(nc_close(root));
  if (count != NULL) *count = n;
  return values;
}

/* The same, and fails unless there are exactly n doubles. */
static inline double *golden_read_n(const char *file, const char *group, const char *variable, size_t n) {
  size_t count = 0;
  double *const values = golden_read(file, group, variable, &count);
  if (count != n) fail_msg("%s/%s of %s has %zu values, should have %zu", group, variable, file, count, n);
  return values;
}

#endif
