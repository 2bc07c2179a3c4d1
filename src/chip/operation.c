/* Energy of one mesh: forward pass, backward pass, in situ gradient. */
#include <math.h>

#include "base/error.h"
#include "chip/model.h"

static const char *const part_names[CUONN_ENERGY_PARTS] = {
    "dac", "modulator", "receiver", "adc", "mixer", "tap", "laser", "holding", "programming", "digital",
};
static const char *const operation_names[CUONN_ENERGY_OPERATIONS] = {"mvm", "vjp", "gradient"};

const char *cuonn_energy_part_name(cuonn_energy_part part) {
  return (unsigned)part < CUONN_ENERGY_PARTS ? part_names[part] : NULL;
}

const char *cuonn_energy_operation_name(cuonn_energy_operation operation) {
  return (unsigned)operation < CUONN_ENERGY_OPERATIONS ? operation_names[operation] : NULL;
}

double chip_dac_energy(const cuonn_energy_options *o) {
  const double b = (double)o->converter_bits, b0 = (double)o->reference_bits;
  return o->dac * 1e-12 * (exp2(b) / b) / (exp2(b0) / b0);
}

double chip_adc_energy(const cuonn_energy_options *o) {
  return o->adc * 1e-12 * exp2((double)o->converter_bits - (double)o->reference_bits);
}

double chip_mode_energy(const cuonn_energy_options *o) {
  return (double)o->channels * (chip_dac_energy(o) + o->modulator * 1e-12 + o->receiver * 1e-12 + chip_adc_energy(o));
}

double chip_tap_batches(const cuonn_energy_options *o) {
  return o->tap_scheme == CUONN_TAPS_DIGITAL ? (double)o->batch : 1;
}

void chip_sum(cuonn_energy_cost *cost) {
  const double *part = cost->part;
  cost->joules = 0;
  for (size_t i = 0; i < CUONN_ENERGY_PARTS; i++) cost->joules += part[i];
  cost->tops_per_watt = 1e-12 * cost->operations / cost->joules;
  cost->conversion_share =
      (part[CUONN_ENERGY_DAC] + part[CUONN_ENERGY_ADC] + part[CUONN_ENERGY_RECEIVER]) / cost->joules;
}

void chip_operation_cost(cuonn_energy_cost *out, const cuonn_energy_options *o, cuonn_energy_operation operation) {
  const bool gradient = operation == CUONN_OPERATION_GRADIENT;
  const double n = (double)o->n_modes, m = (double)o->batch, rate = o->symbol_rate * 1e9;
  const double passes = gradient ? (double)o->passes : 1, light_passes = gradient ? (double)o->light_passes : 1;
  const double channels = m * n * (double)o->channels; /* a channel converts one symbol of each example */
  *out = (cuonn_energy_cost){.operations = (double)o->operations * n * n * m};
  out->part[CUONN_ENERGY_DAC] = passes * channels * chip_dac_energy(o);
  out->part[CUONN_ENERGY_MODULATOR] = passes * channels * o->modulator * 1e-12;
  out->part[CUONN_ENERGY_RECEIVER] = passes * channels * o->receiver * 1e-12;
  out->part[CUONN_ENERGY_ADC] = passes * channels * chip_adc_energy(o);
  out->part[CUONN_ENERGY_LASER] = light_passes * m * n * chip_symbol_energy(o);
  out->part[CUONN_ENERGY_HOLDING] = passes * m * n * n * o->holding_power * 1e-3 / rate;
  out->seconds = passes * chip_pass_time(o);
  if (gradient) {
    out->part[CUONN_ENERGY_MIXER] = channels * o->mixer * 1e-12;
    out->part[CUONN_ENERGY_TAP] = n * n * (double)o->tap_readouts * o->tap * 1e-12 * chip_tap_batches(o);
    out->seconds += o->loss_time * 1e-9 + chip_read_time(o);
  }
  chip_sum(out);
  out->watts = out->joules * rate / (m * passes);
}

cuonn_status cuonn_energy_operation_cost(cuonn_energy_cost *out, const cuonn_energy_options *options,
                                         cuonn_energy_operation operation) {
  CUONN_TRY(cuonn_energy_options_check(options));
  CUONN_CHECK(cuonn_energy_operation_name(operation), CUONN_E_ARGUMENT, "there is no energy operation %d",
              (int)operation);
  chip_operation_cost(out, options, operation);
  return CUONN_OK;
}

cuonn_status cuonn_energy_evaluate(cuonn_energy_point *out, const cuonn_energy_options *options) {
  CUONN_TRY(cuonn_energy_light_cost(&out->light, options));
  for (int i = 0; i < CUONN_ENERGY_OPERATIONS; i++) {
    CUONN_TRY(cuonn_energy_operation_cost(&out->cost[i], options, (cuonn_energy_operation)i));
    CUONN_TRY(cuonn_energy_operation_peak(&out->peak[i], options, (cuonn_energy_operation)i));
  }
  return CUONN_OK;
}
