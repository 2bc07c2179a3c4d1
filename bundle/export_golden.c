/* Golden values as plain files of doubles, for programs that are to read them without netCDF: every variable of a file
 * becomes FOLDER/FILE/GROUP/VARIABLE.
 *   export_golden FOLDER FILE.nc... */
#include <errno.h>
#include <libgen.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int fail(const char *what, const char *why) {
  fprintf(stderr, "export_golden: %s: %s\n", what, why);
  return 1;
}

static int export_variable(int group, int variable, const char *folder) {
  char name[NC_MAX_NAME + 1], path[4096];
  int rank, dims[NC_MAX_VAR_DIMS], code = 0;
  size_t n = 1, length;
  if (nc_inq_var(group, variable, name, NULL, &rank, dims, NULL)) return fail(folder, "a variable cannot be read");
  for (int d = 0; d < rank; d++) {
    if (nc_inq_dimlen(group, dims[d], &length)) return fail(name, "a dimension cannot be read");
    n *= length;
  }
  double *const values = malloc((n ? n : 1) * sizeof *values);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *const to = fopen(path, "wb");
  if (!values || !to || nc_get_var_double(group, variable, values) || fwrite(values, sizeof *values, n, to) != n) {
    code = fail(path, "cannot be written");
  }
  if (to && fclose(to)) code = fail(path, strerror(errno));
  free(values);
  return code;
}

static int export_group(int group, const char *folder) {
  int n_variables, n_groups, code = 0;
  if (mkdir(folder, 0777) && errno != EEXIST) return fail(folder, strerror(errno));
  if (nc_inq_nvars(group, &n_variables) || nc_inq_grps(group, &n_groups, NULL)) return fail(folder, "no netCDF group");
  int *const groups = calloc((size_t)n_groups + 1, sizeof *groups);
  if (!groups || nc_inq_grps(group, NULL, groups)) code = fail(folder, "its groups cannot be read");
  for (int v = 0; v < n_variables && !code; v++) code = export_variable(group, v, folder);
  for (int g = 0; g < n_groups && !code; g++) {
    char name[NC_MAX_NAME + 1], path[4096];
    if (nc_inq_grpname(groups[g], name)) code = fail(folder, "a group has no name");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!code) code = export_group(groups[g], path);
  }
  free(groups);
  return code;
}

int main(int argc, char **argv) {
  for (int i = 2; i < argc; i++) {
    char path[4096];
    int file;
    if (nc_open(argv[i], NC_NOWRITE, &file)) return fail(argv[i], "cannot be opened");
    if (mkdir(argv[1], 0777) && errno != EEXIST) return fail(argv[1], strerror(errno));
    snprintf(path, sizeof path, "%s/%s", argv[1], basename(argv[i]));
    if (export_group(file, path)) return 1;
    nc_close(file);
  }
  return 0;
}
