/* The directory of a training run: config.yaml, metrics.csv, last.nc, best.nc. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "results/store.h"

/* A run with exact gradients has the first kNumbers of the numbers behind the epoch, one in situ all. */
static const char *const headers[] = {
    "epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second\n",
    "epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second,gradient_error_small,gradient_error_batch\n"};
enum { kNumbers = 5, kNumbersInSitu = 7, kRowMax = 256 };

struct cuonn_run {
  int lock;                             /* the directory, held against other runs while it is open; -1: not held */
  char *config, *metrics, *last, *best; /* paths */
  char *config_text;
  uint64_t seed;
  bool in_situ;
  char *table; /* what metrics.csv holds: every record writes it anew, so that a full disk cannot leave half a row */
  size_t table_length;
};

static cuonn_status write_text(const char *path, const char *text, size_t length) {
  const struct iovec part = {(void *)(uintptr_t)text, length}; /* only read */
  return results_write_bytes(path, &part, 1);
}

static cuonn_status join(char **out, const char *directory, const char *name) {
  const size_t length = strlen(directory);
  const bool slash = length > 0 && directory[length - 1] == '/';
  if (asprintf(out, "%s%s%s", directory, slash ? "" : "/", name) >= 0) return CUONN_OK;
  *out = NULL;
  return cuonn_fail(CUONN_E_MEMORY, "%s: not enough memory for its name", directory);
}

/* ---- metrics.csv ---- */

/* Numbers in files have a decimal point, whatever the user's language. *users is to be put back. */
static locale_t plain_numbers(locale_t *users) {
  const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  *users = plain ? uselocale(plain) : (locale_t)0;
  return plain;
}

static void users_numbers(locale_t plain, locale_t users) {
  if (!plain) return;
  uselocale(users);
  freelocale(plain);
}

static cuonn_status table_append(cuonn_run *run, const char *row, size_t length) {
  char *const table = realloc(run->table, run->table_length + length + 1);
  CUONN_CHECK(table, CUONN_E_MEMORY, "%s: not enough memory for its rows", run->metrics);
  memcpy(table + run->table_length, row, length);
  run->table = table;
  run->table_length += length;
  table[run->table_length] = 0;
  return CUONN_OK;
}

/* Whether a line, without its end, is a row; gives its epoch. */
static bool row_parse(size_t *epoch, const char *line, int n_numbers) {
  char *end;
  if (line[0] < '1' || line[0] > '9') return false;
  errno = 0;
  *epoch = strtoull(line, &end, 10);
  if (errno != 0) return false;
  for (int i = 0; i < n_numbers; i++) {
    if (*end != ',') return false;
    const char *const number = end + 1;
    strtod(number, &end);
    if (end == number) return false;
  }
  return *end == 0;
}

/* Takes over the rows of an earlier metrics.csv up to an epoch. A file that is not there has none. */
static cuonn_status table_resume(cuonn_run *run, size_t epochs) {
  cuonn_status status = CUONN_OK;
  unsigned char *bytes = NULL;
  size_t size, last = 0, number = 1;
  if (access(run->metrics, F_OK) != 0 && errno == ENOENT) return CUONN_OK;
  CUONN_TRY(results_read_bytes(&bytes, &size, run->metrics));
  char *line = (char *)bytes;
  const char *const names = headers[run->in_situ];
  const size_t header = strlen(names);
  const int n_numbers = run->in_situ ? kNumbersInSitu : kNumbers;
  CUONN_CHECK_DONE(strlen(line) == size && strncmp(line, names, header) == 0, CUONN_E_DATA,
                   "%s: line 1 must be \"%.*s\"; move the file away to resume without it", run->metrics,
                   (int)header - 1, names);
  for (line += header; *line;) {
    char *const end = strchr(line, '\n');
    const size_t length = end ? (size_t)(end - line) : strlen(line);
    size_t epoch;
    number++;
    line[length] = 0;
    CUONN_CHECK_DONE(length < kRowMax && row_parse(&epoch, line, n_numbers) && epoch > last, CUONN_E_DATA,
                     "%s: line %zu, \"%.64s\", is not a row: a later epoch than the one before and %d numbers, "
                     "separated by commas; move the file away to resume without it",
                     run->metrics, number, line, n_numbers);
    if (epoch > epochs) break;
    last = epoch;
    CUONN_TRY_DONE(table_append(run, line, length));
    CUONN_TRY_DONE(table_append(run, "\n", 1));
    line += length + (end != NULL);
  }
done:
  free(bytes);
  return status;
}

/* ---- the directory ---- */

static cuonn_status directory_make(const char *directory) {
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

/* Two runs in one directory would overwrite each other's files. The lock goes with the process that holds it; a file
 * system that has none is taken as it is. */
static cuonn_status directory_lock(int *lock, const char *directory) {
  *lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CUONN_CHECK(*lock < 0 || flock(*lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, CUONN_E_ARGUMENT,
              "%s: another run is writing there; stop it, or choose another directory", directory);
  return CUONN_OK;
}

cuonn_status cuonn_run_open(cuonn_run **out, const char *directory, const char *config_text, uint64_t seed,
                            bool in_situ, size_t resume_epochs) {
  cuonn_status status = CUONN_OK;
  cuonn_run *run = NULL;
  struct stat info;
  *out = NULL;
  CUONN_TRY_DONE(directory_make(directory));
  CUONN_TRY_DONE(cuonn_allocate(&run, 1, sizeof *run));
  CUONN_TRY_DONE(directory_lock(&run->lock, directory));
  CUONN_TRY_DONE(join(&run->config, directory, "config.yaml"));
  CUONN_TRY_DONE(join(&run->metrics, directory, "metrics.csv"));
  CUONN_TRY_DONE(join(&run->last, directory, "last.nc"));
  CUONN_TRY_DONE(join(&run->best, directory, "best.nc"));
  run->seed = seed;
  run->in_situ = in_situ;
  run->config_text = strdup(config_text);
  CUONN_CHECK_DONE(run->config_text, CUONN_E_MEMORY, "%s: not enough memory for its configuration", directory);
  CUONN_CHECK_DONE(resume_epochs != 0 || lstat(run->last, &info) != 0, CUONN_E_ARGUMENT,
                   "%s: already holds last.nc of another run; resume that run, or choose another directory", directory);

  locale_t users;
  const locale_t plain = plain_numbers(&users);
  status = table_append(run, headers[in_situ], strlen(headers[in_situ]));
  if (status == CUONN_OK && resume_epochs != 0) {
    status = table_resume(run, resume_epochs == SIZE_MAX ? 0 : resume_epochs);
  }
  users_numbers(plain, users);
  if (status != CUONN_OK) goto done;
  CUONN_TRY_DONE(write_text(run->config, config_text, strlen(config_text)));
  CUONN_TRY_DONE(write_text(run->metrics, run->table, run->table_length));
  *out = run;
  run = NULL;
done:
  cuonn_run_close(run);
  return status;
}

/* In this order, so that a run that is killed in between goes on from the older last.nc and does the epoch again. */
cuonn_status cuonn_run_record(cuonn_run *run, const cuonn_epoch_record *record, const cuonn_training_state *state,
                              bool improved) {
  char row[kRowMax];
  const size_t before = run->table_length;
  locale_t users;
  const locale_t plain = plain_numbers(&users);
  int length = snprintf(row, sizeof row, "%zu,%.17g,%.17g,%.17g,%.17g,%.17g", record->epoch, record->train_loss,
                        record->test_loss, record->test_accuracy, record->seconds, record->examples_per_second);
  if (run->in_situ) {
    length += snprintf(row + length, sizeof row - (size_t)length, ",%.17g,%.17g", record->gradient_error_small,
                       record->gradient_error_batch);
  }
  row[length++] = '\n';
  users_numbers(plain, users);
  CUONN_TRY(table_append(run, row, (size_t)length));
  const cuonn_status status = write_text(run->metrics, run->table, run->table_length);
  if (status != CUONN_OK) {
    run->table_length = before;
    return status;
  }
  if (improved) CUONN_TRY(cuonn_checkpoint_write(run->best, state, record->epoch, run->seed, run->config_text));
  return cuonn_run_save(run, state, record->epoch);
}

cuonn_status cuonn_run_save(cuonn_run *run, const cuonn_training_state *state, size_t epoch) {
  return cuonn_checkpoint_write(run->last, state, epoch, run->seed, run->config_text);
}

void cuonn_run_close(cuonn_run *run) {
  if (!run) return;
  free(run->table);
  free(run->config_text);
  free(run->best);
  free(run->last);
  free(run->metrics);
  free(run->config);
  if (run->lock >= 0) close(run->lock);
  free(run);
}
