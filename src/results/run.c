/* The directory of a training run: config.yaml, metrics.csv, last.nc, best.nc. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "results/metrics.h"
#include "results/store.h"

struct cuonn_run {
  int lock;                             /* the directory, held against other runs while it is open; -1: not held */
  char *config, *metrics, *last, *best; /* paths */
  char *config_text;
  uint64_t seed;
  results_metrics table;
};

static cuonn_status join(char **out, const char *directory, const char *name) {
  const size_t length = strlen(directory);
  const bool slash = length > 0 && directory[length - 1] == '/';
  if (asprintf(out, "%s%s%s", directory, slash ? "" : "/", name) >= 0) return CUONN_OK;
  *out = NULL;
  return cuonn_fail(CUONN_E_MEMORY, "%s: not enough memory for its name", directory);
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
                            size_t resume_epochs) {
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
  run->config_text = strdup(config_text);
  CUONN_CHECK_DONE(run->config_text, CUONN_E_MEMORY, "%s: not enough memory for its configuration", directory);
  CUONN_CHECK_DONE(resume_epochs != 0 || lstat(run->last, &info) != 0, CUONN_E_ARGUMENT,
                   "%s: already holds last.nc of another run; resume that run, or choose another directory", directory);

  CUONN_TRY_DONE(results_metrics_begin(&run->table, run->metrics, resume_epochs));
  CUONN_TRY_DONE(cuonn_bytes_write(run->config, config_text, strlen(config_text)));
  CUONN_TRY_DONE(results_metrics_write(&run->table));
  *out = run;
  run = NULL;
done:
  cuonn_run_close(run);
  return status;
}

/* In this order, so that a run that is killed in between goes on from the older last.nc and does the epoch again. */
cuonn_status cuonn_run_record(cuonn_run *run, const cuonn_epoch_record *record, const cuonn_training_state *state,
                              bool improved) {
  CUONN_TRY(results_metrics_add(&run->table, record));
  if (improved) CUONN_TRY(cuonn_checkpoint_write(run->best, state, record->epoch, run->seed, run->config_text));
  return cuonn_run_save(run, state, record->epoch);
}

cuonn_status cuonn_run_save(cuonn_run *run, const cuonn_training_state *state, size_t epoch) {
  return cuonn_checkpoint_write(run->last, state, epoch, run->seed, run->config_text);
}

void cuonn_run_close(cuonn_run *run) {
  if (!run) return;
  free(run->table.text);
  free(run->config_text);
  free(run->best);
  free(run->last);
  free(run->metrics);
  free(run->config);
  if (run->lock >= 0) close(run->lock);
  free(run);
}
