/* How long light, taps and phase shifters of one mesh take. */
#ifndef CUONN_ENERGY_LATENCY_H
#define CUONN_ENERGY_LATENCY_H

#include "energy/scheme.h"

/* The first symbol of a pass, s, eq. 15; those behind it, of all vectors; all passes of an operation; reading the taps
 * of a mesh, eq. 16; writing some of its phases until they have settled, eq. 18. */
double energy_fill_time(const cuonn_energy_options *o);
double energy_symbols_time(const cuonn_energy_options *o, const energy_pass *pass, double vectors);
double energy_passes_time(const cuonn_energy_options *o, cuonn_energy_operation operation);
double energy_read_time(const cuonn_energy_options *o);
double energy_settle_time(const cuonn_energy_options *o, double phases);

#endif
