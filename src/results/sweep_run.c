/* The file of one run of a sweep: a column a number, and how the run ended. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "results/attributes.h"
#include "results/container.h"
#include "results/sweep_run.h"
#include "results/variables.h"

#define EPOCH(member) #member, offsetof(cuonn_sweep_epoch, member)
const sweep_number sweep_numbers[SWEEP_NUMBERS] = {
    {EPOCH(train_error), "1", "share of the training images taken for another class, after the epoch"},
    {EPOCH(test_error), "1", "share of the test images taken for another class, after the epoch"},
    {EPOCH(train_loss), "1", "mean of the losses of the epoch's steps, each taken before its update"},
    {EPOCH(test_loss), "1", "mean cross entropy of the test images, after the epoch"},
    {EPOCH(gradient_error_batch), "1", "1 - cosine between the gradient of a training batch and the exact one"},
    {EPOCH(gradient_error_small), "1", "1 - cosine between the gradient of a small fixed batch and the exact one"},
    {EPOCH(seconds), "s", "training time of the epoch: an equal share of the time of the runs beside it"},
};
const sweep_layer_number sweep_layer_numbers[SWEEP_LAYER_NUMBERS] = {
    {"gradient_error_small_layer",
     "1 - cosine between the gradient of a small fixed batch and the exact one, of each layer alone"},
    {"gradient_error_batch_layer",
     "1 - cosine between the gradient of a training batch and the exact one, of each layer alone"},
};

double sweep_number_at(const cuonn_sweep_epoch *epoch, const sweep_number *of) {
  return *(const double *)((const char *)epoch + of->offset);
}

bool sweep_has_number(const cuonn_sweep_result *result, const sweep_number *of) {
  for (size_t e = 0; e < result->n_epochs; e++) {
    if (isfinite(sweep_number_at(&result->epochs[e], of))) return true;
  }
  return false;
}

double sweep_or_missing(double number) { return isfinite(number) ? number : RESULTS_MISSING; }

const double *sweep_layers_at(const cuonn_sweep_result *result, size_t epoch, size_t which) {
  return result->gradient_errors + (epoch * SWEEP_LAYER_NUMBERS + which) * result->n_layers;
}

static results_variable run_layer_variable(size_t which, size_t n_epochs, size_t n_layers) {
  return (results_variable){.name = sweep_layer_numbers[which].name,
                            .dimensions = {{"epoch", n_epochs}, {"layer", n_layers}},
                            .unit = "1",
                            .long_name = sweep_layer_numbers[which].long_name,
                            .gaps = true};
}

static results_variable run_variable(const sweep_number *of, size_t n_epochs) {
  return (results_variable){.name = of->name,
                            .dimensions = {{"epoch", n_epochs}},
                            .unit = of->unit,
                            .long_name = of->long_name,
                            .gaps = true};
}

static const results_variable status_variable = {
    .name = "status",
    .long_name = "0: finished; -10: diverged; other negative numbers: failed before training",
    .integers = true};

static cuonn_status write_numbers(const results_file *file, const cuonn_sweep_result *result) {
  results_variable variables[SWEEP_NUMBERS + SWEEP_LAYER_NUMBERS + 1]; /* and the status */
  const sweep_number *written[SWEEP_NUMBERS];
  double *column = NULL;
  const double code = result->status;
  size_t count = 0;
  cuonn_status status = CUONN_OK;
  for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
    if (!sweep_has_number(result, &sweep_numbers[k])) continue;
    written[count] = &sweep_numbers[k];
    variables[count++] = run_variable(&sweep_numbers[k], result->n_epochs);
  }
  const size_t n_epochs = result->n_epochs, n_layers = result->n_layers;
  const bool has_layers = result->gradient_errors && n_epochs > 0;
  results_variable *const of_layers = variables + count;
  for (size_t k = 0; has_layers && k < SWEEP_LAYER_NUMBERS; k++)
    of_layers[k] = run_layer_variable(k, n_epochs, n_layers);
  const size_t n_numbers = count + (has_layers ? SWEEP_LAYER_NUMBERS : 0);
  variables[n_numbers] = status_variable;
  CUONN_TRY_DONE(results_define(file, variables, n_numbers + 1));
  CUONN_TRY_DONE(results_put(file, &status_variable, RESULTS_WHOLE, &code));
  CUONN_TRY_DONE(cuonn_allocate(&column, n_epochs * (n_layers + 1), sizeof *column));
  for (size_t k = 0; has_layers && k < SWEEP_LAYER_NUMBERS; k++) {
    for (size_t i = 0; i < n_epochs * n_layers; i++)
      column[i] = sweep_or_missing(sweep_layers_at(result, i / n_layers, k)[i % n_layers]);
    CUONN_TRY_DONE(results_put(file, &of_layers[k], RESULTS_WHOLE, column));
  }
  for (size_t k = 0; k < count; k++) {
    for (size_t e = 0; e < result->n_epochs; e++) {
      column[e] = sweep_or_missing(sweep_number_at(&result->epochs[e], written[k]));
    }
    CUONN_TRY_DONE(results_put(file, &variables[k], RESULTS_WHOLE, column));
  }
done:
  free(column);
  return status;
}

cuonn_status sweep_run_write(const char *path, const cuonn_sweep_result *result, const char *config_text,
                             const char *data, bool *first) {
  cuonn_status status = CUONN_OK;
  results_file file;
  CUONN_TRY_DONE(results_create(&file, path, "Run of a sweep"));
  CUONN_TRY_DONE(results_put_text(&file, "reason", result->reason));
  CUONN_TRY_DONE(results_put_count(&file, "epochs", (int)result->n_epochs));
  CUONN_TRY_DONE(results_put_text(&file, "config", config_text));
  if (data) CUONN_TRY_DONE(results_put_text(&file, "data", data));
  CUONN_TRY_DONE(write_numbers(&file, result));
  status = first ? results_commit_first(first, &file) : results_commit(&file);
done:
  results_abandon(&file);
  return status;
}

/* What a run's file is read into. */
typedef struct {
  cuonn_sweep_result *result;
  char *reason, *config_text, *data;
  cuonn_sweep_epoch *epochs;
  double *errors;
  size_t most_epochs, n_layers;
} request;

static cuonn_status get_epochs(double *out, const results_file *file, size_t most) {
  bool found;
  CUONN_TRY(results_get_number(out, &found, file, "epochs"));
  CUONN_CHECK(found && *out == floor(*out) && *out >= 0 && *out <= (double)most, CUONN_E_DATA,
              "%s: attribute epochs must be a whole number from 0 to %zu", file->path, most);
  return CUONN_OK;
}

/* Errors of single layers, if the file has them. */
static cuonn_status get_layers(request *r, const results_file *file, size_t n_epochs) {
  double *column = NULL;
  cuonn_status status = CUONN_OK;
  if (n_epochs == 0 || !results_has(file, sweep_layer_numbers[0].name)) return CUONN_OK;
  const size_t row = r->n_layers;
  CUONN_TRY_DONE(cuonn_allocate(&r->errors, SWEEP_LAYER_NUMBERS * n_epochs * row, sizeof *r->errors));
  CUONN_TRY_DONE(cuonn_allocate(&column, n_epochs * row, sizeof *column));
  for (size_t k = 0; k < SWEEP_LAYER_NUMBERS; k++) {
    const results_variable v = run_layer_variable(k, n_epochs, row);
    CUONN_TRY_DONE(results_get(column, file, &v, RESULTS_WHOLE));
    for (size_t e = 0; e < n_epochs; e++)
      memcpy(r->errors + (e * SWEEP_LAYER_NUMBERS + k) * row, column + e * row, row * sizeof *column);
  }
done:
  free(column);
  return status;
}

static cuonn_status read_run(void *user, const results_file *file) {
  request *const r = user;
  double code, n_epochs, *column = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(results_get(&code, file, &status_variable, RESULTS_WHOLE));
  CUONN_CHECK_DONE(code == floor(code) && code >= CUONN_E_INTERRUPTED && code <= CUONN_OK, CUONN_E_DATA,
                   "%s: status is %g; it is 0, or a negative number down to %d", file->path, code, CUONN_E_INTERRUPTED);
  CUONN_TRY_DONE(get_epochs(&n_epochs, file, r->most_epochs));
  CUONN_TRY_DONE(results_get_text(&r->reason, file, "reason"));
  CUONN_TRY_DONE(results_get_text(&r->config_text, file, "config"));
  CUONN_TRY_DONE(results_get_text(&r->data, file, "data")); /* none in an older version's */
  CUONN_CHECK_DONE(r->reason && r->config_text, CUONN_E_DATA, "%s: has no attribute reason or config: is no run",
                   file->path);
  const size_t count = (size_t)n_epochs;
  CUONN_TRY_DONE(cuonn_allocate(&r->epochs, count, sizeof *r->epochs));
  CUONN_TRY_DONE(cuonn_allocate(&column, count, sizeof *column));
  for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
    const results_variable v = run_variable(&sweep_numbers[k], count);
    const bool there = count > 0 && results_has(file, v.name);
    if (there) CUONN_TRY_DONE(results_get(column, file, &v, RESULTS_WHOLE));
    for (size_t e = 0; e < count; e++)
      *(double *)((char *)&r->epochs[e] + sweep_numbers[k].offset) = there ? column[e] : NAN;
  }
  CUONN_TRY_DONE(get_layers(r, file, count));
  *r->result = (cuonn_sweep_result){(cuonn_status)code, r->reason, count, r->epochs, r->n_layers, r->errors, NULL};
done:
  free(column);
  return status;
}

cuonn_status sweep_run_read(cuonn_sweep_result *result, char **config_text, char **data, const char *path,
                            size_t most_epochs, size_t n_layers) {
  request r = {.result = result, .most_epochs = most_epochs, .n_layers = n_layers};
  const cuonn_status status = results_read(path, read_run, &r);
  if (status == CUONN_OK) {
    *config_text = r.config_text;
    *data = r.data;
    return CUONN_OK;
  }
  free(r.data);
  free(r.config_text);
  free(r.reason);
  free(r.epochs);
  free(r.errors);
  memset(result, 0, sizeof *result);
  return status;
}
