/* What a case needs before its clock starts: network, data, and a backend's state that holds them. */
#ifndef CUONN_BENCHMARK_PROBLEM_H
#define CUONN_BENCHMARK_PROBLEM_H

#include "backends/backend.h"
#include "cuonn/benchmark.h"

typedef struct {
  cuonn_benchmark_options options;
  const cuonn_backend *backend;
  backend_place place;
  size_t n_examples; /* of one operation */
  size_t n_batches;  /* train_step: batches of the data, one after the other */
  cuonn_network network;
  cuonn_examples images; /* features */
  cuonn_fields fields;   /* other cases: [n_batches n_examples] */
  uint8_t *labels;
  void *state; /* the backend's; NULL for propagations */
} problem;

/* Makes a problem. Release with problem_free(), also after a failure. */
cuonn_status problem_create(problem *out, const cuonn_context *context, const cuonn_benchmark_options *options);
void problem_free(problem *p);

#endif
