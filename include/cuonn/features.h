/** @file features.h
 *  What an image becomes before it enters the chip: N complex amplitudes of mean modulus 1.
 */
#ifndef CUONN_FEATURES_H
#define CUONN_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Kind of features. */
typedef enum cuonn_features_kind {
  CUONN_FEATURES_FOURIER,  /**< central (2 radius) x (2 radius) of the shifted 2-D Fourier transform */
  CUONN_FEATURES_RESAMPLE, /**< the image itself, cubic-spline zoomed to side x width */
  CUONN_FEATURES_RADIAL    /**< the frequencies of the 2-D Fourier transform that are nearest to zero, any number */
} cuonn_features_kind;

/** How features are made.  Start from CUONN_FEATURES_OPTIONS_INIT. */
typedef struct cuonn_features_options {
  cuonn_features_kind kind;
  size_t radius; /**< fourier: half the side of the square cut out of the spectrum, in frequencies */
  size_t side;   /**< resample: pixels a side after the zoom, or in a column if `width` says another number for rows */
  size_t border; /**< resample: pixels cut off all round before the zoom */
  size_t width;  /**< resample: pixels in a row after the zoom; 0: side */
  size_t frequencies; /**< radial: how many; docs/physics.md has their order */
  bool reference;     /**< one more waveguide, behind the features, has the constant amplitude 1 */
} cuonn_features_options;

/** The source study's features: fourier, radius 4 (N = 64). */
#define CUONN_FEATURES_OPTIONS_INIT \
  { CUONN_FEATURES_FOURIER, 4, 8, 0, 0, 64, false }

/** Fills in what CUONN_FEATURES_OPTIONS_INIT holds, for callers that have no macros. */
CUONN_API void cuonn_features_options_init(cuonn_features_options *out);

/** Number of complex amplitudes N that the options give: (2 radius)^2, side x width, or frequencies; and the
 *  reference. */
CUONN_API size_t cuonn_features_modes(const cuonn_features_options *options);

/** Checks that the options can be applied to images of a size.
 *  @return CUONN_OK; CUONN_E_ARGUMENT if radius, side or frequencies is 0; CUONN_E_SHAPE if 2 radius is larger than the
 *          image, there are not so many frequencies, the border leaves fewer than 2 pixels, or images to resample to
 *          squares are not square */
CUONN_API cuonn_status cuonn_features_check(const cuonn_features_options *options, size_t height, size_t width);

#ifdef __cplusplus
}
#endif
#endif
