/* Derivatives from the sums of the taps. */
#ifndef CUONN_KERNELS_DERIVATIVES_H
#define CUONN_KERNELS_DERIVATIVES_H

#include "in_situ.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Derivatives, with shot noise: gradient [model][layer][place] theta, phi; d_gamma [model][layer][N], NULL: not
 * wanted. */
cudaError_t launch_finish(float2 *gradient, float *d_gamma, const measure_task *task, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
