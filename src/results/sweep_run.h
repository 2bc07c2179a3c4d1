/* One run of a sweep: its numbers and its file. */
#ifndef CUONN_RESULTS_SWEEP_RUN_H
#define CUONN_RESULTS_SWEEP_RUN_H

#include "cuonn/files.h"

/* A number of an epoch: where it stands, and how a file names it. */
typedef struct {
  const char *name;
  size_t offset; /* in cuonn_sweep_epoch */
  const char *unit, *long_name;
} sweep_number;

enum { SWEEP_NUMBERS = 7 };
extern const sweep_number sweep_numbers[SWEEP_NUMBERS];

/* Numbers of each layer; they stand in the result's gradient_errors in this order. */
typedef struct {
  const char *name, *long_name;
} sweep_layer_number;

enum { SWEEP_LAYER_NUMBERS = 2 };
extern const sweep_layer_number sweep_layer_numbers[SWEEP_LAYER_NUMBERS];

/* Errors of number `which`, [layer], after an epoch. */
const double *sweep_layers_at(const cuonn_sweep_result *result, size_t epoch, size_t which);

double sweep_number_at(const cuonn_sweep_epoch *epoch, const sweep_number *of);

/* Whether some epoch of a result has the number. */
bool sweep_has_number(const cuonn_sweep_result *result, const sweep_number *of);

/* As it stands in a file: RESULTS_MISSING in place of a number that is not there. */
double sweep_or_missing(double number);

/* The file of one run. data: what it was trained on, or NULL. first: NULL, and the file replaces what is there; or
 * where to say whether it is the first of its name, which stays. */
cuonn_status sweep_run_write(const char *path, const cuonn_sweep_result *result, const char *config_text,
                             const char *data, bool *first);

/* Reads it back; the caller's to release are epochs, gradient_errors and reason of *result, *config_text and *data,
 * which is NULL where the file does not say. n_layers: of the network. CUONN_E_DATA for more than most_epochs. */
cuonn_status sweep_run_read(cuonn_sweep_result *result, char **config_text, char **data, const char *path,
                            size_t most_epochs, size_t n_layers);

#endif
