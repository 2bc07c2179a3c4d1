/* netCDF files as a whole: our trailer, reading ours and foreign ones, and making new ones in memory.
 *
 * The trailer is 32 bytes behind the netCDF bytes, where readers of netCDF do not look:
 *   8 bytes  "cuONNtr1"
 *   8 bytes  length of all that stands before the trailer, little-endian
 *  16 bytes  XXH3-128 of all that stands before the trailer, canonical (big-endian) form */
#include "results/container.h"

#include <errno.h>
#include <fcntl.h>
#include <netcdf.h>
#include <netcdf_mem.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "cuonn/version.h"
#include "results/classic.h"
#include "results/convert.h"
#include "results/store.h"

static const char kMagic[8] = "cuONNtr1"; /* without its zero byte */
static const char kHdf5[8] = "\211HDF\r\n\032\n";
enum { kTrailer = 32, kFirstBytes = 1 << 16 };

/* How long a child process may work on one call of libnetcdf, in seconds of its own processor time, so that other load
 * does not count; the slowest that bytes of a good file come; and the clock's limit, for a child that waits without
 * work. */
enum { kChildSeconds = 4, kChildWait = 600, kSlowest = 16 << 20 };

cuonn_status results_netcdf_fail(cuonn_status status, const results_file *file, const char *what, int code) {
  if (code == NC_ENOMEM) status = CUONN_E_MEMORY;
  return cuonn_fail(status, "%s: %s: %s", file->path, what, nc_strerror(code));
}

/* ---- the trailer ---- */

static void trailer_make(unsigned char out[kTrailer], const unsigned char *bytes, size_t size) {
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes, size));
  memcpy(out, kMagic, sizeof kMagic);
  for (unsigned i = 0; i < 8; i++) out[8 + i] = (unsigned char)((uint64_t)size >> 8 * i);
  memcpy(out + 16, hash.digest, sizeof hash.digest);
}

/* Takes the trailer of a file of ours off *size, and says whether there was one. */
static cuonn_status trailer_check(bool *ours, size_t *size, const unsigned char *bytes, const char *path) {
  *ours = false;
  if (*size < kTrailer || memcmp(bytes + *size - kTrailer, kMagic, sizeof kMagic) != 0) return CUONN_OK;
  unsigned char should[kTrailer];
  trailer_make(should, bytes, *size - kTrailer);
  CUONN_CHECK(memcmp(bytes + *size - kTrailer, should, kTrailer) == 0, CUONN_E_DATA,
              "%s: is damaged, or was changed in place: its content does not fit its checksum", path);
  *ours = true;
  *size -= kTrailer;
  return CUONN_OK;
}

/* A classic file is whole by its own header; without a trailer, it must not be one of ours whose trailer is damaged. */
static cuonn_status classic_check(const unsigned char *bytes, size_t size, bool ours, const char *path) {
  size_t end;
  CUONN_TRY(results_classic_end(&end, bytes, size, path));
  if (ours) return CUONN_OK;
  const size_t tail = size > end ? size - end : 0;
  const size_t compared = tail < sizeof kMagic ? tail : sizeof kMagic;
  const bool cut = tail > 0 && tail < kTrailer && memcmp(bytes + end, kMagic, compared) == 0;
  CUONN_CHECK(!cut && tail != kTrailer, CUONN_E_DATA, "%s: is damaged: its checksum is %s", path,
              cut ? "cut off" : "unreadable");
  return CUONN_OK;
}

/* ---- reading ---- */

static cuonn_status read_opened(const char *path, const unsigned char *bytes, size_t size, results_reader reader,
                                void *user, bool rehearsed_here) {
  results_file file = {path, -1, rehearsed_here};
  results_expect(&file, size);
  /* libnetcdf reads from these bytes in place and does not write to them: NC_NOWRITE */
  const int code = nc_open_mem(path, NC_NOWRITE, size, (void *)(uintptr_t)bytes, &file.id);
  CUONN_CHECK(code == NC_NOERR, code == NC_ENOMEM ? CUONN_E_MEMORY : CUONN_E_DATA,
              "%s: cannot be opened as netCDF, it may be damaged: %s", path, nc_strerror(code));
  const cuonn_status status = reader(user, &file);
  nc_close(file.id);
  return status;
}

void results_expect(const results_file *file, size_t bytes) {
  struct rusage used;
  struct rlimit limit;
  if (!file->rehearsed_here || getrusage(RUSAGE_SELF, &used) != 0 || getrlimit(RLIMIT_CPU, &limit) != 0) return;
  const rlim_t so_far = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
  const rlim_t until = so_far + kChildSeconds + bytes / kSlowest;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < until) return; /* the user's own limit is lower */
  limit.rlim_cur = until;
  setrlimit(RLIMIT_CPU, &limit);
}

/* Life of the child: reads, says so in one byte, and ends without running what its parent registered for its own end.
 */
static _Noreturn void rehearse_in_child(int verdict, const char *path, const unsigned char *bytes, size_t size,
                                        results_reader reader, void *user) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const int nowhere = open("/dev/null", O_RDWR);
  if (nowhere >= 0) {
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
  }
  /* a crash must end the child: a handler of the program around us could go on with the program's work */
  static const int deaths[] = {SIGALRM, SIGXCPU, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
  sigset_t unblocked;
  sigemptyset(&unblocked);
  for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
    signal(deaths[i], SIG_DFL);
    sigaddset(&unblocked, deaths[i]);
  }
  sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
  alarm(kChildWait);
  read_opened(path, bytes, size, reader, user, true);
  const char done = 1;
  ssize_t n;
  while ((n = write(verdict, &done, 1)) < 0 && errno == EINTR) continue;
  _exit(n == 1 ? 0 : 1);
}

/* Whether the child says that it is done, before it ends or a stop is asked for. */
static bool wait_for_word(int from) {
  enum { kLook = 100 }; /* milliseconds until the next look at the stop flag */
  struct pollfd end = {.fd = from, .events = POLLIN};
  char word;
  int ready = 0;
  while (ready == 0 && !cuonn_stop_requested()) {
    ready = poll(&end, 1, kLook);
    if (ready < 0 && errno == EINTR) ready = 0;
  }
  ssize_t n = 0;
  while (ready > 0 && (n = read(from, &word, 1)) < 0 && errno == EINTR) continue;
  return n == 1;
}

/* Reads once in a child process. What the reader returns there does not matter: the parent will get the same. The
 * child's word comes through a pipe, because a program around us may collect or ignore the deaths of children. */
static cuonn_status rehearse(const char *path, const unsigned char *bytes, size_t size, results_reader reader,
                             void *user) {
  int ends[2];
  CUONN_CHECK(pipe2(ends, O_CLOEXEC) == 0, CUONN_E_IO, "%s: cannot be read: no pipe to a child process: %s", path,
              strerror(errno));
  const pid_t child = fork();
  if (child < 0) {
    const int reason = errno;
    close(ends[0]);
    close(ends[1]);
    return cuonn_fail(CUONN_E_MEMORY, "%s: cannot be read: no child process: %s", path, strerror(reason));
  }
  if (child == 0) rehearse_in_child(ends[1], path, bytes, size, reader, user);

  close(ends[1]);
  const bool done = wait_for_word(ends[0]);
  close(ends[0]);
  if (cuonn_stop_requested()) kill(child, SIGKILL);
  int how = 0;
  pid_t waited;
  while ((waited = waitpid(child, &how, 0)) < 0 && errno == EINTR) continue;
  CUONN_CHECK(done || !cuonn_stop_requested(), CUONN_E_INTERRUPTED, "%s: interrupted while it was read", path);
  if (done) return CUONN_OK;
  const bool signalled = waited == child && WIFSIGNALED(how);
  const bool hung = signalled && (WTERMSIG(how) == SIGXCPU || WTERMSIG(how) == SIGALRM);
  return cuonn_fail(CUONN_E_DATA, "%s: is damaged: libnetcdf %s reading it", path, hung ? "hung" : "crashed");
}

/* What was read without harm is not rehearsed again: bytes, by their hash, and who read them. The latest replace the
 * oldest. */
typedef struct {
  XXH128_hash_t bytes;
  results_reader reader;
} known_file;
enum { kKnown = 16384 };
static known_file known[kKnown];
static size_t n_known;
static pthread_mutex_t known_mutex = PTHREAD_MUTEX_INITIALIZER;

static bool is_known(XXH128_hash_t bytes, results_reader reader) {
  bool found = false;
  pthread_mutex_lock(&known_mutex);
  for (size_t i = 0; i < kKnown && i < n_known; i++)
    found = found || (known[i].reader == reader && XXH128_isEqual(known[i].bytes, bytes));
  pthread_mutex_unlock(&known_mutex);
  return found;
}

static void remember(XXH128_hash_t bytes, results_reader reader) {
  pthread_mutex_lock(&known_mutex);
  known[n_known++ % kKnown] = (known_file){bytes, reader};
  pthread_mutex_unlock(&known_mutex);
}

static cuonn_status rehearse_once(const char *path, const unsigned char *bytes, size_t size, results_reader reader,
                                  void *user) {
  const XXH128_hash_t hash = XXH3_128bits(bytes, size);
  if (is_known(hash, reader)) return CUONN_OK;
  CUONN_TRY(rehearse(path, bytes, size, reader, user));
  remember(hash, reader);
  return CUONN_OK;
}

cuonn_status results_read(const char *path, results_reader reader, void *user) {
  return results_read_variables(path, NULL, 0, reader, user);
}

cuonn_status results_read_variables(const char *path, const results_variable *forms, size_t n_forms,
                                    results_reader reader, void *user) {
  cuonn_status status = CUONN_OK;
  unsigned char *bytes = NULL;
  size_t size = 0;
  bool ours = false;
  CUONN_TRY_DONE(results_read_bytes(&bytes, &size, path));
  CUONN_CHECK_DONE(size > 0, CUONN_E_DATA, "%s: is empty", path);
  CUONN_TRY_DONE(trailer_check(&ours, &size, bytes, path));

  const bool classic = size >= 4 && memcmp(bytes, "CDF", 3) == 0 && (bytes[3] == 1 || bytes[3] == 2 || bytes[3] == 5);
  const bool hdf5 = size >= sizeof kHdf5 && memcmp(bytes, kHdf5, sizeof kHdf5) == 0;
  if (!classic && !hdf5) CUONN_TRY_DONE(results_refuse_format(path, bytes, size, forms, n_forms));
  if (classic) CUONN_TRY_DONE(classic_check(bytes, size, ours, path));
  if (classic) size += RESULTS_SLACK; /* libnetcdf reads beyond the end of a short file */
  if (hdf5 || !ours) CUONN_TRY_DONE(rehearse_once(path, bytes, size, reader, user));
  CUONN_TRY_DONE(read_opened(path, bytes, size, reader, user, false));
done:
  free(bytes);
  return status;
}

/* ---- writing ---- */

cuonn_status results_create(results_file *out, const char *path, const char *title) {
  *out = (results_file){.path = path, .id = -1};
  CUONN_TRY(results_check_name(path));
  int code = nc_create_mem(path, NC_64BIT_OFFSET, kFirstBytes, &out->id);
  if (code != NC_NOERR) {
    out->id = -1;
    return results_netcdf_fail(CUONN_E_INTERNAL, out, "cannot be made", code);
  }
  static const char source[] = "cuONN " CUONN_VERSION;
  code = nc_put_att_text(out->id, NC_GLOBAL, "title", strlen(title), title);
  if (code == NC_NOERR) code = nc_put_att_text(out->id, NC_GLOBAL, "source", sizeof source - 1, source);
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_INTERNAL, out, "cannot be made", code);
}

/* first  NULL: the file replaces what is there */
static cuonn_status commit(bool *first, results_file *file) {
  cuonn_status status = CUONN_OK;
  NC_memio content = {0};
  unsigned char trailer[kTrailer];
  size_t size;
  const int code = nc_close_memio(file->id, &content);
  file->id = -1;
  CUONN_CHECK_DONE(code == NC_NOERR, CUONN_E_INTERNAL, "%s: cannot be made: %s", file->path, nc_strerror(code));
  /* libnetcdf gives back all that it allocated, which may be more than the file */
  CUONN_TRY_DONE(results_classic_end(&size, content.memory, content.size, file->path));
  CUONN_CHECK_DONE(size <= content.size && size <= RESULTS_FILE_MAX - kTrailer, CUONN_E_SHAPE,
                   "%s: would have %zu bytes, more than the %zu that are read", file->path, size, RESULTS_FILE_MAX);
  trailer_make(trailer, content.memory, size);
  const struct iovec parts[2] = {{content.memory, size}, {trailer, kTrailer}};
  status = first ? results_publish_bytes(first, file->path, parts, 2) : results_write_bytes(file->path, parts, 2);
done:
  free(content.memory);
  return status;
}

cuonn_status results_commit(results_file *file) { return commit(NULL, file); }

cuonn_status results_commit_first(bool *first, results_file *file) { return commit(first, file); }

void results_abandon(results_file *file) {
  if (file->id >= 0) nc_abort(file->id);
  file->id = -1;
}
