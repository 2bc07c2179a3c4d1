/* Cases, the ranges of their options, and the work that one operation needs at least. */
#include "benchmark/work.h"

#include <math.h>

#include "backends/backend.h"
#include "base/error.h"
#include "base/name.h"

static const char *const names[CUONN_BENCHMARK_CASES] = {
    [CUONN_BENCHMARK_FEATURES] = "features",     [CUONN_BENCHMARK_FORWARD] = "forward",
    [CUONN_BENCHMARK_PROPAGATE] = "propagate",   [CUONN_BENCHMARK_PROPAGATE_STAGES] = "propagate_stages",
    [CUONN_BENCHMARK_TRAIN_STEP] = "train_step", [CUONN_BENCHMARK_EVALUATE] = "evaluate",
};

const char *cuonn_benchmark_case_name(cuonn_benchmark_case what) {
  return (size_t)what < CUONN_BENCHMARK_CASES ? names[what] : NULL;
}

cuonn_status cuonn_benchmark_case_parse(cuonn_benchmark_case *out, const char *name) {
  size_t at;
  CUONN_TRY(name_find(&at, "case", names, CUONN_BENCHMARK_CASES, name));
  *out = (cuonn_benchmark_case)at;
  return CUONN_OK;
}

bool cuonn_benchmark_has_methods(cuonn_benchmark_case what) {
  return what == CUONN_BENCHMARK_FORWARD || what == CUONN_BENCHMARK_EVALUATE || what == CUONN_BENCHMARK_TRAIN_STEP;
}

bool cuonn_benchmark_has_method(const cuonn_context *context, const cuonn_benchmark_options *options) {
  if (options->method == CUONN_METHOD_COLUMNS) return true;
  return cuonn_benchmark_has_methods(options->what) && context->backend->auto_method &&
         (options->what == CUONN_BENCHMARK_TRAIN_STEP || context->backend->losses_by_method);
}

cuonn_method cuonn_benchmark_auto(const cuonn_context *context, const cuonn_benchmark_options *options) {
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(
      options->n_modes, options->n_layers, benchmark_classes(options->n_modes), CUONN_STYLE_TOP, true, NULL);
  if (!cuonn_benchmark_has_methods(options->what) || !context->backend->auto_method) return CUONN_METHOD_COLUMNS;
  return context->backend->auto_method(&shape, cuonn_benchmark_count(options).n_examples,
                                       options->what == CUONN_BENCHMARK_TRAIN_STEP);
}

static cuonn_status in_range(const char *what, size_t value, size_t least, size_t most) {
  CUONN_CHECK(value >= least && value <= most, CUONN_E_ARGUMENT, "%s is %zu; allowed: %zu to %zu", what, value, least,
              most);
  return CUONN_OK;
}

cuonn_status cuonn_benchmark_options_check(const cuonn_benchmark_options *options) {
  CUONN_CHECK(cuonn_benchmark_case_name(options->what), CUONN_E_ARGUMENT, "case %d is unknown", (int)options->what);
  CUONN_TRY(in_range("the number of modes", options->n_modes, 8, 1024));
  CUONN_TRY(in_range("the batch size", options->batch_size, 1, 65536));
  CUONN_TRY(in_range("the number of layers", options->n_layers, 1, CUONN_LAYERS_MAX));
  CUONN_TRY(in_range("the number of samples", options->n_samples, 1, 1000000));
  CUONN_TRY(in_range("the number of warm-up operations", options->n_warm_up, 0, 1000000));
  CUONN_CHECK(options->most_seconds > 0, CUONN_E_ARGUMENT, "the time of all samples is %g s; it must be positive",
              options->most_seconds);
  CUONN_CHECK(options->method == CUONN_METHOD_COLUMNS || options->method == CUONN_METHOD_DENSE, CUONN_E_ARGUMENT,
              "a benchmark is of one method, columns or dense");
  CUONN_CHECK(options->method == CUONN_METHOD_COLUMNS || cuonn_benchmark_has_methods(options->what), CUONN_E_ARGUMENT,
              "case %s has no method dense", cuonn_benchmark_case_name(options->what));
  const size_t radius = benchmark_radius(options->n_modes);
  CUONN_CHECK(options->what != CUONN_BENCHMARK_FEATURES || 4 * radius * radius == options->n_modes, CUONN_E_SHAPE,
              "Fourier features of radius r have (2 r)^2 modes: 16, 36, 64, 100, ..., not %zu", options->n_modes);
  return CUONN_OK;
}

size_t benchmark_radius(size_t n_modes) { return (size_t)lround(sqrt((double)n_modes) / 2); }

size_t benchmark_side(size_t n_modes) {
  enum { kFashionMnist = 28 };
  const size_t least = 2 * benchmark_radius(n_modes);
  return least > kFashionMnist ? least : kFashionMnist;
}

size_t benchmark_classes(size_t n_modes) { return n_modes < 10 ? n_modes : 10; }

/* Nodes from which light reaches one of the first `read` outputs (docs/physics.md, eq. 18). */
static size_t nodes_at_work(size_t n_modes, size_t read) {
  size_t count = 0;
  for (size_t c = 0; c < n_modes; c++) {
    for (size_t top = c % 2; top + 1 < n_modes; top += 2) count += top + c < n_modes - 1 + read;
  }
  return count;
}

/* Pairs of one of the first `read` outputs and a node from which light reaches it: it spreads by one waveguide to both
 * sides in every column behind the node. */
static double pairs_at_work(size_t n_modes, size_t read) {
  double count = 0;
  for (size_t c = 0; c < n_modes; c++) {
    const size_t behind = n_modes - 1 - c;
    for (size_t top = c % 2; top + 1 < n_modes; top += 2) {
      const size_t first = top > behind ? top - behind : 0, end = top + 2 + behind < read ? top + 2 + behind : read;
      if (first < end) count += (double)(end - first);
    }
  }
  return count;
}

/* Operations by matrices: products, rows through the nodes and back, Adam on the nodes at work (benchmark.h). */
static double dense_flops(const cuonn_benchmark_options *options, double examples, double at_work) {
  const size_t n = options->n_modes, layers = options->n_layers, classes = benchmark_classes(n);
  const double first = (double)(layers > 1 ? n : classes), rest = (double)((layers - 1) * n + classes) - first;
  const double pairs = (layers > 1 ? (double)(layers - 1) * pairs_at_work(n, n) : 0) + pairs_at_work(n, classes);
  const double products = (double)n * examples;
  if (options->what != CUONN_BENCHMARK_TRAIN_STEP) return (6 * first + 4 * rest) * products + 14 * pairs;
  return 12 * (first + rest) * products + 56 * pairs + 28 * at_work;
}

cuonn_benchmark_work cuonn_benchmark_count(const cuonn_benchmark_options *options) {
  const bool tests = options->what == CUONN_BENCHMARK_EVALUATE;
  const size_t n_examples = tests ? CUONN_BENCHMARK_TEST_SET : options->batch_size;
  const double n_modes = (double)options->n_modes, layers = (double)options->n_layers, examples = (double)n_examples;
  const double nodes = n_modes * (n_modes - 1) / 2;
  const double at_work =
      (layers - 1) * nodes + (double)nodes_at_work(options->n_modes, benchmark_classes(options->n_modes));
  const double side = (double)benchmark_side(options->n_modes), pixels = side * side;
  const double waves = (double)(2 * benchmark_radius(options->n_modes) + 1); /* along an axis */
  cuonn_benchmark_work work = {.n_examples = n_examples};
  switch (options->what) {
    case CUONN_BENCHMARK_FEATURES:
      work.flops = 2 * side * waves * (side + waves) * examples;
      work.bytes = (pixels + 8 * n_modes) * examples;
      break;
    case CUONN_BENCHMARK_FORWARD:
    case CUONN_BENCHMARK_EVALUATE:
      work.flops = 14 * at_work * examples;
      work.bytes = (8 * n_modes + 1) * examples + 8 * layers * nodes;
      break;
    case CUONN_BENCHMARK_PROPAGATE:
      work.flops = 14 * nodes * examples;
      work.bytes = 16 * n_modes * examples + 8 * nodes + 4 * n_modes;
      break;
    case CUONN_BENCHMARK_PROPAGATE_STAGES:
      work.flops = 28 * nodes * examples;
      work.bytes = (16 + 40 * n_modes) * n_modes * examples + 8 * nodes + 4 * n_modes;
      break;
    case CUONN_BENCHMARK_TRAIN_STEP:
      work.flops = 56 * at_work * examples + 28 * at_work;
      work.bytes = (8 * n_modes + 1) * examples + 48 * layers * nodes;
      break;
  }
  if (options->method == CUONN_METHOD_DENSE) work.flops = dense_flops(options, examples, at_work);
  return work;
}
