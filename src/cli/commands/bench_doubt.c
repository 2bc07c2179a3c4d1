/* Whether the numbers of a row can be those of a machine that did nothing else.
 * On a quiet one the times of a row's samples lie within a half of each other, and no row beats its limit but by data that stay in a
 * cache, which gave a sixth (bench/results). */
#include "cli/commands/bench.h"

const char *bench_doubt(const bench_row *row) {
  static const double spread = 2, by_noise = 1.1, by_cache = 1.5;
  if (*row->skipped) return NULL;
  if (row->p90 > spread * row->p10) return "busy: its times differ more than twofold";
  if (row->limit_flops > by_noise * row->median || row->limit_bytes > by_cache * row->median)
    return "busy: faster than the limit, which was measured too low";
  return NULL;
}
