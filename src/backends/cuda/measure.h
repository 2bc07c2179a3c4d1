/* What the current device can do, and how long a propagation takes. */
#ifndef CUDA_MEASURE_H
#define CUDA_MEASURE_H

#include "backends/backend.h"

cuonn_status cuda_measure_machine(backend_machine *out);
cuonn_status cuda_time_propagation(double *seconds, size_t n_samples, backend_propagation what, const cuonn_mesh *mesh,
                                   const cuonn_fields *in);

#endif
