/* Sets of electronics and modulators: docs/energy.md, section 4, says where each value comes from. */
#include "cuonn/energy.h"

/* Couplers to the chip, dB, the same in all sets. */
static const double kCouplers = 1.8;

typedef struct {
  double dac, modulator, modulator_static, receiver, detector_bias, adc; /* pJ, statics mW */
  double modulator_loss;                                                 /* dB */
} component_set;

/* [cuonn_energy_components] At 10 GS/s, homodyne, a channel of the study's set is its figure's 4.723 pJ: with 0.042 and
 * 0.12 of the modulator, 0.65, 1.48, and 0.22 of two photodiodes, 2.211 pJ are left for the DAC. */
static const component_set sets[] = {
    {2.211, 0.042, 1.2, 0.65, 1.1, 1.48, 0.95},
    {3.571, 0.042, 1.2, 0.3, 1.1, 1.48, 0.95},
    {3.571, 0.45, 0, 0.3, 1.1, 1.48, 1.2},
};

cuonn_energy_components cuonn_energy_preset_components(cuonn_energy_preset preset) {
  return preset == CUONN_ENERGY_CITED ? CUONN_COMPONENTS_MZM : CUONN_COMPONENTS_STUDY;
}

void cuonn_energy_use_components(cuonn_energy_options *options, cuonn_energy_components components) {
  const component_set *const set = &sets[components];
  options->dac = set->dac;
  options->modulator = set->modulator;
  options->modulator_static = set->modulator_static;
  options->receiver = set->receiver;
  options->detector_bias = set->detector_bias;
  options->adc = set->adc;
  options->reference_bits = 8;
  options->fixed_loss = set->modulator_loss + kCouplers;
}
