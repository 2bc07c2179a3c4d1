/* A training step of a network of equal meshes whose gradients are measured on the chip. */
#ifndef CUONN_ENERGY_IN_SITU_H
#define CUONN_ENERGY_IN_SITU_H

#include "cuonn/energy.h"

/* With a batch of o->batch, eq. 17 to 19. */
cuonn_energy_cost energy_in_situ_step(const cuonn_energy_options *o, double layers);

/* Phases that are written in it. */
double energy_in_situ_writes(const cuonn_energy_options *o, double layers);

/* M*, examples whose light takes as long as reading and writing, eq. 20; infinite if each brings readings that take
 * longer than its light. */
double energy_in_situ_balance(const cuonn_energy_options *o, double layers);

#endif
