/* A configuration's bytes, from a file or a pipe, as the shell makes one of <(command).
 *
 * Neither the opening nor a read may block, so that a request to stop is seen: a pipe without a writer is refused, and
 * for more of one with a writer, poll() waits in short turns. */
#include "config/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* Waits until there is more to read, or the writer has gone. */
static cuonn_status wait_for_more(int file, const char *path) {
  enum { kTurn = 100 }; /* milliseconds */
  struct pollfd more = {.fd = file, .events = POLLIN};
  for (;;) {
    CUONN_CHECK(!cuonn_stop_requested(), CUONN_E_INTERRUPTED, "%s: interrupted while it was read", path);
    const int ready = poll(&more, 1, kTurn);
    CUONN_CHECK(ready >= 0 || errno == EINTR, CUONN_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (ready > 0) return CUONN_OK;
  }
}

static cuonn_status read_all(char *text, size_t *length, size_t most, int file, const char *path) {
  for (*length = 0; *length < most;) {
    const ssize_t n = read(file, text + *length, most - *length);
    if (n == 0) break;
    if (n > 0) {
      *length += (size_t)n;
    } else if (errno == EAGAIN || errno == EINTR) {
      CUONN_TRY(wait_for_more(file, path));
    } else {
      return cuonn_fail(CUONN_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    }
  }
  return CUONN_OK;
}

cuonn_status config_read_stream(char **text, size_t *length, size_t most, const char *path) {
  cuonn_status status = CUONN_OK;
  struct stat about;
  *text = NULL;
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  CUONN_CHECK(file >= 0, CUONN_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
  CUONN_CHECK_DONE(fstat(file, &about) == 0, CUONN_E_IO, "%s: cannot be read: %s", path, strerror(errno));
  CUONN_CHECK_DONE(!S_ISDIR(about.st_mode), CUONN_E_IO, "%s: is a folder; a configuration is a file in YAML", path);
  CUONN_TRY_DONE(cuonn_allocate(text, most, 1));
  CUONN_TRY_DONE(read_all(*text, length, most, file, path));
  CUONN_CHECK_DONE(*length > 0 || !S_ISFIFO(about.st_mode), CUONN_E_IO,
                   "%s: is a pipe from which nothing comes: nobody writes into it", path);
done:
  close(file);
  if (status != CUONN_OK) {
    free(*text);
    *text = NULL;
  }
  return status;
}
