#include "features/waves.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "features/frequencies.h"

/* Cosine and sine of part / whole turns, from an angle of an eighth turn at most, so that zeros are zeros: amplitudes
 * that are real for any image are. */
static void turn(double *cosine, double *sine, size_t part, size_t whole) {
  const double pi = 3.14159265358979323846;
  const size_t eighths = 8 * (part % whole) / whole, quarters = (eighths + 1) / 2, quarter = quarters % 4;
  const double beyond = 4 * (double)(part % whole) - (double)(quarters * whole); /* quarter turns x whole */
  const double angle = pi * beyond / (2 * (double)whole), c = cos(angle), s = sin(angle);
  *cosine = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
  *sine = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
}

/* The highest frequency along an axis, whatever its sign. */
static size_t highest(const features_waves *waves, size_t axis) {
  int most = 0;
  for (size_t k = 0; k < waves->n; k++)
    if (abs(waves->frequencies[k][axis]) > most) most = abs(waves->frequencies[k][axis]);
  return (size_t)most;
}

cuonn_status features_waves_create(features_waves *out, const cuonn_features_options *options, size_t height,
                                   size_t width) {
  *out = (features_waves){.n = cuonn_features_modes(options) - options->reference};
  CUONN_TRY(cuonn_allocate(&out->frequencies, out->n, sizeof *out->frequencies));
  CUONN_TRY(features_frequencies(out->frequencies, options, height, width));
  out->down = 2 * (highest(out, 0) + 1);
  out->across = 2 * (highest(out, 1) + 1);
  CUONN_TRY(cuonn_allocate(&out->rows, out->down * height, sizeof *out->rows));
  CUONN_TRY(cuonn_allocate(&out->columns, width * out->across, sizeof *out->columns));
  for (size_t d = 0; d < out->down; d += 2)
    for (size_t y = 0; y < height; y++)
      turn(&out->rows[d * height + y], &out->rows[(d + 1) * height + y], d / 2 * y, height);
  for (size_t x = 0; x < width; x++)
    for (size_t c = 0; c < out->across; c += 2)
      turn(&out->columns[x * out->across + c], &out->columns[x * out->across + c + 1], c / 2 * x, width);
  return CUONN_OK;
}

void features_waves_free(features_waves *waves) {
  free(waves->columns);
  free(waves->rows);
  free(waves->frequencies);
}
