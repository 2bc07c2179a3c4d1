/* Electricity that sending and reading one mode takes. In this room, eq. counts in docs/energy.md, and options
 * that are passed between files are checked already. */
#ifndef CUONN_ENERGY_CONVERSION_H
#define CUONN_ENERGY_CONVERSION_H

#include "cuonn/energy.h"

/* Electricity of one conversion with converter_bits, J, eq. 2 and 3. */
double energy_of_dac(const cuonn_energy_options *o);
double energy_of_adc(const cuonn_energy_options *o);

/* What a channel takes besides for some symbols, J: a modulator besides its drive, and the bias of its photodiodes. */
double energy_modulator_static(const cuonn_energy_options *o, double symbols);
double energy_detector_bias(const cuonn_energy_options *o, double symbols);

/* c_q E_in and c_q E_out: sending and reading one mode in a pass, J; their sum is e_IO, eq. 1. symbols: for which
 * modulators and photodiodes are on. */
double energy_to_send(const cuonn_energy_options *o, double symbols);
double energy_to_read(const cuonn_energy_options *o, double symbols);

#endif
