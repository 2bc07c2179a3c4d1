/* The energy model: every equation by hand, its identities, what must never make anything cheaper, what is refused.
 * Expected numbers were computed apart, with SciPy's Lambert W; 1e-12 is rounding over some tens of operations. */
#include <stdlib.h>
#include <string.h>

#include "cuonn/compute.h"
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

/* Components whose energies are far apart, so that each is seen by itself: N = 3, M = 5, the study's three passes. */
static cuonn_energy_options plain(void) {
  cuonn_energy_options o = preset(CUONN_ENERGY_FIGURE);
  o.modulator_static = o.detector_bias = 0;
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
  o.tap_reading = CUONN_TAPS_EXAMPLE; /* five examples, five readouts, each of which takes 4 converters 5 us */
  c = cost_of(&o, CUONN_OPERATION_GRADIENT);
  is(c.part[CUONN_ENERGY_TAP], 90e5 * 1e-12);
  is(c.seconds, 3 * pass + 7e-9 + 25e-6);
}

/* Each scheme's passes by hand, from the table in docs/energy.md: 30 pJ of DACs a time that five vectors are sent to
 * three modes of two channels, 30000 pJ of ADCs a time that they are read, 3e5 pJ of mixers, 9e5 pJ a readout of nine
 * taps. */
static void schemes_by_hand(void **state) {
  (void)state;
  static const struct {
    cuonn_energy_scheme scheme;
    double passes, sends, reads, light, mixes, readouts;
  } rows[] = {{CUONN_SCHEME_ANALOG, 4, 4, 2, 6, 2, 2},
              {CUONN_SCHEME_SWITCHED, 3, 4, 2, 6, 0, 1},
              {CUONN_SCHEME_DIGITAL, 3, 3, 2, 4, 1, 3},
              {CUONN_SCHEME_STUDY, 3, 3, 3, 4, 1, 2}};
  const double fill = 1e-9 + 3 * 0.3e-3 * 4.2 / 299792458;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    cuonn_energy_options o = plain();
    o.scheme = rows[i].scheme;
    cuonn_energy_cost c = cost_of(&o, CUONN_OPERATION_GRADIENT);
    is(c.part[CUONN_ENERGY_DAC], rows[i].sends * 30e-12);
    is(c.part[CUONN_ENERGY_MODULATOR], rows[i].sends * 300e-12);
    is(c.part[CUONN_ENERGY_RECEIVER], rows[i].reads * 3000e-12);
    is(c.part[CUONN_ENERGY_ADC], rows[i].reads * 30000e-12);
    is(c.part[CUONN_ENERGY_MIXER], rows[i].mixes * 3e5 * 1e-12);
    is(c.part[CUONN_ENERGY_TAP], rows[i].readouts * 9e5 * 1e-12);
    is(c.watts, c.joules / (5 * rows[i].passes) * 1e10);
    is(c.seconds, rows[i].passes * (fill + 4 / 1e10) + rows[i].readouts * 3e-6);
    o.laser = true;
    c = cost_of(&o, CUONN_OPERATION_GRADIENT);
    is(c.part[CUONN_ENERGY_LASER], rows[i].light * cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_LASER]);

    /* Held for 7 symbols where taps are read: the last two passes, the last, all three, the last. */
    o.held_symbols = 7;
    o.modulator_static = 1;
    o.detector_bias = 2;
    o.holding = CUONN_HOLDING_CONSTANT;
    o.holding_power = 3;
    const double symbols[] = {1 + 1 + 7 + 7, 1 + 1 + 7, 3 * 7, 1 + 1 + 7};
    const double sent[] = {1 + 1 + 7 + 7, 1 + 1 + 2 * 7, 3 * 7, 1 + 1 + 7}, read[] = {2, 2, 2 * 7, 1 + 1 + 7};
    const double light[] = {1 + 1 + 2 * 7 + 2 * 7, 1 + 1 + 4 * 7, 7 + 7 + 2 * 7, 1 + 1 + 2 * 7};
    const double one = cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_LASER];
    c = cost_of(&o, CUONN_OPERATION_GRADIENT);
    is(c.part[CUONN_ENERGY_LASER], light[i] * one);
    is(c.part[CUONN_ENERGY_DAC], rows[i].sends * 30e-12); /* converted once */
    is(c.part[CUONN_ENERGY_MODULATOR], rows[i].sends * 300e-12 + sent[i] * 30 * 1e-3 / 1e10);
    is(c.part[CUONN_ENERGY_RECEIVER], rows[i].reads * 3000e-12 + read[i] * 30 * 2 * 2e-3 / 1e10);
    is(c.part[CUONN_ENERGY_HOLDING], symbols[i] * 5 * 9 * 3e-3 / 1e10);
    is(c.seconds, rows[i].passes * (fill - 1e-10) + symbols[i] * 5 / 1e10 + rows[i].readouts * 3e-6);
  }
  assert_string_equal(cuonn_energy_scheme_name(CUONN_SCHEME_SWITCHED), "analog-switched");
  assert_null(cuonn_energy_scheme_name((cuonn_energy_scheme)4));
}

/* Three N of unit vectors in place of M examples, and three products of M N^2 elements. */
static void measured_matrix_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = plain();
  o.scheme = CUONN_SCHEME_ANALOG;
  o.measurement = CUONN_MEASUREMENT_MATRIX;
  o.product_energy = 1e6;
  const cuonn_energy_cost c = cost_of(&o, CUONN_OPERATION_GRADIENT);
  is(c.part[CUONN_ENERGY_DAC], 4 * 3 * 3 * 2 * 1e-12);
  is(c.part[CUONN_ENERGY_ADC], 2 * 3 * 3 * 2 * 1000e-12);
  is(c.part[CUONN_ENERGY_DIGITAL], 3 * 5 * 9 * 1e6 * 1e-12);
  is(c.operations, 270); /* the gradient is that of five examples */
  is(c.seconds, 4 * (1e-9 + 3 * 0.3e-3 * 4.2 / 299792458 + 2 / 1e10) + 6e-6);
  is(cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_DAC], 30e-12); /* an inference sends examples */
  assert_true(peak_of(&o, CUONN_OPERATION_GRADIENT).modes == 0);
  o.laser = true;
  o.column_loss = 0.01;
  double last = peak_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt;
  for (o.n_modes = 2; o.n_modes < 100; o.n_modes += 7) { /* a larger mesh is never better */
    const double eta = cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt;
    assert_true(eta < last);
    last = eta;
  }
  o.tap_reading = CUONN_TAPS_EXAMPLE;
  o.n_modes = 3;
  is(cost_of(&o, CUONN_OPERATION_GRADIENT).part[CUONN_ENERGY_TAP], 3 * 18e5 * 1e-12); /* for each unit vector */
}

/* What is costed is what is trained. */
static void training_decides_the_scheme(void **state) {
  (void)state;
  static const cuonn_energy_scheme analog[] = {CUONN_SCHEME_ANALOG, CUONN_SCHEME_SWITCHED, CUONN_SCHEME_ANALOG,
                                               CUONN_SCHEME_STUDY}; /* from each scheme */
  for (int scheme = 0; scheme <= CUONN_SCHEME_STUDY; scheme++) {
    cuonn_training_options t = {.gradient = CUONN_GRADIENT_ANALOG};
    cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
    o.scheme = (cuonn_energy_scheme)scheme;
    cuonn_energy_follow_training(&o, &t);
    assert_true(o.scheme == analog[scheme] && o.measurement == CUONN_MEASUREMENT_EXAMPLE);
    t.chip.measurement = CUONN_MEASUREMENT_MATRIX;
    t.gradient = CUONN_GRADIENT_EXACT;
    cuonn_energy_follow_training(&o, &t);
    assert_true(o.scheme == analog[scheme] && o.measurement == CUONN_MEASUREMENT_EXAMPLE);
    t.gradient = CUONN_GRADIENT_DIGITAL;
    cuonn_energy_follow_training(&o, &t);
    assert_true(o.scheme == CUONN_SCHEME_DIGITAL && o.measurement == CUONN_MEASUREMENT_MATRIX);
  }
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
  o.holding = CUONN_HOLDING_CONSTANT;
  is(cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_HOLDING], 5 * 9 * 20e-3 / 1e10);
  is(cost_of(&o, CUONN_OPERATION_GRADIENT).part[CUONN_ENERGY_HOLDING], 3 * 5 * 9 * 20e-3 / 1e10);
  o.holding = CUONN_HOLDING_HEATER; /* a third of a half turn */
  o.phases_known = true;
  o.mean_phase = M_PI / 3;
  is(cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_HOLDING], 5 * 9 * 20e-3 / 3 / 1e10);
  o.mean_phase = 0; /* heaters that are all off */
  is(cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_HOLDING], 0);
  /* However large the mesh, K f_s / P_hold is the ceiling, and heaters of Haar-random phases have that of half their
   * power for pi: 4.8 TOPS/W with 24.77 mW. */
  o = preset(CUONN_ENERGY_FIGURE);
  o.n_modes = 16384;
  const double power[] = {24.77, 5.6, 1e-3}, ceiling[] = {2.422, 10.71, 6e4};
  for (size_t i = 0; i < 6; i++) {
    const bool heater = i >= 3;
    o.holding = heater ? CUONN_HOLDING_HEATER : CUONN_HOLDING_CONSTANT;
    o.holding_power = power[i % 3];
    const double most = peak_of(&o, CUONN_OPERATION_MVM).tops_per_watt;
    is(most, (heater ? 2 : 1) * 6 * 1e10 / (power[i % 3] * 1e-3) * 1e-12);
    is_about(most, (heater ? 2 : 1) * ceiling[i % 3], 2e-3 * ceiling[i % 3]);
    assert_true(cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt < most);
  }
}

/* Mean phases of Haar-random unitaries: the sum over nodes of SciPy's integrals of their law at N = 64 and 256, and the
 * mean of cuonn_mesh_haar_exponent()'s laws, node by node, at small N: the mean of theta at exponent k is pi C(2k, k) /
 * 4^k. */
static void haar_phases_have_their_mean(void **state) {
  (void)state;
  is_about(2 * cuonn_energy_haar_phase(64) - M_PI, 0.5039716931099866, 1e-11);
  is_about(2 * cuonn_energy_haar_phase(256) - M_PI, 0.27236167698282954, 1e-11);
  for (size_t n = 2; n < 12; n++) {
    double sum = 0;
    for (size_t node = 0; node < cuonn_mesh_nodes(n); node++) {
      double mean = M_PI;
      for (size_t k = 1; k <= cuonn_mesh_haar_exponent(n, node); k++) mean *= (2 * (double)k - 1) / (2 * (double)k);
      sum += mean;
    }
    is_about(cuonn_energy_haar_phase((double)n), (sum / (double)cuonn_mesh_nodes(n) + M_PI) / 2, 1e-12);
  }
  /* The study's figure with heaters of 24.77 mW: what phases of pi and Haar-random ones give at N = 256, without
   * light. */
  cuonn_energy_options o = preset(CUONN_ENERGY_FIGURE);
  o.n_modes = 256;
  o.holding_power = 24.77;
  is_about(cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt, 4.339114188826378, 1e-9);
  o.holding = CUONN_HOLDING_CONSTANT;
  is_about(cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt, 2.3867312658688107, 1e-9);
}

/* Phases of a network as heaters hold them: each arm's in [0, 2 pi), by hand. */
static void network_phases_have_their_mean(void **state) {
  (void)state;
  /* One node, theta = 7 and phi = -1: 7 - 2 pi and 2 pi - 1 in one arm; theta / 2 = 3.5 and -3.5 are a turn
   * together. */
  const double turn = 2 * M_PI;
  const double want[] = {(7 - turn + turn - 1) / 2, (7 - turn + turn - 1) / 2, (turn + 2 * (turn - 1)) / 2, turn};
  for (int style = 0; style < 4; style++) {
    const cuonn_network_shape one = CUONN_NETWORK_SHAPE_OF(2, 1, 2, (cuonn_phase_style)style, true, NULL);
    cuonn_network network;
    OK(cuonn_network_create(&network, &one));
    is(cuonn_energy_mean_phase(&network), 0);
    network.layers[0].theta[0] = 7;
    network.layers[0].phi[0] = -1;
    network.layers[0].gamma[0] = 5; /* moves no power that is read */
    is(cuonn_energy_mean_phase(&network), want[style]);
    network.layers[0].theta[0] = -1e-20; /* less than a turn's rounding below 0 is 0 */
    network.layers[0].phi[0] = 4 * M_PI;
    is_about(cuonn_energy_mean_phase(&network), 0, 1e-20);
    cuonn_network_free(&network);
  }
  /* Phases that are drawn by the Haar law have its mean: 4032 phases, deviations of 1.8 of phi and .5 of theta. */
  const cuonn_network_shape large = CUONN_NETWORK_SHAPE_OF(64, 1, 10, CUONN_STYLE_TOP, true, NULL);
  cuonn_network network;
  OK(cuonn_network_create(&network, &large));
  OK(cuonn_network_initialize(&network, CUONN_START_HAAR_PHASES, 1));
  is_about(cuonn_energy_mean_phase(&network), cuonn_energy_haar_phase(64), 4 * 1.8 / 2 / sqrt(2016));
  cuonn_network_free(&network);
}

/* What the figure's two closed forms are, at any N and M. */
static void identities(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_FIGURE);
  const double e_io = 2 * (2.211 + 0.042 + 0.12 + 0.65 + 0.22 + 1.48), e_g = 3 * e_io + 2 * 0.017, e_t = 2 * 0.103;
  is(e_io, 9.446);
  is(e_g, 28.372);
  const size_t modes[] = {2, 64, 257}, batches[] = {1, 17, 255};
  for (size_t i = 0; i < 9; i++) {
    o.n_modes = modes[i / 3];
    o.batch = batches[i % 3];
    const double n = (double)o.n_modes, m = (double)o.batch;
    is(cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt, 6 * n / e_io);
    is(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 6 / (e_g / n + e_t / m));
    o.tap_reading = CUONN_TAPS_EXAMPLE;
    is(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 6 / (e_g / n + e_t));
    assert_true(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt < 6 / e_t); /* 29.1 TOPS/W */
    is(peak_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 6 / e_t);
    o.scheme = CUONN_SCHEME_DIGITAL; /* reads three powers: 19.4 TOPS/W */
    is(peak_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 6 / (3 * 0.103));
    o.tap_reading = CUONN_TAPS_BATCH; /* (37) is linear: three sums over the batch */
    is(peak_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 6 / (3 * 0.103 / m));
    o.scheme = CUONN_SCHEME_STUDY;
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
  is(light.column_loss, 0.05 + 0.026096833766885624 / 2);
  is(light.symbol_energy, 1.7457988966962445e-13);
  is(light.watts, 64 * 1.7457988966962445e-13 * 1e10);
  is(cost_of(&o, CUONN_OPERATION_MVM).part[CUONN_ENERGY_LASER], 128 * 64 * 1.7457988966962445e-13);
  is(cost_of(&o, CUONN_OPERATION_GRADIENT).part[CUONN_ENERGY_LASER], 6 * 128 * 64 * 1.7457988966962445e-13);
  is(cost_of(&o, CUONN_OPERATION_MVM).tops_per_watt, 39.91443389107252);
  o.column_loss = 0; /* the taps alone */
  o.tap_fraction = 0.01;
  is(light_of(&o).column_loss, 0.08729610804900176 / 2);
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
      {0.05, 366.2011102388986, 176.2396822378735, 467.07832723852016, 39.994793128478044, 148.52680684638273,
       321.9153453990409, 48.274856223280175, 236.35692244303547, 97.22394931436274},
      {0.2, 91.55027755972465, 44.059920559468374, 116.76958180963004, 37.13170171159568, 0.26657383742162943,
       80.47883634976023, 12.187069307610333, 59.08923061075887, 24.305987328590685},
      {0.99, 18.495005567621142, 8.900994052417856, 23.589814506995967, 0.004059114093778764, 1.59417102257912e-21,
       16.25835077772934, 2.468473310141595, 11.937218305203812, 4.910300470422361},
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

/* A Haar-random mesh of our own simulator whose shifters lose what a tap takes: N = 64, .3 %, that is .01305 dB each.
 * The mean power of its outputs is what the model's taps leave; the mesh has no shifters at its outputs, the model has
 * (N of N^2), and light that meets fewer shifters weighs more in the mean: together 2 %. An independent program gives
 * .818 dB. */
static void mesh_loses_what_the_model_says(void **state) {
  (void)state;
  enum { kModes = 64 };
  cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
  o.column_loss = 0;
  const double tap = -10 * log10(1 - o.tap_fraction), model = kModes * light_of(&o).column_loss;
  cuonn_context *context;
  cuonn_mesh mesh;
  double *const matrix = calloc(2 * kModes * kModes, sizeof *matrix);
  OK(cuonn_context_create(&context, "reference", 1));
  for (int style = CUONN_STYLE_TOP; style <= CUONN_STYLE_BOTTOM; style++) {
    OK(cuonn_mesh_create(&mesh, kModes, (cuonn_phase_style)style));
    OK(cuonn_mesh_randomize(&mesh, 5, 0));
    for (size_t k = 0; k < 2 * cuonn_mesh_nodes(kModes); k++) mesh.loss_db[k] = tap;
    OK(cuonn_matrix(matrix, context, &mesh));
    double power = 0;
    for (size_t i = 0; i < 2 * kModes * kModes; i++) power += matrix[i] * matrix[i] / kModes;
    const double lost = -10 * log10(power);
    is_about(lost, 0.818, 3e-3);
    CLOSE(&model, &lost, 1, .rel = 0.025);
    cuonn_mesh_free(&mesh);
  }
  free(matrix);
  cuonn_context_free(context);
}

/* Each set is of one modulator, and of published values: see the table in docs/energy.md. */
static void components_are_of_one_modulator(void **state) {
  (void)state;
  static const double couplers = 1.8;
  /* pJ a channel at 10 GS/s: 50 mW / 14 GS/s, drive, statics / f_s, amplifier, two photodiodes, ADC */
  static const double send[] = {2.211 + 0.042 + 0.12, 3.571 + 0.042 + 0.12, 3.571 + 0.45};
  static const double read[] = {0.65 + 0.22 + 1.48, 0.3 + 0.22 + 1.48, 0.3 + 0.22 + 1.48}, loss[] = {0.95, 0.95, 1.2};
  for (int set = 0; set <= CUONN_COMPONENTS_MZM; set++) {
    cuonn_energy_options o = preset(CUONN_ENERGY_FIGURE);
    cuonn_energy_use_components(&o, (cuonn_energy_components)set);
    is(o.fixed_loss, loss[set] + couplers);
    is(cost_of(&o, CUONN_OPERATION_MVM).joules, 128 * 64 * 2 * (send[set] + read[set]) * 1e-12);
    o.scheme = CUONN_SCHEME_ANALOG;
    const double gradient = 2 * (4 * send[set] + 2 * read[set] + 2 * 0.017) * 128 * 64 + 2 * 0.103 * 64 * 64;
    is(cost_of(&o, CUONN_OPERATION_GRADIENT).joules, gradient * 1e-12);
    o.detection = CUONN_DETECTION_DIRECT; /* one photodiode a channel */
    is(cost_of(&o, CUONN_OPERATION_MVM).joules, 128 * 64 * 2 * (send[set] + read[set] - 0.11) * 1e-12);
    o.symbol_rate = 5; /* statics last twice as long */
    const double statics = 0.22 + (set == CUONN_COMPONENTS_MZM ? 0 : 0.12) - 0.11;
    is(cost_of(&o, CUONN_OPERATION_MVM).joules, 128 * 64 * 2 * (send[set] + read[set] - 0.11 + statics) * 1e-12);
  }
  is(send[0] + read[0], 4.723); /* the study's figure */
}

/* What one tap too many on a path cost, and what the passes of the analog scheme do; the electronics as they were when
 * both were counted otherwise. Numbers of an independent program over all whole N. */
static void one_tap_a_column(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
  o.dac = 2.551;
  o.modulator_static = o.detector_bias = 0;
  o.fixed_loss = 3;
  o.scheme = CUONN_SCHEME_STUDY;
  is_about(peak_of(&o, CUONN_OPERATION_MVM).modes, 287, 0.5);
  is_about(peak_of(&o, CUONN_OPERATION_MVM).tops_per_watt, 137.86, 5e-3);
  is_about(peak_of(&o, CUONN_OPERATION_GRADIENT).modes, 273, 0.5);
  is_about(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 13.1509, 5e-5);
  o.scheme = CUONN_SCHEME_ANALOG;
  is_about(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 12.5812, 5e-5);
}

/* The most efficient is the best of all whole N, also with heaters of any phases, taps and few examples. */
static void peak_is_the_best(void **state) {
  (void)state;
  cuonn_energy_options o = preset(CUONN_ENERGY_CITED);
  o.column_loss = 0.11;
  o.batch = 2;
  for (int i = 0; i < 3 * CUONN_ENERGY_OPERATIONS; i++) {
    const int operation = i % CUONN_ENERGY_OPERATIONS;
    o.phases_known = i / CUONN_ENERGY_OPERATIONS == 1;
    o.mean_phase = 2;
    o.holding = i / CUONN_ENERGY_OPERATIONS == 2 ? CUONN_HOLDING_CONSTANT : CUONN_HOLDING_HEATER;
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
    o.holding = CUONN_HOLDING_HEATER;
    assert_true(cost_of(&o, (cuonn_energy_operation)operation).conversion_share > 0.9);
    size_t last[2] = {0, 0}; /* largest N at which they are more than half: without heaters, with */
    for (int heaters = 0; heaters < 2; heaters++) {
      o.holding_power = heaters ? 24.77 : 0;
      for (o.n_modes = 2; o.n_modes < 1000; o.n_modes++) {
        if (cost_of(&o, (cuonn_energy_operation)operation).conversion_share > 0.5) last[heaters] = o.n_modes;
      }
    }
    const bool gradient = operation == CUONN_OPERATION_GRADIENT;
    assert_int_equal(last[0], gradient ? 313 : 365);
    assert_int_equal(last[1], gradient ? 3 : 5);
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
      {FIELD(modulator_static), false},
      {FIELD(receiver), false},
      {FIELD(detector_bias), false},
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
      cuonn_energy_use_components(&o, CUONN_COMPONENTS_RING); /* has all there is */
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

static const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(4, 3, 4, CUONN_STYLE_TOP, true, NULL);
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

/* A step in situ is costed by its own scheme: the matrix of every layer is measured, four passes of 4 unit vectors. */
static void step_in_situ_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = timed();
  o.product_energy = 1e6;
  cuonn_training_options t = training;
  t.gradient = CUONN_GRADIENT_ANALOG;
  t.chip.measurement = CUONN_MEASUREMENT_MATRIX;
  o.scheme = CUONN_SCHEME_ANALOG;
  const double pass = kFill + 3 / 1e10;
  cuonn_energy_network n = network_of(&o, &t, 100);
  is(n.step.part[CUONN_ENERGY_DAC], 3 * 4 * 4 * 8e-12);
  is(n.step.part[CUONN_ENERGY_DIGITAL], 5e-6 + 3 * 3 * 10 * 16 * 1e6 * 1e-12);
  is(n.step.seconds, 12 * pass + 7 * 0.1 + 8e-3 + 1 + 40e-3 + 1e-3);
  assert_true(isinf(n.balance_batch));   /* no more light for more examples */
  o.dataflow = CUONN_DATAFLOW_STREAMING; /* unit vectors do not stream from layer to layer */
  is(network_of(&o, &t, 100).step.seconds, n.step.seconds);

  /* Digital, taps read for each of 10 examples: 3 x 16 readings by 4 converters. */
  o.dataflow = CUONN_DATAFLOW_SEQUENTIAL;
  o.tap_reading = CUONN_TAPS_EXAMPLE;
  t.gradient = CUONN_GRADIENT_DIGITAL;
  t.chip.measurement = CUONN_MEASUREMENT_EXAMPLE;
  n = network_of(&o, &t, 100);
  is(n.step.part[CUONN_ENERGY_TAP], 3 * 3 * 16 * 10 * 1e5 * 1e-12);
  is(n.step.seconds, 9 * (kFill + kSymbols) + 7 * 0.1 + 10 * 12e-3 + 1 + 40e-3 + 1e-3);
  assert_true(isinf(n.balance_batch)); /* each example's readings take longer than its light */
  o.tap_rate = 1e6;
  o.tap_converters = 1000;
  n = network_of(&o, &t, 100); /* 1 ps an example against 9 symbols of .1 ns */
  is(n.balance_batch, (40e-3 + 1e-3) / (9e-10 - 1e-12));
}

static cuonn_energy_training training_of(const cuonn_energy_options *o, const cuonn_training_options *t,
                                         size_t examples) {
  cuonn_energy_training out;
  OK(cuonn_energy_training_cost(&out, o, &shape, t, examples));
  return out;
}

static void counts(const cuonn_energy_demand *d, double passes, double outputs, double taps, double writes) {
  is(d->passes, passes);
  is(d->outputs, outputs);
  is(d->taps, taps);
  is(d->writes, writes);
}

/* Three layers of 16 shifters, written in 40 ms and settled in 1 ms, and 10 examples on 4 waveguides. */
static void training_on_the_chip_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = timed();
  cuonn_training_options t = training;
  o.scheme = CUONN_SCHEME_ANALOG;
  cuonn_energy_training c = training_of(&o, &t, 100); /* computed: nothing but the phases that come out */
  counts(&c.start, 0, 0, 0, 48);
  is(c.start.joules, 48e-9);
  is(c.start.seconds, 41e-3);
  counts(&c.epoch, 0, 0, 0, 0);
  assert_true(c.step.joules == 0 && c.step.seconds == 0 && c.epoch.joules == 0 && c.epoch.seconds == 0);
  t.gradient = CUONN_GRADIENT_IDEAL;
  is(training_of(&o, &t, 100).epoch.passes, 0);

  t.gradient = CUONN_GRADIENT_ANALOG; /* four passes, outputs read in two, each tap twice */
  c = training_of(&o, &t, 100);
  counts(&c.step, 3 * 10 * 4, 3 * 10 * 2 * 4, 3 * 16 * 2, 48);
  const cuonn_energy_network n = network_of(&o, &t, 100);
  is(c.step.joules, n.step.joules);
  is(c.step.seconds, n.step.seconds);
  is(c.epoch.joules, n.epoch.joules);
  is(c.epoch.seconds, n.epoch.seconds);
  counts(&c.epoch, 1200, 2400, 960, 480);
  const cuonn_energy_demand all = cuonn_energy_training_until(&c, 2);
  counts(&all, 2400, 4800, 1920, 960 + 48);
  is(all.joules, 2 * n.epoch.joules + 48e-9);
  is(all.seconds, 2 * n.epoch.seconds + 41e-3);
  t.chip.measurement = CUONN_MEASUREMENT_MATRIX; /* 4 unit vectors in place of 10 examples */
  is(training_of(&o, &t, 100).step.passes, 3 * 4 * 4);

  t.gradient = CUONN_GRADIENT_DIGITAL; /* a last batch of 5 examples, each of which has its taps read three times */
  t.chip.measurement = CUONN_MEASUREMENT_EXAMPLE;
  t.drop_last = false;
  o.tap_reading = CUONN_TAPS_EXAMPLE;
  c = training_of(&o, &t, 95);
  counts(&c.epoch, 3 * 95 * 3, 3 * 95 * 2 * 4, 3 * 16 * 3 * 95, 480);
}

/* 2 passes of all layers for each of 2 estimates; or for each of 3 x 12 phases, 3 x 16 with those of the outputs. */
static void moved_phases_by_hand(void **state) {
  (void)state;
  cuonn_energy_options o = timed(), mesh = o;
  cuonn_training_options t = training;
  mesh.n_modes = 4;
  mesh.batch = 10;
  const double product = cost_of(&mesh, CUONN_OPERATION_MVM).joules, through = 3 * (kFill + kSymbols + .1);
  t.gradient = CUONN_GRADIENT_SPSA;
  t.chip.estimates = 2;
  cuonn_energy_training c = training_of(&o, &t, 100);
  counts(&c.step, 4 * 30, 4 * 30 * 4, 0, 4 * 48);
  is(c.step.joules, 12 * product + 4 * 48e-9 + 5e-6);
  is(c.step.seconds, 4 * through + .1 + 1 + 4 * 41e-3);
  cuonn_energy_network n = network_of(&o, &t, 100);
  is(n.step.joules, c.step.joules);
  is(n.step.operations, 3 * 6 * 16 * 10);
  is(n.epoch.seconds, 10 * c.step.seconds);
  is(n.balance_batch, 1e10 * 41e-3 / 3);

  t.gradient = CUONN_GRADIENT_FINITE_DIFFERENCE; /* up; down; back with the next: 2 phases and 1, each 10 ms and 1 ms */
  c = training_of(&o, &t, 100);
  counts(&c.step, 72 * 30, 72 * 30 * 4, 0, 3 * 36 + 48);
  is(c.step.joules, 216 * product + 156e-9 + 5e-6);
  is(c.step.seconds, 72 * through + .1 + 1 + 36 * 22e-3 + 41e-3);
  t.train_gamma = true;
  is(training_of(&o, &t, 100).step.passes, 96 * 30);

  t.gradient = CUONN_GRADIENT_SPSA;
  o.dataflow = CUONN_DATAFLOW_STREAMING;
  is(training_of(&o, &t, 100).step.seconds, 4 * (3 * (kFill + 1e-5) + kSymbols + .1) + .1 + 1 + 4 * 41e-3);
  o.dataflow = CUONN_DATAFLOW_REUSED; /* every pass writes the mesh for each layer */
  c = training_of(&o, &t, 100);
  is(c.step.seconds, 4 * through + .1 + 1 + 12 * 41e-3);
  is(c.step.writes, 4 * 48);
  is(c.start.seconds, 3 * 41e-3);

  o.dataflow = CUONN_DATAFLOW_SEQUENTIAL; /* unit vectors, and one product of 10 x 16 elements a pass and layer */
  o.product_energy = 1e6;
  t.chip.measurement = CUONN_MEASUREMENT_MATRIX;
  n = network_of(&o, &t, 100);
  is(training_of(&o, &t, 100).step.passes, 4 * 3 * 4);
  is(n.step.part[CUONN_ENERGY_DIGITAL], 5e-6 + 4 * 3 * 160e-6);
  is(n.step.seconds, 4 * 3 * (kFill + 3 / 1e10 + .1) + .1 + 1 + 4 * 41e-3);
  assert_true(isinf(n.balance_batch));
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
  BAD(scheme, (cuonn_energy_scheme)4, "energy.scheme");
  BAD(tap_reading, (cuonn_energy_taps)2, "energy.tap_reading");
  BAD(measurement, (cuonn_measurement)2, "energy.measurement");
  BAD(holding, (cuonn_energy_holding)2, "energy.holding_law");
  BAD(held_symbols, 0, "energy.held_symbols is 0; it must be 1 to");
  BAD(modulator_static, -1, "energy.modulator_static is -1 mW");
  BAD(detector_bias, NAN, "energy.detector_bias");
  BAD(product_energy, -1, "energy.product_energy");
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
  is(cuonn_energy_tap_photons(&o, 0.1), 20000); /* 1 / (.5 x .01 x .01) */
  is(cuonn_energy_tap_photons(&o, 0.2), 5000);
  o.held_symbols = 100;
  is(cuonn_energy_tap_photons(&o, 0.1), 200);
  assert_true(isinf(cuonn_energy_tap_photons(&o, 0)));
  o.scheme = CUONN_SCHEME_SWITCHED; /* each sign has half the time */
  is(cuonn_energy_tap_photons(&o, 0.1), 400);
  /* However the matrix is measured, a unit vector's light is that of one symbol: 16276 photons a mode at N = 64. */
  o = preset(CUONN_ENERGY_DEFAULT);
  for (int matrix = 0; matrix < 2; matrix++) {
    o.measurement = matrix ? CUONN_MEASUREMENT_MATRIX : CUONN_MEASUREMENT_EXAMPLE;
    o.batch = 600;
    OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0.02, 0.05, 0.05}));
    is_about(o.least_photons, 16276.04, 5e-3);
    is_about(light_of(&o).photons, 16276.04, 5e-3); /* 4 bits of reading take 2178: the taps decide */
  }
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
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0.01, 0.05, 0.06}));
  assert_int_equal(o.converter_bits, 4);
  assert_int_equal(o.bits, 4);
  is_about(light_of(&o).photons, 65104, 1);
  /* Of the two readings the better one decides; where one of them has no noise, the components stay. */
  o.held_symbols = 1000000;
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0.01, 0.05, 0.025}));
  assert_int_equal(o.bits, 5);
  const double photons = light_of(&o).photons;
  o.least_photons = 0;
  is(light_of(&o).photons, photons); /* a long integration leaves the decision to the bits */
  o = base;
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0.01, 0.05, 0}));
  assert_int_equal(o.converter_bits, base.converter_bits);
  assert_int_equal(o.bits, base.bits);
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0.01, 2, 2}));
  assert_int_equal(o.bits, 1);
  /* Without noise at the taps no light is enough: it costs everything. */
  OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0, 0.05, 0.05}));
  assert_true(isinf(light_of(&o).watts));
  is(cost_of(&o, CUONN_OPERATION_GRADIENT).tops_per_watt, 0);
  /* More noise never costs more. */
  double last = INFINITY;
  for (double tap = 1e-4; tap < 1; tap *= 2) {
    OK(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){tap, 0.05, 0.05}));
    assert_true(light_of(&o).watts <= last);
    last = light_of(&o).watts;
  }
  REFUSED(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){-1, 0, 0}), CUONN_E_ARGUMENT, "tap_shot is -1");
  REFUSED(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0, NAN, 0}), CUONN_E_ARGUMENT, "io_amplitude is");
  REFUSED(cuonn_energy_meet_noise(&o, &(cuonn_energy_noise){0, 0, INFINITY}), CUONN_E_ARGUMENT, "io_phase is inf");
}

/* A butterfly of 16 waveguides has 4 columns and 2 x 32 + 16 shifters in place of 16 and 256. */
static void other_shapes_have_their_columns_and_shifters(void **unused) {
  (void)unused;
  cuonn_mesh_shape *mesh;
  cuonn_energy_options rectangle = preset(CUONN_ENERGY_CITED);
  rectangle.n_modes = 16;
  rectangle.detection = CUONN_DETECTION_DIRECT; /* no oscillator beside the light of the mesh */
  rectangle.holding_power = 20;
  rectangle.holding = CUONN_HOLDING_CONSTANT;
  cuonn_energy_options same = rectangle, butterfly = rectangle, triangle = rectangle;
  same.n_columns = 16;
  same.n_shifters = 256;
  OK(cuonn_mesh_shape_make(&mesh, CUONN_ARCHITECTURE_BUTTERFLY, 16, 0));
  cuonn_energy_follow_shape(&butterfly, mesh);
  cuonn_mesh_shape_free(mesh);
  assert_true(butterfly.n_columns == 4 && butterfly.n_shifters == 80);
  OK(cuonn_mesh_shape_make(&mesh, CUONN_ARCHITECTURE_TRIANGULAR, 16, 0));
  cuonn_energy_follow_shape(&triangle, mesh);
  cuonn_mesh_shape_free(mesh);
  assert_true(triangle.n_columns == 29 && triangle.n_shifters == 256);

  const cuonn_energy_cost a = cost_of(&rectangle, CUONN_OPERATION_GRADIENT);
  const cuonn_energy_cost b = cost_of(&same, CUONN_OPERATION_GRADIENT);
  const cuonn_energy_cost c = cost_of(&butterfly, CUONN_OPERATION_GRADIENT);
  assert_true(a.joules == b.joules && a.seconds == b.seconds &&
              a.part[CUONN_ENERGY_LASER] == b.part[CUONN_ENERGY_LASER]);
  is_about(c.part[CUONN_ENERGY_HOLDING] / a.part[CUONN_ENERGY_HOLDING], 80. / 256, 1e-14);
  is_about(c.part[CUONN_ENERGY_TAP] / a.part[CUONN_ENERGY_TAP], 80. / 256, 1e-14);
  assert_true(c.part[CUONN_ENERGY_DAC] == a.part[CUONN_ENERGY_DAC]);
  /* a path meets 16 columns and 16 taps, or 4 columns and 80 / 16 = 5 taps */
  const double tap = -10 * log10(1 - rectangle.tap_fraction), column = rectangle.column_loss;
  is_about(c.part[CUONN_ENERGY_LASER] / a.part[CUONN_ENERGY_LASER], pow(10, -(12 * column + 11 * tap) / 10), 1e-13);
  /* readings: c_t N^2 or c_t S by as many converters as modes; 12 columns less to fly through, in every pass */
  const cuonn_energy_passes passes = cuonn_energy_passes_of(&rectangle, CUONN_OPERATION_GRADIENT);
  const double flight = 12 * rectangle.column_length * 1e-3 * rectangle.group_index / 299792458;
  const double readings = (double)passes.readouts * (256 - 80) / 16 / (rectangle.tap_rate * 1e6);
  is_about((a.seconds - c.seconds) / ((double)passes.passes * flight + readings), 1, 1e-12);
  assert_true(isnan(peak_of(&butterfly, CUONN_OPERATION_MVM).modes) && isnan(light_of(&butterfly).equal_modes));
  /* phases that are drawn: of the whole where it can have every unitary, of each node elsewhere */
  assert_true(cuonn_energy_drawn_phase(&rectangle, 16) == cuonn_energy_haar_phase(16));
  assert_true(cuonn_energy_drawn_phase(&triangle, 16) == cuonn_energy_haar_phase(16));
  is_about(cuonn_energy_drawn_phase(&butterfly, 16), 3 * M_PI / 4, 1e-14);

  /* a network takes the shape of its meshes; a processor multiplies by whole matrices, whatever they are made of */
  cuonn_training_options options = CUONN_TRAINING_OPTIONS_INIT;
  cuonn_energy_network of[2];
  rectangle.gpu = (cuonn_energy_gpu){.rate = 10, .use = .5};
  OK(cuonn_mesh_shape_make(&mesh, CUONN_ARCHITECTURE_BUTTERFLY, 16, 0));
  for (int i = 0; i < 2; i++) {
    const cuonn_network_shape network = CUONN_NETWORK_SHAPE_OF(16, 2, 10, CUONN_STYLE_TOP, true, i ? mesh : NULL);
    OK(cuonn_energy_network_cost(&of[i], &rectangle, &network, &options, 2048));
  }
  cuonn_mesh_shape_free(mesh);
  is_about(of[1].step.part[CUONN_ENERGY_HOLDING] / of[0].step.part[CUONN_ENERGY_HOLDING], 80. / 256, 1e-14);
  assert_true(of[1].gpu_seconds == of[0].gpu_seconds);
}

/* An svd layer costs what a mesh of twice the columns and one of attenuators does, with the phases of the given one. */
static void layers_with_amplitudes_are_wider_meshes(void **unused) {
  (void)unused;
  cuonn_energy_options o = preset(CUONN_ENERGY_DEFAULT);
  const cuonn_training_options plan = CUONN_TRAINING_OPTIONS_INIT;
  cuonn_network_shape of = CUONN_NETWORK_SHAPE_INIT; /* N 64 */
  cuonn_energy_network got, want;
  for (size_t meshes = 1; meshes <= 2; meshes++) {
    cuonn_energy_options wider = o;
    wider.n_columns = meshes * 64 + 1;
    wider.n_shifters = meshes * 64 * 64 + 64;
    wider.phases_known = true;
    wider.mean_phase = cuonn_energy_haar_phase(64);
    of.layer = CUONN_LAYER_UNITARY;
    of.n_layers = 3;
    OK(cuonn_energy_network_cost(&want, &wider, &of, &plan, 5120));
    of.layer = meshes == 2 ? CUONN_LAYER_SVD : CUONN_LAYER_DIAGONAL;
    of.n_layers = 3 * meshes;
    OK(cuonn_energy_network_cost(&got, &o, &of, &plan, 5120));
    assert_true(got.step.joules == want.step.joules && got.step.seconds == want.step.seconds);
    assert_true(got.inference.joules == want.inference.joules && got.epoch.joules == want.epoch.joules);
    of.layer = CUONN_LAYER_UNITARY;
    OK(cuonn_energy_network_cost(&want, &o, &of, &plan, 5120));
    assert_true(got.step.joules != want.step.joules);
  }
}

/* Light goes through both meshes of an svd layer and its attenuators before it is read: a layer is one pass of as many
 * readings as any, and 2 x 16 + 4 phases. */
static void training_of_layers_with_amplitudes_by_hand(void **unused) {
  (void)unused;
  for (size_t meshes = 1; meshes <= 2; meshes++) {
    cuonn_energy_options o = timed();
    cuonn_training_options t = training;
    cuonn_network_shape of = shape;
    cuonn_energy_training c;
    const double shifters = meshes == 2 ? 36 : 20, written = meshes == 2 ? 81e-3 : 41e-3;
    of.layer = meshes == 2 ? CUONN_LAYER_SVD : CUONN_LAYER_DIAGONAL;
    of.n_layers = 3 * meshes;
    o.scheme = CUONN_SCHEME_ANALOG;
    t.gradient = CUONN_GRADIENT_ANALOG;
    OK(cuonn_energy_training_cost(&c, &o, &of, &t, 100));
    counts(&c.start, 0, 0, 0, 3 * shifters);
    is(c.start.joules, 3 * shifters * 1e-9);
    is(c.start.seconds, written);
    counts(&c.step, 3 * 10 * 4, 3 * 10 * 2 * 4, 3 * shifters * 2, 3 * shifters);
    t.gradient = CUONN_GRADIENT_SPSA;
    t.chip.estimates = 2;
    OK(cuonn_energy_training_cost(&c, &o, &of, &t, 100));
    counts(&c.step, 4 * 30, 4 * 30 * 4, 0, 4 * 3 * shifters);
    o.dataflow = CUONN_DATAFLOW_REUSED;
    OK(cuonn_energy_training_cost(&c, &o, &of, &t, 100));
    is(c.start.seconds, 3 * written);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mvm_by_hand),
      cmocka_unit_test(training_of_layers_with_amplitudes_by_hand),
      cmocka_unit_test(layers_with_amplitudes_are_wider_meshes),
      cmocka_unit_test(gradient_by_hand),
      cmocka_unit_test(schemes_by_hand),
      cmocka_unit_test(measured_matrix_by_hand),
      cmocka_unit_test(training_decides_the_scheme),
      cmocka_unit_test(converters_scale_with_bits),
      cmocka_unit_test(holding_by_hand),
      cmocka_unit_test(haar_phases_have_their_mean),
      cmocka_unit_test(network_phases_have_their_mean),
      cmocka_unit_test(identities),
      cmocka_unit_test(photons_by_hand),
      cmocka_unit_test(laser_by_hand),
      cmocka_unit_test(peaks_by_hand),
      cmocka_unit_test(one_tap_a_column),
      cmocka_unit_test(mesh_loses_what_the_model_says),
      cmocka_unit_test(components_are_of_one_modulator),
      cmocka_unit_test(peak_is_the_best),
      cmocka_unit_test(undetectable_is_reported),
      cmocka_unit_test(conversions_dominate_until_light_or_heaters_do),
      cmocka_unit_test(more_never_costs_less),
      cmocka_unit_test(step_by_hand),
      cmocka_unit_test(step_in_situ_by_hand),
      cmocka_unit_test(training_on_the_chip_by_hand),
      cmocka_unit_test(moved_phases_by_hand),
      cmocka_unit_test(inference_by_hand),
      cmocka_unit_test(epoch_by_hand),
      cmocka_unit_test(gpu_by_hand),
      cmocka_unit_test(bad_values_are_refused),
      cmocka_unit_test(grid_without_axes_is_refused),
      cmocka_unit_test(grid_is_read_back),
      cmocka_unit_test(other_shapes_have_their_columns_and_shifters),
      cmocka_unit_test(noise_by_hand),
      cmocka_unit_test(components_meet_the_noise),
  };
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
