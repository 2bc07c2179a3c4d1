/* Self-configuration: where the light is that comes back is computed here, node by node, and what couplers with errors
 * leave undone by the splittings that they allow. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/fabricated.h"
#include "cuonn/programming.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"

enum { kMost = 64, kMostTurns = 400 };

/* N, shape, and which output the light has to come to. */
typedef struct {
  cuonn_architecture architecture;
  size_t n, output;
} layer;

static void make_chip(cuonn_mesh *chip, const layer *of, cuonn_node_kind node, cuonn_phase_style style) {
  cuonn_mesh_shape *mzi, *shape;
  OK(cuonn_mesh_shape_make(&mzi, of->architecture, of->n, 0));
  OK(cuonn_mesh_shape_with_node(&shape, mzi, node));
  OK(cuonn_mesh_create_shaped(chip, shape, style));
  cuonn_mesh_shape_free(shape);
  cuonn_mesh_shape_free(mzi);
}

static double power_of(const double complex *x, size_t n) {
  double sum = 0;
  for (size_t w = 0; w < n; w++) sum += creal(x[w] * conj(x[w]));
  return sum;
}

/* Share of the light that the matrix of a chip, multiplied together here, brings to an output. */
static double share_at(const cuonn_mesh *chip, const double complex *x, size_t output) {
  const size_t n = chip->n_modes;
  double complex *const u = malloc(n * n * sizeof *u), y = 0;
  assert_non_null(u);
  dense_matrix(u, chip);
  for (size_t w = 0; w < n; w++) y += u[output * n + w] * x[w];
  free(u);
  return creal(y * conj(y)) / power_of(x, n);
}

/* Powers of one turn on a chip without errors: those of the inputs that are joined so far, and at the end all. */
static void is_exact_without_errors(void **unused) {
  (void)unused;
  static const layer layers[] = {
      {CUONN_ARCHITECTURE_TREE, 2, 0},         {CUONN_ARCHITECTURE_TREE, 3, 0},
      {CUONN_ARCHITECTURE_TREE, 13, 0},        {CUONN_ARCHITECTURE_TREE, kMost, 0},
      {CUONN_ARCHITECTURE_TRIANGULAR, 2, 0},   {CUONN_ARCHITECTURE_TRIANGULAR, 3, 2},
      {CUONN_ARCHITECTURE_TRIANGULAR, 12, 11}, {CUONN_ARCHITECTURE_TRIANGULAR, kMost, kMost - 1},
      {CUONN_ARCHITECTURE_BUTTERFLY, 8, 0},    {CUONN_ARCHITECTURE_BUTTERFLY, kMost, 0}};
  static const cuonn_phase_style styles[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM, CUONN_STYLE_DIFFERENTIAL};
  cuonn_self_configuration_options options = CUONN_SELF_CONFIGURATION_OPTIONS_INIT;
  options.turns = 1;
  for (size_t i = 0; i < 90; i++) {
    const layer *const of = layers + i / 9;
    const size_t n = of->n, node = i / 3 % 3;
    cuonn_mesh chip, before;
    cuonn_self_configuration got;
    double powers[kMost];
    double complex x[kMost];
    chance c = {i};
    make_chip(&chip, of, (cuonn_node_kind)node, styles[i % 3]);
    make_chip(&before, of, (cuonn_node_kind)node, styles[i % 3]);
    for (size_t k = 0; k < chip.n_nodes; k++)
      chip.theta[k] = before.theta[k] = chip.phi[k] = before.phi[k] = 1 + (double)k;
    chance_normals((double *)x, 2 * n, &c);
    if (i % 2) x[n / 2] = x[n - 1] = 0;
    OK(cuonn_chip_self_configure(&chip, &got, powers, (const double *)x, &options));
    assert_int_equal(got.output, of->output);
    assert_int_equal(got.n_nodes, n - 1);
    assert_int_equal(got.readings, 6 * (n - 1));
    /* phases are off by rounding of powers up to 1, N times, and shares by their square; shares round themselves */
    const double one = share_at(&chip, x, of->output), tolerance = 1e-15 * (double)n;
    assert_true(fabs(one - 1) < 100 * tolerance);
    assert_true(fabs(got.power - 1) < tolerance && got.dropped < 1e-24);
    CLOSE(&powers[n - 1], &got.power, 1, .abs = tolerance);
    for (size_t k = 1; k < n; k++) assert_true(powers[k] > powers[k - 1] - tolerance);
    double joined = creal(x[0] * conj(x[0]));
    for (size_t k = 0; of->architecture == CUONN_ARCHITECTURE_TRIANGULAR && n > 2 && k < n; k++) {
      if (k > 0) joined += creal(x[k] * conj(x[k]));
      assert_true(fabs(powers[k] - joined / power_of(x, n)) < tolerance);
    }
    size_t moved = 0;
    for (size_t k = 0; k < chip.n_nodes; k++) moved += chip.theta[k] != before.theta[k];
    assert_true(moved <= n - 1);
    cuonn_mesh_free(&before);
    cuonn_mesh_free(&chip);
  }
}

/* Share of the light that is dropped where every node does what its couplers allow, eq. 54 and 55, with *bound what
 * they may drop of any light. */
static double least_dropped(double *bound, const cuonn_mesh *chip, const double complex *x, const layer *of) {
  double power[kMost], dropped = 0, kept_at_least = 1;
  for (size_t w = 0; w < of->n; w++) power[w] = creal(x[w] * conj(x[w])) / power_of(x, of->n);
  for (size_t c = 0, k = 0; c + 1 < cuonn_mesh_shape_columns(chip->shape); c++) {
    const cuonn_mesh_column column = cuonn_mesh_shape_column(chip->shape, c);
    for (size_t j = 0; j < column.count; j++, k++) {
      const size_t top = column.pairs[j][0], bottom = column.pairs[j][1];
      const bool line = of->architecture == CUONN_ARCHITECTURE_TRIANGULAR;
      if (line && top != c) continue; /* not on the line */
      const size_t kept = line ? bottom : top, drop = line ? top : bottom;
      const double a = chip->coupler_error[2 * k], b = chip->coupler_error[2 * k + 1], all = power[top] + power[bottom];
      const double wanted = asin(sqrt(power[kept] / all)); /* the straight share has to be its sin^2 */
      const double angle = fmin(fmax(wanted, fabs(a + b)), M_PI_2 - fabs(a - b));
      const double lost = sin(angle - wanted) * sin(angle - wanted);
      dropped += lost * all;
      power[kept] = (1 - lost) * all;
      power[drop] = 0;
      kept_at_least *= 1 - fmax(sin(a + b) * sin(a + b), sin(a - b) * sin(a - b));
    }
  }
  *bound = 1 - kept_at_least;
  return dropped;
}

/* The share that is dropped falls with turns to what couplers allow. Each turn takes away a share of what is left, the
 * less the nearer the splitting is to the end of its range: 400 turns leave 1e-6 of it. */
static void drops_what_couplers_cannot_join(void **unused) {
  (void)unused;
  static const layer layers[] = {{CUONN_ARCHITECTURE_TREE, 2, 0},
                                 {CUONN_ARCHITECTURE_TREE, 8, 0},
                                 {CUONN_ARCHITECTURE_TRIANGULAR, 8, 7},
                                 {CUONN_ARCHITECTURE_TRIANGULAR, 32, 31}};
  size_t out_of_reach = 0;
  for (size_t i = 0; i < 24; i++) {
    const layer *const of = layers + i % 4;
    cuonn_mesh chip;
    cuonn_self_configuration got;
    double complex x[kMost];
    chance c = {100 + i};
    double bound;
    make_chip(&chip, of, CUONN_NODE_MZI, i % 3 ? CUONN_STYLE_TOP : CUONN_STYLE_DIFFERENTIAL);
    dense_random(&chip, &c, i % 2 ? .05 : .2, 0);
    chance_normals((double *)x, 2 * of->n, &c);
    const double least = least_dropped(&bound, &chip, x, of);
    out_of_reach += least > 0;
    double before = 1;
    for (size_t turns = 1; turns <= kMostTurns; turns *= 20) {
      const cuonn_self_configuration_options options = {.turns = turns};
      OK(cuonn_chip_self_configure(&chip, &got, NULL, (const double *)x, &options));
      assert_true(got.dropped < before + 1e-24);
      before = got.dropped;
    }
    assert_true(fabs(got.dropped + got.power - 1) < 1e-13);
    assert_true(fabs(share_at(&chip, x, of->output) - got.power) < 1e-13);
    assert_true(least <= bound);
    assert_true(got.dropped > least - 1e-13 && got.dropped < 1.000001 * least + 1e-13);
    cuonn_mesh_free(&chip);
  }
  assert_true(out_of_reach >= 4);
}

/* One node with errors: the power it keeps never falls from turn to turn. */
static void one_node_keeps_more_by_every_turn(void **unused) {
  (void)unused;
  static const layer one = {CUONN_ARCHITECTURE_TREE, 2, 0};
  const cuonn_self_configuration_options options = {.turns = 30};
  for (size_t i = 0; i < 60; i++) {
    cuonn_mesh chip;
    cuonn_self_configuration got;
    double powers[31], x[4];
    chance c = {i};
    make_chip(&chip, &one, (cuonn_node_kind)(i % 3), CUONN_STYLE_BOTTOM);
    dense_random(&chip, &c, .3, 0);
    chance_normals(x, 4, &c);
    OK(cuonn_chip_self_configure(&chip, &got, powers, x, &options));
    for (size_t t = 2; t <= 30; t++) assert_true(powers[t] > powers[t - 1] - 1e-15);
    cuonn_mesh_free(&chip);
  }
}

/* Readings with shot noise come again with their seed; on lossy chips not all light is seen. */
static void readings_have_noise(void **unused) {
  (void)unused;
  static const layer tree = {CUONN_ARCHITECTURE_TREE, 9, 0};
  const cuonn_self_configuration_options options[] = {
      {3, .001, 1, NULL}, {3, .001, 1, NULL}, {3, .001, 2, NULL}, {3, 0, 0, NULL}};
  cuonn_self_configuration got[4];
  double x[18];
  chance c = {5};
  chance_normals(x, 18, &c);
  for (size_t i = 0; i < 4; i++) {
    cuonn_mesh chip;
    make_chip(&chip, &tree, CUONN_NODE_MZI, CUONN_STYLE_TOP);
    for (size_t k = 0; i == 3 && k < 2 * chip.n_nodes; k++) chip.loss_db[k] = .5;
    OK(cuonn_chip_self_configure(&chip, &got[i], NULL, x, &options[i]));
    assert_int_equal(got[i].readings, 6 * 3 * 8);
    cuonn_mesh_free(&chip);
  }
  assert_true(got[0].dropped == got[1].dropped && got[0].dropped != got[2].dropped);
  /* theta and phi are off by some sigma / sqrt(power of the node), so that 8 nodes drop some 8 sigma^2 */
  assert_true(got[0].dropped > 1e-8 && got[0].dropped < 1e-4);
  assert_true(got[3].power + got[3].dropped < .9 && got[3].power > .4);
}

/* A chip file's errors are a mesh's; with its drivers and its heat the power is that of the chip programmed to the
 * phases that are written, and levels that lie far apart drop more. */
static void a_fabricated_chip_configures_itself(void **unused) {
  (void)unused;
  static const layer layers[] = {{CUONN_ARCHITECTURE_TREE, 9, 0}, {CUONN_ARCHITECTURE_TRIANGULAR, 9, 8}};
  static const struct {
    size_t bits;
    double crosstalk;
  } ways[] = {{0, 0}, {12, 0}, {5, 0}, {0, .01}, {12, .01}};
  enum { kWays = 5 };
  for (size_t i = 0; i < 2; i++) {
    double dropped[kWays], x[18];
    chance c = {7};
    cuonn_mesh chip, known;
    chance_normals(x, 18, &c);
    make_chip(&chip, &layers[i], CUONN_NODE_MZI, CUONN_STYLE_TOP);
    make_chip(&known, &layers[i], CUONN_NODE_MZI, CUONN_STYLE_TOP);
    cuonn_self_configuration_options how = CUONN_SELF_CONFIGURATION_OPTIONS_INIT;
    cuonn_self_configuration got, want;
    how.turns = 20;
    for (size_t w = 0; w < kWays; w++) {
      cuonn_chip_options errors = CUONN_CHIP_OPTIONS_INIT;
      const cuonn_drive_law law = {.slope = .3, .slope_std = .05, .offset_std = .3};
      cuonn_fabricated made;
      errors.coupler_std = .03;
      errors.loss_mean = .02;
      OK(cuonn_fabricated_create(&made, chip.shape, chip.style, 1));
      if (w > 0) OK(cuonn_fabricated_add_drive(&made, &(cuonn_driver){0, 6, ways[w].bits}));
      OK(cuonn_fabricated_draw(&made, &errors, w > 0 ? &law : NULL));
      if (ways[w].crosstalk > 0) { /* of the neighbour's shifter, also on shapes for which no law is known */
        const size_t shifters = 2 * chip.n_nodes;
        made.crosstalk = calloc(shifters - 1, sizeof *made.crosstalk);
        for (uint32_t s = 0; s + 1 < shifters; s++) made.crosstalk[s] = (cuonn_crosstalk){s, s + 1, ways[w].crosstalk};
        made.crosstalk_first[1] = shifters - 1;
      }
      how.fabricated = &made;
      OK(cuonn_chip_self_configure(&chip, &got, NULL, x, &how));
      dropped[w] = got.dropped;
      if (w == 0) {
        how.fabricated = NULL;
        OK(cuonn_fabricated_put_errors(&known, &made, 0));
        OK(cuonn_chip_self_configure(&known, &want, NULL, x, &how));
        assert_true(want.dropped == got.dropped && want.power == got.power);
      }
      OK(cuonn_fabricated_apply(&chip, &made, 0));
      assert_true(fabs(share_at(&chip, (const double complex *)x, got.output) - got.power) < 1e-13);
      cuonn_fabricated_free(&made);
    }
    assert_true(dropped[0] < 1e-6);
    assert_true(dropped[1] > dropped[0] && dropped[1] < 1e-3);
    assert_true(dropped[2] > 30 * dropped[1]);
    assert_true(dropped[3] > 10 * dropped[0]); /* nodes that move later heat those before them */
    /* to the field that is dropped then, levels add as much as without heat */
    const double added = fabs(sqrt(dropped[4]) - sqrt(dropped[3]));
    assert_true(added > 0 && added < 2 * sqrt(dropped[1]));
    cuonn_mesh_free(&known);
    cuonn_mesh_free(&chip);
  }
}

static void refuses_what_it_cannot_configure(void **unused) {
  (void)unused;
  static const layer tree = {CUONN_ARCHITECTURE_TREE, 4, 0}, complete = {CUONN_ARCHITECTURE_RECTANGULAR, 4, 0};
  cuonn_self_configuration_options options = CUONN_SELF_CONFIGURATION_OPTIONS_INIT;
  cuonn_self_configuration got;
  cuonn_mesh chip, symmetric, rectangle;
  double x[8] = {1, 0, 0, 1}, dark[8] = {0}, bad[8] = {1, NAN}, huge[8] = {1e300, 0, 1e-300, 1e300};
  make_chip(&chip, &tree, CUONN_NODE_MZI, CUONN_STYLE_TOP);
  make_chip(&symmetric, &tree, CUONN_NODE_MZI, CUONN_STYLE_SYMMETRIC);
  make_chip(&rectangle, &complete, CUONN_NODE_MZI, CUONN_STYLE_TOP);
#define REFUSES(mesh, light, status, text)                                               \
  do {                                                                                   \
    memset(&got, 0x5a, sizeof got);                                                      \
    REFUSED(cuonn_chip_self_configure(mesh, &got, NULL, light, &options), status, text); \
    assert_true(got.readings == 0 && got.power == 0);                                    \
    for (size_t k = 0; k < 3; k++) assert_true(chip.theta[k] == 0 && chip.phi[k] == 0);  \
  } while (0)
  REFUSES(&chip, dark, CUONN_E_DATA, "no power");
  REFUSES(&chip, bad, CUONN_E_NONFINITE, "waveguide 0");
  REFUSES(&symmetric, x, CUONN_E_ARGUMENT, "style symmetric");
  REFUSES(&rectangle, x, CUONN_E_SHAPE, "by a tree of nodes");
  options.turns = 0;
  REFUSES(&chip, x, CUONN_E_ARGUMENT, "0 turns");
  options.turns = 1;
  const double shots[] = {-1, 101, NAN};
  for (size_t i = 0; i < 3; i++) {
    options.tap_shot = shots[i];
    REFUSES(&chip, x, CUONN_E_ARGUMENT, "shot noise");
  }
  options.tap_shot = 0;
  cuonn_fabricated pair = {0};
  OK(cuonn_fabricated_create(&pair, chip.shape, chip.style, 2));
  options.fabricated = &pair;
  REFUSES(&chip, x, CUONN_E_SHAPE, "2 meshes");
  cuonn_fabricated_free(&pair);
  OK(cuonn_fabricated_create(&pair, chip.shape, CUONN_STYLE_BOTTOM, 1));
  REFUSES(&chip, x, CUONN_E_SHAPE, "style bottom, the network");
  cuonn_fabricated_free(&pair);
  options.fabricated = NULL;
  chip.coupler_error[1] = NAN;
  REFUSES(&chip, x, CUONN_E_NONFINITE, "coupler_error[1]");
  chip.coupler_error[1] = 0;
  OK(cuonn_chip_self_configure(&chip, &got, NULL, huge, &options)); /* whose square is no number */
  assert_true(fabs(got.power - 1) < 1e-12);
  cuonn_mesh_free(&rectangle);
  cuonn_mesh_free(&symmetric);
  cuonn_mesh_free(&chip);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_fabricated_chip_configures_itself),
      cmocka_unit_test(is_exact_without_errors),
      cmocka_unit_test(drops_what_couplers_cannot_join),
      cmocka_unit_test(one_node_keeps_more_by_every_turn),
      cmocka_unit_test(readings_have_noise),
      cmocka_unit_test(refuses_what_it_cannot_configure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
