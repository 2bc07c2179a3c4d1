/* The file of one run of a sweep: a column a number, and how the run ended. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "results/container.h"
#include "results/sweep.h"
#include "results/variables.h"

#define EPOCH(member) #member, offsetof(cuonn_sweep_epoch, member)
const sweep_number sweep_numbers[SWEEP_NUMBERS] = {
    {EPOCH(train_error), "1", "share of the training images taken for another class, after the epoch"},
    {EPOCH(test_error), "1", "share of the test images taken for another class, after the epoch"},
    {EPOCH(train_loss), "1", "mean of the losses of the epoch's steps, each taken before its update"},
    {EPOCH(test_loss), "1", "mean cross entropy of the test images, after the epoch"},
    {EPOCH(gradient_error_batch), "1", "1 - cosine between the gradient of a training batch and the exact one"},
    {EPOCH(gradient_error_small), "1", "the same of a small fixed batch"},
    {EPOCH(seconds), "s", "training time of the epoch: an equal share of the time of the runs beside it"},
};
double sweep_number_at(const cuonn_sweep_epoch *epoch, const sweep_number *of) {
  return *(const double *)((const char *)epoch + of->offset);
}

bool sweep_has_number(const cuonn_sweep_result *result, const sweep_number *of) {
  for (size_t e = 0; e < result->n_epochs; e++) {
    if (!isfinite(sweep_number_at(&result->epochs[e], of))) return false;
  }
  return result->n_epochs > 0;
}

static results_variable run_variable(const sweep_number *of, size_t n_epochs) {
  return (results_variable){
      .name = of->name, .dimensions = {{"epoch", n_epochs}}, .unit = of->unit, .long_name = of->long_name};
}

static const results_variable status_variable = {
    .name = "status",
    .long_name = "0: finished; -10: diverged; other negative numbers: failed before training",
    .integers = true};

static cuonn_status write_numbers(const results_file *file, const cuonn_sweep_result *result) {
  results_variable variables[SWEEP_NUMBERS + 1]; /* and the status */
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
  variables[count] = status_variable;
  CUONN_TRY_DONE(results_define(file, variables, count + 1));
  CUONN_TRY_DONE(results_put(file, &status_variable, RESULTS_WHOLE, &code));
  CUONN_TRY_DONE(cuonn_allocate(&column, result->n_epochs, sizeof *column));
  for (size_t k = 0; k < count; k++) {
    for (size_t e = 0; e < result->n_epochs; e++) column[e] = sweep_number_at(&result->epochs[e], written[k]);
    CUONN_TRY_DONE(results_put(file, &variables[k], RESULTS_WHOLE, column));
  }
done:
  free(column);
  return status;
}

cuonn_status sweep_run_write(const char *path, const cuonn_sweep_result *result, const char *config_text) {
  cuonn_status status = CUONN_OK;
  results_file file;
  CUONN_TRY_DONE(results_create(&file, path, "Run of a sweep"));
  CUONN_TRY_DONE(results_put_text(&file, "reason", result->reason));
  CUONN_TRY_DONE(results_put_count(&file, "epochs", (int)result->n_epochs));
  CUONN_TRY_DONE(results_put_text(&file, "config", config_text));
  CUONN_TRY_DONE(write_numbers(&file, result));
  CUONN_TRY_DONE(results_commit(&file));
done:
  results_abandon(&file);
  return status;
}

/* What a run's file is read into. */
typedef struct {
  cuonn_sweep_result *result;
  char *reason, *config_text;
  cuonn_sweep_epoch *epochs;
  size_t most_epochs;
} request;

static cuonn_status get_epochs(double *out, const results_file *file, size_t most) {
  bool found;
  CUONN_TRY(results_get_number(out, &found, file, "epochs"));
  CUONN_CHECK(found && *out == floor(*out) && *out >= 0 && *out <= (double)most, CUONN_E_DATA,
              "%s: attribute epochs must be a whole number from 0 to %zu", file->path, most);
  return CUONN_OK;
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
  *r->result = (cuonn_sweep_result){(cuonn_status)code, r->reason, count, r->epochs, NULL};
done:
  free(column);
  return status;
}

cuonn_status sweep_run_read(cuonn_sweep_result *result, char **config_text, const char *path, size_t most_epochs) {
  request r = {.result = result, .most_epochs = most_epochs};
  const cuonn_status status = results_read(path, read_run, &r);
  if (status == CUONN_OK) {
    *config_text = r.config_text;
    return CUONN_OK;
  }
  free(r.config_text);
  free(r.reason);
  free(r.epochs);
  memset(result, 0, sizeof *result);
  return status;
}
