/* Options of the energy model: presets, and which values are refused. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "cuonn/energy.h"

void cuonn_energy_options_init(cuonn_energy_options *out, cuonn_energy_preset preset) {
  const bool figure = preset == CUONN_ENERGY_FIGURE, cited = preset == CUONN_ENERGY_CITED;
  memset(out, 0, sizeof *out);
  out->n_modes = 64;
  out->batch = 128;

  out->operations = 6;
  out->channels = 2;
  out->converter_bits = 8;
  out->mixer = 0.017;
  out->tap = 0.103;
  cuonn_energy_use_components(out, cuonn_energy_preset_components(preset));

  out->scheme = figure ? CUONN_SCHEME_STUDY : CUONN_SCHEME_ANALOG;
  out->tap_reading = CUONN_TAPS_BATCH;
  out->measurement = CUONN_MEASUREMENT_EXAMPLE;
  out->held_symbols = 1;

  out->symbol_rate = 10;
  out->laser = !figure;
  out->detection = CUONN_DETECTION_HOMODYNE;
  out->bits = 6;
  out->wall_plug_efficiency = 0.2;
  out->wavelength = 1550;
  out->detector_efficiency = 0.8;
  out->oscillator_photons = 1e5;
  out->amplifier_noise = 12.86;
  out->column_loss = figure ? 0 : cited ? 0.89 : 0.05;
  out->tap_fraction = figure ? 0 : 0.003;
  out->holding_power = cited ? 24.77 : 0;
  out->holding = CUONN_HOLDING_HEATER;

  out->dataflow = CUONN_DATAFLOW_SEQUENTIAL;
  out->column_length = 0.3;
  out->group_index = 4.2;
  out->electronic_latency = 1;
  out->tap_rate = 1;
  out->programming_time = cited ? 2.7 : 0.34;
  out->gpu.use = 1;
}

/* Range of a number; `above`: the lower end itself is refused, as of every component that there must be. */
typedef struct {
  const char *key; /* in the section energy */
  double value;
  bool above;
  double low, high;
  const char *unit;
} number_range;

/* Range of a whole number. */
typedef struct {
  const char *key;
  size_t value, least, most;
} count_range;

static cuonn_status check_counts(const cuonn_energy_options *o) {
  const count_range ranges[] = {
      {"modes", o->n_modes, 2, CUONN_MODES_MAX},
      {"n_columns", o->n_columns, 0, CUONN_COLUMNS_MAX},
      {"n_shifters", o->n_shifters, 0, (size_t)(CUONN_COLUMNS_MAX + 1) * CUONN_MODES_MAX},
      {"batch", o->batch, 1, CUONN_ENERGY_BATCH_MAX},
      {"operations", o->operations, 1, 64},
      {"channels", o->channels, 1, 8},
      {"converter_bits", o->converter_bits, 1, CUONN_ENERGY_BITS_MAX},
      {"reference_bits", o->reference_bits, 1, CUONN_ENERGY_BITS_MAX},
      {"bits", o->bits, 1, CUONN_ENERGY_BITS_MAX},
      {"scheme", (size_t)o->scheme, 0, CUONN_SCHEME_STUDY},
      {"tap_reading", (size_t)o->tap_reading, 0, CUONN_TAPS_EXAMPLE},
      {"measurement", (size_t)o->measurement, 0, CUONN_MEASUREMENT_MATRIX},
      {"held_symbols", o->held_symbols, 1, CUONN_ENERGY_BATCH_MAX},
      {"holding_law", (size_t)o->holding, 0, CUONN_HOLDING_CONSTANT},
      {"detection", (size_t)o->detection, 0, CUONN_DETECTION_DIRECT},
      {"dataflow", (size_t)o->dataflow, 0, CUONN_DATAFLOW_REUSED},
      {"tap_converters", o->tap_converters, 0, 1000000000},
      {"write_converters", o->write_converters, 0, 1000000000},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    const count_range *r = &ranges[i];
    CUONN_CHECK(r->value >= r->least && r->value <= r->most, CUONN_E_ARGUMENT,
                "energy.%s is %zu; it must be %zu to %zu", r->key, r->value, r->least, r->most);
  }
  return CUONN_OK;
}

static cuonn_status check_numbers(const cuonn_energy_options *o) {
  const number_range ranges[] = {
      {"dac", o->dac, true, 0, 1e6, " pJ"},
      {"modulator", o->modulator, true, 0, 1e6, " pJ"},
      {"modulator_static", o->modulator_static, false, 0, 1e6, " mW"},
      {"receiver", o->receiver, true, 0, 1e6, " pJ"},
      {"detector_bias", o->detector_bias, false, 0, 1e6, " mW"},
      {"adc", o->adc, true, 0, 1e6, " pJ"},
      {"mixer", o->mixer, true, 0, 1e6, " pJ"},
      {"tap", o->tap, true, 0, 1e6, " pJ"},
      {"product_energy", o->product_energy, false, 0, 1e6, " pJ"},
      {"symbol_rate", o->symbol_rate, true, 0, 1e6, " GS/s"},
      {"wall_plug_efficiency", o->wall_plug_efficiency, true, 0, 1, ""},
      {"wavelength", o->wavelength, true, 0, 1e6, " nm"},
      {"detector_efficiency", o->detector_efficiency, true, 0, 1, ""},
      {"oscillator_photons", o->oscillator_photons, true, 0, 1e18, ""},
      {"amplifier_noise", o->amplifier_noise, false, 0, 1e6, " pA/sqrt(Hz)"},
      {"fixed_loss", o->fixed_loss, false, 0, 100, " dB"},
      {"column_loss", o->column_loss, false, 0, 100, " dB"},
      {"tap_fraction", o->tap_fraction, false, 0, 0.99, ""},
      {"holding_power", o->holding_power, false, 0, 1e6, " mW"},
      {"column_length", o->column_length, true, 0, 1e3, " mm"},
      {"group_index", o->group_index, false, 1, 10, ""},
      {"electronic_latency", o->electronic_latency, true, 0, 1e9, " ns"},
      {"tap_rate", o->tap_rate, true, 0, 1e6, " MS/s"},
      {"programming_time", o->programming_time, true, 0, 1e9, " us"},
      {"programming_energy", o->programming_energy, false, 0, 1e6, " pJ"},
      {"digital_energy", o->digital_energy, false, 0, 1e12, " pJ"},
      {"digital_time", o->digital_time, false, 0, 1e9, " ns"},
      {"loss_time", o->loss_time, false, 0, 1e9, " ns"},
      {"optimizer_time", o->optimizer_time, false, 0, 1e9, " ns"},
      {"nonlinearity_time", o->nonlinearity_time, false, 0, 1e9, " ns"},
      {"write_rate", o->write_rate, false, 0, 1e6, " MS/s"},
      {"gpu.rate", o->gpu.rate, false, 0, 1e9, " Tflop/s"},
      {"gpu.use", o->gpu.use, true, 0, 1, ""},
      {"gpu.bandwidth", o->gpu.bandwidth, false, 0, 1e9, " GB/s"},
      {"gpu.traffic", o->gpu.traffic, false, 0, 1e18, " bytes"},
      {"gpu.launches", o->gpu.launches, false, 0, 1e9, ""},
      {"gpu.launch_time", o->gpu.launch_time, false, 0, 1e9, " us"},
      {"gpu.power", o->gpu.power, false, 0, 1e9, " W"},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    const number_range *r = &ranges[i];
    const bool high_enough = r->above ? r->value > r->low : r->value >= r->low; /* false for NaN, too */
    CUONN_CHECK(high_enough && r->value <= r->high, CUONN_E_ARGUMENT, "energy.%s is %g%s; it must be %s%g to %g%s",
                r->key, r->value, r->unit, r->above ? "above " : "", r->low, r->high, r->unit);
  }
  return CUONN_OK;
}

cuonn_status cuonn_energy_options_check(const cuonn_energy_options *options) {
  CUONN_TRY(check_counts(options));
  return check_numbers(options);
}
