/* Time of propagations alone: an entry of the table. */
#ifndef CPU_TIMING_H
#define CPU_TIMING_H

#include "backends/backend.h"

cuonn_status cpu_time_propagation(double *seconds, size_t n_samples, backend_propagation what, const cuonn_mesh *mesh,
                                  const cuonn_fields *in, backend_place place);

#endif
