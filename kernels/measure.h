/* Powers at the taps of a chip, summed over a batch. */
#ifndef CUONN_KERNELS_MEASURE_H
#define CUONN_KERNELS_MEASURE_H

#include "in_situ.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sums of the readings of the taps. */
cudaError_t launch_measure(const measure_task *task, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
