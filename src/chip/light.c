/* Light: how much the precision needs, what the mesh loses of it, and the mesh size beyond which that loss decides. */
#include <math.h>

#include "base/error.h"
#include "chip/model.h"

/* Exact by the definition of the SI, J s, m/s, C. */
static const double kPlanck = 6.62607015e-34, kSpeedOfLight = 299792458, kElectron = 1.602176634e-19;

/* S, signal over noise in power: quantization noise of b bits, 6.02 b + 1.76 dB. */
static double wanted_snr(const cuonn_energy_options *o) { return 1.5 * pow(4, (double)o->bits); }

/* n_th^2, square of the amplifier's noise in electrons a symbol, over the bandwidth f_s / 2. */
static double amplifier_variance(const cuonn_energy_options *o) {
  const double f = o->symbol_rate * 1e9, electrons = o->amplifier_noise * 1e-12 * sqrt(f / 2) / (kElectron * f);
  return electrons * electrons;
}

/* Photons a mode and symbol that the bits need, eq. 9 and 10; infinite if the oscillator's shot noise alone is too much. */
static double photons_of_bits(const cuonn_energy_options *o) {
  const double s = wanted_snr(o), eta = o->detector_efficiency, amplifier = amplifier_variance(o);
  if (o->detection == CUONN_DETECTION_DIRECT) return (s + sqrt(s * s + 4 * s * amplifier)) / (2 * eta);
  const double margin = eta * eta * o->oscillator_photons - eta * s / 2;
  return margin > 0 ? s * (eta * o->oscillator_photons / 2 + amplifier) / margin : INFINITY;
}

/* n, photons a mode and symbol at the detector, eq. 24. */
static double wanted_photons(const cuonn_energy_options *o) { return fmax(photons_of_bits(o), o->least_photons); }

/* l, of an MZI with one tap at each of its two phase shifters, dB. */
static double column_loss(const cuonn_energy_options *o) {
  return o->column_loss - 2 * 10 * log10(1 - o->tap_fraction);
}

/* Electricity that makes one photon, J. */
static double photon_energy(const cuonn_energy_options *o) {
  return kPlanck * kSpeedOfLight / (o->wavelength * 1e-9) / o->wall_plug_efficiency;
}

chip_light chip_light_of(const cuonn_energy_options *o) {
  if (!o->laser) return (chip_light){0};
  const bool homodyne = o->detection == CUONN_DETECTION_HOMODYNE;
  return (chip_light){.mesh = photon_energy(o) * wanted_photons(o) * pow(10, o->fixed_loss / 10),
                      .oscillator = homodyne ? photon_energy(o) * o->oscillator_photons : 0,
                      .alpha = column_loss(o) * log(10) / 10};
}

double chip_symbol_energy(const cuonn_energy_options *o) {
  const chip_light light = chip_light_of(o);
  return light.mesh * exp(light.alpha * (double)o->n_modes) + light.oscillator;
}

/* W(x) for x >= 0: w exp(w) = x. Newton's steps from log(1 + x), which is above W; the function is convex there, so that
 * they come down to the root without passing it. */
static double lambert_w(double x) {
  double w = log1p(x);
  for (int i = 0; i < 64; i++) {
    const double step = (w - x * exp(-w)) / (1 + w);
    w -= step;
    if (fabs(step) <= 1e-15 * (1 + w)) break;
  }
  return w;
}

cuonn_status cuonn_energy_light_cost(cuonn_energy_light *out, const cuonn_energy_options *options) {
  CUONN_TRY(cuonn_energy_options_check(options));
  const cuonn_energy_options *o = options;
  const bool homodyne = o->detection == CUONN_DETECTION_HOMODYNE;
  const chip_light light = chip_light_of(o);
  out->photons = wanted_photons(o);
  out->detectable = isfinite(out->photons);
  out->bits_limit = homodyne ? log(2 * o->detector_efficiency * o->oscillator_photons / 1.5) / log(4) : INFINITY;
  out->column_loss = column_loss(o);
  out->symbol_energy = chip_symbol_energy(o);
  out->watts = (double)o->n_modes * out->symbol_energy * o->symbol_rate * 1e9;
  const bool lossless = !o->laser || light.alpha == 0;
  out->equal_modes = lossless ? INFINITY : fmax(0, log(chip_mode_energy(o) / light.mesh) / light.alpha);
  return CUONN_OK;
}

cuonn_status cuonn_energy_operation_peak(cuonn_energy_peak *out, const cuonn_energy_options *options,
                                         cuonn_energy_operation operation) {
  CUONN_TRY(cuonn_energy_options_check(options));
  CUONN_CHECK(cuonn_energy_operation_name(operation), CUONN_E_ARGUMENT, "there is no energy operation %d",
              (int)operation);
  const cuonn_energy_options *o = options;
  const bool gradient = operation == CUONN_OPERATION_GRADIENT;
  const double passes = gradient ? (double)o->passes : 1, light_passes = gradient ? (double)o->light_passes : 1;
  const chip_light light = chip_light_of(o);
  /* Energy per operation x K is (c + a exp(alpha N)) / N + floor, whose last term no choice of N changes. */
  double c = passes * chip_mode_energy(o) + light_passes * light.oscillator;
  double floor = passes * o->holding_power * 1e-3 / (o->symbol_rate * 1e9);
  if (gradient) {
    c += (double)o->channels * o->mixer * 1e-12;
    floor += (double)o->tap_readouts * o->tap * 1e-12 * chip_tap_batches(o) / (double)o->batch;
  }
  const double a = light_passes * light.mesh, k = 1e-12 * (double)o->operations;
  if (isinf(a)) {
    *out = (cuonn_energy_peak){0, 0};
  } else if (a == 0 || light.alpha == 0) {
    *out = (cuonn_energy_peak){INFINITY, k / floor};
  } else {
    const double alpha_n = 1 + lambert_w(c / (a * exp(1)));
    *out = (cuonn_energy_peak){alpha_n / light.alpha, k / (light.alpha * a * exp(alpha_n) + floor)};
  }
  return CUONN_OK;
}
