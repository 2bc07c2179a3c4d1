/* A program with the faults that campaign.py must find, one a mode; `careful` has none. Reads `in`, writes `out`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kSize = 64, kBadFile = 3, kNoMemory = 4 };

static const char *mode;

static int is(const char *name) { return strcmp(mode, name) == 0; }

static int fail(int code, const char *what) {
  fprintf(stderr, "cuonn careless: %s: %s\n", what, strerror(errno));
  if (is("chatty")) fprintf(stderr, "cuonn careless: I give up\n");
  return code;
}

static int put(int file, const char *bytes) {
  for (size_t done = 0; done < kSize;) {
    const ssize_t n = write(file, bytes + done, kSize / 2 - done % (kSize / 2));
    if (n < 0 && errno == EINTR && !is("impatient")) continue;
    if (n < 0) return -1;
    done += (size_t)n;
    if (is("short")) break;
  }
  return 0;
}

static int write_out(const char *bytes) {
  const char *const goal = is("in-place") ? "out" : "out.tmp";
  const int file = open(goal, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0) return is("silent") ? 0 : fail(kBadFile, goal);
  const int failed = put(file, bytes), closed = close(file);
  if (is("silent")) return rename(goal, "out") == 0 ? 0 : unlink(goal);
  if (failed || closed || (goal[3] && rename(goal, "out") != 0)) {
    const int code = fail(kBadFile, "out");
    if (goal[3] && !is("litter")) unlink(goal);
    return code;
  }
  return 0;
}

int main(int argc, char **argv) {
  mode = argc > 1 ? argv[1] : "careful";
  char *const bytes = malloc(kSize);
  if (!bytes && !is("crash")) return fail(is("wrong-code") ? 1 : kNoMemory, "no memory");
  memset(bytes, 'x', kSize);
  const int file = open("in", is("input") ? O_RDWR | O_TRUNC : O_RDONLY);
  if (file < 0) return fail(kBadFile, "in");
  bytes[0] = 'y';
  const int code = write_out(bytes);
  if (close(file) != 0 && code == 0) return fail(kBadFile, "in");
  free(bytes);
  return code;
}
