/* Cosines and sines by which Fourier features follow from an image. With q the image [y][x] and, for frequencies
 * d, c >= 0, the real sums
 *
 *   S(a, b) = sum over y, x of a(2 pi d y / height) q b(2 pi c x / width),    a, b = cos or sin,
 *
 * the amplitude at the frequency (+-d down, +-c across) is S(cos, cos) -+ S(sin, sin) - i (+-S(sin, cos) +- S(cos,
 * sin)). All sums are two products of small matrices, rows q columns, because only few low frequencies become features.
 */
#ifndef CUONN_FEATURES_WAVES_H
#define CUONN_FEATURES_WAVES_H

#include <stddef.h>

#include "cuonn/features.h"

typedef struct {
  size_t n;              /* features without the reference */
  int (*frequencies)[2]; /* [n] down and across, as features_frequencies() */
  size_t down, across;   /* waves along an axis: cosine and sine of 0, 1, ... turns, as far as the frequencies go */
  double *rows;          /* [down][height] */
  double *columns;       /* [width][across] */
} features_waves;

/* Makes the waves of fourier or radial features that fit images of this size. Release with features_waves_free(), also
 * on failure. */
cuonn_status features_waves_create(features_waves *out, const cuonn_features_options *options, size_t height,
                                   size_t width);
void features_waves_free(features_waves *waves);

#endif
