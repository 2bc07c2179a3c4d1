/* Phases that a chip applies, and the straight-through gradient, against values of an independent program. Also which
 * chips are refused, and the law of the errors that they are made with.
 *
 * Tolerance: some 60 neighbours are summed, each rounded by 1e-16. */
#include <stdlib.h>
#include <string.h>

#include "cuonn/network.h"
#include "support/close.h"
#include "support/golden.h"
#include "support/phases.h"

static double *read_of(const char *group, const char *variable, size_t n) {
  return golden_read_n("golden.nc", group, variable, n);
}

/* The program that made the values rounded phases near a whole turn up to it, the level 2^bits that no driver has: it
 * is level 0, and what the turn was worth, here and through crosstalk, is taken away. want: [2][node]. */
static void without_whole_turns(double *want, const cuonn_chip_options *chip, size_t n, const double *theta,
                                const double *phi) {
  const size_t nodes = cuonn_mesh_nodes(n);
  const double levels = (double)(1 << chip->phase_bits), step = 2 * M_PI / levels;
  cuonn_chip_options heat = CUONN_CHIP_OPTIONS_INIT;
  heat.crosstalk = chip->crosstalk;
  heat.crosstalk_decay = chip->crosstalk_decay;
  chip_phases phases;
  double *const half = calloc(2 * nodes, sizeof *half);
  assert_non_null(half);
  OK(create_phases(&phases, &heat, n, CUONN_STYLE_TOP));
  for (size_t i = 0; i < 2 * nodes; i++) {
    const double phase = i < nodes ? theta[i] : phi[i - nodes], rest = phase - 2 * M_PI * floor(phase / 2 / M_PI);
    half[i] = rint(rest / step) == levels ? M_PI : 0;
  }
  chip_phases_apply(half, half + nodes, &phases, half, half + nodes);
  for (size_t i = 0; i < 2 * nodes; i++) want[i] -= 2 * half[i];
  chip_phases_free(&phases);
  free(half);
}

static void phases_of(size_t n, size_t bits) {
  const size_t nodes = cuonn_mesh_nodes(n);
  char group[64];
  snprintf(group, sizeof group, "chip/%zu/bits_%zu", n, bits);
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.phase_bits = bits;
  double *const strength = read_of(group, "strength", 1), *const decay = read_of(group, "decay", 1);
  chip.crosstalk = *strength;
  chip.crosstalk_decay = *decay;
  chip_phases phases;
  OK(create_phases(&phases, &chip, n, CUONN_STYLE_TOP));
  double *const error = read_of(group, "error", 2 * nodes);
  memcpy(phases.error, error, 2 * nodes * sizeof *error);

  double *const theta = read_of(group, "theta", nodes), *const phi = read_of(group, "phi", nodes);
  double *const want_theta = read_of(group, "effective_theta", nodes);
  double *const want_phi = read_of(group, "effective_phi", nodes);
  double *const got = malloc(4 * nodes * sizeof *got), *const applied = got + 2 * nodes;
  assert_non_null(got);
  memcpy(applied, want_theta, nodes * sizeof *applied);
  memcpy(applied + nodes, want_phi, nodes * sizeof *applied);
  without_whole_turns(applied, &chip, n, theta, phi);
  chip_phases_apply(got, got + nodes, &phases, theta, phi);
  CLOSE(got, applied, 2 * nodes, .rel = 1e-14);

  double *const gradient = read_of(group, "gradient_in", 2 * nodes);
  double *const want = read_of(group, "gradient_out", 2 * nodes);
  chip_phases_pull_back(gradient, gradient + nodes, &phases);
  CLOSE(gradient, want, 2 * nodes, .rel = 1e-14);

  free(want);
  free(gradient);
  free(got);
  free(want_phi);
  free(want_theta);
  free(phi);
  free(theta);
  free(error);
  free(decay);
  free(strength);
  chip_phases_free(&phases);
}

static void test_phases__quantized_mixed_and_off(void **unused) {
  (void)unused;
  for (size_t n = 6; n <= 8; n += 2) {
    phases_of(n, 4);
    phases_of(n, 6);
  }
}

static void test_check__refuses_bad_chips(void **unused) {
  (void)unused;
  const cuonn_chip_options good = CUONN_CHIP_OPTIONS_INIT;
  OK(cuonn_chip_check(&good, CUONN_GRADIENT_ANALOG, CUONN_STYLE_BOTTOM));
  OK(cuonn_chip_check(&good, CUONN_GRADIENT_EXACT, CUONN_STYLE_SYMMETRIC));
  REFUSED(cuonn_chip_check(&good, CUONN_GRADIENT_ANALOG, CUONN_STYLE_SYMMETRIC), CUONN_E_ARGUMENT, "symmetric");
  REFUSED(cuonn_chip_check(&good, CUONN_GRADIENT_DIGITAL, CUONN_STYLE_DIFFERENTIAL), CUONN_E_ARGUMENT, "differential");

  cuonn_chip_options bad = good;
  double *const numbers[] = {&bad.tap_shot, &bad.io_amplitude, &bad.io_phase,  &bad.coupler_std,
                             &bad.loss_std, &bad.crosstalk,    &bad.loss_mean, &bad.phase_error};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    const double wrong[] = {-1e-9, NAN, INFINITY};
    for (size_t j = 0; j < 3; j++) {
      bad = good;
      *numbers[i] = wrong[j];
      REFUSED(cuonn_chip_check(&bad, CUONN_GRADIENT_EXACT, CUONN_STYLE_TOP), CUONN_E_ARGUMENT, "it must be 0 to");
    }
  }
  bad = good;
  bad.phase_bits = CUONN_PHASE_BITS_MAX + 1;
  REFUSED(cuonn_chip_check(&bad, CUONN_GRADIENT_EXACT, CUONN_STYLE_TOP), CUONN_E_ARGUMENT, "chip.phase_bits is 25");
}

static void mean_and_std(double out[2], const double *values, size_t n) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) sum += values[i];
  out[0] = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += (values[i] - out[0]) * (values[i] - out[0]);
  out[1] = sqrt(squares / (double)n);
}

/* 4032 couplers and shifters a chip. A mean lies within 6 standard errors, and a deviation within 6 of its own
 * (1/sqrt(2n) for a normal, less for the truncated one), but for 2e-9 each. */
static void test_draw_errors__have_their_laws(void **unused) {
  (void)unused;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(64, 2, 10, CUONN_STYLE_TOP, true, NULL);
  const size_t n = 2 * cuonn_mesh_nodes(64);
  const double six = 6 / sqrt((double)n);
  cuonn_network network;
  OK(cuonn_network_create(&network, &shape));
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.coupler_mean = .01;
  chip.coupler_std = .1;
  chip.loss_std = .05;
  OK(cuonn_chip_draw_errors(&network, &chip));
  double got[2];
  mean_and_std(got, network.layers[1].coupler_error, n);
  CLOSE(got, ((double[]){.01, .1}), 2, .abs = six * .1);
  mean_and_std(got, network.layers[0].loss_db,
               n); /* half a normal: its mean is sqrt(2 / pi), its variance 1 - 2 / pi */
  CLOSE(got, ((double[]){.05 * sqrt(2 / M_PI), .05 * sqrt(1 - 2 / M_PI)}), 2, .abs = six * .05);
  for (size_t i = 0; i < n; i++) assert_true(network.layers[0].loss_db[i] >= 0);
  assert_true(network.layers[0].loss_db[0] != network.layers[1].loss_db[0]);
  assert_true(network.layers[0].coupler_error[0] != network.layers[0].coupler_error[1]);

  const double before = network.layers[0].coupler_error[0];
  chip.loss_law = CUONN_LOSS_STUDY;
  chip.coupler_equal = true;
  OK(cuonn_chip_draw_errors(&network, &chip));
  mean_and_std(got, network.layers[0].loss_db, n);
  CLOSE(got, ((double[]){0, .05}), 2, .abs = six * .05);
  for (size_t k = 0; k < n; k += 2) {
    assert_true(network.layers[0].coupler_error[k] == network.layers[0].coupler_error[k + 1]);
  }
  assert_true(network.layers[0].coupler_error[0] == before);
  chip.seed = 1;
  OK(cuonn_chip_draw_errors(&network, &chip));
  assert_true(network.layers[0].coupler_error[0] != before);
  cuonn_network_free(&network);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_phases__quantized_mixed_and_off),
      cmocka_unit_test(test_check__refuses_bad_chips),
      cmocka_unit_test(test_draw_errors__have_their_laws),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
