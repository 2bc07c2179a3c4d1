/* metrics.csv: a header and a row for each finished epoch. */
#ifndef CUONN_RESULTS_METRICS_H
#define CUONN_RESULTS_METRICS_H

#include <stdbool.h>

#include "cuonn/training.h"

/* What a run's file holds: every record writes it anew, so that a full disk cannot leave half a row. */
typedef struct {
  const char *path;
  bool in_situ; /* rows hold errors of measured gradients, too */
  char *text;   /* release with free() */
  size_t length;
} results_metrics;

/* Begins a table for a path with the header and, unless `epochs` is 0, the rows of the file there up to that epoch;
 * SIZE_MAX reads the file, too, and takes no row. The path stays the caller's. */
cuonn_status results_metrics_begin(results_metrics *out, const char *path, bool in_situ, size_t epochs);

/* Adds a row and writes the file. On failure the table is as it was. */
cuonn_status results_metrics_add(results_metrics *table, const cuonn_epoch_record *record);

/* Writes the file. */
cuonn_status results_metrics_write(const results_metrics *table);

#endif
