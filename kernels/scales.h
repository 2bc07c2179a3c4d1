/* What stands before a measurement. */
#ifndef CUONN_KERNELS_SCALES_H
#define CUONN_KERNELS_SCALES_H

#include "in_situ.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Scales by which x and c are divided before they are sent in, and the factors of returned fields where they are
 * wanted. */
cudaError_t launch_scales(const measure_task *task, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
