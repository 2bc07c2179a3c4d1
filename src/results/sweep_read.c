/* Reading a sweep back: from the files of its runs, or from the one file of all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "results/attributes.h"
#include "results/container.h"
#include "results/directory.h"
#include "results/sweep.h"
#include "results/sweep_run.h"
#include "results/variables.h"

/* What both ways fill, once the grid is known. */
static cuonn_status make_room(cuonn_sweep_record *out) {
  CUONN_TRY(cuonn_grid_complete(&out->grid));
  out->n_points = cuonn_grid_points(&out->grid);
  CUONN_TRY(cuonn_allocate(&out->results, out->n_points, sizeof *out->results));
  return cuonn_allocate(&out->done, out->n_points, sizeof *out->done);
}

/* ---- the directory ---- */

static cuonn_status read_directory(cuonn_sweep_record *out, const char *path) {
  cuonn_status status = CUONN_OK;
  char *grid = NULL, *runs = NULL;
  CUONN_TRY_DONE(results_join(&grid, path, "sweep.yaml"));
  CUONN_TRY_DONE(results_join(&runs, path, "runs"));
  CUONN_TRY_DONE(cuonn_grid_read_stored(&out->grid, grid));
  CUONN_TRY_DONE(make_room(out));
  cuonn_sweep_files files = {.grid = &out->grid, .runs = runs, .results = out->results, .done = out->done};
  for (size_t p = 0; p < out->n_points; p++) CUONN_TRY_DONE(sweep_take_run(&files, p));
done:
  free(runs);
  free(grid);
  return status;
}

/* ---- the merged file ---- */

/* A variable over the grid, and over `last` behind it unless that has no name. */
static results_variable over_grid(const cuonn_grid *grid, const char *name, results_dimension last) {
  results_variable v = {.name = name, .gaps = true};
  size_t n = 0;
  for (size_t a = 0; a < grid->n_axes; a++)
    if (!grid->axes[a].zipped) v.dimensions[n++] = (results_dimension){grid->axes[a].coordinate, grid->axes[a].count};
  v.dimensions[n] = last;
  return v;
}

static cuonn_status get_grid(cuonn_sweep_record *out, const results_file *file) {
  cuonn_status status = CUONN_OK;
  char *text = NULL;
  CUONN_TRY_DONE(results_get_text(&text, file, "config"));
  CUONN_CHECK_DONE(text && results_has(file, "status") && results_has(file, "reason"), CUONN_E_DATA,
                   "%s: is no sweep.nc of cuonn sweep: it has no variable status or reason, or no attribute config",
                   file->path);
  CUONN_TRY_DONE(cuonn_grid_read_text(&out->grid, text, strlen(text), file->path));
  CUONN_TRY_DONE(make_room(out));
done:
  free(text);
  return status;
}

/* How each run ended. */
static cuonn_status get_outcomes(cuonn_sweep_record *out, const results_file *file) {
  cuonn_status status = CUONN_OK;
  const results_variable codes_variable = over_grid(&out->grid, "status", (results_dimension){0});
  const results_variable reasons_variable = over_grid(&out->grid, "reason", (results_dimension){"reason_length", 0});
  double *codes = NULL;
  char *reasons = NULL;
  size_t length;
  CUONN_TRY_DONE(cuonn_allocate(&codes, out->n_points, sizeof *codes));
  CUONN_TRY_DONE(results_get(codes, file, &codes_variable, RESULTS_WHOLE));
  CUONN_TRY_DONE(results_get_characters(&reasons, &length, file, &reasons_variable));
  for (size_t p = 0; p < out->n_points; p++) {
    const bool known = codes[p] == floor(codes[p]) && codes[p] >= CUONN_E_INTERRUPTED && codes[p] <= 1;
    CUONN_CHECK_DONE(known, CUONN_E_DATA, "%s: status is %g; it is 1, 0, or a negative number down to %d", file->path,
                     codes[p], CUONN_E_INTERRUPTED);
    out->done[p] = codes[p] <= CUONN_OK;
    if (!out->done[p]) continue;
    char *const reason = reasons ? strndup(reasons + p * length, length) : strdup("");
    CUONN_CHECK_DONE(reason, CUONN_E_MEMORY, "%s: not enough memory for its %zu runs", file->path, out->n_points);
    out->results[p] = (cuonn_sweep_result){.status = (cuonn_status)codes[p], .reason = reason};
  }
done:
  free(reasons);
  free(codes);
  return status;
}

/* The numbers of each run, as far as it came: an epoch that is not finished has no test error. */
static cuonn_status get_numbers(cuonn_sweep_record *out, const results_file *file) {
  cuonn_status status = CUONN_OK;
  const size_t n_epochs = out->grid.base.training.epochs;
  double *column = NULL;
  cuonn_sweep_epoch **const epochs = calloc(out->n_points, sizeof *epochs);
  CUONN_CHECK(epochs, CUONN_E_MEMORY, "%s: not enough memory for its %zu runs", file->path, out->n_points);
  CUONN_TRY_DONE(cuonn_allocate(&column, out->n_points * n_epochs, sizeof *column));
  for (size_t p = 0; p < out->n_points; p++) {
    if (!out->done[p]) continue;
    CUONN_TRY_DONE(cuonn_allocate(&epochs[p], n_epochs, sizeof **epochs));
    out->results[p].epochs = epochs[p];
  }
  for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
    results_variable v = over_grid(&out->grid, sweep_numbers[k].name, (results_dimension){"epoch", n_epochs});
    v.unit = sweep_numbers[k].unit;
    const bool there = results_has(file, v.name);
    if (there) CUONN_TRY_DONE(results_get(column, file, &v, RESULTS_WHOLE));
    for (size_t p = 0; p < out->n_points; p++)
      for (size_t e = 0; out->done[p] && e < n_epochs; e++)
        *(double *)((char *)&epochs[p][e] + sweep_numbers[k].offset) = there ? column[p * n_epochs + e] : NAN;
  }
  for (size_t p = 0; p < out->n_points; p++)
    for (size_t e = 0; out->done[p] && e < n_epochs && isfinite(epochs[p][e].test_error); e++)
      out->results[p].n_epochs = e + 1;
done:
  free(column);
  free(epochs);
  return status;
}

static cuonn_status read_merged(void *user, const results_file *file) {
  cuonn_sweep_record *const out = user;
  CUONN_TRY(get_grid(out, file));
  CUONN_TRY(get_outcomes(out, file));
  return get_numbers(out, file);
}

cuonn_status cuonn_sweep_read(cuonn_sweep_record *out, const char *path) {
  struct stat info;
  memset(out, 0, sizeof *out);
  cuonn_grid_init(&out->grid);
  const bool directory = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
  const cuonn_status status = directory ? read_directory(out, path) : results_read(path, read_merged, out);
  for (size_t p = 0; status == CUONN_OK && p < out->n_points; p++) out->n_done += out->done[p];
  if (status != CUONN_OK) cuonn_sweep_record_free(out);
  return status;
}

void cuonn_sweep_record_free(cuonn_sweep_record *record) {
  for (size_t p = 0; record->done && p < record->n_points; p++) {
    free((void *)(uintptr_t)record->results[p].reason);
    free((void *)(uintptr_t)record->results[p].epochs);
    free((void *)(uintptr_t)record->results[p].gradient_errors);
  }
  free(record->done);
  free(record->results);
  cuonn_grid_free(&record->grid);
  memset(record, 0, sizeof *record);
}
