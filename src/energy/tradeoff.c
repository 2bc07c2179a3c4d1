/* What components must be for a chip to have no more than a given noise: light for the taps, bits for the readings. */
#include <math.h>

#include "base/error.h"
#include "cuonn/energy.h"

double cuonn_energy_tap_photons(const cuonn_energy_options *options, double tap_shot) {
  /* m: the whole time that a vector is held, or half of it where a sign is switched meanwhile */
  const double symbols = (options->scheme == CUONN_SCHEME_SWITCHED ? .5 : 1) * (double)options->held_symbols;
  return 1 / (options->detector_efficiency * options->tap_fraction * tap_shot * tap_shot * symbols);
}

double cuonn_energy_noise_bits(double deviation) { return -log2(sqrt(3) * deviation); }

cuonn_status cuonn_energy_meet_noise(cuonn_energy_options *options, const cuonn_energy_noise *noise) {
  const struct {
    const char *name;
    double value;
  } all[] = {{"tap_shot", noise->tap_shot}, {"io_amplitude", noise->io_amplitude}, {"io_phase", noise->io_phase}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    CUONN_CHECK(isfinite(all[i].value) && all[i].value >= 0, CUONN_E_ARGUMENT, "%s is %g; it must be 0 or more",
                all[i].name, all[i].value);
  options->least_photons = cuonn_energy_tap_photons(options, noise->tap_shot) / (double)options->n_modes;
  const double deviation = fmin(noise->io_amplitude, noise->io_phase);
  if (deviation == 0) return CUONN_OK;
  const double bits = fmin(fmax(ceil(cuonn_energy_noise_bits(deviation)), 1), CUONN_ENERGY_BITS_MAX);
  options->converter_bits = options->bits = (size_t)bits;
  return CUONN_OK;
}
