/* For benchmarks: limits of the processor, and the time of a propagation. */
#ifndef CUONN_REFERENCE_MACHINE_H
#define CUONN_REFERENCE_MACHINE_H

#include "backends/backend.h"

cuonn_status reference_measure_machine(backend_machine *out, backend_place place);
cuonn_status reference_time_propagation(double *seconds, size_t n_samples, backend_propagation what,
                                        const cuonn_mesh *mesh, const cuonn_fields *in, backend_place place);

#endif
