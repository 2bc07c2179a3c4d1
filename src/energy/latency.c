/* How long light, taps and phase shifters of one mesh take. */
#include <math.h>

#include "energy/holding.h"
#include "energy/latency.h"

static const double kSpeedOfLight = 299792458;

double energy_fill_time(const cuonn_energy_options *o) {
  const double flight = energy_columns(o) * o->column_length * 1e-3 * o->group_index / kSpeedOfLight;
  return o->electronic_latency * 1e-9 + flight;
}

double energy_symbols_time(const cuonn_energy_options *o, const energy_pass *pass, double vectors) {
  return (vectors * energy_held_symbols(o, pass) - 1) / (o->symbol_rate * 1e9);
}

double energy_passes_time(const cuonn_energy_options *o, cuonn_energy_operation operation) {
  const energy_passes *const all = energy_passes_of(o, operation);
  double seconds = 0;
  for (size_t i = 0; i < all->n_passes; i++)
    seconds += energy_fill_time(o) + energy_symbols_time(o, &all->pass[i], energy_vectors(o, operation));
  return seconds;
}

double energy_read_time(const cuonn_energy_options *o) {
  const double n = (double)o->n_modes, converters = o->tap_converters ? (double)o->tap_converters : n;
  const double readouts = (double)cuonn_energy_passes_of(o, CUONN_OPERATION_GRADIENT).readouts;
  return energy_tap_readings(o) * ceil(readouts * energy_shifters(o) / converters) / (o->tap_rate * 1e6);
}

double energy_settle_time(const cuonn_energy_options *o, double phases) {
  const double settled = o->programming_time * 1e-6;
  if (o->write_converters == 0 || o->write_rate == 0) return settled; /* writing is not known: left out */
  return settled + ceil(phases / (double)o->write_converters) / (o->write_rate * 1e6);
}
