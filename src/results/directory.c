#include "results/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "results/store.h"

cuonn_status results_join(char **out, const char *directory, const char *name) {
  const size_t length = strlen(directory);
  const bool slash = length > 0 && directory[length - 1] == '/';
  if (asprintf(out, "%s%s%s", directory, slash ? "" : "/", name) >= 0) return CUONN_OK;
  *out = NULL;
  return cuonn_fail(CUONN_E_MEMORY, "%s: not enough memory for its name", directory);
}

cuonn_status results_directory_make(const char *directory) {
  struct stat info;
  CUONN_TRY(results_check_name(directory));
  if (mkdir(directory, 0777) == 0) return CUONN_OK;
  const int reason = errno;
  CUONN_CHECK(reason != ENOENT, CUONN_E_IO, "%s: cannot be made: the folder above it does not exist", directory);
  CUONN_CHECK(reason == EEXIST, CUONN_E_IO, "%s: cannot be made: %s", directory, strerror(reason));
  CUONN_CHECK(stat(directory, &info) == 0, CUONN_E_IO, "%s: cannot be used: %s", directory, strerror(errno));
  CUONN_CHECK(S_ISDIR(info.st_mode), CUONN_E_IO, "%s: is a file, not a directory", directory);
  return CUONN_OK;
}

cuonn_status results_directory_lock(int *lock, const char *directory) {
  *lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CUONN_CHECK(*lock < 0 || flock(*lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, CUONN_E_ARGUMENT,
              "%s: another run is writing there; stop it, or choose another directory", directory);
  return CUONN_OK;
}
