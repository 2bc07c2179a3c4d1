/* Cubic-spline zoom of a grey-scale image, as scipy.ndimage.zoom does it (order 3, mode "constant"): the interpolating
 * cubic B-spline, mirrored at the edges, is sampled with corners on corners (output pixel i at i (pixels - 1) / (side -
 * 1)). An image of 8-bit integers is rounded to whole numbers 0 .. 255, any other is not. Each axis takes a linear map,
 * a matrix that depends on the sizes alone. */
#ifndef CUONN_FEATURES_ZOOM_H
#define CUONN_FEATURES_ZOOM_H

#include <stddef.h>

#include "cuonn/dataset.h"
#include "cuonn/features.h"

/* The map along one axis. matrix: [side][pixels], the caller's; side >= 1, pixels >= 2. */
cuonn_status features_zoom_matrix(double *matrix, size_t side, size_t pixels);

/* The maps along both axes of what a border leaves of images of one size. */
typedef struct {
  size_t border;        /* pixels cut off all round */
  size_t rows, columns; /* pixels that are left */
  size_t side, width;   /* pixels of a column and of a row after the zoom */
  double *down;         /* [side][rows] */
  double *across;       /* [width][columns] */
} features_zoom;

/* Makes the maps for resample features that fit the images. Release with features_zoom_free(), also on failure. */
cuonn_status features_zoom_create(features_zoom *out, const cuonn_features_options *options,
                                  const cuonn_examples *images);
void features_zoom_free(features_zoom *zoom);

/* Zooms one image. out: [side][width]; scratch: [side][columns]. */
void features_zoom_apply(double *out, double *scratch, const features_zoom *zoom, const cuonn_examples *images,
                         size_t example);

#endif
