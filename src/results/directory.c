#include "results/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cuonn/files.h"
#include "results/store.h"

cuonn_status results_join(char **out, const char *directory, const char *name) {
  const size_t length = strlen(directory);
  const bool slash = length > 0 && directory[length - 1] == '/';
  if (asprintf(out, "%s%s%s", directory, slash ? "" : "/", name) >= 0) return CUONN_OK;
  *out = NULL;
  return cuonn_fail(CUONN_E_MEMORY, "%s: not enough memory for its name", directory);
}

cuonn_status results_directory_make(const char *directory) {
  CUONN_TRY(results_check_name(directory));
  return results_folders_make(directory);
}

cuonn_status results_directory_lock(int *lock, bool *held, const char *directory, bool shared) {
  *lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  *held = *lock >= 0 && flock(*lock, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
  CUONN_CHECK(*held || *lock < 0 || errno != EWOULDBLOCK, CUONN_E_ARGUMENT,
              "%s: another run is writing there; stop it, or choose another directory", directory);
  return CUONN_OK;
}

/* ---- what is there ---- */

const char *const results_run_names[] = {"config.yaml", "metrics.csv", "last.nc", "best.nc", "report.html", NULL};
const char *const results_sweep_names[] = {"sweep.yaml", "parts", "sweep.nc", "runs", "networks", "report.html", NULL};

cuonn_status results_directory_has(bool *has, const char *directory, const char *name) {
  struct stat info;
  char *path;
  CUONN_TRY(results_join(&path, directory, name));
  *has = path && lstat(path, &info) == 0;
  const int reason = errno;
  const bool known = !path || *has || reason == ENOENT || reason == ENOTDIR;
  free(path);
  CUONN_CHECK(known, CUONN_E_IO, "%s: cannot be looked through for %s: %s", directory, name, strerror(reason));
  return CUONN_OK;
}

/* Where a link leads; NULL if it is none, or leads to nothing. Release with free(). */
static cuonn_status follow_link(char **target, const char *path) {
  struct stat info;
  *target = NULL;
  const bool there = lstat(path, &info) == 0;
  if (there && !S_ISLNK(info.st_mode)) return CUONN_OK;
  if (there) *target = realpath(path, NULL);
  CUONN_CHECK(*target || errno == ENOENT || errno == ENOTDIR, CUONN_E_IO, "%s: cannot be looked at: %s", path,
              strerror(errno));
  return CUONN_OK;
}

cuonn_status cuonn_directory_check(const char *directory, const char *name) {
  cuonn_status status = CUONN_OK;
  char *path = NULL, *target = NULL, *folder = NULL;
  CUONN_TRY_DONE(results_join(&path, directory, name));
  if (path) CUONN_TRY_DONE(follow_link(&target, path));
  if (!target) goto done;
  folder = realpath(directory, NULL);
  CUONN_CHECK_DONE(folder, CUONN_E_IO, "%s: cannot be looked at: %s", directory, strerror(errno));
  const size_t length = strlen(folder);
  const bool inside = strncmp(target, folder, length) == 0 && (target[length] == '/' || length == 1);
  CUONN_CHECK_DONE(
      inside, CUONN_E_ARGUMENT,
      "%s: is a link that leads out of its directory, to %s, which would be replaced; remove the link, or copy "
      "the file in its place",
      path, target);
done:
  free(folder);
  free(target);
  free(path);
  return status;
}

static bool is_among(const char *name, const char *const *names) {
  for (; *names; names++) {
    if (strcmp(name, *names) == 0) return true;
  }
  return false;
}

cuonn_status results_directory_check(const char *directory, const char *const *names, const char *const *others) {
  const bool for_run = names == results_run_names;
  for (size_t i = 0; others[i]; i++) {
    bool has;
    if (is_among(others[i], names)) continue;
    CUONN_TRY(results_directory_has(&has, directory, others[i]));
    CUONN_CHECK(!has, CUONN_E_ARGUMENT,
                "%s: holds %s, which is of a %s, and a %s needs a directory of its own; choose another", directory,
                others[i], for_run ? "sweep" : "run", for_run ? "run" : "sweep");
  }
  for (size_t i = 0; names[i]; i++) CUONN_TRY(cuonn_directory_check(directory, names[i]));
  return CUONN_OK;
}
