/* Powers at the taps of a chip whose nodes join any two waveguides. */
#ifndef CUONN_KERNELS_FAR_MEASURE_H
#define CUONN_KERNELS_FAR_MEASURE_H

#include "in_situ.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As launch_measure(), of layouts with `joined`. */
cudaError_t launch_far_measure(const measure_task *task, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
