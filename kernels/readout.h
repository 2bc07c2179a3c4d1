/* Between and behind the matrix products of the dense path. */
#ifndef CUONN_KERNELS_READOUT_H
#define CUONN_KERNELS_READOUT_H

#include <cuda_runtime.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* out[i] = |y[i]|. */
cudaError_t launch_modulus(float *out, const float2 *y, size_t count, cudaStream_t stream);

enum { CUONN_READOUT_EXAMPLES = 64 }; /* of a block */

/* Losses and predictions from y [example][class]. losses: [block], sums over CUONN_READOUT_EXAMPLES examples each;
 * confusion: [label][prediction], added to. */
cudaError_t launch_readout(double *losses, unsigned *confusion, const float2 *y, const uint8_t *labels, int n_classes,
                           int n_examples, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
