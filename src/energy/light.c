/* Light: how much the precision needs, what the mesh loses of it, and the mesh size beyond which that loss decides. */
#include <math.h>

#include "base/error.h"
#include "energy/conversion.h"
#include "energy/holding.h"
#include "energy/light.h"

/* Exact by the definition of the SI, J s, m/s, C. */
static const double kPlanck = 6.62607015e-34, kSpeedOfLight = 299792458, kElectron = 1.602176634e-19;

/* S, signal over noise in power: quantization noise of b bits, 6.02 b + 1.76 dB. */
static double wanted_snr(const cuonn_energy_options *o) { return 1.5 * pow(4, (double)o->bits); }

/* n_th^2, square of the amplifier's noise in electrons per symbol, over the bandwidth f_s / 2. */
static double amplifier_variance(const cuonn_energy_options *o) {
  const double f = o->symbol_rate * 1e9, electrons = o->amplifier_noise * 1e-12 * sqrt(f / 2) / (kElectron * f);
  return electrons * electrons;
}

/* Photons a mode and symbol that the bits need, eq. 9 and 10; infinite if the oscillator's shot noise is too much. */
static double photons_of_bits(const cuonn_energy_options *o) {
  const double s = wanted_snr(o), eta = o->detector_efficiency, amplifier = amplifier_variance(o);
  if (o->detection == CUONN_DETECTION_DIRECT) return (s + sqrt(s * s + 4 * s * amplifier)) / (2 * eta);
  const double margin = eta * eta * o->oscillator_photons - eta * s / 2;
  return margin > 0 ? s * (eta * o->oscillator_photons / 2 + amplifier) / margin : INFINITY;
}

/* n, photons per mode and symbol at the detector, eq. 24. */
static double wanted_photons(const cuonn_energy_options *o) { return fmax(photons_of_bits(o), o->least_photons); }

/* l, of a column, dB: an MZI, and the taps of those phase shifters that a path meets, S / N of S in D columns. */
static double column_loss(const cuonn_energy_options *o) {
  const double taps = energy_shifters(o) / (double)o->n_modes / energy_columns(o);
  return o->column_loss - taps * 10 * log10(1 - o->tap_fraction);
}

/* Electricity that makes one photon, J. */
static double photon_energy(const cuonn_energy_options *o) {
  return kPlanck * kSpeedOfLight / (o->wavelength * 1e-9) / o->wall_plug_efficiency;
}

energy_light energy_light_of(const cuonn_energy_options *o) {
  if (!o->laser) return (energy_light){0};
  const bool homodyne = o->detection == CUONN_DETECTION_HOMODYNE;
  return (energy_light){.mesh = photon_energy(o) * wanted_photons(o) * pow(10, o->fixed_loss / 10),
                        .oscillator = homodyne ? photon_energy(o) * o->oscillator_photons : 0,
                        .alpha = column_loss(o) * log(10) / 10};
}

double energy_of_symbol(const cuonn_energy_options *o) {
  const energy_light light = energy_light_of(o);
  return light.mesh * exp(light.alpha * energy_columns(o)) + light.oscillator;
}

cuonn_status cuonn_energy_light_cost(cuonn_energy_light *out, const cuonn_energy_options *options) {
  CUONN_TRY(cuonn_energy_options_check(options));
  const cuonn_energy_options *o = options;
  const bool homodyne = o->detection == CUONN_DETECTION_HOMODYNE;
  const energy_light light = energy_light_of(o);
  out->photons = wanted_photons(o);
  out->detectable = isfinite(out->photons);
  out->bits_limit = homodyne ? log(2 * o->detector_efficiency * o->oscillator_photons / 1.5) / log(4) : INFINITY;
  out->column_loss = column_loss(o);
  out->symbol_energy = energy_of_symbol(o);
  out->watts = (double)o->n_modes * out->symbol_energy * o->symbol_rate * 1e9;
  const bool lossless = !o->laser || light.alpha == 0;
  const double conversions = energy_to_send(o, 1) + energy_to_read(o, 1);
  out->equal_modes = energy_has_shape(o) ? NAN
                     : lossless          ? INFINITY
                                         : fmax(0, log(conversions / light.mesh) / light.alpha);
  return CUONN_OK;
}
