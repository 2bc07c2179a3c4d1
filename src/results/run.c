/* The directory of a training run: config.yaml, metrics.csv, last.nc, best.nc. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "results/directory.h"
#include "results/metrics.h"
#include "results/store.h"

struct cuonn_run {
  int lock;                             /* the directory, held against other runs while it is open; -1: not held */
  char *config, *metrics, *last, *best; /* paths */
  char *config_text;
  uint64_t seed;
  results_metrics table;
};

cuonn_status cuonn_run_open(cuonn_run **out, const char *directory, const char *config_text, uint64_t seed,
                            size_t n_layers, size_t resume_epochs) {
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

  CUONN_TRY_DONE(results_metrics_begin(&run->table, run->metrics, n_layers, resume_epochs));
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
