/* The directory of a training run: config.yaml, metrics.csv, last.nc, best.nc. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/config.h"
#include "cuonn/files.h"
#include "results/directory.h"
#include "results/metrics.h"
#include "results/store.h"

/* A state at the end of an epoch whose files are not written yet. */
typedef struct {
  cuonn_training_state state; /* made when it is needed first */
  size_t epoch;               /* 0: there is none */
} kept_state;

struct cuonn_run {
  int lock;                             /* the directory, locked against other runs while it is open; -1: not held */
  char *config, *metrics, *last, *best; /* paths */
  cuonn_origin origin;
  results_metrics table;
  double interval;         /* seconds from one writing to the next at least */
  struct timespec written; /* when it was last */
  bool begun;              /* whether an epoch was written since the run was opened */
  kept_state kept_last, kept_best;
};

static cuonn_status copy_text(char **out, const char *text, const char *directory) {
  *out = text ? strdup(text) : NULL;
  CUONN_CHECK(!text || *out, CUONN_E_MEMORY, "%s: not enough memory for its configuration", directory);
  return CUONN_OK;
}

/* ---- what is there ---- */

/* The whole of a file as text; NULL if it cannot be read. */
static char *text_of(const char *path) {
  unsigned char *bytes; /* with zeroes behind the file's own */
  size_t size;
  return path && results_read_bytes(&bytes, &size, path) == CUONN_OK ? (char *)bytes : NULL;
}

/* Configuration `text`, written by cuONN, with another directory: the text of that; NULL if it is none, or was not
 * written so. */
static char *text_in(const char *text, const char *directory) {
  cuonn_config config;
  cuonn_config_init(&config);
  if (!text || cuonn_config_read_text(&config, text, strlen(text), "") != CUONN_OK) return NULL;
  char *const again = cuonn_config_text(&config);
  const bool ours = again && strcmp(again, text) == 0;
  free(again);
  if (!ours) return NULL;
  snprintf(config.output_directory, sizeof config.output_directory, "%s", directory);
  return cuonn_config_text(&config);
}

/* Whether two configurations are one, but for the name of the directory: it may have been called by another. */
static bool same_config(const char *a, const char *b) {
  char *const a_here = text_in(a, "."), *const b_here = text_in(b, ".");
  const bool same = (a && b && strcmp(a, b) == 0) || (a_here && b_here && strcmp(a_here, b_here) == 0);
  free(a_here);
  free(b_here);
  return same;
}

/* Whether best.nc is what the first epoch of this run leaves. */
static bool is_first_best(const cuonn_run *run) {
  cuonn_training_state state;
  cuonn_origin origin;
  size_t epoch;
  if (cuonn_checkpoint_read(&state, &epoch, &origin, run->best) != CUONN_OK) return false;
  const bool first = epoch == 1 && same_config(origin.config_text, run->origin.config_text);
  cuonn_origin_free(&origin);
  cuonn_training_state_free(&state);
  return first;
}

/* Whether metrics.csv, config.yaml and best.nc, where they are, are what this very run leaves when it is killed before
 * its first checkpoint: written in this order, with at most the first epoch's row. A run that began anew and was killed
 * again may have best.nc of the time before, and no row yet. */
static bool is_beginning(const cuonn_run *run, bool has_config, bool has_metrics, bool has_best) {
  cuonn_epoch_record *records;
  size_t count;
  if (!has_metrics || cuonn_metrics_read(&records, &count, run->metrics) != CUONN_OK) return false;
  free(records);
  if (!has_config) return count == 0 && !has_best;
  char *const text = text_of(run->config);
  const bool same = text && same_config(text, run->origin.config_text);
  free(text);
  return same && count <= 1 && (!has_best || is_first_best(run));
}

/* A new run begins where nothing is that it would replace. *begun: but its own beginning, and config.yaml is there. */
static cuonn_status check_new(bool *begun, const cuonn_run *run, const char *directory) {
  bool has[5] = {false}, any = false;
  const char *first = NULL;
  for (size_t i = 0; results_run_names[i]; i++) {
    CUONN_TRY(results_directory_has(&has[i], directory, results_run_names[i]));
    if (has[i] && !first) first = results_run_names[i];
    any |= has[i];
  }
  *begun = has[0];
  CUONN_CHECK(!has[2], CUONN_E_ARGUMENT,
              "%s: already holds last.nc of another run; resume that run, or choose another directory", directory);
  CUONN_CHECK(
      !any || (!has[4] && is_beginning(run, has[0], has[1], has[3])), CUONN_E_ARGUMENT,
      "%s: already holds %s, which is not of this run and would be replaced; choose another directory, or move the "
      "file away",
      directory, first);
  return CUONN_OK;
}

/* ---- opening ---- */

static cuonn_status name_files(cuonn_run *run, const char *directory) {
  CUONN_TRY(results_join(&run->config, directory, "config.yaml"));
  CUONN_TRY(results_join(&run->metrics, directory, "metrics.csv"));
  CUONN_TRY(results_join(&run->last, directory, "last.nc"));
  return results_join(&run->best, directory, "best.nc");
}

/* The configuration is left alone where it stands there already: it may be what the caller read. */
static cuonn_status write_config(const cuonn_run *run) {
  char *const text = text_of(run->config);
  const bool there = text && strcmp(text, run->origin.config_text) == 0;
  free(text);
  return there ? CUONN_OK : cuonn_bytes_write(run->config, run->origin.config_text, strlen(run->origin.config_text));
}

cuonn_status cuonn_run_open(cuonn_run **out, const char *directory, const cuonn_origin *origin, size_t n_layers,
                            size_t resume_epochs, double interval) {
  cuonn_status status = CUONN_OK;
  cuonn_run *run = NULL;
  bool held, begun = false;
  *out = NULL;
  CUONN_TRY_DONE(results_directory_make(directory));
  CUONN_TRY_DONE(cuonn_allocate(&run, 1, sizeof *run));
  CUONN_TRY_DONE(results_directory_lock(&run->lock, &held, directory, false));
  CUONN_TRY_DONE(name_files(run, directory));
  run->origin.seed = origin->seed;
  run->interval = interval;
  CUONN_TRY_DONE(copy_text(&run->origin.config_text, origin->config_text, directory));
  CUONN_TRY_DONE(copy_text(&run->origin.data, origin->data, directory));
  CUONN_TRY_DONE(results_directory_check(directory, results_run_names, results_sweep_names));
  if (resume_epochs == 0) CUONN_TRY_DONE(check_new(&begun, run, directory));
  if (held) results_remove_temporaries(directory);

  CUONN_TRY_DONE(results_metrics_begin(&run->table, run->metrics, n_layers, resume_epochs));
  CUONN_TRY_DONE(results_metrics_write(&run->table)); /* first, so that a config.yaml without it is somebody else's */
  if (!begun) CUONN_TRY_DONE(write_config(run));
  *out = run;
  run = NULL;
done:
  cuonn_run_close(run);
  return status;
}

/* ---- writing ---- */

/* Copies a state; two of one run have the same shape. */
static cuonn_status keep(kept_state *kept, const cuonn_training_state *state, size_t epoch) {
  const cuonn_network_shape *const shape = &state->network.shape;
  cuonn_training_state *const to = &kept->state;
  kept->epoch = 0;
  if (!to->moments) CUONN_TRY(cuonn_training_state_create(to, shape));
  CUONN_TRY(cuonn_network_copy(&to->network, &state->network));
  memcpy(to->moments, state->moments, cuonn_training_moments_count(shape) * sizeof *to->moments);
  to->step = state->step;
  to->epoch_loss_sum = state->epoch_loss_sum;
  to->epoch_seconds = state->epoch_seconds;
  to->best_accuracy = state->best_accuracy;
  kept->epoch = epoch;
  return CUONN_OK;
}

/* The first epoch is written at once: a run with a finished epoch can be resumed. */
static bool is_due(const cuonn_run *run) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const double passed =
      (double)(now.tv_sec - run->written.tv_sec) + 1e-9 * (double)(now.tv_nsec - run->written.tv_nsec);
  return !run->begun || passed >= run->interval;
}

/* Everything, with a state of now; in this order, so that a run that is killed in between goes on from the older
 * last.nc and does the epochs since then again. best  NULL: best.nc stays as it is */
static cuonn_status write_files(cuonn_run *run, const cuonn_training_state *best, size_t best_epoch,
                                const cuonn_training_state *last, size_t last_epoch) {
  CUONN_TRY(results_metrics_write(&run->table));
  if (best) CUONN_TRY(cuonn_checkpoint_write(run->best, best, best_epoch, &run->origin));
  CUONN_TRY(cuonn_checkpoint_write(run->last, last, last_epoch, &run->origin));
  run->kept_best.epoch = run->kept_last.epoch = 0;
  run->begun = true;
  clock_gettime(CLOCK_MONOTONIC, &run->written);
  return CUONN_OK;
}

static const cuonn_training_state *best_kept(const cuonn_run *run) {
  return run->kept_best.epoch ? &run->kept_best.state : NULL;
}

cuonn_status cuonn_run_record(cuonn_run *run, const cuonn_epoch_record *record, const cuonn_training_state *state,
                              bool improved) {
  const size_t epoch = record->epoch;
  CUONN_TRY(results_metrics_add(&run->table, record));
  if (is_due(run))
    return improved ? write_files(run, state, epoch, state, epoch)
                    : write_files(run, best_kept(run), run->kept_best.epoch, state, epoch);
  if (improved) CUONN_TRY(keep(&run->kept_best, state, epoch));
  return keep(&run->kept_last, state, epoch);
}

cuonn_status cuonn_run_flush(cuonn_run *run) {
  if (!run->kept_last.epoch) return CUONN_OK;
  return write_files(run, best_kept(run), run->kept_best.epoch, &run->kept_last.state, run->kept_last.epoch);
}

cuonn_status cuonn_run_save(cuonn_run *run, const cuonn_training_state *state, size_t epoch) {
  if (!run->kept_last.epoch) return cuonn_checkpoint_write(run->last, state, epoch, &run->origin);
  return write_files(run, best_kept(run), run->kept_best.epoch, state, epoch);
}

void cuonn_run_close(cuonn_run *run) {
  if (!run) return;
  cuonn_training_state_free(&run->kept_best.state);
  cuonn_training_state_free(&run->kept_last.state);
  free(run->table.text);
  cuonn_origin_free(&run->origin);
  free(run->best);
  free(run->last);
  free(run->metrics);
  free(run->config);
  if (run->lock >= 0) close(run->lock);
  free(run);
}
