/* Phase shifters of a mesh, and the power that holds their phases. */
#ifndef CUONN_ENERGY_HOLDING_H
#define CUONN_ENERGY_HOLDING_H

#include "cuonn/energy.h"

/* S, phase shifters of the mesh with those of its outputs: as many as are heated, tapped, read and written. A path
 * meets a share 1 / N of them: in a rectangular mesh, which has N^2, one per column. */
double energy_shifters(const cuonn_energy_options *o);

/* D, columns of nodes. */
double energy_columns(const cuonn_energy_options *o);

/* Whether columns and shifters are those of another mesh than the rectangular one. */
bool energy_has_shape(const cuonn_energy_options *o);

/* P_hold, mean power of a phase shifter, W, eq. 25; n_modes is not looked at where the mesh has another shape. */
double energy_holding_power(const cuonn_energy_options *o, double n_modes);

#endif
