/* Cubic-spline zoom of a square grey-scale image, as scipy.ndimage.zoom does it (order 3, mode "constant", an image of
 * 8-bit integers): the interpolating cubic B-spline, mirrored at the edges, is sampled with corners on corners (output
 * pixel i at i (pixels - 1) / (side - 1)), and rounded to whole numbers 0 .. 255. Both axes take the same linear map, a
 * matrix that depends on the sizes alone. */
#ifndef CUONN_FEATURES_ZOOM_H
#define CUONN_FEATURES_ZOOM_H

#include <stddef.h>
#include <stdint.h>

#include "cuonn/status.h"

/* The map along one axis. matrix: [side][pixels], the caller's; side >= 1, pixels >= 2. */
cuonn_status features_zoom_matrix(double *matrix, size_t side, size_t pixels);

/* Zooms what a border of so many pixels leaves of an image.
 * out: [side][side], whole numbers 0 .. 255; scratch: [side][pixels]; image: [width][width]; pixels = width - 2 border;
 * matrix: of features_zoom_matrix(). */
void features_zoom(double *out, double *scratch, const uint8_t *image, size_t width, size_t border,
                   const double *matrix, size_t side, size_t pixels);

#endif
