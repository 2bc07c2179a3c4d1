/* Phase shifters of a mesh, and the power that holds their phases. */
#ifndef CUONN_ENERGY_HOLDING_H
#define CUONN_ENERGY_HOLDING_H

#include "cuonn/energy.h"

/* N^2, phase shifters of a mesh with those of its outputs: as many as are heated, tapped, read and written. A path
 * meets a share 1 / N of them, one per column. */
double energy_shifters(double n_modes);

/* P_hold, mean power of a phase shifter, W, eq. 25. */
double energy_holding_power(const cuonn_energy_options *o, double n_modes);

#endif
