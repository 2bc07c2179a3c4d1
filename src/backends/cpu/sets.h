/* Labelled sets of a state, and their features: entries of the table. */
#ifndef CPU_SETS_H
#define CPU_SETS_H

#include "backends/backend.h"

cuonn_status cpu_set_images(void *state, cuonn_split split, const cuonn_examples *images,
                            const cuonn_features_options *options);
cuonn_status cpu_set_fields(void *state, cuonn_split split, const cuonn_fields *fields, const uint8_t *labels);
cuonn_status cpu_get_features(double *out, void *state, cuonn_split split);

#endif
