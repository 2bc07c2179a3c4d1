/* Electricity of the laser. */
#ifndef CUONN_ENERGY_LIGHT_H
#define CUONN_ENERGY_LIGHT_H

#include "cuonn/energy.h"

/* Detectable light of one mode and symbol: E_L(N) = mesh exp(alpha N) + oscillator, J of electricity, eq. 11. */
typedef struct {
  double mesh;       /* A: without columns */
  double oscillator; /* of the local oscillator, which does not cross the mesh; 0 in direct detection */
  double alpha;      /* loss of a column in nepers of power */
} energy_light;

/* All zero where the laser is not counted; mesh is infinite if not detectable. */
energy_light energy_light_of(const cuonn_energy_options *o);

/* Electricity of the laser for one mode and symbol, J. */
double energy_of_symbol(const cuonn_energy_options *o);

#endif
