/* What `cuonn bench` measured: a row for every case and size on every backend. */
#ifndef CUONN_CLI_BENCH_ROW_H
#define CUONN_CLI_BENCH_ROW_H

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
  const bench_backend *of;
  char skipped[512]; /* why it was not measured; "" if it was */
  cuonn_benchmark_work work;
  size_t n_samples, n_steps;
  double median, p10, p90;         /* seconds */
  double limit_bytes, limit_flops; /* seconds: the work over what the machine can do */
  bool by_auto;                    /* auto takes this row's method */
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
  const char *method;               /* NULL: every one */
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

/* Where auto takes this row's method, and the other one was more than 10 % faster: its row; else NULL. */
const bench_row *bench_better(const bench_run *run, const bench_row *row);

/* "columns", "dense"; NULL for a case with one way to compute it. */
const char *bench_method(const bench_row *row);

/* Whether a number of the options has a meaning for a case. */
bool bench_uses_batch(cuonn_benchmark_case what);
bool bench_uses_layers(cuonn_benchmark_case what);

#endif
