#include "features/frequencies.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* By distance from zero; those of one distance by the frequency down, then by the one across. */
static int compare(const void *a, const void *b) {
  const int *const f = a, *const g = b;
  const long long p = (long long)f[0] * f[0] + (long long)f[1] * f[1];
  const long long q = (long long)g[0] * g[0] + (long long)g[1] * g[1];
  if (p != q) return p < q ? -1 : 1;
  if (f[0] != g[0]) return f[0] < g[0] ? -1 : 1;
  return (f[1] > g[1]) - (f[1] < g[1]);
}

/* Lowest and highest frequency along an axis, as far as n frequencies nearest to zero can reach along it: those on the
 * axis alone are nearer than all others. */
static void range(int *low, int *high, size_t size, size_t n) {
  const size_t below = size / 2, above = (size - 1) / 2;
  *low = -(int)(below < n ? below : n);
  *high = (int)(above < n ? above : n);
}

static cuonn_status nearest(int (*frequencies)[2], size_t n, size_t height, size_t width) {
  int low[2], high[2], (*all)[2] = NULL;
  size_t count = 0;
  range(&low[0], &high[0], height, n);
  range(&low[1], &high[1], width, n);
  CUONN_TRY(cuonn_allocate(&all, (size_t)(high[0] - low[0] + 1) * (size_t)(high[1] - low[1] + 1), sizeof *all));
  for (int v = low[0]; v <= high[0]; v++) {
    for (int u = low[1]; u <= high[1]; u++, count++) {
      all[count][0] = v;
      all[count][1] = u;
    }
  }
  qsort(all, count, sizeof *all, compare);
  memcpy(frequencies, all, n * sizeof *all);
  free(all);
  return CUONN_OK;
}

/* Row p of the shifted spectrum holds frequency p - floor(h/2); the square begins at -radius. The same holds for
 * columns. */
static void square(int (*frequencies)[2], int radius) {
  for (int v = -radius, k = 0; v < radius; v++) {
    for (int u = -radius; u < radius; u++, k++) {
      frequencies[k][0] = v;
      frequencies[k][1] = u;
    }
  }
}

cuonn_status features_frequencies(int (*frequencies)[2], const cuonn_features_options *options, size_t height,
                                  size_t width) {
  if (options->kind == CUONN_FEATURES_RADIAL) return nearest(frequencies, options->frequencies, height, width);
  square(frequencies, (int)options->radius);
  return CUONN_OK;
}
