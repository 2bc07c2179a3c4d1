/** @file features.h
 *  What an image becomes before it enters the chip: N complex amplitudes of mean modulus 1.
 */
#ifndef CUONN_FEATURES_H
#define CUONN_FEATURES_H

#include <stddef.h>

#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Kind of features. */
typedef enum cuonn_features_kind {
  CUONN_FEATURES_FOURIER, /**< central (2 radius) x (2 radius) of the shifted 2-D Fourier transform */
  CUONN_FEATURES_RESAMPLE /**< the image itself, cubic-spline zoomed to side x side */
} cuonn_features_kind;

/** How features are made.  Start from CUONN_FEATURES_OPTIONS_INIT. */
typedef struct cuonn_features_options {
  cuonn_features_kind kind;
  size_t radius; /**< fourier: half the side of the square cut out of the spectrum, in frequencies */
  size_t side;   /**< resample: pixels a side after the zoom */
  size_t border; /**< resample: pixels cut off all round before the zoom */
} cuonn_features_options;

/** The source study's features: fourier, radius 4 (N = 64). */
#define CUONN_FEATURES_OPTIONS_INIT \
  { CUONN_FEATURES_FOURIER, 4, 8, 0 }

/** Number of complex amplitudes N that the options give: (2 radius)^2 or side^2. */
CUONN_API size_t cuonn_features_modes(const cuonn_features_options *options);

/** Checks that the options can be applied to images of a size.
 *  @return CUONN_OK; CUONN_E_ARGUMENT if radius or side is 0; CUONN_E_SHAPE if 2 radius is larger than the image,
 *          if the border leaves fewer than 2 pixels, or if images to resample are not square */
CUONN_API cuonn_status cuonn_features_check(const cuonn_features_options *options, size_t height, size_t width);

#ifdef __cplusplus
}
#endif
#endif
