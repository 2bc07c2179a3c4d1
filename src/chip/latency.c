/* How long light, taps and phase shifters of one mesh take. */
#include <math.h>

#include "chip/model.h"

static const double kSpeedOfLight = 299792458;

double chip_fill_time(const cuonn_energy_options *o) {
  const double flight = (double)o->n_modes * o->column_length * 1e-3 * o->group_index / kSpeedOfLight;
  return o->electronic_latency * 1e-9 + flight;
}

double chip_pass_time(const cuonn_energy_options *o) {
  return chip_fill_time(o) + (double)(o->batch - 1) / (o->symbol_rate * 1e9);
}

double chip_read_time(const cuonn_energy_options *o) {
  const double n = (double)o->n_modes, converters = o->tap_converters ? (double)o->tap_converters : n;
  return chip_tap_batches(o) * ceil((double)o->tap_readouts * n * n / converters) / (o->tap_rate * 1e6);
}

double chip_write_time(const cuonn_energy_options *o) {
  if (o->write_converters == 0 || o->write_rate == 0) return 0; /* not known: left out */
  const double n = (double)o->n_modes;
  return ceil(n * n / (double)o->write_converters) / (o->write_rate * 1e6);
}
