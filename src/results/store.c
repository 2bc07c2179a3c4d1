/* Whole files: read into memory, and written so that the target is always the old file or the new one. */
#include "results/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"

enum { kNameTries = 100, kTagDigits = 16, kChunk = 1 << 30 };

cuonn_status results_check_name(const char *path) {
  CUONN_CHECK(path[0], CUONN_E_IO, "the name of the file is empty");
  CUONN_CHECK(!strstr(path, "://"), CUONN_E_IO, "%s: names that hold \"://\" are refused; give a file on this machine",
              path);
  return CUONN_OK;
}

/* ---- reading ---- */

cuonn_status results_read_bytes(unsigned char **bytes, size_t *size, const char *path) {
  cuonn_status status = CUONN_OK;
  unsigned char *read_bytes = NULL;
  *bytes = NULL;
  *size = 0;
  CUONN_TRY(results_check_name(path));

  struct stat info;
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer must not block */
  CUONN_CHECK(file >= 0, CUONN_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
  CUONN_CHECK_DONE(fstat(file, &info) == 0, CUONN_E_IO, "%s: cannot be read: %s", path, strerror(errno));
  CUONN_CHECK_DONE(!S_ISDIR(info.st_mode), CUONN_E_IO, "%s: is a folder, not a file", path);
  CUONN_CHECK_DONE(S_ISREG(info.st_mode), CUONN_E_IO, "%s: is not a regular file", path);
  const uintmax_t length = (uintmax_t)info.st_size;
  CUONN_CHECK_DONE(length <= RESULTS_FILE_MAX, CUONN_E_DATA, "%s: has %ju bytes; at most %zu are read", path, length,
                   RESULTS_FILE_MAX);
  status = cuonn_allocate(&read_bytes, (size_t)length + RESULTS_SLACK, 1);
  if (status != CUONN_OK) {
    cuonn_fail_within(status, "%s", path);
    goto done;
  }

  for (size_t got = 0; got < length;) {
    const size_t left = (size_t)length - got;
    const ssize_t n = read(file, read_bytes + got, left < kChunk ? left : kChunk);
    if (n < 0 && errno == EINTR) continue;
    CUONN_CHECK_DONE(n >= 0, CUONN_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    CUONN_CHECK_DONE(n > 0, CUONN_E_IO, "%s: became shorter while it was read", path);
    got += (size_t)n;
  }
  *bytes = read_bytes;
  *size = (size_t)length;
  read_bytes = NULL;
done:
  free(read_bytes);
  close(file);
  return status;
}

/* ---- writing ---- */

/* The file that a write replaces, and the temporary beside it. */
typedef struct {
  char *path;      /* the target, symbolic links followed: the link stays and its file is replaced */
  char *folder;    /* that holds it */
  char *temporary; /* NULL until it exists */
  bool exists;     /* whether there is an old file */
  mode_t mode;     /* of the old file */
} goal;

static cuonn_status goal_find(goal *out, const char *path) {
  struct stat info;
  out->path = realpath(path, NULL);
  if (!out->path) {
    CUONN_CHECK(errno == ENOENT, CUONN_E_IO, "%s: cannot be written: %s", path, strerror(errno));
    out->path = strdup(path);
  } else {
    CUONN_CHECK(stat(out->path, &info) == 0, CUONN_E_IO, "%s: cannot be written: %s", path, strerror(errno));
    CUONN_CHECK(!S_ISDIR(info.st_mode), CUONN_E_IO, "%s: is a folder; give the name of a file", path);
    CUONN_CHECK(S_ISREG(info.st_mode), CUONN_E_IO, "%s: is not a regular file and will not be replaced", path);
    CUONN_CHECK(faccessat(AT_FDCWD, out->path, W_OK, AT_EACCESS) == 0, CUONN_E_IO, "%s: cannot be written: %s", path,
                strerror(errno));
    out->exists = true;
    out->mode = info.st_mode & 0777;
  }
  CUONN_CHECK(out->path, CUONN_E_MEMORY, "%s: not enough memory for its name", path);

  const char *const slash = strrchr(out->path, '/');
  CUONN_CHECK(!slash || slash[1], CUONN_E_IO, "%s: cannot be written: it is the name of a folder", path);
  out->folder = slash ? strndup(out->path, slash == out->path ? 1 : (size_t)(slash - out->path)) : strdup(".");
  CUONN_CHECK(out->folder, CUONN_E_MEMORY, "%s: not enough memory for its name", path);
  return CUONN_OK;
}

static void goal_free(goal *g) {
  if (g->temporary) unlink(g->temporary);
  free(g->temporary);
  free(g->folder);
  free(g->path);
}

/* Locks a temporary file for as long as it is open, so that nobody takes it for one that was left behind. False:
 * somebody was faster. A file system without locks has nobody who looks. */
static bool hold_temporary(int file) {
  struct stat info;
  if (flock(file, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
  return fstat(file, &info) == 0 && info.st_nlink > 0;
}

/* Whether a name is one that open_temporary() makes. */
static bool is_temporary(const char *name) {
  static const char prefix[] = ".cuonn-", suffix[] = ".tmp";
  const size_t before = sizeof prefix - 1;
  if (strncmp(name, prefix, before) != 0 || strspn(name + before, "0123456789abcdef") != kTagDigits) return false;
  return strcmp(name + before + kTagDigits, suffix) == 0;
}

void results_remove_temporaries(const char *folder) {
  DIR *const names = opendir(folder);
  for (const struct dirent *entry; names && (entry = readdir(names));) {
    struct stat info;
    if (!is_temporary(entry->d_name)) continue;
    const int file = openat(dirfd(names), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) continue;
    if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && flock(file, LOCK_EX | LOCK_NB) == 0)
      unlinkat(dirfd(names), entry->d_name, 0);
    close(file);
  }
  if (names) closedir(names);
}

/* Opened with O_EXCL and 0666 under a random name, not with mkstemp, so that the kernel itself applies the umask and
 * the folder's access list; asking for the umask would change it for other threads. */
static cuonn_status open_temporary(int *out, goal *g, const char *path) {
  for (int i = 0; i < kNameTries; i++) {
    uint64_t tag = 0;
    if (getrandom(&tag, sizeof tag, GRND_NONBLOCK) != sizeof tag) {
      struct timespec now;
      clock_gettime(CLOCK_MONOTONIC, &now);
      tag = (uint64_t)now.tv_nsec << 32 | (uint64_t)getpid();
    }
    char *name = NULL;
    CUONN_CHECK(asprintf(&name, "%s/.cuonn-%016" PRIx64 ".tmp", g->folder, tag) >= 0, CUONN_E_MEMORY,
                "%s: not enough memory for its name", path);
    *out = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (*out >= 0 && hold_temporary(*out)) {
      g->temporary = name;
      return CUONN_OK;
    }
    const int reason = *out < 0 ? errno : EEXIST;
    if (*out >= 0) {
      unlink(name);
      close(*out);
    }
    *out = -1;
    free(name);
    if (reason == EEXIST) continue;
    CUONN_CHECK(reason != ENOENT, CUONN_E_IO, "%s: cannot be written: the folder %s does not exist", path, g->folder);
    return cuonn_fail(CUONN_E_IO, "%s: cannot be written: the folder %s takes no new file: %s", path, g->folder,
                      strerror(reason));
  }
  return cuonn_fail(CUONN_E_IO, "%s: cannot be written: no free name for a temporary file", path);
}

static cuonn_status write_all(int file, const struct iovec *parts, size_t count, const char *path) {
  for (size_t i = 0; i < count; i++) {
    const unsigned char *const bytes = parts[i].iov_base;
    for (size_t done = 0; done < parts[i].iov_len;) {
      const size_t left = parts[i].iov_len - done;
      const ssize_t n = write(file, bytes + done, left < kChunk ? left : kChunk);
      if (n < 0 && errno == EINTR) continue;
      CUONN_CHECK(n >= 0, CUONN_E_IO, "%s: cannot be written: %s", path, strerror(errno));
      CUONN_CHECK(n > 0, CUONN_E_IO, "%s: cannot be written: the system takes no more bytes", path);
      done += (size_t)n;
    }
  }
  return CUONN_OK;
}

/* A file that passes the process's size limit raises SIGXFSZ, which kills by default: held back here, so that write
 * says EFBIG, and taken away again unless it was pending before. */
static cuonn_status write_all_quietly(int file, const struct iovec *parts, size_t count, const char *path) {
  sigset_t limit, old, pending;
  sigemptyset(&limit);
  sigaddset(&limit, SIGXFSZ);
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &limit, &old);
  const cuonn_status status = write_all(file, parts, count, path);
  if (!sigismember(&pending, SIGXFSZ)) {
    const struct timespec at_once = {0, 0};
    while (sigtimedwait(&limit, NULL, &at_once) < 0 && errno == EINTR) continue;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return status;
}

cuonn_status results_sync_folder(const char *folder, const char *path) {
  const int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return CUONN_OK; /* a folder may be writable and not readable; what was done in it is done */
  const int failed = fsync(file) == 0 ? 0 : errno;
  close(file);
  CUONN_CHECK(failed == 0 || failed == EINVAL || failed == ENOTSUP, CUONN_E_IO,
              "%s: is written, but its folder cannot be synced: %s", path, strerror(failed));
  return CUONN_OK;
}

/* The folder that holds `path`; release with free(). */
static cuonn_status find_parent(char **out, const char *path) {
  char *const copy = strdup(path); /* dirname() writes into it */
  *out = copy ? strdup(dirname(copy)) : NULL;
  free(copy);
  CUONN_CHECK(*out, CUONN_E_MEMORY, "%s: not enough memory for its name", path);
  return CUONN_OK;
}

cuonn_status results_folders_make(const char *folder) {
  cuonn_status status = CUONN_OK;
  struct stat info;
  char *parent = NULL;
  if (stat(folder, &info) == 0) {
    CUONN_CHECK(S_ISDIR(info.st_mode), CUONN_E_IO, "%s: is a file, not a directory", folder);
    return CUONN_OK;
  }
  CUONN_TRY_DONE(find_parent(&parent, folder));
  int reason = mkdir(folder, 0777) == 0 ? 0 : errno;
  if ((reason == ENOENT || reason == ENOTDIR) && strcmp(parent, folder) != 0) {
    CUONN_TRY_DONE(results_folders_make(parent));
    reason = mkdir(folder, 0777) == 0 ? 0 : errno;
  }
  if (reason == EEXIST && stat(folder, &info) == 0 && S_ISDIR(info.st_mode)) goto done; /* "a/..", or made by others */
  CUONN_CHECK_DONE(reason != EEXIST, CUONN_E_IO, "%s: cannot be made: it is a link that leads nowhere", folder);
  CUONN_CHECK_DONE(reason == 0, CUONN_E_IO, "%s: cannot be made: %s", folder, strerror(reason));
  CUONN_TRY_DONE(results_sync_folder(parent, folder));
done:
  free(parent);
  return status;
}

cuonn_status cuonn_parents_make(const char *path) {
  char *parent;
  CUONN_TRY(results_check_name(path));
  CUONN_TRY(find_parent(&parent, path));
  const cuonn_status status = results_folders_make(parent);
  free(parent);
  return status == CUONN_OK ? CUONN_OK : cuonn_fail_within(status, "%s", path);
}

/* The whole file under its temporary name, synced. */
static cuonn_status write_temporary(goal *g, const struct iovec *parts, size_t count, const char *path) {
  cuonn_status status = CUONN_OK;
  int file = -1;
  CUONN_TRY_DONE(open_temporary(&file, g, path));
  CUONN_TRY_DONE(write_all_quietly(file, parts, count, path));
  CUONN_CHECK_DONE(!g->exists || fchmod(file, g->mode) == 0, CUONN_E_IO, "%s: its permissions cannot be kept: %s", path,
                   strerror(errno));
  CUONN_CHECK_DONE(fsync(file) == 0, CUONN_E_IO, "%s: cannot be written: %s", path, strerror(errno));
  const int closed = close(file);
  file = -1;
  CUONN_CHECK_DONE(closed == 0, CUONN_E_IO, "%s: cannot be written: %s", path, strerror(errno));
done:
  if (file >= 0) close(file);
  return status;
}

cuonn_status results_write_bytes(const char *path, const struct iovec *parts, size_t count) {
  cuonn_status status = CUONN_OK;
  goal g = {0};
  CUONN_TRY(results_check_name(path));
  CUONN_TRY_DONE(goal_find(&g, path));
  CUONN_TRY_DONE(cuonn_parents_make(path));
  CUONN_TRY_DONE(write_temporary(&g, parts, count, path));
  CUONN_CHECK_DONE(rename(g.temporary, g.path) == 0, CUONN_E_IO, "%s: cannot be written: %s", path, strerror(errno));
  free(g.temporary);
  g.temporary = NULL;
  CUONN_TRY_DONE(results_sync_folder(g.folder, path));
done:
  goal_free(&g);
  return status;
}

/* Gives a temporary file its name unless another has it. An answer that was lost on the network makes a link that was
 * made look refused; the file itself knows how many names it has. */
static cuonn_status link_first(bool *first, const goal *g, const char *path) {
  struct stat info;
  const int reason = link(g->temporary, g->path) == 0 ? 0 : errno;
  *first = reason == 0 || (stat(g->temporary, &info) == 0 && info.st_nlink == 2);
  CUONN_CHECK(
      *first || reason == EEXIST, CUONN_E_IO,
      "%s: cannot be made by link(), by which programs share a directory: %s; choose a directory on another file "
      "system, or run one program",
      path, strerror(reason));
  return CUONN_OK;
}

cuonn_status results_publish_bytes(bool *first, const char *path, const struct iovec *parts, size_t count) {
  cuonn_status status = CUONN_OK;
  goal g = {0};
  *first = false;
  CUONN_TRY(results_check_name(path));
  CUONN_TRY_DONE(goal_find(&g, path));
  if (g.exists) goto done;
  CUONN_TRY_DONE(write_temporary(&g, parts, count, path));
  CUONN_TRY_DONE(link_first(first, &g, path));
  CUONN_CHECK_DONE(unlink(g.temporary) == 0, CUONN_E_IO, "%s: %s, beside it, cannot be removed: %s", path, g.temporary,
                   strerror(errno));
  free(g.temporary);
  g.temporary = NULL;
  CUONN_TRY_DONE(results_sync_folder(g.folder, path));
done:
  goal_free(&g);
  return status;
}

cuonn_status cuonn_bytes_write(const char *path, const void *bytes, size_t size) {
  const struct iovec part = {(void *)(uintptr_t)bytes, size}; /* only read */
  return results_write_bytes(path, &part, 1);
}
