/* Images to fields, around cuFFT's transform. */
#ifndef CUONN_KERNELS_FOURIER_H
#define CUONN_KERNELS_FOURIER_H

#include <cuda_runtime.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* out[i] = pixels[i]. */
cudaError_t launch_pixels(float *out, const uint8_t *pixels, size_t count, cudaStream_t stream);

/* Central square of the shifted spectra, divided by its mean modulus; zeros stay zero (docs/physics.md, eq. 23, 24).
 * out: [image][stride], waveguides beyond N are set to 0; half: [image][height][width / 2 + 1], of cuFFT's real-to-complex
 * transform; N = (2 radius)^2. */
cudaError_t launch_crop(float2 *out, const float2 *half, int height, int width, int radius, int stride, int n_images,
                        cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
