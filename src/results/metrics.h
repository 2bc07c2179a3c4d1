/* metrics.csv: a header and a row for each finished epoch. */
#ifndef CUONN_RESULTS_METRICS_H
#define CUONN_RESULTS_METRICS_H

#include <stdbool.h>

#include "cuonn/training.h"

/* What a run's file holds: it is always written anew, so that a full disk cannot leave half a row. */
typedef struct {
  const char *path;
  bool in_situ;    /* rows hold errors of gradients, too */
  size_t n_layers; /* whose errors they hold beside those of all; 0 in files of older versions */
  char *text;      /* release with free() */
  size_t length;
} results_metrics;

/* Begins a table for a path, for errors of the gradients of n_layers or, with 0, none, with the header and, unless
 * `epochs` is 0, the rows of the file there up to that epoch; SIZE_MAX reads the file, too, and takes no row. The path
 * stays the caller's. */
cuonn_status results_metrics_begin(results_metrics *out, const char *path, size_t n_layers, size_t epochs);

/* Adds a row to the table alone. On failure it is as it was. */
cuonn_status results_metrics_add(results_metrics *table, const cuonn_epoch_record *record);

/* Writes the file. */
cuonn_status results_metrics_write(const results_metrics *table);

#endif
