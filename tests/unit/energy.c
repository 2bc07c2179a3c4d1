/* The energy model: every equation by hand, its identities, what must never make anything cheaper, what is refused.
 * Expected numbers were computed apart, with SciPy's Lambert W; 1e-12 is rounding over some tens of operations. */
#include <string.h>

#include "cuonn/energy.h"
#include "cuonn/files.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/foreign.h"

static cuonn_energy_options preset(cuonn_energy_preset which) {
  cuonn_energy_options o;
  cuonn_energy_options_init(&o, which);
  return o;
}

static cuonn_energy_cost cost_of(const cuonn_energy_options *o, cuonn_energy_operation operation) {
  cuonn_energy_cost cost;
  OK(cuonn_energy_operation_cost(&cost, o, operation));
  return cost;
}

static cuonn_energy_light light_of(const cuonn_energy_options *o) {
  cuonn_energy_light light;
  OK(cuonn_energy_light_cost(&light, o));
  return light;
}

static cuonn_energy_peak peak_of(const cuonn_energy_options *o, cuonn_energy_operation operation) {
  cuonn_energy_peak peak;
  OK(cuonn_energy_operation_peak(&peak, o, operation));
  return peak;
}

static void is(double got, double want) { CLOSE(&got, &want, 1, .rel = 1e-12); }

/* As printed, to a unit of the last digit. */
static void is_about(double got, double want, double digit) { CLOSE(&got, &want, 1, .abs = digit); }

/* ------------------------------------------------------------------------------------------------- one mesh */

/* Components whose energies are far apart, so that each is seen by itself: N = 3, M = 5. */
static cuonn_energy_options plain(void) {
  cuonn_energy_options o = preset(CUONN_ENERGY_FIGURE);
  o.n_modes = 3;
  o.batch = 5;
  o.dac = 1;
  o.modulator = 10;
  o.receiver = 100;
  o.adc = 1000;
  o.mixer = 1e4;
  o.tap = 1e5;
  return o;
}

static void mvm_by_hand(void **state) {
  (void)state;
  const cuonn_energy_options o = plain();
  for (int i = 0; i < 2; i++) { /* a backward pass costs what a forward pass costs */
    const cuonn_energy_cost c = cost_of(&o, i ? CUONN_OPERATION_VJP : CUONN_OPERATION_MVM);
    const double want[CUONN_ENERGY_PARTS] = {30e-12, 300e-12, 3000e-12, 30000e-12}; /* 5 x 3 x 2 channels */
    CLOSE(c.part, want, CUONN_ENERGY_PARTS, .rel = 1e-12);
    is(c.joules, 33330e-12);
    is(c.operations, 6 * 9 * 5);
    is(c.tops_per_watt, 270 / 33330.0);
    is(c.conversion_share, 33030 / 33330.0);
    is(c.watts, 33330e-12 / 5 * 1e10);
    is(c.seconds, 1e-9 + 3 * 0.3e-3 * 4.2 / 299792458 + 4 / 1e10); /* t_el + flight + 4 more symbols */
  }
}

static void gradient_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = plain();
  cuonn_energy_cost c = cost_of(&o, CUONN_OPERATION_GRADIENT);
  const double want[CUONN_ENERGY_PARTS] = {90e-12, 900e-12, 9000e-12, 90000e-12, 300000e-12, 18e5 * 1e-12};
  CLOSE(c.part, want, CUONN_ENERGY_PARTS, .rel = 1e-12);
  is(c.operations, 270);
  is(c.watts, c.joules / 15 * 1e10);
  const double pass = 1e-9 + 3 * 0.3e-3 * 4.2 / 299792458 + 4 / 1e10;
  is(c.seconds, 3 * pass + 6e-6); /* 2 x 9 readouts by 3 converters */
  o.loss_time = 7;
  o.tap_converters = 4;
  o.passes = 4;
  c = cost_of(&o, CUONN_OPERATION_GRADIENT);
  is(c.seconds, 4 * pass + 7e-9 + 5e-6); /* 18 readouts by 4 converters take 5 */
  is(c.part[CUONN_ENERGY_DAC], 120e-12);
  is(c.part[CUONN_ENERGY_MIXER], 300000e-12);
  o.tap_scheme = CUONN_TAPS_DIGITAL; /* five examples, five readouts */
  c = cost_of(&o, CUONN_OPERATION_GRADIENT);
  is(c.part[CUONN_ENERGY_TAP], 90e5 * 1e-12);
  is(c.seconds, 4 * pass + 7e-9 + 25e-6);
}

static void converters_scale_with_bits(void **state) {
  (void)state;
  cuonn_energy_options o = plain();
  o.converter_bits = 10;
  o.reference_bits = 8;
  cuonn_energy_cost c = cost_of(&o, CUONN_OPERATION_MVM);
  is(c.part[CUONN_ENERGY_ADC], 4 * 30000e-12);
  is(c.part[CUONN_ENERGY_DAC], 4 * 8 / 10.0 * 30e-12);
  is(c.part[CUONN_ENERGY_MODULATOR], 300e-12);
  is(c.part[CUONN_ENERGY_RECEIVER], 3000e-12);
  o.converter_bits = 1;
  c = cost_of(&o, CUONN_OPERATION_MVM);
  is(c.part[CUONN_ENERGY_ADC], 30000e-12 / 128);
  is(c.part[CUONN_ENERGY_DAC], 30e-12 / 16);
}

static void holding_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = plain();
  o.holding_power = 20;
  is(cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_HOLDING], 5 * 9 * 20e-3 / 1e10);
  is(cost_of(&o, CUONN_OPERATION_GRADIENT).part[CUONN_ENERGY_HOLDING], 3 * 5 * 9 * 20e-3 / 1e10);
  /* However large the mesh, K f_s / P_hold is the ceiling: 2.4 TOPS/W with a heater of 24.77 mW. */
  o = preset(CUONN_ENERGY_FIGURE);
  o.n_modes = 16384;
  const double power[] = {24.77, 5.6, 1e-3}, ceiling[] = {2.422, 10.71, 6e4};
  for (size_t i = 0; i < 3; i++) {
    o.holding_power = power[i];
    is(peak_of(&o, CUONN_OPERATION_MVM).tops_per_watt, 6 * 1e10 / (power[i] * 1e-3) * 1e-12);
    is_about(peak_of(&o, CUONN_OPERATION_MVM).tops_per_watt, ceiling[i], 1e-3 * ceiling[i]);
    assert_true(cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt < ceiling[i]);
  }
}

/* What the figure's two closed forms are, at any N and M. */
static void identities(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_FIGURE);
  const double e_io = 2 * (2.551 + 0.042 + 0.65 + 1.48), e_g = 3 * e_io + 2 * 0.017, e_t = 2 * 0.103;
  is(e_io, 9.446);
  is(e_g, 28.372);
  const size_t modes[] = {2, 64, 257}, batches[] = {1, 17, 255};
  for (size_t i = 0; i < 9; i++) {
    o.n_modes = modes[i / 3];
    o.batch = batches[i % 3];
    const double n = (double)o.n_modes, m = (double)o.batch;
    is(cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt, 6 * n / e_io);
    is(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 6 / (e_g / n + e_t / m));
    o.tap_scheme = CUONN_TAPS_DIGITAL;
    is(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 6 / (e_g / n + e_t));
    assert_true(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt < 6 / e_t); /* 29.1 TOPS/W */
    is(peak_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 6 / e_t);
    o.tap_scheme = CUONN_TAPS_ANALOG;
  }
  assert_true(isinf(peak_of(&o, CUONN_OPERATION_MVM).modes));
  /* the extra cost of training beside an inference is two passes, the mixers and the taps */
  const double extra = cost_of(&o, CUONN_OPERATION_GRADIENT).joules - cost_of(&o, CUONN_OPERATION_MVM).joules;
  is(extra, (2 * e_io + 2 * 0.017) * 257 * 255 * 1e-12 + e_t * 257 * 257 * 1e-12);
}

/* ---------------------------------------------------------------------------------------------------- light */

static void photons_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
  is(light_of(&o).photons, 36152.74405063695);
  is_about(light_of(&o).bits_limit, 8.351, 1e-3); /* log4(2 x 0.8 x 1e5 / 1.5) */
  o.bits = 8;
  assert_true(light_of(&o).detectable);
  o.bits = 9;
  assert_false(light_of(&o).detectable);
  o.detection = CUONN_DETECTION_DIRECT;
  o.bits = 8;
  is(light_of(&o).photons, 292208.3676038551);
  assert_true(isinf(light_of(&o).bits_limit));
  /* shot-noise limits: no amplifier noise, endless oscillator */
  o.amplifier_noise = 0;
  is(light_of(&o).photons, 1.5 * 65536 / 0.8);
  o.detection = CUONN_DETECTION_HOMODYNE;
  o.oscillator_photons = 1e18;
  is_about(light_of(&o).photons, 1.5 * 65536 / 1.6, 1e-6);
}

static void laser_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
  cuonn_energy_light light = light_of(&o);
  is(light.column_loss, 0.05 + 0.026096833766885624);
  is(light.symbol_energy, 2.0594415300559643e-13);
  is(light.watts, 64 * 2.0594415300559643e-13 * 1e10);
  is(cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_LASER], 128 * 64 * 2.0594415300559643e-13);
  is(cost_of(&o, CUONN_OPERATION_GRADIENT).part[CUONN_ENERGY_LASER], 4 * 128 * 64 * 2.0594415300559643e-13);
  is(cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt, 39.78473081823864);
  o.column_loss = 0; /* the taps alone */
  o.tap_fraction = 0.01;
  is(light_of(&o).column_loss, 0.08729610804900176);
  o.laser = false;
  is(light_of(&o).symbol_energy, 0);
  is(cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_LASER], 0);
  assert_true(isinf(light_of(&o).equal_modes));
}

/* The best N and what it gives, for losses a column; docs/energy.md prints the same table. */
static void peaks_by_hand(void **state) {
  (void)state;
  static const double rows[][10] = {
      /* dB, N*, peak, N_eq, at 64, at 256, gradient N*, peak, 8 bits direct N*, peak */
      {0.05, 362.39326787043655, 173.8372779619116, 462.07832723852016, 39.97230240848439, 147.82255773924422,
       343.7791073567662, 53.07940446192613, 234.49336138900125, 93.77586174572366},
      {0.2, 90.59831696760914, 43.4593194904779, 115.51958180963004, 36.955639434811054, 0.2516851677465436,
       85.94477683919155, 13.41307707000578, 58.62334034725031, 23.443965436430915},
      {0.99, 18.302690296486695, 8.77966050312685, 23.33728925447072, 0.0038320723576345237, 1.5049944925256603e-21,
       17.362581179634656, 2.7175143997218085, 11.84309906005057, 4.736154633622407},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const double *want = rows[i];
    cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
    o.column_loss = want[0];
    o.tap_fraction = 0;
    const cuonn_energy_peak mvm = peak_of(&o, CUONN_OPERATION_MVM), gradient = peak_of(&o, CUONN_OPERATION_GRADIENT);
    double got[10] = {want[0], mvm.modes, mvm.tops_per_watt, light_of(&o).equal_modes};
    got[4] = cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt;
    o.n_modes = 256;
    got[5] = cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt;
    got[6] = gradient.modes;
    got[7] = gradient.tops_per_watt;
    o.bits = 8;
    o.detection = CUONN_DETECTION_DIRECT;
    got[8] = peak_of(&o, CUONN_OPERATION_MVM).modes;
    got[9] = peak_of(&o, CUONN_OPERATION_MVM).tops_per_watt;
    for (size_t k = 0; k < 10; k++) CLOSE(&got[k], &want[k], 1, .rel = 1e-11); /* exp(58) magnifies rounding */
  }
}

/* The closed form is the best of all whole N, also with heaters, taps and few examples. */
static void peak_is_the_best(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_CITED);
  o.column_loss = 0.11;
  o.batch = 2;
  for (int operation = 0; operation < CUONN_ENERGY_OPERATIONS; operation++) {
    const cuonn_energy_peak peak = peak_of(&o, (cuonn_energy_operation)operation);
    double best = 0;
    size_t at = 0;
    for (o.n_modes = 2; o.n_modes < 1000; o.n_modes++) {
      const double eta = cost_of(&o, (cuonn_energy_operation)operation).tops_per_watt;
      if (eta > best) best = eta, at = o.n_modes;
    }
    is_about((double)at, peak.modes, 1);
    assert_true(best <= peak.tops_per_watt && best > peak.tops_per_watt * 0.999);
  }
}

/* Where no light is enough, that is said, and nothing is NaN. */
static void undetectable_is_reported(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
  for (int i = 0; i < 2; i++) {
    if (i == 0) o.bits = 12;
    if (i == 1) o.bits = 6, o.column_loss = 100, o.n_modes = 16384; /* more decibels than numbers hold */
    const cuonn_energy_light light = light_of(&o);
    assert_true(light.detectable == (i == 1));
    assert_true(isinf(light.watts) && light.equal_modes >= 0);
    for (int operation = 0; operation < CUONN_ENERGY_OPERATIONS; operation++) {
      const cuonn_energy_cost c = cost_of(&o, (cuonn_energy_operation)operation);
      assert_true(isinf(c.joules) && isinf(c.watts) && isinf(c.part[CUONN_ENERGY_LASER]));
      assert_true(c.tops_per_watt == 0 && c.conversion_share == 0 && isfinite(c.seconds));
      const cuonn_energy_peak peak = peak_of(&o, (cuonn_energy_operation)operation);
      assert_true(i == 0 ? peak.tops_per_watt == 0 && peak.modes == 0 : peak.modes > 0);
    }
  }
}

/* ----------------------------------------------------------------------------------------- what dominates */

/* The study says that conversions and amplification dominate. At the defaults they do; where light or heaters count,
 * they do not. */
static void conversions_dominate_until_light_or_heaters_do(void **state) {
  (void)state;
  for (int operation = 0; operation < CUONN_ENERGY_OPERATIONS; operation++) {
    cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
    assert_true(cost_of(&o, (cuonn_energy_operation)operation).conversion_share > 0.9);
    size_t last[2] = {0, 0}; /* largest N at which they are more than half: without heaters, with */
    for (int heaters = 0; heaters < 2; heaters++) {
      o.holding_power = heaters ? 24.77 : 0;
      for (o.n_modes = 2; o.n_modes < 1000; o.n_modes++) {
        if (cost_of(&o, (cuonn_energy_operation)operation).conversion_share > 0.5) last[heaters] = o.n_modes;
      }
    }
    const bool gradient = operation == CUONN_OPERATION_GRADIENT;
    assert_int_equal(last[0], gradient ? 284 : 302);
    assert_int_equal(last[1], 3);
  }
}

/* What costs more, or less, when a value rises; each value moved by a tenth, at several sizes. */
static void more_never_costs_less(void **state) {
  (void)state;
#define FIELD(member) offsetof(cuonn_energy_options, member)
  static const struct {
    size_t field;
    bool cheaper;
  } fields[] = {
      {FIELD(dac), false},
      {FIELD(modulator), false},
      {FIELD(receiver), false},
      {FIELD(adc), false},
      {FIELD(mixer), false},
      {FIELD(tap), false},
      {FIELD(fixed_loss), false},
      {FIELD(column_loss), false},
      {FIELD(tap_fraction), false},
      {FIELD(holding_power), false},
      {FIELD(symbol_rate), true},
      {FIELD(amplifier_noise), false},
      {FIELD(wavelength), true},
      {FIELD(wall_plug_efficiency), true},
      {FIELD(detector_efficiency), true},
  };
  static const size_t modes[] = {2, 17, 64, 256};
  for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
    bool moved = false;
    for (size_t i = 0; i < 2 * 4 * CUONN_ENERGY_OPERATIONS; i++) {
      cuonn_energy_options o = preset(i % 2 ? CUONN_ENERGY_CITED : CUONN_ENERGY_DEFAULT);
      const cuonn_energy_operation operation = (cuonn_energy_operation)(i / 8);
      o.n_modes = modes[i / 2 % 4];
      double value;
      const double before = cost_of(&o, operation).joules;
      memcpy(&value, (char *)&o + fields[f].field, sizeof value);
      value *= 1.1;
      memcpy((char *)&o + fields[f].field, &value, sizeof value);
      const double after = cost_of(&o, operation).joules;
      assert_true(fields[f].cheaper ? after <= before : after >= before);
      moved |= after != before;
    }
    assert_true(moved);
  }
  cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
  double before = 0, seconds = 0;
  for (o.bits = 1; o.bits <= 8; o.bits++) { /* a finer signal needs more light */
    assert_true(cost_of(&o, CUONN_OPERATION_MVM).joules > before);
    before = cost_of(&o, CUONN_OPERATION_MVM).joules;
  }
  o.bits = 6;
  before = 0;
  for (o.converter_bits = 1; o.converter_bits <= CUONN_ENERGY_BITS_MAX; o.converter_bits++) {
    assert_true(cost_of(&o, CUONN_OPERATION_MVM).joules > before);
    before = cost_of(&o, CUONN_OPERATION_MVM).joules;
  }
  o.converter_bits = 8;
  double efficiency = 0;
  for (o.batch = 1; o.batch < 300; o.batch++) { /* the taps' readout is shared by ever more examples */
    const cuonn_energy_cost c = cost_of(&o, CUONN_OPERATION_GRADIENT);
    assert_true(c.tops_per_watt > efficiency && c.seconds > seconds);
    efficiency = c.tops_per_watt;
    seconds = c.seconds;
  }
}

/* ------------------------------------------------------------------------------------------------- networks */

static const cuonn_network_shape shape = {4, 3, 4, CUONN_STYLE_TOP, true};
static const cuonn_training_options training = {.epochs = 1, .batch_size = 10, .drop_last = true};

/* All times so different that each is seen by itself; light of 4 modes takes t_el + 4 x 0.3 mm x 4.2 / c. */
static cuonn_energy_options timed(void) {
  cuonn_energy_options o = plain();
  o.programming_time = 1e3; /* 1 ms */
  o.tap_rate = 1e-3;        /* 1 ms a readout: 2 x 16 by 4 converters is 8 ms */
  o.write_converters = 5;
  o.write_rate = 1e-4;          /* 10 ms a phase: 16 by 5 is 4, 40 ms */
  o.optimizer_time = 1e10 / 10; /* 1 s */
  o.digital_time = 1e8;         /* 0.1 s */
  o.nonlinearity_time = 1e4;
  o.programming_energy = 1e3;
  o.digital_energy = 5e6;
  return o;
}

static const double kFill = 1e-9 + 4 * 0.3e-3 * 4.2 / 299792458, kSymbols = 9 / 1e10;

static cuonn_energy_network network_of(const cuonn_energy_options *o, const cuonn_training_options *t,
                                       size_t examples) {
  cuonn_energy_network network;
  OK(cuonn_energy_network_cost(&network, o, &shape, t, examples));
  return network;
}

static void step_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = timed(), mesh = o;
  mesh.n_modes = 4;
  mesh.batch = 10;
  const cuonn_energy_cost gradient = cost_of(&mesh, CUONN_OPERATION_GRADIENT);
  cuonn_energy_network n = network_of(&o, &training, 100);
  is(n.step.joules, 3 * gradient.joules + 1e-9 * 3 * 16 + 5e-6);
  is(n.step.part[CUONN_ENERGY_PROGRAMMING], 1e-9 * 48);
  is(n.step.part[CUONN_ENERGY_DIGITAL], 5e-6);
  is(n.step.operations, 3 * 6 * 16 * 10);
  is(n.step.seconds, 9 * (kFill + kSymbols) + 7 * 0.1 + 8e-3 + 1 + 40e-3 + 1e-3);
  is(n.step.watts, n.step.joules / n.step.seconds);
  is(n.balance_batch, 1e10 * (8e-3 + 40e-3 + 1e-3) / 9);

  o.dataflow = CUONN_DATAFLOW_STREAMING; /* 2 [3 (fill + t_nl) + 9 symbols] + [fill + 9 symbols], and the loss */
  n = network_of(&o, &training, 100);
  is(n.step.seconds, 2 * (3 * (kFill + 1e-5) + kSymbols) + kFill + kSymbols + 0.1 + 8e-3 + 1 + 40e-3 + 1e-3);
  is(n.step.part[CUONN_ENERGY_PROGRAMMING], 1e-9 * 48);

  o.dataflow = CUONN_DATAFLOW_REUSED; /* 2 L - 1 = 5 times another layer's phases, and each layer's taps read */
  n = network_of(&o, &training, 100);
  is(n.step.seconds, 9 * (kFill + kSymbols) + 7 * 0.1 + 3 * 8e-3 + 1 + 5 * (40e-3 + 1e-3));
  is(n.step.part[CUONN_ENERGY_PROGRAMMING], 1e-9 * 5 * 16);
  is(n.balance_batch, 1e10 * (3 * 8e-3 + 5 * 41e-3) / 9);

  o.write_rate = 0; /* not known: left out */
  is(network_of(&o, &training, 100).step.seconds, n.step.seconds - 5 * 40e-3);
}

static void inference_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = timed();
  const double pass = 4 * 2 * 1111e-12;
  cuonn_energy_cost c = network_of(&o, &training, 100).inference;
  is(c.joules, 3 * pass);
  is(c.seconds, 3 * (kFill + 0.1));
  is(c.operations, 3 * 6 * 16);
  o.dataflow = CUONN_DATAFLOW_STREAMING;
  c = network_of(&o, &training, 100).inference;
  is(c.seconds, 3 * (kFill + 1e-5));
  o.dataflow = CUONN_DATAFLOW_REUSED;
  c = network_of(&o, &training, 100).inference;
  is(c.seconds, 3 * (kFill + 0.1 + 41e-3));
  is(c.joules, 3 * (pass + 1e-9 * 16));
}

static void epoch_by_hand(void **state) {
  (void)state;
  const cuonn_energy_options o = timed();
  cuonn_training_options t = training;
  cuonn_energy_network n = network_of(&o, &t, 47);
  is(n.epoch.joules, 4 * n.step.joules);
  is(n.epoch.seconds, 4 * n.step.seconds);
  t.drop_last = false; /* a step of 7 */
  cuonn_training_options last = training;
  last.batch_size = 7;
  const cuonn_energy_cost partial = network_of(&o, &last, 7).step;
  n = network_of(&o, &t, 47);
  is(n.epoch.joules, 4 * n.step.joules + partial.joules);
  is(n.epoch.seconds, 4 * n.step.seconds + partial.seconds);
  is(n.epoch.operations, 3 * 6 * 16 * 47);
  n = network_of(&o, &t, 7); /* nothing but a partial batch */
  is(n.epoch.joules, partial.joules);
}

static void gpu_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = timed();
  assert_true(network_of(&o, &training, 100).gpu_seconds == 0);
  o.gpu = (cuonn_energy_gpu){.rate = 1e-3, .use = 0.5, .launches = 10, .launch_time = 5, .power = 300};
  const double flops = 3 * 8 * 3 * 16 * 10; /* 1e9 a second, half of them used */
  cuonn_energy_network n = network_of(&o, &training, 100);
  is(n.gpu_seconds, 50e-6 + flops / 0.5e9);
  is(n.gpu_joules, 300 * (50e-6 + flops / 0.5e9));
  o.gpu.traffic = 1e6;
  is(network_of(&o, &training, 100).gpu_seconds, n.gpu_seconds); /* no bandwidth: traffic is left out */
  o.gpu.bandwidth = 10;
  is(network_of(&o, &training, 100).gpu_seconds, 50e-6 + 1e-4);
}

/* ------------------------------------------------------------------------------------------------- refusals */

static void bad_values_are_refused(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
  cuonn_energy_cost cost;
  cuonn_energy_light light;
  cuonn_energy_peak peak;
  cuonn_energy_network network;
#define BAD(member, value, text)                                                                  \
  do {                                                                                            \
    o = preset(CUONN_ENERGY_DEFAULT);                                                             \
    o.member = (value);                                                                           \
    REFUSED(cuonn_energy_operation_cost(&cost, &o, CUONN_OPERATION_MVM), CUONN_E_ARGUMENT, text); \
    REFUSED(cuonn_energy_light_cost(&light, &o), CUONN_E_ARGUMENT, text);                         \
    REFUSED(cuonn_energy_operation_peak(&peak, &o, CUONN_OPERATION_MVM), CUONN_E_ARGUMENT, text); \
  } while (0)
  BAD(dac, 0, "energy.dac is 0 pJ; it must be above 0 to 1e+06 pJ");
  BAD(adc, -1, "energy.adc is -1 pJ");
  BAD(receiver, NAN, "energy.receiver is ");
  BAD(column_loss, -0.1, "energy.column_loss is -0.1 dB; it must be 0 to 100 dB");
  BAD(tap_fraction, 1, "energy.tap_fraction");
  BAD(wall_plug_efficiency, 1.1, "energy.wall_plug_efficiency");
  BAD(symbol_rate, INFINITY, "energy.symbol_rate");
  BAD(bits, 0, "energy.bits is 0; it must be 1 to 16");
  BAD(converter_bits, 17, "energy.converter_bits is 17");
  BAD(n_modes, 1, "energy.modes is 1; it must be 2 to 16384");
  BAD(n_modes, 16385, "energy.modes");
  BAD(batch, 0, "energy.batch is 0");
  BAD(dataflow, (cuonn_energy_dataflow)3, "energy.dataflow");
  o = preset(CUONN_ENERGY_DEFAULT);
  REFUSED(cuonn_energy_operation_cost(&cost, &o, (cuonn_energy_operation)3), CUONN_E_ARGUMENT, "no energy operation 3");
  REFUSED(cuonn_energy_operation_peak(&peak, &o, (cuonn_energy_operation)3), CUONN_E_ARGUMENT, "no energy operation 3");
  REFUSED(cuonn_energy_network_cost(&network, &o, &shape, &training, 9), CUONN_E_ARGUMENT, "9 examples make no step");
  cuonn_network_shape bad = shape;
  bad.n_layers = 0;
  REFUSED(cuonn_energy_network_cost(&network, &o, &bad, &training, 100), CUONN_E_ARGUMENT, "1 to 1024 layers, not 0");
  bad = shape;
  bad.n_modes = 1;
  REFUSED(cuonn_energy_network_cost(&network, &o, &bad, &training, 100), CUONN_E_ARGUMENT, "energy.modes is 1");
  assert_null(cuonn_energy_part_name((cuonn_energy_part)CUONN_ENERGY_PARTS));
  assert_string_equal(cuonn_energy_part_name(CUONN_ENERGY_DIGITAL), "digital");
  assert_string_equal(cuonn_energy_operation_name(CUONN_OPERATION_GRADIENT), "gradient");
}

static void grid_without_axes_is_refused(void **state) {
  (void)state;
  const double value = 4;
  const cuonn_energy_axis axis = {"modes", "waveguides", "Waveguides", &value, 1};
  const cuonn_energy_axis axes[CUONN_ENERGY_AXES_MAX + 1] = {axis, axis, axis, axis, axis};
  cuonn_energy_point point = {0};
  REFUSED(cuonn_energy_write("none.nc", axes, 0, &point, ""), CUONN_E_ARGUMENT,
          "none.nc: a grid has 1 to 4 axes, not 0");
  REFUSED(cuonn_energy_write("none.nc", axes, 5, &point, ""), CUONN_E_ARGUMENT,
          "none.nc: a grid has 1 to 4 axes, not 5");
}

/* What evaluation gives for N = 4 and 300, and light that does not reach, written and read back. */
static void grid_is_read_back(void **state) {
  (void)state;
  const double values[] = {4, 300};
  const cuonn_energy_axis axis = {"modes", "waveguides", "Waveguides", values, 2};
  cuonn_energy_point points[2], *got;
  double *modes;
  size_t count;
  for (size_t i = 0; i < 2; i++) {
    cuonn_energy_options o;
    cuonn_energy_options_init(&o, CUONN_ENERGY_DEFAULT);
    o.n_modes = (size_t)values[i];
    o.bits = i == 0 ? 6 : 12;
    OK(cuonn_energy_evaluate(&points[i], &o));
  }
  assert_false(points[1].light.detectable);
  OK(cuonn_energy_write("grid.nc", &axis, 1, points, ""));
  OK(cuonn_energy_read(&modes, &got, &count, "grid.nc"));
  assert_int_equal(count, 2);
  assert_memory_equal(modes, values, sizeof values);
  for (size_t i = 0; i < CUONN_ENERGY_OPERATIONS; i++) {
    const cuonn_energy_cost *const a = &points[0].cost[i], *const b = &got[0].cost[i], *const dark = &got[1].cost[i];
    assert_memory_equal(a->part, b->part, CUONN_ENERGY_PROGRAMMING * sizeof *a->part);
    assert_true(a->joules == b->joules && a->tops_per_watt == b->tops_per_watt && a->seconds == b->seconds);
    assert_true(points[0].peak[i].modes == got[0].peak[i].modes);
    assert_true(isnan(dark->joules) && isnan(dark->part[CUONN_ENERGY_LASER]) && dark->part[CUONN_ENERGY_DAC] > 0);
  }
  free(modes);
  free(got);

  int file, id; /* in other units */
  foreign_turn("units.nc", "grid.nc", 0);
  NC(nc_open("units.nc", NC_WRITE, &file));
  NC(nc_redef(file));
  NC(nc_inq_varid(file, "mvm_joules", &id));
  NC(nc_put_att_text(file, id, "units", 2, "pJ"));
  NC(nc_inq_varid(file, "mvm_tops_per_watt", &id));
  NC(nc_put_att_text(file, id, "units", 6, "GOPS/W"));
  NC(nc_inq_varid(file, "mvm_seconds", &id));
  NC(nc_put_att_text(file, id, "units", 2, "min"));
  NC(nc_close(file));
  REFUSED(cuonn_energy_read(&modes, &got, &count, "units.nc"), CUONN_E_DATA,
          "units.nc: mvm_seconds has the units \"mi\"; known are s with a prefix");
  NC(nc_open("units.nc", NC_WRITE, &file));
  NC(nc_redef(file));
  NC(nc_put_att_text(file, id, "units", 2, "ms"));
  NC(nc_close(file));
  OK(cuonn_energy_read(&modes, &got, &count, "units.nc"));
  const cuonn_energy_cost *const ours = &points[0].cost[0], *const converted = &got[0].cost[0];
  CLOSE(&converted->joules, &(double){ours->joules * 1e-12}, 1, .rel = 1e-15); /* one rounding of a product */
  CLOSE(&converted->tops_per_watt, &(double){ours->tops_per_watt * 1e-3}, 1, .rel = 1e-15);
  CLOSE(&converted->seconds, &(double){ours->seconds * 1e-3}, 1, .rel = 1e-15);
  free(modes);
  free(got);

  const cuonn_energy_axis two[] = {axis, {"batch", "examples", "Examples", values, 1}};
  OK(cuonn_energy_write("two.nc", two, 2, points, ""));
  REFUSED(cuonn_energy_read(&modes, &got, &count, "two.nc"), CUONN_E_DATA,
          "only a grid over energy.modes alone can be read: two.nc: mvm_joules has 2 dimensions");
  OK(cuonn_energy_write("batch.nc", two + 1, 1, points, ""));
  REFUSED(cuonn_energy_read(&modes, &got, &count, "batch.nc"), CUONN_E_DATA, "batch.nc: is no grid over energy.modes");
  assert_null(modes);
}

/* ------------------------------------------------------------------------------------------- noise and its price */

static void noise_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
  o.detector_efficiency = 0.5;
  o.tap_fraction = 0.01;
  is(cuonn_energy_tap_photons(&o, 0.1, 1), 20000); /* 1 / (.5 x .01 x .01) */
  is(cuonn_energy_tap_photons(&o, 0.1, 100), 200);
  is(cuonn_energy_tap_photons(&o, 0.2, 1), 5000);
  assert_true(isinf(cuonn_energy_tap_photons(&o, 0, 100)));
  is(cuonn_energy_noise_bits(1 / (8 * sqrt(3))), 3); /* a step of 2 / 2^3 over sqrt(12) */
  is_about(cuonn_energy_noise_bits(0.05), 3.529, 1e-3);
  is_about(cuonn_energy_noise_bits(0.025), 4.529, 1e-3);
  assert_true(isinf(cuonn_energy_noise_bits(0)));
}

static void components_meet_the_noise(void **state) {
  (void)state;
  const cuonn_energy_options base = preset(CUONN_ENERGY_DEFAULT);
  cuonn_energy_options o = base;
  /* 1 / (.8 x .003 x 1e-4 x 64 modes) = 65104 photons a mode, more than 4 bits of direct detection need. */
  o.detection = CUONN_DETECTION_DIRECT;
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0.01, 0.05, 0.06, 1}));
  assert_int_equal(o.converter_bits, 4);
  assert_int_equal(o.bits, 4);
  is_about(light_of(&o).photons, 65104, 1);
  /* Of the two readings the better one decides; where one of them has no noise, the components stay. */
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0.01, 0.05, 0.025, 1e6}));
  assert_int_equal(o.bits, 5);
  const double photons = light_of(&o).photons;
  o.least_photons = 0;
  is(light_of(&o).photons, photons); /* a long integration leaves the decision to the bits */
  o = base;
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0.01, 0.05, 0, 128}));
  assert_int_equal(o.converter_bits, base.converter_bits);
  assert_int_equal(o.bits, base.bits);
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0.01, 2, 2, 128}));
  assert_int_equal(o.bits, 1);
  /* Without noise at the taps no light is enough: it costs everything. */
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0, 0.05, 0.05, 128}));
  assert_true(isinf(light_of(&o).watts));
  is(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 0);
  /* More noise never costs more. */
  double last = INFINITY;
  for (double tap = 1e-4; tap < 1; tap *= 2) {
    OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){tap, 0.05, 0.05, 1}));
    assert_true(light_of(&o).watts <= last);
    last = light_of(&o).watts;
  }
  REFUSED(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){-1, 0, 0, 1}), CUONN_E_ARGUMENT, "tap_shot is -1");
  REFUSED(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0, NAN, 0, 1}), CUONN_E_ARGUMENT, "io_amplitude is");
  REFUSED(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0, 0, INFINITY, 1}), CUONN_E_ARGUMENT, "io_phase is inf");
  REFUSED(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0, 0, 0, 0}), CUONN_E_ARGUMENT, "symbols are 0");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mvm_by_hand),
      cmocka_unit_test(gradient_by_hand),
      cmocka_unit_test(converters_scale_with_bits),
      cmocka_unit_test(holding_by_hand),
      cmocka_unit_test(identities),
      cmocka_unit_test(photons_by_hand),
      cmocka_unit_test(laser_by_hand),
      cmocka_unit_test(peaks_by_hand),
      cmocka_unit_test(peak_is_the_best),
      cmocka_unit_test(undetectable_is_reported),
      cmocka_unit_test(conversions_dominate_until_light_or_heaters_do),
      cmocka_unit_test(more_never_costs_less),
      cmocka_unit_test(step_by_hand),
      cmocka_unit_test(inference_by_hand),
      cmocka_unit_test(epoch_by_hand),
      cmocka_unit_test(gpu_by_hand),
      cmocka_unit_test(bad_values_are_refused),
      cmocka_unit_test(grid_without_axes_is_refused),
      cmocka_unit_test(grid_is_read_back),
      cmocka_unit_test(noise_by_hand),
      cmocka_unit_test(components_meet_the_noise),
  };
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
