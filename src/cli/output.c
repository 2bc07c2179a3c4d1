#include "cli/output.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/common.h"

/* What commands read in a folder that they are given: a run, a sweep, a data set. All else in it may be replaced. */
static const char *const kRead[] = {"config.yaml", "metrics.csv", "last.nc",      "best.nc",        "sweep.yaml",
                                    "sweep.nc",    "runs/*.nc",   "*-idx?-ubyte", "*-idx?-ubyte.gz"};

static bool is_read(const char *name) {
  for (size_t i = 0; i < sizeof kRead / sizeof *kRead; i++)
    if (fnmatch(kRead[i], name, FNM_PATHNAME) == 0) return true;
  return false;
}

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int refuse(const char *output, const char *input, const char *name) {
  return cli_fail(CLI_USAGE,
                  "the output %s is the same file as the input %s%s%s, which would be replaced; choose another name",
                  output, input, name ? "/" : "", name ? name : "");
}

/* The first file that is read in folder/below and is `file`: its name behind the folder's, to be released with free();
 * NULL if there is none. below: "" or "runs/". */
static char *find_in(const char *folder, const char *below, const struct stat *file) {
  char *found = NULL, *path;
  if (asprintf(&path, "%s/%s", folder, below) < 0) return NULL;
  DIR *const names = opendir(path);
  for (const struct dirent *entry; names && !found && (entry = readdir(names));) {
    struct stat info;
    char *name;
    if (asprintf(&name, "%s%s", below, entry->d_name) < 0) break;
    if (is_read(name) && fstatat(dirfd(names), entry->d_name, &info, 0) == 0 && same_file(&info, file))
      found = name;
    else
      free(name);
  }
  if (names) closedir(names);
  free(path);
  return found;
}

int cli_check_output(const char *output, const char *const *inputs, size_t n_inputs) {
  struct stat out, in;
  if (!output || stat(output, &out) != 0) return CLI_DONE; /* what is not there is no input */
  for (size_t i = 0; i < n_inputs; i++) {
    if (!inputs[i] || stat(inputs[i], &in) != 0) continue;
    if (same_file(&in, &out)) return refuse(output, inputs[i], NULL);
    char *name = S_ISDIR(in.st_mode) ? find_in(inputs[i], "", &out) : NULL;
    if (!name && S_ISDIR(in.st_mode)) name = find_in(inputs[i], "runs/", &out);
    if (!name) continue;
    const int code = refuse(output, inputs[i], name);
    free(name);
    return code;
  }
  return CLI_DONE;
}
