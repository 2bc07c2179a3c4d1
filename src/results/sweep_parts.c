/* The file `parts` of a sweep's directory: its text is the number of parts, and its byte k is what part k locks. */
#include "results/sweep_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cuonn/sweep.h"
#include "results/store.h"

/* *n is 1 where there is no such file. */
static cuonn_status read_count(size_t *n, const char *path) {
  unsigned char *text;
  size_t size;
  char *end;
  *n = 1;
  if (access(path, F_OK) != 0 && errno == ENOENT) return CUONN_OK;
  CUONN_TRY(results_read_bytes(&text, &size, path));
  const unsigned long count = strtoul((const char *)text, &end, 10);
  const bool whole = size > 0 && strcmp(end, "\n") == 0 && count >= 2 && count <= CUONN_SWEEP_PARTS_MAX;
  free(text);
  CUONN_CHECK(whole, CUONN_E_DATA,
              "%s: is not a number of parts from 2 to %d; remove it when no part runs, and what is missing is cut anew",
              path, CUONN_SWEEP_PARTS_MAX);
  *n = count;
  return CUONN_OK;
}

cuonn_status sweep_parts_check(const char *directory, const char *path, size_t n_parts) {
  size_t found;
  CUONN_TRY(read_count(&found, path));
  CUONN_CHECK(
      found == n_parts, CUONN_E_ARGUMENT,
      "%s: its runs are cut into %zu parts, and this would be one of %zu; give --part K/%zu, or remove %s when no "
      "part runs, and what is missing is cut anew",
      directory, found, n_parts, found, path);
  return CUONN_OK;
}

cuonn_status sweep_parts_cut(const char *directory, const char *path, size_t n_parts) {
  char text[24];
  bool first;
  const int length = snprintf(text, sizeof text, "%zu\n", n_parts);
  const struct iovec whole = {text, (size_t)length};
  CUONN_TRY(results_publish_bytes(&first, path, &whole, 1));
  return first ? CUONN_OK : sweep_parts_check(directory, path, n_parts);
}

cuonn_status sweep_parts_lock(int *lock, const char *directory, const char *path, size_t part, size_t n_parts) {
  struct flock own = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)part, .l_len = 1};
  *lock = open(path, O_RDWR | O_CLOEXEC);
  CUONN_CHECK(*lock >= 0, CUONN_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
  const bool held = fcntl(*lock, F_OFD_SETLK, &own) == 0;
  CUONN_CHECK(held || (errno != EAGAIN && errno != EACCES), CUONN_E_ARGUMENT,
              "%s: part %zu/%zu runs already; wait for it, stop it, or start another part", directory, part, n_parts);
  return CUONN_OK;
}
