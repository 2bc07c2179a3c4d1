/* Features of images in float. */
#ifndef CPU_FEATURES_H
#define CPU_FEATURES_H

#include "cuonn/dataset.h"
#include "cuonn/features.h"

/* values: [example][2][n_modes], already made. */
cuonn_status cpu_features(float *values, const cuonn_examples *images, const cuonn_features_options *options,
                          int threads);

#endif
