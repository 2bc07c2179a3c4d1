/* Electricity that sending and reading one mode takes. */
#include <math.h>

#include "energy/conversion.h"

double energy_of_dac(const cuonn_energy_options *o) {
  const double b = (double)o->converter_bits, b0 = (double)o->reference_bits;
  return o->dac * 1e-12 * (exp2(b) / b) / (exp2(b0) / b0);
}

double energy_of_adc(const cuonn_energy_options *o) {
  return o->adc * 1e-12 * exp2((double)o->converter_bits - (double)o->reference_bits);
}

double energy_modulator_static(const cuonn_energy_options *o, double symbols) {
  return symbols * o->modulator_static * 1e-3 / (o->symbol_rate * 1e9);
}

double energy_detector_bias(const cuonn_energy_options *o, double symbols) {
  const double detectors = o->detection == CUONN_DETECTION_HOMODYNE ? 2 : 1;
  return symbols * detectors * o->detector_bias * 1e-3 / (o->symbol_rate * 1e9);
}

double energy_to_send(const cuonn_energy_options *o, double symbols) {
  return (double)o->channels * (energy_of_dac(o) + o->modulator * 1e-12 + energy_modulator_static(o, symbols));
}

double energy_to_read(const cuonn_energy_options *o, double symbols) {
  return (double)o->channels * (o->receiver * 1e-12 + energy_detector_bias(o, symbols) + energy_of_adc(o));
}
