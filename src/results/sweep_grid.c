/* The file of all runs of a sweep: numbers over the grid, whose axes are coordinates. Of axes that advance together the
 * first names the dimension. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "results/attributes.h"
#include "results/container.h"
#include "results/sweep.h"
#include "results/sweep_run.h"
#include "results/variables.h"

/* Coordinates, numbers, status and reason of the merged file. */
enum {
  kMerged = CUONN_GRID_AXES_MAX + 1 + SWEEP_NUMBERS + SWEEP_LAYER_NUMBERS + 2,
  kNameMax = 64,
  kNamesMax = CUONN_GRID_AXES_MAX * kNameMax
};

typedef struct {
  results_variable axes[CUONN_GRID_AXES_MAX], epoch, number[SWEEP_NUMBERS], of_layers[SWEEP_LAYER_NUMBERS], status,
      reason;
  char lengths[CUONN_GRID_AXES_MAX][kNameMax]; /* names of the dimensions of words */
  char zipped[kNamesMax];                      /* names of the axes that advance with another */
  size_t n_dimensions;                         /* of the grid */
  bool has[SWEEP_NUMBERS], has_layers;
} layout;

static size_t longest_word(const cuonn_grid_axis *axis) {
  size_t longest = 1;
  for (size_t i = 0; i < axis->count; i++) {
    const size_t length = strlen(axis->values[i]);
    if (length > longest) longest = length;
  }
  return longest;
}

static size_t longest_reason(const cuonn_sweep_files *files) {
  size_t longest = 1;
  for (size_t p = 0; p < files->points; p++) {
    const size_t length = files->done[p] ? strlen(files->results[p].reason) : 0;
    if (length > longest) longest = length;
  }
  return longest;
}

static void lay_out(layout *out, const cuonn_sweep_files *files) {
  const cuonn_grid *const grid = files->grid;
  const results_dimension epoch = {"epoch", grid->base.training.epochs};
  results_variable over = {.gaps = true}; /* over the whole grid */
  size_t n = 0;
  memset(out, 0, sizeof *out);
  for (size_t a = 0; a < grid->n_axes; a++) {
    const cuonn_grid_axis *const axis = &grid->axes[a];
    if (axis->zipped)
      snprintf(out->zipped + strlen(out->zipped), kNameMax, "%s%s", out->zipped[0] ? " " : "", axis->coordinate);
    else
      over.dimensions[n++] = (results_dimension){axis->coordinate, axis->count};
    out->axes[a] = (results_variable){.name = axis->coordinate,
                                      .dimensions = {over.dimensions[n - 1]},
                                      .unit = axis->numeric ? (axis->unit[0] ? axis->unit : "1") : NULL,
                                      .long_name = axis->sentence,
                                      .characters = !axis->numeric};
    if (axis->numeric) continue;
    const size_t longest = longest_word(axis);
    snprintf(out->lengths[a], sizeof out->lengths[a], "%s_length", axis->coordinate);
    out->axes[a].dimensions[1] = (results_dimension){out->lengths[a], longest};
  }
  out->n_dimensions = n;
  if (out->zipped[0]) over.coordinates = out->zipped;
  out->epoch = (results_variable){.name = "epoch", .dimensions = {epoch}, .unit = "1", .long_name = "finished epochs"};
  for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
    out->number[k] = over;
    out->number[k].name = sweep_numbers[k].name;
    out->number[k].unit = sweep_numbers[k].unit;
    out->number[k].long_name = sweep_numbers[k].long_name;
    out->number[k].dimensions[n] = epoch;
    for (size_t p = 0; p < files->points; p++)
      out->has[k] |= files->done[p] && sweep_has_number(&files->results[p], &sweep_numbers[k]);
  }
  for (size_t p = 0; p < files->points; p++) out->has_layers |= files->done[p] && files->results[p].gradient_errors;
  for (size_t k = 0; k < SWEEP_LAYER_NUMBERS; k++) {
    out->of_layers[k] = over;
    out->of_layers[k].name = sweep_layer_numbers[k].name;
    out->of_layers[k].unit = "1";
    out->of_layers[k].long_name = sweep_layer_numbers[k].long_name;
    out->of_layers[k].dimensions[n] = epoch;
    out->of_layers[k].dimensions[n + 1] = (results_dimension){"layer", grid->base.network.n_layers};
  }
  over.gaps = false;
  out->status = out->reason = over;
  out->status.name = "status";
  out->status.long_name =
      "0: finished; -10: diverged; other negative numbers: failed before training; 1: not trained yet";
  out->status.integers = true;
  out->reason.name = "reason";
  out->reason.long_name = "why a run failed";
  out->reason.characters = true;
  out->reason.dimensions[n] = (results_dimension){"reason_length", longest_reason(files)};
}

static cuonn_status define_all(const results_file *file, const layout *of, size_t n_axes) {
  results_variable variables[kMerged];
  size_t n = 0;
  for (size_t a = 0; a < n_axes; a++) variables[n++] = of->axes[a];
  variables[n++] = of->epoch;
  for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
    if (of->has[k]) variables[n++] = of->number[k];
  }
  for (size_t k = 0; of->has_layers && k < SWEEP_LAYER_NUMBERS; k++) variables[n++] = of->of_layers[k];
  variables[n++] = of->status;
  variables[n++] = of->reason;
  return results_define(file, variables, n);
}

static cuonn_status put_axis(const results_file *file, const results_variable *of, const cuonn_grid_axis *axis) {
  cuonn_status status = CUONN_OK;
  const size_t length = axis->numeric ? 0 : of->dimensions[1].length;
  double *values = NULL;
  char *words = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&values, axis->count, sizeof *values));
  CUONN_TRY_DONE(cuonn_allocate(&words, axis->count * length, 1));
  for (size_t i = 0; i < axis->count; i++) {
    if (axis->numeric) values[i] = cuonn_grid_number(axis, i);
    memcpy(words + i * length, axis->values[i], length ? strlen(axis->values[i]) : 0);
  }
  status = axis->numeric ? results_put(file, of, RESULTS_WHOLE, values) : results_put_characters(file, of, words);
done:
  free(words);
  free(values);
  return status;
}

static cuonn_status put_number(const results_file *file, const results_variable *of, const cuonn_sweep_files *files,
                               const sweep_number *which) {
  const size_t n_epochs = files->grid->base.training.epochs;
  double *column;
  CUONN_TRY(cuonn_allocate(&column, files->points * n_epochs, sizeof *column));
  for (size_t p = 0; p < files->points; p++) {
    const cuonn_sweep_result *const result = &files->results[p];
    for (size_t e = 0; e < n_epochs; e++) {
      const double value = e < result->n_epochs ? sweep_number_at(&result->epochs[e], which) : NAN;
      column[p * n_epochs + e] = sweep_or_missing(value);
    }
  }
  const cuonn_status status = results_put(file, of, RESULTS_WHOLE, column);
  free(column);
  return status;
}

static cuonn_status put_layers(const results_file *file, const results_variable *of, const cuonn_sweep_files *files,
                               size_t which) {
  const size_t n_epochs = files->grid->base.training.epochs, n_layers = files->grid->base.network.n_layers;
  double *rows;
  CUONN_TRY(cuonn_allocate(&rows, files->points * n_epochs * n_layers, sizeof *rows));
  for (size_t i = 0; i < files->points * n_epochs; i++) {
    const cuonn_sweep_result *const result = &files->results[i / n_epochs];
    const bool there = i % n_epochs < result->n_epochs && result->gradient_errors;
    const double *const errors = there ? sweep_layers_at(result, i % n_epochs, which) : NULL;
    for (size_t l = 0; l < n_layers; l++) rows[i * n_layers + l] = sweep_or_missing(errors ? errors[l] : NAN);
  }
  const cuonn_status status = results_put(file, of, RESULTS_WHOLE, rows);
  free(rows);
  return status;
}

static cuonn_status put_outcomes(const results_file *file, const layout *of, const cuonn_sweep_files *files) {
  cuonn_status status = CUONN_OK;
  const size_t length = of->reason.dimensions[of->n_dimensions].length;
  double *codes = NULL;
  char *reasons = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&codes, files->points, sizeof *codes));
  CUONN_TRY_DONE(cuonn_allocate(&reasons, files->points * length, 1));
  for (size_t p = 0; p < files->points; p++) {
    const cuonn_sweep_result *const result = &files->results[p];
    codes[p] = files->done[p] ? result->status : 1;
    if (files->done[p]) memcpy(reasons + p * length, result->reason, strlen(result->reason));
  }
  CUONN_TRY_DONE(results_put(file, &of->status, RESULTS_WHOLE, codes));
  CUONN_TRY_DONE(results_put_characters(file, &of->reason, reasons));
done:
  free(reasons);
  free(codes);
  return status;
}

cuonn_status cuonn_sweep_files_merge(const cuonn_sweep_files *files) {
  cuonn_status status = CUONN_OK;
  results_file file = {.path = files->merged, .id = -1};
  layout of;
  const cuonn_grid *const grid = files->grid;
  double *epochs = NULL;
  char *const text = cuonn_grid_text(grid);
  CUONN_CHECK_DONE(text, CUONN_E_MEMORY, "%s: not enough memory for its configuration", files->merged);
  lay_out(&of, files);
  CUONN_TRY_DONE(results_create(&file, files->merged, "Sweep of trained networks"));
  CUONN_TRY_DONE(results_put_text(&file, "config", text));
  CUONN_TRY_DONE(define_all(&file, &of, grid->n_axes));
  for (size_t a = 0; a < grid->n_axes; a++) CUONN_TRY_DONE(put_axis(&file, &of.axes[a], &grid->axes[a]));
  CUONN_TRY_DONE(cuonn_allocate(&epochs, grid->base.training.epochs, sizeof *epochs));
  for (size_t e = 0; e < grid->base.training.epochs; e++) epochs[e] = (double)(e + 1);
  CUONN_TRY_DONE(results_put(&file, &of.epoch, RESULTS_WHOLE, epochs));
  for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
    if (of.has[k]) CUONN_TRY_DONE(put_number(&file, &of.number[k], files, &sweep_numbers[k]));
  }
  for (size_t k = 0; of.has_layers && k < SWEEP_LAYER_NUMBERS; k++)
    CUONN_TRY_DONE(put_layers(&file, &of.of_layers[k], files, k));
  CUONN_TRY_DONE(put_outcomes(&file, &of, files));
  CUONN_TRY_DONE(results_commit(&file));
done:
  free(epochs);
  free(text);
  results_abandon(&file);
  return status;
}
