/* Loaded before all other libraries (LD_PRELOAD): counts a program's calls of the system and of malloc, and lets one of
 * them fail, or the program die there. Time is counted, too, so that a run is the same whenever it is repeated.
 *
 * Counting begins with main(): what the loader and the constructors of libraries do is not the program's affair. Calls
 * that the C library makes inside itself (printf's write) are not seen; those of all other libraries are. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "plan.h"

static plan *the_plan; /* NULL: nothing is counted */
static const char *record_folder;
static _Thread_local bool inside; /* in this file: what it calls is not counted */

/* ---- the call that is hit ---- */

static const char *program_name; /* the loaded object that holds main() */

/* Last part of the path of the loaded object that holds an address; NULL for this one, the C library and nowhere. */
static const char *object_at(void *address) {
  Dl_info info;
  if (!dladdr(address, &info) || !info.dli_fname) return NULL;
  const char *const slash = strrchr(info.dli_fname, '/');
  const char *const name = slash ? slash + 1 : info.dli_fname;
  return strncmp(name, "libc.so", 7) == 0 || strstr(name, "cuonn_faults") ? NULL : name;
}

/* Loaded objects on the stack, innermost first, parted by spaces. */
static void find_objects(char *out, size_t size) {
  enum { kDepth = 64 };
  void *frames[kDepth];
  const int depth = backtrace(frames, kDepth);
  const char *last = "";
  size_t used = 0;
  *out = 0;
  for (int i = 0; i < depth; i++) {
    const char *const name = object_at(frames[i]);
    if (!name || strcmp(name, last) == 0) continue;
    last = name;
    const int n = snprintf(out + used, size - used, "%s ", name);
    if (n < 0 || (size_t)n >= size - used) break;
    used += (size_t)n;
  }
}

/* Whether the program itself asks, be it through the C library (strdup), and not another library. */
static bool is_own(void *caller) {
  char objects[sizeof the_plan->objects];
  const char *const name = object_at(caller);
  if (name) return strcmp(name, program_name) == 0;
  inside = true;
  find_objects(objects, sizeof objects);
  inside = false;
  const size_t length = strlen(program_name);
  return strncmp(objects, program_name, length) == 0 && objects[length] == ' ';
}

/* Counts a call; whether it is hit. A program that shall die does not come back. */
static bool hit(unsigned kind, const char *name) {
  if (!the_plan || inside || !(the_plan->kinds & kind)) return false;
  const uint64_t call = __atomic_add_fetch(&the_plan->calls, 1, __ATOMIC_RELAXED);
  const bool here = call == the_plan->at;
  const bool later = the_plan->how == PLAN_STAY && the_plan->at && call > the_plan->at;
  if (!here && !later) return false;
  char objects[sizeof the_plan->objects];
  inside = true;
  the_plan->hit++;
  snprintf(the_plan->name, sizeof the_plan->name, "%s", name);
  find_objects(objects, sizeof objects); /* a program that goes round here may be killed at any moment of this */
  snprintf(the_plan->objects, sizeof the_plan->objects, "%s", objects);
  if (the_plan->how == PLAN_KILL) kill(getpid(), SIGKILL);
  inside = false;
  return true;
}

/* Whether a hit call fails, and with which errno. */
static bool fails(unsigned kind, const char *name, int reason) {
  if (!hit(kind, name)) return false;
  if (the_plan->how != PLAN_ONCE && the_plan->how != PLAN_STAY) return false;
  errno = reason;
  return true;
}

/* ---- memory ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size);

static bool no_memory(const char *name, void *caller) {
  if (!the_plan || inside) return false;
  const bool owner = the_plan->kinds & (PLAN_OWN | PLAN_OTHERS);
  return fails(PLAN_MEMORY | (owner ? (is_own(caller) ? PLAN_OWN : PLAN_OTHERS) : 0), name, ENOMEM);
}
#define NO_MEMORY() no_memory(__func__, __builtin_return_address(0))

void *malloc(size_t size) { return NO_MEMORY() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return NO_MEMORY() ? NULL : __libc_calloc(count, size); }
void *realloc(void *block, size_t size) { return NO_MEMORY() ? NULL : __libc_realloc(block, size); }
void *memalign(size_t alignment, size_t size) { return NO_MEMORY() ? NULL : __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return NO_MEMORY() ? NULL : __libc_memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) {
  void *const block = NO_MEMORY() ? NULL : __libc_memalign(alignment, size);
  if (!block) return ENOMEM;
  *out = block;
  return 0;
}

/* ---- files ---- */

/* The function of this name in the next library, as a pointer of its own type. */
#define NEXT(type, name, ...)                                  \
  static type (*next)(__VA_ARGS__);                            \
  if (!next) {                                                 \
    const bool was = inside;                                   \
    inside = true;                                             \
    *(void **)&next = dlsym(RTLD_NEXT, name); /* may malloc */ \
    inside = was;                                              \
  }

#define CALL(type, name, parameters, arguments, failed, reason)        \
  type name parameters {                                               \
    NEXT(type, #name, PARAMETERS parameters)                           \
    return fails(PLAN_FILES, #name, reason) ? failed : next arguments; \
  }
#define PARAMETERS(...) __VA_ARGS__

/* A function that goes on working where a disk is full or broken for good: it takes away, or concerns other files. */
#define CALL_ONCE(type, name, parameters, arguments, failed, reason)       \
  type name parameters {                                                   \
    NEXT(type, #name, PARAMETERS parameters)                               \
    const bool bad = hit(PLAN_FILES, #name) && the_plan->how == PLAN_ONCE; \
    if (bad) errno = reason;                                               \
    return bad ? failed : next arguments;                                  \
  }

/* A function that also releases: it does so, and fails. */
#define CALL_DONE(type, name, parameters, arguments, failed, reason)       \
  type name parameters {                                                   \
    NEXT(type, #name, PARAMETERS parameters)                               \
    const bool bad = hit(PLAN_FILES, #name) && the_plan->how <= PLAN_STAY; \
    const type result = next arguments;                                    \
    if (bad) errno = reason;                                               \
    return bad ? failed : result;                                          \
  }

/* One that moves bytes: hit, it may also move half of them, or say that a signal came. */
#define CALL_BYTES(name, parameters, arguments, reason)       \
  ssize_t name parameters {                                   \
    NEXT(ssize_t, #name, PARAMETERS parameters)               \
    if (hit(PLAN_FILES | PLAN_BYTES, #name)) {                \
      if (the_plan->how == PLAN_HALF) {                       \
        size = (size + 1) / 2;                                \
      } else {                                                \
        errno = the_plan->how == PLAN_EINTR ? EINTR : reason; \
        return -1;                                            \
      }                                                       \
    }                                                         \
    return next arguments;                                    \
  }

#define CALL_OPEN(name, first, parameters, arguments)                                      \
  int name parameters {                                                                    \
    NEXT(int, #name, PARAMETERS first)                                                     \
    mode_t mode = 0;                                                                       \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                   \
      va_list rest;                                                                        \
      va_start(rest, flags);                                                               \
      mode = va_arg(rest, mode_t);                                                         \
      va_end(rest);                                                                        \
    }                                                                                      \
    return fails(PLAN_FILES, #name, flags & O_CREAT ? ENOSPC : EIO) ? -1 : next arguments; \
  }
CALL_OPEN(open, (const char *, int, ...), (const char *path, int flags, ...), (path, flags, mode))
CALL_OPEN(open64, (const char *, int, ...), (const char *path, int flags, ...), (path, flags, mode))
CALL_OPEN(openat, (int, const char *, int, ...), (int folder, const char *path, int flags, ...),
          (folder, path, flags, mode))
CALL_OPEN(openat64, (int, const char *, int, ...), (int folder, const char *path, int flags, ...),
          (folder, path, flags, mode))

CALL_BYTES(read, (int file, void *bytes, size_t size), (file, bytes, size), EIO)
CALL_BYTES(pread, (int file, void *bytes, size_t size, off_t at), (file, bytes, size, at), EIO)
CALL_BYTES(pread64, (int file, void *bytes, size_t size, off64_t at), (file, bytes, size, at), EIO)
CALL_BYTES(write, (int file, const void *bytes, size_t size), (file, bytes, size), ENOSPC)
CALL_BYTES(pwrite, (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at), ENOSPC)
CALL_BYTES(pwrite64, (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at), ENOSPC)

CALL(int, fsync, (int file), (file), -1, EIO)
CALL(int, fdatasync, (int file), (file), -1, EIO)
CALL(int, ftruncate, (int file, off_t size), (file, size), -1, EIO)
CALL(int, fchmod, (int file, mode_t mode), (file, mode), -1, EPERM)
CALL(int, flock, (int file, int how), (file, how), -1, ENOLCK)
CALL(int, fstat, (int file, struct stat *out), (file, out), -1, EIO)
CALL(int, stat, (const char *path, struct stat *out), (path, out), -1, EIO)
CALL(int, lstat, (const char *path, struct stat *out), (path, out), -1, EIO)
CALL(int, fstatat, (int folder, const char *path, struct stat *out, int flags), (folder, path, out, flags), -1, EIO)
CALL(int, access, (const char *path, int mode), (path, mode), -1, EIO)
CALL(int, faccessat, (int folder, const char *path, int mode, int flags), (folder, path, mode, flags), -1, EIO)
CALL(char *, realpath, (const char *path, char *out), (path, out), NULL, EIO)
CALL(ssize_t, readlink, (const char *path, char *out, size_t size), (path, out, size), -1, EIO)
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), -1, ENOSPC)
CALL(int, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode), -1, ENOSPC)
CALL_ONCE(int, unlink, (const char *path), (path), -1, EIO)
CALL_ONCE(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags), -1, EIO)
CALL(int, pipe2, (int ends[2], int flags), (ends, flags), -1, EMFILE)
CALL(pid_t, fork, (void), (), -1, EAGAIN)
CALL(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1, EMFILE)
CALL(DIR *, opendir, (const char *path), (path), NULL, EIO)
CALL(DIR *, fdopendir, (int file), (file), NULL, EIO)
CALL(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL, EIO)
CALL(FILE *, fopen64, (const char *path, const char *mode), (path, mode), NULL, EIO)
CALL(FILE *, fdopen, (int file, const char *mode), (file, mode), NULL, EIO)
CALL_DONE(int, close, (int file), (file), -1, EIO)
CALL_DONE(int, fclose, (FILE * file), (file), EOF, EIO)
CALL_ONCE(int, fflush, (FILE * file), (file), EOF, ENOSPC)

/* What is put in place of a goal is kept for the one who asks for a record: a link named by the order and the goal. */
static void keep(const char *from, const char *to) {
  static unsigned count;
  const char *const slash = strrchr(to, '/');
  char path[4096];
  if (!record_folder) return;
  inside = true;
  snprintf(path, sizeof path, "%s/%04u.%s", record_folder, count++, slash ? slash + 1 : to);
  if (link(from, path) != 0) abort();
  inside = false;
}

int rename(const char *from, const char *to) {
  NEXT(int, "rename", const char *, const char *)
  if (fails(PLAN_FILES, "rename", EIO)) return -1;
  keep(from, to);
  return next(from, to);
}
int link(const char *from, const char *to) {
  NEXT(int, "link", const char *, const char *)
  if (inside) return next(from, to);
  if (fails(PLAN_FILES, "link", EIO)) return -1;
  const int made = next(from, to);
  if (made == 0) keep(from, to);
  return made;
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
  NEXT(int, "renameat", int, const char *, int, const char *)
  if (fails(PLAN_FILES, "renameat", EIO)) return -1;
  return next(from_folder, from, to_folder, to);
}

/* ---- time: a millisecond passes whenever the program itself looks ---- */

static int64_t look(void *caller) {
  if (!is_own(caller)) return (int64_t)the_plan->looks;
  hit(PLAN_CLOCK, "clock");
  return (int64_t)++the_plan->looks;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  NEXT(int, "clock_gettime", clockid_t, struct timespec *)
  if (!the_plan || inside) return next(clock, out);
  const int64_t now = look(__builtin_return_address(0));
  *out = (struct timespec){PLAN_BEGINNING + now / 1000, now % 1000 * 1000000};
  return 0;
}
int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  NEXT(int, "gettimeofday", struct timeval *, void *)
  if (!the_plan || inside) return next(out, zone);
  const int64_t now = look(__builtin_return_address(0));
  *out = (struct timeval){PLAN_BEGINNING + now / 1000, now % 1000 * 1000};
  return 0;
}
time_t time(time_t *out) {
  NEXT(time_t, "time", time_t *)
  if (!the_plan || inside) return next(out);
  const time_t now = PLAN_BEGINNING + look(__builtin_return_address(0)) / 1000;
  if (out) *out = now;
  return now;
}

/* ---- from main() on ---- */

typedef int main_function(int, char **, char **);
static main_function *real_main;

/* Programs that this one starts run untouched; its forks go on counting in the same plan. */
static int counted_main(int argc, char **argv, char **environment) {
  const char *const path = getenv("CUONN_FAULTS");
  void *frames[1];
  backtrace(frames, 1); /* loads what it needs */
  record_folder = getenv("CUONN_FAULTS_RECORD");
  program_name = object_at(*(void **)&real_main);
  const int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  unsetenv("LD_PRELOAD");
  unsetenv("CUONN_FAULTS");
  unsetenv("CUONN_FAULTS_RECORD");
  void *const shared = mmap(NULL, sizeof(plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file < 0 || shared == MAP_FAILED || !program_name) abort();
  close(file);
  the_plan = shared;
  return real_main(argc, argv, environment);
}

int __libc_start_main(main_function *start, int argc, char **argv, void (*begin)(void), void (*end)(void),
                      void (*loader_end)(void), void *stack);
int __libc_start_main(main_function *start, int argc, char **argv, void (*begin)(void), void (*end)(void),
                      void (*loader_end)(void), void *stack) {
  NEXT(int, "__libc_start_main", main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *)
  real_main = start;
  return next(counted_main, argc, argv, begin, end, loader_end, stack);
}
