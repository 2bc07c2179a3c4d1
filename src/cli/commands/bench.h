/* What `cuonn bench` measured, and how it is shown: table, JSON, curves. */
#ifndef CUONN_CLI_BENCH_H
#define CUONN_CLI_BENCH_H

#include "cli/common.h"

/* A backend that is measured, and its machine. */
typedef struct {
  const char *name;
  cuonn_context *context;
  cuonn_machine machine;
} bench_backend;

/* A case of one size on one backend. */
typedef struct {
  cuonn_benchmark_options options;
  const char *backend;
  char skipped[512]; /* why it was not measured; "" if it was */
  cuonn_benchmark_work work;
  size_t n_samples, n_steps;
  double median, p10, p90;         /* seconds */
  double limit_bytes, limit_flops; /* seconds: the work over what the machine can do */
  double vs_cpu;                   /* how many times faster than cpu; NAN if cpu was not measured */
} bench_row;

typedef struct {
  size_t *values;
  size_t count;
} bench_list;

typedef struct {
  bench_list cases, modes, batches, layers;
  size_t n_samples;
  double seconds;
  int threads;
  const char *commit, *json, *plot; /* files; NULL: not wanted */
  bool print_json;                  /* JSON in place of the table */
} bench_settings;

/* Everything of one run. */
typedef struct {
  bench_settings settings;
  bench_backend *backends; /* [n_backends], the fastest first */
  size_t n_backends;
  bench_row *rows; /* [n_rows] */
  size_t n_rows;
} bench_run;

/* The larger of the two limits over the median. */
double bench_of_limit(const bench_row *row);

/* Why a row is not to be relied on: the machine did other work meanwhile. NULL if nothing speaks for that. */
const char *bench_doubt(const bench_row *row);

/* Whether a number of the options has a meaning for a case. */
bool bench_uses_batch(cuonn_benchmark_case what);
bool bench_uses_layers(cuonn_benchmark_case what);

void bench_print_head(const bench_run *run);
void bench_print_row(const bench_row *row);
void bench_print_end(const bench_run *run); /* a warning if the machine was busy */

/* Everything that was measured, as JSON; NULL if there is no memory. */
json_t *bench_json(const bench_run *run);

/* Both replace the file as a whole. Without gnuplot, what it would draw is written beside the drawing. */
int bench_write_json(const bench_run *run);
int bench_draw(const bench_run *run);

/* Refuses a file that could not be written later, and makes the folders above it. NULL is fine. */
int bench_check_writable(const char *path);

#endif
