#include "cli/commands/bench_row.h"

#include <math.h>
#include <string.h>

bool bench_uses_batch(cuonn_benchmark_case what) { return what != CUONN_BENCHMARK_EVALUATE; }

bool bench_uses_layers(cuonn_benchmark_case what) {
  return what == CUONN_BENCHMARK_FORWARD || what == CUONN_BENCHMARK_TRAIN_STEP || what == CUONN_BENCHMARK_EVALUATE;
}

const char *bench_method(const bench_row *row) {
  return cuonn_benchmark_has_methods(row->options.what) ? cuonn_method_name(row->options.method) : NULL;
}

static bool same_size(const cuonn_benchmark_options *a, const cuonn_benchmark_options *b) {
  return a->what == b->what && a->n_modes == b->n_modes && a->batch_size == b->batch_size && a->n_layers == b->n_layers;
}

const bench_row *bench_better(const bench_run *run, const bench_row *row) {
  static const double wrong = 1.1;
  if (!row->by_auto || *row->skipped) return NULL;
  for (size_t i = 0; i < run->n_rows; i++) {
    const bench_row *const other = run->rows + i;
    if (other != row && !*other->skipped && strcmp(other->backend, row->backend) == 0 &&
        same_size(&other->options, &row->options) && row->median > wrong * other->median)
      return other;
  }
  return NULL;
}

double bench_of_limit(const bench_row *row) { return fmax(row->limit_bytes, row->limit_flops) / row->median; }

/* Whether the numbers of a row can be those of a machine that did nothing else.
 * On a quiet one the times of a row's samples lie within a half of each other, and no row beats its limit but by data
 * that stay in a cache, which gave a sixth (bench/results). */
const char *bench_doubt(const bench_row *row) {
  static const double spread = 2, by_noise = 1.1, by_cache = 1.5;
  if (*row->skipped) return NULL;
  if (row->p90 > spread * row->p10) return "busy: its times differ more than twofold";
  if (row->limit_flops > by_noise * row->median || row->limit_bytes > by_cache * row->median)
    return "busy: faster than the limit, which was measured too low";
  return NULL;
}
