#include "features/zoom.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lapacke.h>

#include "base/error.h"
#include "base/memory.h"

enum { kTaps = 4 }; /* knots that a cubic B-spline covers */

/* Sums of up to 4096 products round by some 1e-13 at 255. Values that stand exactly between two whole numbers (a
 * midpoint of pixels a and b does, if a + b is odd) would be left to that noise; this much is added to send all of them
 * up, in any order of summation. */
static const double kTie = 1e-11;

/* Index on a line of n >= 2 knots that is mirrored at both ends, end knots not repeated. */
static size_t mirror(ptrdiff_t i, size_t n) {
  const ptrdiff_t period = 2 * ((ptrdiff_t)n - 1);
  i = (i % period + period) % period;
  return (size_t)(i < (ptrdiff_t)n ? i : period - i);
}

/* Six times the weights of the four knots from floor(x) - 1 on, at a distance t in [0, 1) beyond floor(x)
 * (Unser, IEEE Signal Process. Mag. 16(6), 22 (1999), eq. 8). */
static void spline_weights(double weights[kTaps], double t) {
  const double u = 1 - t;
  weights[0] = u * u * u;
  weights[1] = 4 + 3 * t * t * (t - 2);
  weights[2] = 4 + 3 * u * u * (u - 2);
  weights[3] = t * t * t;
}

/* sample = W c, where the spline's coefficients c solve S c = pixel values: matrix = W S^-1, row by row S^T row = W's
 * row. Six times S, whose rows are 1 4 1, has rows 4 2 and 2 4 at its ends because of the mirror. */
cuonn_status features_zoom_matrix(double *matrix, size_t side, size_t pixels) {
  assert(side >= 1 && pixels >= 2);
  cuonn_status status = CUONN_OK;
  double *diagonals = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&diagonals, 3 * pixels, sizeof *diagonals));
  double *const below = diagonals, *const on = below + pixels, *const above = on + pixels; /* of 6 S^T */
  for (size_t k = 0; k < pixels; k++) {
    below[k] = k == 0 ? 2 : 1;
    on[k] = 4;
    above[k] = k + 2 == pixels ? 2 : 1;
  }

  memset(matrix, 0, side * pixels * sizeof *matrix);
  for (size_t i = 0; i < side; i++) {
    /* one rounding only: whole positions come out whole, and the last one does not pass the last pixel */
    const double x = side > 1 ? (double)(i * (pixels - 1)) / (double)(side - 1) : 0;
    double weights[kTaps];
    spline_weights(weights, x - floor(x));
    for (ptrdiff_t k = 0; k < kTaps; k++) matrix[i * pixels + mirror((ptrdiff_t)x - 1 + k, pixels)] += weights[k];
  }
  const int info = LAPACKE_dgtsv(LAPACK_COL_MAJOR, (lapack_int)pixels, (lapack_int)side, below, on, above, matrix,
                                 (lapack_int)pixels);
  CUONN_CHECK_DONE(info == 0, CUONN_E_INTERNAL, "spline zoom of %zu to %zu pixels: LAPACK's dgtsv returned %d", pixels,
                   side, info);

done:
  free(diagonals);
  return status;
}

cuonn_status features_zoom_create(features_zoom *out, const cuonn_features_options *options,
                                  const cuonn_examples *images) {
  *out = (features_zoom){.border = options->border,
                         .rows = images->height - 2 * options->border,
                         .columns = images->width - 2 * options->border,
                         .side = options->side,
                         .width = options->width > 0 ? options->width : options->side};
  CUONN_TRY(cuonn_allocate(&out->down, out->side * out->rows, sizeof *out->down));
  CUONN_TRY(cuonn_allocate(&out->across, out->width * out->columns, sizeof *out->across));
  CUONN_TRY(features_zoom_matrix(out->down, out->side, out->rows));
  return features_zoom_matrix(out->across, out->width, out->columns);
}

void features_zoom_free(features_zoom *zoom) {
  free(zoom->across);
  free(zoom->down);
}

/* out += weight x a line of n pixels that begins at `at`, counted over all images. */
static void add_line(double *out, double weight, const cuonn_examples *images, size_t at, size_t n) {
  if (images->pixels) {
    const uint8_t *const line = images->pixels + at;
    for (size_t x = 0; x < n; x++) out[x] += weight * line[x];
  } else {
    const double *const line = images->grey + at;
    for (size_t x = 0; x < n; x++) out[x] += weight * line[x];
  }
}

void features_zoom_apply(double *out, double *scratch, const features_zoom *zoom, const cuonn_examples *images,
                         size_t example) {
  const size_t n = zoom->columns, first = example * images->height + zoom->border;
  memset(scratch, 0, zoom->side * n * sizeof *scratch);
  for (size_t i = 0; i < zoom->side; i++) {
    for (size_t y = 0; y < zoom->rows; y++) {
      add_line(scratch + i * n, zoom->down[i * zoom->rows + y], images, (first + y) * images->width + zoom->border, n);
    }
  }
  for (size_t i = 0; i < zoom->side; i++) {
    for (size_t j = 0; j < zoom->width; j++) {
      double value = 0;
      for (size_t x = 0; x < n; x++) value += scratch[i * n + x] * zoom->across[j * n + x];
      out[i * zoom->width + j] = images->pixels ? floor(fmin(fmax(value + 0.5 + kTie, 0), 255)) : value;
    }
  }
}
