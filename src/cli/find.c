#include "cli/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/common.h"

static bool is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_among(const char *name, const char *const *names) {
  for (; *names; names++)
    if (strcmp(name, *names) == 0) return true;
  return false;
}

static const char *name_in(const char *path) {
  const char *const slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* The folder that a file is in, and folder/name; NULL if there is no memory. */
static char *folder_of(const char *path) {
  const size_t length = (size_t)(name_in(path) - path);
  return length ? strndup(path, length) : strdup("./");
}

static char *join(const char *folder, const char *name) {
  char *path;
  const size_t length = strlen(folder);
  const bool slash = length > 0 && folder[length - 1] == '/';
  return asprintf(&path, "%s%s%s", folder, slash ? "" : "/", name) >= 0 ? path : NULL;
}

bool cli_find_has(const char *directory, const char *name) {
  char *const path = join(directory, name);
  const bool has = path && access(path, F_OK) == 0;
  free(path);
  return has;
}

/* No file in a directory is what is wanted. */
static int refuse(const char *folder, bool metrics) {
  if (cli_find_has(folder, "sweep.yaml"))
    return metrics
               ? cli_fail(CLI_BAD_FILE,
                          "%s: is the directory of a sweep, which has no metrics.csv; its figures are sweep-map, "
                          "sweep-bars, tolerance and tradeoff",
                          folder)
               : cli_fail(CLI_BAD_FILE,
                          "%s: is the directory of a sweep; name one of its networks, such as %s/networks/000000.nc",
                          folder, folder);
  if (cli_find_has(folder, "config.yaml") && cli_find_has(folder, "metrics.csv"))
    return cli_fail(CLI_BAD_FILE, "%s: holds a run of which no epoch was finished, and so no best.nc or last.nc",
                    folder);
  return cli_fail(CLI_BAD_FILE, "%s: is a folder without %s; give that file, or the directory of a run", folder,
                  metrics ? "metrics.csv" : "best.nc or last.nc");
}

/* The first of the wanted files that is in a folder. */
static int find_file(char **out, const char *path, const char *const *wanted) {
  if (!is_folder(path)) return CLI_DONE;
  for (size_t i = 0; wanted[i]; i++) {
    if (!cli_find_has(path, wanted[i])) continue;
    *out = join(path, wanted[i]);
    return *out ? CLI_DONE : cli_fail(CLI_RESOURCES, "not enough memory");
  }
  return refuse(path, strcmp(wanted[0], "metrics.csv") == 0);
}

/* The directory of the run or sweep that a file belongs to. */
static int find_directory(char **out, const char *path, bool results) {
  const char *const name = name_in(path);
  char *const where = folder_of(path);
  if (!where) return cli_fail(CLI_RESOURCES, "not enough memory");
  const bool of_both = strcmp(name, "report.html") == 0;
  const bool of_run =
      of_both || is_among(name, (const char *const[]){"config.yaml", "metrics.csv", "last.nc", "best.nc", NULL});
  const bool of_sweep = of_both || strcmp(name, "sweep.yaml") == 0 || (!results && strcmp(name, "sweep.nc") == 0);
  if (!is_folder(path) &&
      ((of_run && cli_find_has(where, "metrics.csv")) || (of_sweep && cli_find_has(where, "sweep.yaml"))))
    *out = strdup(where);
  free(where);
  return CLI_DONE;
}

int cli_find(char **out, const char *path, cli_find_kind kind) {
  static const char *const networks[] = {"best.nc", "last.nc", NULL};
  static const char *const metrics[] = {"metrics.csv", NULL};
  int code = CLI_DONE;
  *out = NULL;
  switch (kind) {
    case CLI_FIND_FILE: break;
    case CLI_FIND_NETWORK: code = find_file(out, path, networks); break;
    case CLI_FIND_METRICS: code = find_file(out, path, metrics); break;
    case CLI_FIND_DIRECTORY:
    case CLI_FIND_RESULTS: code = find_directory(out, path, kind == CLI_FIND_RESULTS); break;
  }
  if (code != CLI_DONE || *out) return code;
  *out = strdup(path);
  return *out ? CLI_DONE : cli_fail(CLI_RESOURCES, "not enough memory");
}
