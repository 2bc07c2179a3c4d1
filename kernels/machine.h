/* The two limits of a device: bytes and multiply-adds a second. */
#ifndef CUONN_KERNELS_MACHINE_H
#define CUONN_KERNELS_MACHINE_H

#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether this build's kernels can run on the device: cudaErrorNoKernelImageForDevice if it is older than all of
 * them. */
cudaError_t find_kernels(void);

cudaError_t launch_copy(float4 *to, const float4 *from, size_t count, cudaStream_t stream);

/* n_blocks x 256 threads; each does 64 n_rounds multiply-adds in eight independent chains. out: [thread]; cycles: of
 * one block, 0 if the device does not count them. */
cudaError_t launch_multiply_adds(float *out, long long *cycles, int n_blocks, int n_rounds, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
