/* Labelled sets on the device: features of images, and fields. */
#ifndef CUDA_SETS_H
#define CUDA_SETS_H

#include "cuda/state.h"

cuonn_status cuda_set_images(void *state, cuonn_split split, const cuonn_examples *images,
                             const cuonn_features_options *options);
cuonn_status cuda_set_fields(void *state, cuonn_split split, const cuonn_fields *fields, const uint8_t *labels);
cuonn_status cuda_get_features(double *out, void *state, cuonn_split split);
void cuda_sets_free(cuda_state *s);
/* Between host fields [example][N][2] and device fields [example][stride]. */
cuonn_status cuda_upload(float2 *to, const double *from, size_t n_examples, size_t n_modes, size_t stride,
                         cudaStream_t stream);
cuonn_status cuda_download(double *to, const float2 *from, size_t n_examples, size_t n_modes, size_t stride,
                           cudaStream_t stream);

#endif
