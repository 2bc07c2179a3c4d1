/* The directory of a training run: config.yaml, metrics.csv, last.nc, best.nc. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "results/directory.h"
#include "results/store.h"

static const char kHeader[] = "epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second\n";
enum { kNumbers = 5, kRowMax = 256 };

struct cuonn_run {
  int lock;                             /* the directory, held against other runs while it is open; -1: not held */
  char *config, *metrics, *last, *best; /* paths */
  char *config_text;
  uint64_t seed;
  char *table; /* what metrics.csv holds: every record writes it anew, so that a full disk cannot leave half a row */
  size_t table_length;
};

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
static bool row_parse(size_t *epoch, const char *line) {
  char *end;
  if (line[0] < '1' || line[0] > '9') return false;
  errno = 0;
  *epoch = strtoull(line, &end, 10);
  if (errno != 0) return false;
  for (int i = 0; i < kNumbers; i++) {
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
  const size_t header = sizeof kHeader - 1;
  CUONN_CHECK_DONE(strlen(line) == size && strncmp(line, kHeader, header) == 0, CUONN_E_DATA,
                   "%s: line 1 must be \"%.*s\"; move the file away to resume without it", run->metrics,
                   (int)header - 1, kHeader);
  for (line += header; *line;) {
    char *const end = strchr(line, '\n');
    const size_t length = end ? (size_t)(end - line) : strlen(line);
    size_t epoch;
    number++;
    line[length] = 0;
    CUONN_CHECK_DONE(
        length < kRowMax && row_parse(&epoch, line) && epoch > last, CUONN_E_DATA,
        "%s: line %zu, \"%.64s\", is not a row: a later epoch than the one before and 5 numbers, separated "
        "by commas; move the file away to resume without it",
        run->metrics, number, line);
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

cuonn_status cuonn_run_open(cuonn_run **out, const char *directory, const char *config_text, uint64_t seed,
                            size_t resume_epochs) {
  cuonn_status status = CUONN_OK;
  cuonn_run *run = NULL;
  struct stat info;
  *out = NULL;
  CUONN_TRY_DONE(results_directory_make(directory));
  CUONN_TRY_DONE(cuonn_allocate(&run, 1, sizeof *run));
  CUONN_TRY_DONE(results_directory_lock(&run->lock, directory));
  CUONN_TRY_DONE(results_join(&run->config, directory, "config.yaml"));
  CUONN_TRY_DONE(results_join(&run->metrics, directory, "metrics.csv"));
  CUONN_TRY_DONE(results_join(&run->last, directory, "last.nc"));
  CUONN_TRY_DONE(results_join(&run->best, directory, "best.nc"));
  run->seed = seed;
  run->config_text = strdup(config_text);
  CUONN_CHECK_DONE(run->config_text, CUONN_E_MEMORY, "%s: not enough memory for its configuration", directory);
  CUONN_CHECK_DONE(resume_epochs != 0 || lstat(run->last, &info) != 0, CUONN_E_ARGUMENT,
                   "%s: already holds last.nc of another run; resume that run, or choose another directory", directory);

  locale_t users;
  const locale_t plain = plain_numbers(&users);
  status = table_append(run, kHeader, sizeof kHeader - 1);
  if (status == CUONN_OK && resume_epochs != 0) {
    status = table_resume(run, resume_epochs == SIZE_MAX ? 0 : resume_epochs);
  }
  users_numbers(plain, users);
  if (status != CUONN_OK) goto done;
  CUONN_TRY_DONE(results_write_text(run->config, config_text, strlen(config_text)));
  CUONN_TRY_DONE(results_write_text(run->metrics, run->table, run->table_length));
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
  const int length = snprintf(row, sizeof row, "%zu,%.17g,%.17g,%.17g,%.17g,%.17g\n", record->epoch, record->train_loss,
                              record->test_loss, record->test_accuracy, record->seconds, record->examples_per_second);
  users_numbers(plain, users);
  CUONN_TRY(table_append(run, row, (size_t)length));
  const cuonn_status status = results_write_text(run->metrics, run->table, run->table_length);
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
