/* Cost of one operation. */
#ifndef CUONN_ENERGY_OPERATION_H
#define CUONN_ENERGY_OPERATION_H

#include "cuonn/energy.h"

/* Sums the parts and sets what follows from the sum; operations must be set, watts are the caller's. */
void energy_sum(cuonn_energy_cost *cost);

/* As cuonn_energy_operation_cost(). */
void energy_operation_cost(cuonn_energy_cost *out, const cuonn_energy_options *o, cuonn_energy_operation operation);

#endif
