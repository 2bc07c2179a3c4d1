/* Images to fields, around cuFFT's transform. */
#ifndef CUONN_KERNELS_FOURIER_H
#define CUONN_KERNELS_FOURIER_H

#include <cuda_runtime.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* out[i] = pixels[i]. */
cudaError_t launch_pixels(float *out, const uint8_t *pixels, size_t count, cudaStream_t stream);

/* Frequencies of spectra, divided by their mean modulus; zeros stay zero (docs/physics.md, eq. 23, 24).
 * out: [image][stride], waveguides beyond the n features are 0, except the first of them, which is 1 with `reference`;
 * half: [image][height][width / 2 + 1], of cuFFT's real-to-complex transform; frequencies: [n][2] down and across, from
 * -size / 2 to (size - 1) / 2. */
cudaError_t launch_crop(float2 *out, const float2 *half, const int *frequencies, int height, int width, int n,
                        bool reference, int stride, int n_images, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
