/* What a chip makes of programmed phases, in every style: levels of their periods, crosstalk between arms, and networks
 * with both, all held against slow programs that know nothing of the library's. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/compute.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"
#include "support/phases.h"

enum { kStyles = 4 };
static const double kPi = M_PI;

/* [style][theta, phi] by how much each turns the top and the bottom arm (docs/physics.md, eq. 4). */
static const double arms_of[kStyles][2][2] = {
    {{1, 0}, {1, 0}}, {{0, 1}, {0, 1}}, {{.5, -.5}, {1, 1}}, {{.5, -.5}, {-.5, .5}}};

/* 2 pi, or 4 pi for a phase that enters halved. */
static double period_of(int style, size_t kind) {
  return 2 * kPi / fmax(fabs(arms_of[style][kind][0]), fabs(arms_of[style][kind][1]));
}

/* What the chip applies in place of theta and phi, one node. */
static void apply_one(double out[2], int style, size_t bits, double theta, double phi) {
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.phase_bits = bits;
  chip_phases phases;
  OK(create_phases(&phases, &chip, 2, (cuonn_phase_style)style));
  chip_phases_apply(&out[0], &out[1], &phases, &theta, &phi);
  chip_phases_free(&phases);
}

/* --- levels ------------------------------------------------------------------------------------------------------- */

/* Distance on a circle of one period. */
static double around(double a, double b, double period) { return fabs(remainder(a - b, period)); }

/* The level that is nearest, of all of them. */
static double nearest_level(double phase, double period, size_t bits) {
  const size_t levels = (size_t)1 << bits;
  const double step = period / (double)levels;
  size_t best = 0;
  for (size_t k = 1; k < levels; k++) {
    if (around(phase, (double)k * step, period) < around(phase, (double)best * step, period)) best = k;
  }
  return (double)best * step;
}

/* Of two levels that are as near, the even one is taken. */
static bool takes_the_nearest(double got, double phase, double period, size_t bits) {
  const double step = period / (double)((size_t)1 << bits), level = rint(got / step), steps = phase / step;
  const bool tie = fabs(steps - rint(steps)) == 0.5;
  const double nearest = nearest_level(phase, period, bits);
  return got >= 0 && got < period && fabs(got - level * step) < 1e-14 &&
         around(got, phase, period) < around(nearest, phase, period) + 1e-13 && !(tie && fmod(level, 2) != 0);
}

static void check_levels(int style, size_t bits, double theta, double phi) {
  double got[2];
  const double phases[] = {theta, phi};
  apply_one(got, style, bits, theta, phi);
  for (size_t kind = 0; kind < 2; kind++) {
    if (takes_the_nearest(got[kind], phases[kind], period_of(style, kind), bits)) continue;
    fail_msg("style %d, %zu bits: %s %.17g becomes %.17g", style, bits, kind ? "phi" : "theta", phases[kind],
             got[kind]);
  }
}

static void test_levels__are_the_nearest_of_a_period(void **unused) {
  (void)unused;
  chance c = {1};
  for (int style = 0; style < kStyles; style++) {
    for (size_t bits = 1; bits <= 6; bits++) {
      for (size_t i = 0; i < 200; i++) {
        check_levels(style, bits, chance_uniform(&c, -30, 30), chance_uniform(&c, -30, 30));
      }
      for (int i = -40; i <= 40; i++) { /* whole and half steps, within and beyond the period */
        const double halves = (double)(2 << bits);
        check_levels(style, bits, i * period_of(style, 0) / halves, i * period_of(style, 1) / halves);
      }
    }
  }
}

/* There is no level 2^bits: what is nearest to a period is nearest to 0. */
static void test_levels__stop_below_the_period(void **unused) {
  (void)unused;
  const size_t bits[] = {1, 4, 8, 16, 24};
  for (int style = 0; style < kStyles; style++) {
    for (size_t b = 0; b < sizeof bits / sizeof *bits; b++) {
      double got[2];
      const double theta = period_of(style, 0), phi = period_of(style, 1), below = 1 - 1e-9;
      apply_one(got, style, bits[b], theta, phi);
      assert_true(got[0] == 0 && got[1] == 0);
      apply_one(got, style, bits[b], theta * below, phi * below);
      assert_true(got[0] == 0 && got[1] == 0);
      apply_one(got, style, bits[b], -1e-17, -1e-300);
      assert_true(got[0] == 0 && got[1] == 0);
    }
  }
}

static void test_levels__of_24_bits_are_within_half_a_step(void **unused) {
  (void)unused;
  chance c = {2};
  for (int style = 0; style < kStyles; style++) {
    for (size_t i = 0; i < 1000; i++) {
      const double phases[] = {chance_uniform(&c, -100, 100), chance_uniform(&c, -100, 100)};
      double got[2];
      apply_one(got, style, 24, phases[0], phases[1]);
      for (size_t kind = 0; kind < 2; kind++) {
        const double period = period_of(style, kind), step = period / 0x1p24, level = got[kind] / step;
        assert_true(got[kind] >= 0 && got[kind] < period && fabs(level - rint(level)) < 1e-6);
        assert_true(around(got[kind], phases[kind], period) <= step / 2 + 1e-13);
      }
    }
  }
}

/* --- networks of quantized phases --------------------------------------------------------------------------------- */

/* Loss of a network of one mesh, with light 1 in every waveguide, every output read, and label 0. */
static double loss_of(const cuonn_mesh *mesh, bool per_class) {
  const size_t n = mesh->n_modes;
  double complex u[64];
  double sum = 0, first = 0;
  dense_matrix(u, mesh);
  for (size_t k = 0; k < n; k++) {
    double complex y = 0;
    for (size_t j = 0; j < n; j++) y += u[k * n + j];
    const double power = creal(y * conj(y));
    if (k == 0) first = power;
    sum += exp(power);
  }
  return (log(sum) - first) / (per_class ? (double)n : 1);
}

static double computed_loss(const char *backend, const cuonn_network *network, size_t bits) {
  const uint8_t label = 0;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  cuonn_context *context;
  cuonn_evaluation evaluation = {0};
  cuonn_fields input;
  chip.phase_bits = bits;
  OK(cuonn_context_create(&context, backend, 1));
  OK(cuonn_fields_create(&input, 1, network->shape.n_modes));
  for (size_t k = 0; k < network->shape.n_modes; k++) input.values[2 * k] = 1;
  OK(cuonn_evaluate_on_chip(&evaluation, context, network, &chip, &input, &label));
  cuonn_fields_free(&input);
  cuonn_context_free(context);
  return evaluation.loss;
}

static void test_network__of_quantized_phases_is_the_dense_one(void **unused) {
  (void)unused;
  static const char *const backends[] = {"reference", "cpu"};
  const size_t bits[] = {1, 2, 3, 5};
  chance c = {3};
  for (int i = 0; i < kStyles * 4 * 3; i++) {
    const cuonn_network_shape shape =
        CUONN_NETWORK_SHAPE_OF(3 + (size_t)i % 6, 1, 3 + (size_t)i % 6, (cuonn_phase_style)(i % kStyles), true, NULL);
    const size_t b = bits[i / kStyles % 4];
    cuonn_network network;
    cuonn_mesh rounded;
    OK(cuonn_network_create(&network, &shape));
    OK(cuonn_mesh_create(&rounded, shape.n_modes, shape.style));
    dense_random(&network.layers[0], &c, .1, .5);
    OK(cuonn_mesh_copy(&rounded, &network.layers[0]));
    for (size_t k = 0; k < cuonn_mesh_nodes(shape.n_modes); k++) {
      rounded.theta[k] = nearest_level(rounded.theta[k], period_of(i % kStyles, 0), b);
      rounded.phi[k] = nearest_level(rounded.phi[k], period_of(i % kStyles, 1), b);
    }
    const double want = loss_of(&rounded, true);
    for (size_t k = 0; k < 2; k++) { /* double; and float behind up to 8 columns */
      const double got = computed_loss(backends[k], &network, b);
      CLOSE(&got, &want, 1, .rel = k ? 1e-5 : 1e-13);
    }
    cuonn_mesh_free(&rounded);
    cuonn_network_free(&network);
  }
}

/* A differential mesh of three waveguides with theta 1 and phi -1. Its loss changes by at most some 3 a radian of any
 * of the 6 phases, and 24 bits are off by at most 4 pi / 2^25 = 3.7e-7. */
static void test_network__of_24_bits_is_the_exact_one(void **unused) {
  (void)unused;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(3, 1, 3, CUONN_STYLE_DIFFERENTIAL, false, NULL);
  cuonn_network network;
  OK(cuonn_network_create(&network, &shape));
  for (size_t k = 0; k < 3; k++) {
    network.layers[0].theta[k] = 1;
    network.layers[0].phi[k] = -1;
  }
  const double want = 1.5748427684268003; /* by a program of its own, as dense as this one */
  const double exact = computed_loss("reference", &network, 0), rounded = computed_loss("reference", &network, 24);
  CLOSE(&exact, &want, 1, .abs = 1e-9);
  CLOSE(&rounded, &want, 1, .abs = 6 * 3 * 3.7e-7);
  cuonn_network_free(&network);
}

/* --- crosstalk ---------------------------------------------------------------------------------------------------- */

/* An arm with a shifter: whose phase, by how much, and where, half pitches. */
typedef struct {
  size_t phase; /* theta of all nodes, then phi */
  double share;
  double row, column;
} arm;

static size_t list_arms(arm *out, size_t n, int style) {
  const size_t nodes = cuonn_mesh_nodes(n);
  size_t count = 0;
  for (size_t column = 0, k = 0; column < n; column++) {
    for (size_t top = column % 2; top + 1 < n; top += 2, k++) {
      for (size_t i = 0; i < 4; i++) {
        const size_t kind = i / 2, bottom = i % 2;
        const double share = arms_of[style][kind][bottom];
        if (share == 0) continue;
        out[count++] = (arm){kind * nodes + k, share, (double)(top + bottom), 2. * (double)column + (kind == 0)};
      }
    }
  }
  return count;
}

/* X [phase][phase] of eq. 32, arm by arm. */
static void crosstalk_matrix(double *x, size_t n, int style, double strength, double decay) {
  const size_t phases = 2 * cuonn_mesh_nodes(n);
  arm *const arms = malloc(2 * phases * sizeof *arms);
  assert_non_null(arms);
  const size_t count = list_arms(arms, n, style);
  memset(x, 0, phases * phases * sizeof *x);
  for (size_t i = 0; i < count; i++) {
    double norm = 0;
    for (size_t j = 0; j < count; j++) norm += arms[j].phase == arms[i].phase ? arms[j].share * arms[j].share : 0;
    for (size_t j = 0; j < count; j++) {
      const double pitches = hypot(arms[i].row - arms[j].row, arms[i].column - arms[j].column) / 2;
      const double heat = i == j ? 1 : pitches > 3 ? 0 : strength * exp(-pitches / decay);
      x[arms[i].phase * phases + arms[j].phase] += arms[i].share / norm * heat * arms[j].share;
    }
  }
  free(arms);
}

static void crosstalk_is_that_of_arms(size_t n, int style, size_t bits, chance *c) {
  const size_t nodes = cuonn_mesh_nodes(n), all = 2 * nodes;
  double *const x = malloc(all * all * sizeof *x), *const values = malloc(8 * all * sizeof *values);
  assert_true(x && values);
  double *const p = values, *const q = p + all, *const got = q + all, *const want = got + all, *const g = want + all,
                *const back = g + all, *const want_back = back + all, *const moved = want_back + all;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.crosstalk = .2;
  chip.crosstalk_decay = .8;
  chip.phase_bits = bits;
  chip_phases phases;
  OK(create_phases(&phases, &chip, n, (cuonn_phase_style)style));
  crosstalk_matrix(x, n, style, .2, .8);
  for (size_t i = 0; i < all; i++) {
    const double period = period_of(style, i / nodes);
    p[i] = chance_uniform(c, -20, 20);
    moved[i] = p[i] + period * ((double)chance_index(c, 5) - 2); /* the same setting of the driver */
    q[i] = bits ? nearest_level(p[i], period, bits) : p[i] - period * floor(p[i] / period);
    back[i] = g[i] = chance_normal(c);
  }
  for (size_t i = 0; i < all; i++) {
    want[i] = want_back[i] = 0;
    for (size_t j = 0; j < all; j++) {
      want[i] += x[i * all + j] * q[j];
      want_back[i] += x[j * all + i] * g[j]; /* the transpose */
    }
  }
  chip_phases_apply(got, got + nodes, &phases, p, p + nodes);
  CLOSE(got, want, all, .rel = 1e-13);
  chip_phases_apply(got, got + nodes, &phases, moved, moved + nodes);
  CLOSE(got, want, all, .rel = 1e-13);
  chip_phases_pull_back(back, back + nodes, &phases);
  CLOSE(back, want_back, all, .rel = 1e-13);
  chip_phases_free(&phases);
  free(values);
  free(x);
}

static void test_crosstalk__is_that_of_arms_and_its_gradient_the_transpose(void **unused) {
  (void)unused;
  chance c = {4};
  const size_t sizes[] = {2, 3, 4, 7, 12};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int style = 0; style < kStyles; style++) {
      crosstalk_is_that_of_arms(sizes[i], style, 0, &c);
      crosstalk_is_that_of_arms(sizes[i], style, 4, &c);
    }
  }
}

/* By hand: the arms of one node stand half a pitch apart, phi and theta of an arm too, and the diagonal is
 * sqrt(1/2). */
static void test_crosstalk__of_one_node(void **unused) {
  (void)unused;
  const double near = .1 * exp(-.5), diagonal = .1 * exp(-sqrt(.5)), theta = 1, phi = .5;
  const double want[kStyles][2] = {
      {theta + near * phi, phi + near * theta},
      {theta + near * phi, phi + near * theta},
      {(1 - near) * theta,
       (1 + near) * phi}, /* phi heats both arms of theta alike; theta heats one arm of phi and cools the other */
      {(1 - near) * theta - (near - diagonal) * phi, (1 - near) * phi - (near - diagonal) * theta}};
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.crosstalk = .1;
  for (int style = 0; style < kStyles; style++) {
    chip_phases phases;
    double got[2];
    OK(create_phases(&phases, &chip, 2, (cuonn_phase_style)style));
    chip_phases_apply(&got[0], &got[1], &phases, &theta, &phi);
    CLOSE(got, want[style], 2, .rel = 1e-15);
    chip_phases_free(&phases);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_levels__are_the_nearest_of_a_period),
      cmocka_unit_test(test_levels__stop_below_the_period),
      cmocka_unit_test(test_levels__of_24_bits_are_within_half_a_step),
      cmocka_unit_test(test_network__of_quantized_phases_is_the_dense_one),
      cmocka_unit_test(test_network__of_24_bits_is_the_exact_one),
      cmocka_unit_test(test_crosstalk__is_that_of_arms_and_its_gradient_the_transpose),
      cmocka_unit_test(test_crosstalk__of_one_node),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
