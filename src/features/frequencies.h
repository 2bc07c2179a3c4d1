/* Which frequencies of an image's Fourier transform become features, and in which order (docs/physics.md, eq. 23a). */
#ifndef CUONN_FEATURES_FREQUENCIES_H
#define CUONN_FEATURES_FREQUENCIES_H

#include "cuonn/features.h"

/* frequencies: [n][2] down and across, each from -size / 2 to (size - 1) / 2; the caller's. n: cuonn_features_modes()
 * without the reference. The options are fourier or radial, and fit images of this size. */
cuonn_status features_frequencies(int (*frequencies)[2], const cuonn_features_options *options, size_t height,
                                  size_t width);

#endif
