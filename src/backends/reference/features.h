/* Images to fields, in double. */
#ifndef CUONN_REFERENCE_FEATURES_H
#define CUONN_REFERENCE_FEATURES_H

#include "cuonn/dataset.h"
#include "cuonn/features.h"

/* out: [example][N][2], N = cuonn_features_modes(options). The options fit the images (cuonn_features_check). */
cuonn_status reference_features(double *out, const cuonn_examples *images, const cuonn_features_options *options);

#endif
