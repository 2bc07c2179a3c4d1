#include "cli/commands/bench_row.h"

#include <math.h>

bool bench_uses_batch(cuonn_benchmark_case what) { return what != CUONN_BENCHMARK_EVALUATE; }

bool bench_uses_layers(cuonn_benchmark_case what) {
  return what == CUONN_BENCHMARK_FORWARD || what == CUONN_BENCHMARK_TRAIN_STEP || what == CUONN_BENCHMARK_EVALUATE;
}

double bench_of_limit(const bench_row *row) { return fmax(row->limit_bytes, row->limit_flops) / row->median; }

/* Whether the numbers of a row can be those of a machine that did nothing else.
 * On a quiet one the times of a row's samples lie within a half of each other, and no row beats its limit but by data
 * that stay in a cache, which gave a sixth (bench/results). */
const char *bench_doubt(const bench_row *row) {
  static const double spread = 2, by_noise = 1.1, by_cache = 1.5;
  if (*row->skipped) return NULL;
  if (row->p90 > spread * row->p10) return "busy: its times differ more than twofold";
  if (row->less_work) return NULL;
  if (row->limit_flops > by_noise * row->median || row->limit_bytes > by_cache * row->median)
    return "busy: faster than the limit, which was measured too low";
  return NULL;
}
