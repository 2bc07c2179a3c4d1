/* Cost of one operation. */
#ifndef CUONN_ENERGY_OPERATION_H
#define CUONN_ENERGY_OPERATION_H

#include "cuonn/energy.h"

/* Sums the parts and sets what follows from the sum; operations must be set, watts are the caller's. */
void energy_sum(cuonn_energy_cost *cost);

/* Adds parts, operations and seconds of a cost so many times; then energy_sum(). */
void energy_add(cuonn_energy_cost *to, double times, const cuonn_energy_cost *cost);

/* After that, of a network: its power is energy over latency. */
void energy_finish(cuonn_energy_cost *cost);

/* As cuonn_energy_operation_cost(). */
void energy_operation_cost(cuonn_energy_cost *out, const cuonn_energy_options *o, cuonn_energy_operation operation);

#endif
