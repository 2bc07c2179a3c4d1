/* Energy of one mesh: forward pass, backward pass, in situ gradient. */
#include "energy/operation.h"
#include "base/error.h"
#include "energy/conversion.h"
#include "energy/holding.h"
#include "energy/latency.h"
#include "energy/light.h"
#include "energy/scheme.h"

static const char *const part_names[CUONN_ENERGY_PARTS] = {
    "dac", "modulator", "receiver", "adc", "mixer", "tap", "laser", "holding", "digital", "programming",
};
static const char *const operation_names[CUONN_ENERGY_OPERATIONS] = {"mvm", "vjp", "gradient"};

const char *cuonn_energy_part_name(cuonn_energy_part part) {
  return (unsigned)part < CUONN_ENERGY_PARTS ? part_names[part] : NULL;
}

const char *cuonn_energy_operation_name(cuonn_energy_operation operation) {
  return (unsigned)operation < CUONN_ENERGY_OPERATIONS ? operation_names[operation] : NULL;
}

void energy_sum(cuonn_energy_cost *cost) {
  const double *part = cost->part;
  cost->joules = 0;
  for (size_t i = 0; i < CUONN_ENERGY_PARTS; i++) cost->joules += part[i];
  cost->tops_per_watt = 1e-12 * cost->operations / cost->joules;
  cost->conversion_share =
      (part[CUONN_ENERGY_DAC] + part[CUONN_ENERGY_ADC] + part[CUONN_ENERGY_RECEIVER]) / cost->joules;
}

void energy_add(cuonn_energy_cost *to, double times, const cuonn_energy_cost *cost) {
  for (size_t i = 0; i < CUONN_ENERGY_PARTS; i++) to->part[i] += times * cost->part[i];
  to->operations += times * cost->operations;
  to->seconds += times * cost->seconds;
}

void energy_finish(cuonn_energy_cost *cost) {
  energy_sum(cost);
  cost->watts = cost->joules / cost->seconds;
}

void energy_operation_cost(cuonn_energy_cost *out, const cuonn_energy_options *o, cuonn_energy_operation operation) {
  const bool gradient = operation == CUONN_OPERATION_GRADIENT;
  const cuonn_energy_passes passes = cuonn_energy_passes_of(o, operation);
  const energy_lit lit = energy_lit_symbols(o, operation);
  const double n = (double)o->n_modes, vectors = energy_vectors(o, operation), rate = o->symbol_rate * 1e9;
  const double channels = vectors * n * (double)o->channels; /* a channel converts a vector's mode */
  const double sends = channels * (double)passes.sends, reads = channels * (double)passes.reads;
  *out = (cuonn_energy_cost){.operations = (double)o->operations * n * n * (double)o->batch};
  out->part[CUONN_ENERGY_DAC] = sends * energy_of_dac(o);
  out->part[CUONN_ENERGY_MODULATOR] = sends * o->modulator * 1e-12 + channels * energy_modulator_static(o, lit.sends);
  out->part[CUONN_ENERGY_RECEIVER] = reads * o->receiver * 1e-12 + channels * energy_detector_bias(o, lit.reads);
  out->part[CUONN_ENERGY_ADC] = reads * energy_of_adc(o);
  out->part[CUONN_ENERGY_MIXER] = channels * (double)passes.mixes * o->mixer * 1e-12;
  out->part[CUONN_ENERGY_LASER] = vectors * n * passes.light * energy_of_symbol(o);
  out->part[CUONN_ENERGY_HOLDING] =
      vectors * (double)passes.symbols * energy_shifters(o) * energy_holding_power(o, n) / rate;
  out->seconds = energy_passes_time(o, operation);
  if (gradient) {
    out->part[CUONN_ENERGY_TAP] =
        energy_shifters(o) * (double)passes.readouts * o->tap * 1e-12 * energy_tap_readings(o);
    out->part[CUONN_ENERGY_DIGITAL] = energy_of_products(o);
    out->seconds += o->loss_time * 1e-9 + energy_read_time(o);
  }
  energy_sum(out);
  out->watts = out->joules * rate / (vectors * (double)passes.symbols);
}

cuonn_status cuonn_energy_operation_cost(cuonn_energy_cost *out, const cuonn_energy_options *options,
                                         cuonn_energy_operation operation) {
  CUONN_TRY(cuonn_energy_options_check(options));
  CUONN_CHECK(cuonn_energy_operation_name(operation), CUONN_E_ARGUMENT, "there is no energy operation %d",
              (int)operation);
  energy_operation_cost(out, options, operation);
  return CUONN_OK;
}
