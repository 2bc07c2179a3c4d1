/* The clock: samples of one case, and their summary. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "benchmark/problem.h"
#include "benchmark/work.h"

enum { kLeastSamples = 3, kGrowth = 4, kMostTogether = 64 };
static const double kLeastSeconds = 1e-3; /* of a sample, where operations are short */

/* Steps of training, one batch after the other; `from` counts the steps of all calls. */
static cuonn_status train(const problem *p, size_t from, size_t n_steps, cuonn_step *steps, double *losses) {
  for (size_t i = 0; i < n_steps; i++) {
    const size_t batch = (from + i) % p->n_batches;
    steps[i] =
        (cuonn_step){.first = batch * p->n_examples, .count = p->n_examples, .rate_factor = 1, .adam_index = from + i};
  }
  return p->backend->train_steps(losses, p->state, steps, n_steps);
}

static cuonn_status time_training(double *seconds, const problem *p, size_t n_samples, size_t n_steps) {
  cuonn_status status = CUONN_OK;
  cuonn_step *steps = NULL;
  double *losses = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&steps, n_steps, sizeof *steps));
  CUONN_TRY_DONE(cuonn_allocate(&losses, n_steps, sizeof *losses));
  for (size_t i = 0; i < n_samples; i++) {
    const double before = machine_seconds();
    CUONN_TRY_DONE(train(p, i * n_steps, n_steps, steps, losses));
    seconds[i] = (machine_seconds() - before) / (double)n_steps;
  }
done:
  free(losses);
  free(steps);
  return status;
}

static cuonn_status operate_once(const problem *p) {
  if (p->options.what == CUONN_BENCHMARK_FEATURES) {
    const cuonn_features_options fourier = {.kind = CUONN_FEATURES_FOURIER,
                                            .radius = benchmark_radius(p->options.n_modes)};
    return p->backend->set_images(p->state, CUONN_SPLIT_TEST, &p->images, &fourier);
  }
  cuonn_evaluation evaluation = {0};
  return p->backend->evaluate(&evaluation, p->state, 0, 1, CUONN_SPLIT_TEST);
}

static cuonn_status time_operations(double *seconds, const problem *p, size_t n_samples, size_t n_steps) {
  for (size_t i = 0; i < n_samples; i++) {
    const double before = machine_seconds();
    for (size_t k = 0; k < n_steps; k++) CUONN_TRY(operate_once(p));
    seconds[i] = (machine_seconds() - before) / (double)n_steps;
  }
  return CUONN_OK;
}

/* n_steps: operations of one sample; a propagation's backend chooses by itself. */
static cuonn_status take(double *seconds, const problem *p, size_t n_samples, size_t n_steps) {
  switch (p->options.what) {
    case CUONN_BENCHMARK_PROPAGATE:
      return p->backend->time_propagation(seconds, n_samples, BACKEND_NODE_FORM, p->network.layers, &p->fields,
                                          p->place);
    case CUONN_BENCHMARK_PROPAGATE_STAGES:
      return p->backend->time_propagation(seconds, n_samples, BACKEND_ALL_STAGES, p->network.layers, &p->fields,
                                          p->place);
    case CUONN_BENCHMARK_TRAIN_STEP: return time_training(seconds, p, n_samples, n_steps);
    case CUONN_BENCHMARK_FEATURES:
    case CUONN_BENCHMARK_FORWARD:
    case CUONN_BENCHMARK_EVALUATE: break;
  }
  return time_operations(seconds, p, n_samples, n_steps);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void summarize(cuonn_benchmark *b) {
  const double last = (double)(b->n_samples - 1);
  qsort(b->seconds, b->n_samples, sizeof *b->seconds, ascending);
  b->p10 = b->seconds[lround(0.1 * last)];
  b->median = b->seconds[lround(0.5 * last)];
  b->p90 = b->seconds[lround(0.9 * last)];
}

/* How many times `once` fits `all`, between `least` and `most`. */
static size_t fitting(double all, double once, size_t least, size_t most) {
  const double n = all / fmax(once, 1e-9);
  return n >= (double)most ? most : n <= (double)least ? least : (size_t)n;
}

/* How many operations make a sample, where there are n_samples: of training, as many steps as one call of the backend
 * takes; of others, as many as make it long enough to be told from the clock's and a device's jitter. */
static size_t steps_of(const problem *p, double once, size_t n_samples) {
  const double time = p->options.most_seconds / (double)n_samples;
  switch (p->options.what) {
    case CUONN_BENCHMARK_TRAIN_STEP: return fitting(time, once, 1, p->backend->steps_per_call);
    case CUONN_BENCHMARK_PROPAGATE:
    case CUONN_BENCHMARK_PROPAGATE_STAGES: return 1;
    case CUONN_BENCHMARK_FEATURES:
    case CUONN_BENCHMARK_FORWARD:
    case CUONN_BENCHMARK_EVALUATE: break;
  }
  return fitting(fmin(time, kLeastSeconds), once, 1, kMostTogether);
}

cuonn_status cuonn_benchmark_measure(cuonn_benchmark *out, cuonn_context *context,
                                     const cuonn_benchmark_options *options) {
  problem p = {0};
  double once[2], *seconds = NULL;
  cuonn_status status = CUONN_OK;
  memset(out, 0, sizeof *out);
  CUONN_TRY_DONE(problem_create(&p, context, options));
  /* the first operation touches memory and wakes threads; the second says how many samples there is time for */
  CUONN_TRY_DONE(take(once, &p, 2, 1));
  const size_t least = options->n_samples < kLeastSamples ? options->n_samples : kLeastSamples;
  const size_t n_samples = fitting(options->most_seconds, once[1], least, options->n_samples);
  out->n_steps = steps_of(&p, once[1], n_samples);
  /* where there is no time for all samples, those two were warm-up enough, but for a call of another length, which a
   * device records first */
  const size_t wanted = n_samples < options->n_samples ? 0 : options->n_warm_up;
  const size_t n_warm_up = wanted == 0 && out->n_steps > 1 ? 1 : wanted;
  CUONN_TRY_DONE(cuonn_allocate(&seconds, n_warm_up + n_samples, sizeof *seconds));
  CUONN_TRY_DONE(cuonn_allocate(&out->seconds, n_samples, sizeof *out->seconds));
  CUONN_TRY_DONE(take(seconds, &p, n_warm_up + n_samples, out->n_steps));
  memcpy(out->seconds, seconds + n_warm_up, n_samples * sizeof *seconds);
  out->n_samples = n_samples;
  summarize(out);
done:
  if (status != CUONN_OK) cuonn_benchmark_free(out);
  free(seconds);
  problem_free(&p);
  return status;
}

void cuonn_benchmark_free(cuonn_benchmark *benchmark) {
  if (!benchmark) return;
  free(benchmark->seconds);
  memset(benchmark, 0, sizeof *benchmark);
}

/* If one operation takes longer than `enough`, the shorter of two: the first may load kernels and make handles. */
static cuonn_status time_once(double *seconds, cuonn_context *context, const cuonn_benchmark_options *options,
                              double enough) {
  problem p = {0};
  double again;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(problem_create(&p, context, options));
  CUONN_TRY_DONE(take(seconds, &p, 1, 1));
  if (*seconds <= enough) goto done;
  CUONN_TRY_DONE(take(&again, &p, 1, 1));
  *seconds = fmin(*seconds, again);
done:
  problem_free(&p);
  return status;
}

cuonn_status cuonn_benchmark_predict(double *seconds, cuonn_context *context, const cuonn_benchmark_options *options,
                                     double enough) {
  cuonn_benchmark_options trial = *options;
  const size_t n_examples = cuonn_benchmark_count(options).n_examples;
  CUONN_TRY(cuonn_benchmark_options_check(options));
  double once;
  *seconds = 0;
  /* a test set has a fixed size: smaller ones are batches without gradients, which is the same work */
  if (options->what == CUONN_BENCHMARK_EVALUATE) trial.what = CUONN_BENCHMARK_FORWARD;
  for (size_t batch = 1; batch < n_examples && *seconds <= enough; batch *= kGrowth) {
    trial.batch_size = batch;
    CUONN_TRY(time_once(&once, context, &trial, enough));
    *seconds = once * (double)n_examples / (double)batch;
    if (once <= enough && batch * kGrowth < n_examples) *seconds = 0; /* too early to tell: part of it is overhead */
  }
  return CUONN_OK;
}

cuonn_status cuonn_machine_measure(cuonn_machine *out, cuonn_context *context) {
  backend_machine machine;
  CUONN_TRY(context->backend->measure_machine(&machine, context->place));
  memcpy(out->name, machine.name, sizeof out->name);
  out->clock_hz = machine.clock_hz;
  out->bytes_per_second = machine.bytes_per_second;
  out->flops_per_second = machine.flops_per_second;
  return CUONN_OK;
}
