/* Right before fast: what the backends compute, against the last of them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "benchmark/problem.h"
#include "benchmark/work.h"

enum { kSteps = 3, kNodesPassed = 1 << 22, kStages = 5 };

/* Numbers that a backend computes. */
typedef struct {
  double *values;
  size_t n;
} numbers;

static cuonn_status check_features(numbers *out, const problem *p) {
  const cuonn_features_options fourier = {.kind = CUONN_FEATURES_FOURIER,
                                          .radius = benchmark_radius(p->options.n_modes)};
  out->n = 2 * p->n_examples * p->options.n_modes;
  CUONN_TRY(cuonn_allocate(&out->values, out->n, sizeof *out->values));
  CUONN_TRY(p->backend->set_images(p->state, CUONN_SPLIT_TEST, &p->images, &fourier));
  return p->backend->get_features(out->values, p->state, CUONN_SPLIT_TEST);
}

static cuonn_status check_loss(numbers *out, const problem *p) {
  cuonn_evaluation evaluation = {0};
  out->n = 1;
  CUONN_TRY(cuonn_allocate(&out->values, 1, sizeof *out->values));
  CUONN_TRY(p->backend->evaluate(&evaluation, p->state, 0, 1, CUONN_SPLIT_TEST));
  out->values[0] = evaluation.loss;
  return CUONN_OK;
}

/* The output, and behind it the stages. */
static cuonn_status check_fields(numbers *out, const problem *p) {
  const size_t n_modes = p->options.n_modes, size = 2 * p->n_examples * n_modes;
  const bool stages = p->options.what == CUONN_BENCHMARK_PROPAGATE_STAGES;
  cuonn_taps taps = {0};
  out->n = size + (stages ? kStages * n_modes * size : 0);
  CUONN_TRY(cuonn_allocate(&out->values, out->n, sizeof *out->values));
  if (stages) {
    double *const first = out->values + size;
    const size_t step = n_modes * size;
    taps = (cuonn_taps){first, first + step, first + 2 * step, first + 3 * step, first + 4 * step};
  }
  const cuonn_buffer to = buffer_of(out->values, size / 2), from = buffer_of_fields(&p->fields);
  return p->backend->propagate(&to, stages ? &taps : NULL, p->network.layers, &from, false, p->place);
}

static cuonn_status check_losses(numbers *out, const problem *p) {
  cuonn_step steps[kSteps];
  out->n = kSteps;
  CUONN_TRY(cuonn_allocate(&out->values, kSteps, sizeof *out->values));
  for (size_t i = 0; i < kSteps; i++) {
    const size_t first = i % p->n_batches * p->n_examples;
    steps[i] = (cuonn_step){.first = first, .count = p->n_examples, .rate_factor = 1, .adam_index = i};
  }
  return p->backend->train_steps(out->values, p->state, steps, kSteps);
}

static cuonn_status compute(numbers *out, const cuonn_context *context, const cuonn_benchmark_options *options) {
  cuonn_status status = CUONN_OK;
  problem p = {0};
  memset(out, 0, sizeof *out);
  CUONN_TRY_DONE(problem_create(&p, context, options));
  switch (options->what) {
    case CUONN_BENCHMARK_FEATURES: status = check_features(out, &p); break;
    case CUONN_BENCHMARK_FORWARD:
    case CUONN_BENCHMARK_EVALUATE: status = check_loss(out, &p); break;
    case CUONN_BENCHMARK_PROPAGATE:
    case CUONN_BENCHMARK_PROPAGATE_STAGES: status = check_fields(out, &p); break;
    case CUONN_BENCHMARK_TRAIN_STEP: status = check_losses(out, &p); break;
  }
done:
  problem_free(&p);
  return status;
}

/* Rounding grows with the root of the number of columns that light passes; 192 are those of the study. */
static double tolerance(const cuonn_benchmark_options *options) {
  return 2e-5 * fmax(1, sqrt((double)(options->n_modes * options->n_layers) / 192));
}

static cuonn_status compare(const numbers *got, const numbers *want, const char *got_from, const char *want_from,
                            const cuonn_benchmark_options *options, cuonn_method method) {
  double scale = 0;
  for (size_t i = 0; i < want->n; i++) scale = fmax(scale, fabs(want->values[i]));
  const double allowed = tolerance(options) * scale;
  for (size_t i = 0; i < want->n; i++) {
    const double error = fabs(got->values[i] - want->values[i]);
    CUONN_CHECK(
        error <= allowed, CUONN_E_INTERNAL,
        "%s of %zu modes by %s: number %zu of %zu is %.9g in backend %s and %.9g in backend %s, where %.2g more or "
        "less would do; nothing is timed",
        cuonn_benchmark_case_name(options->what), options->n_modes, cuonn_method_name(method), i, want->n,
        got->values[i], got_from, want->values[i], want_from, allowed);
  }
  return CUONN_OK;
}

/* The same case with so few examples that the plainest backend is not kept busy for long. */
static cuonn_benchmark_options smaller(const cuonn_benchmark_options *options) {
  cuonn_benchmark_options few = *options;
  const size_t n_examples = cuonn_benchmark_count(options).n_examples;
  const size_t fit = kNodesPassed / (cuonn_mesh_nodes(options->n_modes) * options->n_layers);
  few.batch_size = fit < 1 ? 1 : fit < n_examples ? fit : n_examples;
  few.method = CUONN_METHOD_COLUMNS;
  if (few.what == CUONN_BENCHMARK_EVALUATE) few.what = CUONN_BENCHMARK_FORWARD; /* of any number of examples */
  return few;
}

/* One backend by all of its methods. */
static cuonn_status check_backend(const numbers *want, const cuonn_context *context, const cuonn_context *judge,
                                  const cuonn_benchmark_options *few, const cuonn_benchmark_options *options) {
  static const cuonn_method methods[] = {CUONN_METHOD_COLUMNS, CUONN_METHOD_DENSE};
  cuonn_status status = CUONN_OK;
  numbers got = {0};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    cuonn_benchmark_options by = *few;
    by.method = methods[i];
    if (!cuonn_benchmark_has_method(context, &by)) continue;
    free(got.values);
    CUONN_TRY_DONE(compute(&got, context, &by));
    CUONN_TRY_DONE(compare(&got, want, context->backend->name, judge->backend->name, options, by.method));
  }
done:
  free(got.values);
  return status;
}

cuonn_status cuonn_benchmark_check(cuonn_context *const *contexts, size_t n_contexts,
                                   const cuonn_benchmark_options *options) {
  cuonn_status status = CUONN_OK;
  numbers want = {0};
  CUONN_TRY_DONE(cuonn_benchmark_options_check(options));
  const cuonn_benchmark_options few = smaller(options);
  const cuonn_context *const judge = contexts[n_contexts - 1];
  CUONN_TRY_DONE(compute(&want, judge, &few));
  for (size_t i = 0; i + 1 < n_contexts; i++) {
    CUONN_TRY_DONE(check_backend(&want, contexts[i], judge, &few, options));
  }
done:
  free(want.values);
  return status;
}
