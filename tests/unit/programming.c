/* Programming a chip to a matrix: the matrix of the phases that come back is multiplied together here, node by node. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/programming.h"
#include "programming/descent.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"
#include "support/unitaries.h"

static const cuonn_phase_style universal[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM, CUONN_STYLE_DIFFERENTIAL};
enum { kUniversal = sizeof universal / sizeof *universal };

static cuonn_context *context;

static int set_up(void **unused) {
  (void)unused;
  OK(cuonn_context_create(&context, "reference", 1));
  return 0;
}

static int tear_down(void **unused) {
  (void)unused;
  cuonn_context_free(context);
  return 0;
}

static double distance(const double complex *a, const double complex *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n * n; i++) sum += creal((a[i] - b[i]) * conj(a[i] - b[i]));
  return sqrt(sum / (double)n);
}

/* Programs the chip, checks what is promised of every result, and returns ||U' - U||_F / sqrt(N) of its phases. */
static double programmed(cuonn_mesh *chip, cuonn_programming_result *result, const double complex *u,
                         const cuonn_programming_options *options) {
  const size_t n = chip->n_modes;
  double complex *const got = malloc(n * n * sizeof *got);
  assert_non_null(got);
  if (cuonn_chip_program(chip, result, context, (const double *)u, options) != CUONN_OK) {
    fail_msg("N %zu, style %s: %s", n, cuonn_phase_style_name(chip->style), cuonn_last_error());
  }
  dense_matrix(got, chip);
  const double error = distance(got, u, n);
  free(got);
  assert_true(fabs(result->after.error - error) < 1e-13 * (double)n); /* N nodes, some roundings each */
  const bool twice = chip->style == CUONN_STYLE_DIFFERENTIAL && cuonn_mesh_shape_node(chip->shape) == CUONN_NODE_MZI3;
  for (size_t k = 0; k < chip->n_nodes; k++) {
    assert_true(chip->theta[k] >= 0 && chip->theta[k] < 2 * M_PI);
    assert_true(chip->phi[k] >= 0 && chip->phi[k] < (twice ? 4 : 2) * M_PI); /* as cuonn_mesh_wrap() leaves it */
  }
  for (size_t w = 0; w < n; w++) assert_true(chip->gamma[w] >= 0 && chip->gamma[w] < 2 * M_PI);
  return error;
}

static double programmed_by(cuonn_mesh *chip, const double complex *u, cuonn_programming_method method) {
  cuonn_programming_options options = CUONN_PROGRAMMING_OPTIONS_INIT;
  cuonn_programming_result result;
  options.method = method;
  return programmed(chip, &result, u, &options);
}

/* A chip of either shape that can have every unitary. */
static void make_chip(cuonn_mesh *chip, size_t n, size_t which) {
  cuonn_mesh_shape *shape;
  const cuonn_architecture architecture =
      which / kUniversal % 2 ? CUONN_ARCHITECTURE_TRIANGULAR : CUONN_ARCHITECTURE_RECTANGULAR;
  OK(cuonn_mesh_shape_make(&shape, architecture, n, 0));
  OK(cuonn_mesh_create_shaped(chip, shape, universal[which % kUniversal]));
  cuonn_mesh_shape_free(shape);
}

/* --- exact cases -------------------------------------------------------------------------------------------------- */

/* Every method finds every kind of unitary on a chip without errors. */
static void is_exact_without_errors(void **unused) {
  (void)unused;
  double complex *const u = malloc((size_t)65 * 65 * sizeof *u);
  chance c = {11};
  assert_non_null(u);
  for (size_t n = 2; n <= 65; n += n == 9 ? 7 : n == 17 ? 47 : 1) {
    for (size_t kind = 0; kind < kUnitaryKinds; kind++) {
      unitary_kinds[kind].make(u, n, &c);
      for (int method = 0; method <= CUONN_PROGRAMMING_GRADIENT; method++) {
        cuonn_mesh chip;
        make_chip(&chip, n, kind);
        const double error = programmed_by(&chip, u, (cuonn_programming_method)method);
        /* Roundings as in a decomposition. Powers are rounded at 1e-16, so that a node which sends less than 1e-8 of an
         * amplitude the other way is not told from one that sends none. */
        if (!(error <= (method == CUONN_PROGRAMMING_NULLING ? 1e-8 : 1e-13))) {
          fail_msg("%s, N %zu, %s: error %g", unitary_kinds[kind].name, n,
                   cuonn_programming_method_name((cuonn_programming_method)method), error);
        }
        cuonn_mesh_free(&chip);
      }
    }
  }
  free(u);
}

/* A target, and couplers that can reach the splittings of all its nodes: |a| + |b| below the angles theta/2 and
 * (pi - theta)/2. */
static void target_within_reach(double complex *u, cuonn_mesh *chip, double most, chance *c) {
  cuonn_mesh ideal;
  unitary_haar(u, chip->n_modes, c);
  OK(cuonn_mesh_create_shaped(&ideal, chip->shape, CUONN_STYLE_TOP));
  OK(cuonn_mesh_decompose(&ideal, (const double *)u));
  for (size_t k = 0; k < 2 * ideal.n_nodes; k++) {
    const double bound = fmin(most, 0.24 * fmin(ideal.theta[k / 2], M_PI - ideal.theta[k / 2]));
    chip->coupler_error[k] = chance_uniform(c, -bound, bound);
  }
  cuonn_mesh_free(&ideal);
}

static void corrects_errors_within_reach_exactly(void **unused) {
  (void)unused;
  const cuonn_programming_method methods[] = {CUONN_PROGRAMMING_LOCAL, CUONN_PROGRAMMING_NULLING,
                                              CUONN_PROGRAMMING_GRADIENT};
  double complex *const u = malloc((size_t)65 * 65 * sizeof *u);
  chance c = {12};
  assert_non_null(u);
  for (size_t n = 2; n <= 65; n += n == 9 ? 7 : n == 17 ? 47 : 1) {
    for (size_t i = 0; i < 3; i++) {
      for (size_t which = 0; which < 2 * kUniversal; which++) {
        cuonn_mesh chip;
        cuonn_programming_options options = CUONN_PROGRAMMING_OPTIONS_INIT;
        cuonn_programming_result result;
        make_chip(&chip, n, which);
        target_within_reach(u, &chip, 0.1, &c);
        options.method = methods[i];
        const double error = programmed(&chip, &result, u, &options);
        assert_int_equal(result.out_of_reach, 0);
        assert_true(result.before.error > 1e-3);
        if (!(error < 1e-12)) fail_msg("N %zu, %s: error %g", n, cuonn_programming_method_name(methods[i]), error);
        cuonn_mesh_free(&chip);
      }
    }
  }
  free(u);
}

/* One node between a (left) and b (right): of straight light cos(a - b) at most passes, of crossed light cos(a + b).
 * What is missing is 2 sin(|a -+ b|/2), by whatever method. */
static void comes_as_near_as_one_node_can(void **unused) {
  (void)unused;
  const double straight[8] = {1, 0, 0, 0, 0, 0, 1, 0}, crossed[8] = {0, 0, 1, 0, 1, 0, 0, 0};
  chance c = {13};
  for (int trial = 0; trial < 40; trial++) {
    const double a = chance_uniform(&c, -0.3, 0.3), b = chance_uniform(&c, -0.3, 0.3);
    for (int method = CUONN_PROGRAMMING_LOCAL; method <= CUONN_PROGRAMMING_GRADIENT; method++) {
      cuonn_mesh chip;
      OK(cuonn_mesh_create(&chip, 2, universal[trial % kUniversal]));
      chip.coupler_error[0] = a;
      chip.coupler_error[1] = b;
      const cuonn_programming_method by = (cuonn_programming_method)method;
      /* The error's square is least at the answer: a rounding of 1e-16 there is 1e-8 in phases and 1e-16 in it. */
      const double bar = programmed_by(&chip, (const double complex *)straight, by);
      const double cross = programmed_by(&chip, (const double complex *)crossed, by);
      assert_true(fabs(bar - 2 * sin(fabs(a - b) / 2)) < 1e-12);
      assert_true(fabs(cross - 2 * sin(fabs(a + b) / 2)) < 1e-12);
      cuonn_mesh_free(&chip);
    }
  }
}

/* --- local -------------------------------------------------------------------------------------------------------- */

/* What the local method promises of a node: the wanted phases, and the nearest splitting that its couplers allow. */
static void nearest_node(double complex m[2][2], double theta, double phi, const double error[2]) {
  const double low = fabs(sin(error[0] + error[1])), high = fabs(cos(error[0] - error[1]));
  const double s = fmin(fmax(sin(theta / 2), fmin(low, high)), fmax(low, high)), cross = sqrt(1 - s * s);
  const double complex common = I * cexp(I * theta / 2), turn = cexp(I * phi);
  m[0][0] = common * turn * s;
  m[0][1] = common * cross;
  m[1][0] = common * turn * cross;
  m[1][1] = -common * s;
}

/* The chip is the product of these nodes and of the ideal gamma: what later nodes take is all that was left over. */
static void local_is_the_product_of_nearest_nodes(void **unused) {
  (void)unused;
  const size_t sizes[] = {2, 3, 5, 8, 17, 64, 65};
  double complex *const u = malloc((size_t)65 * 65 * sizeof *u), *const want = malloc((size_t)65 * 65 * sizeof *want);
  double complex *const got = malloc((size_t)65 * 65 * sizeof *got);
  chance c = {14};
  assert_true(u && want && got);
  for (size_t i = 0; i < 3 * sizeof sizes / sizeof *sizes; i++) {
    const size_t n = sizes[i / 3];
    const double spread = i % 3 == 1 ? 1.5 : 0.2; /* 1.5: couplers beyond all or nothing, too */
    size_t out_of_reach = 0;
    cuonn_mesh ideal, chip;
    cuonn_programming_options options = CUONN_PROGRAMMING_OPTIONS_INIT;
    cuonn_programming_result result;
    unitary_haar(u, n, &c);
    OK(cuonn_mesh_create(&ideal, n, CUONN_STYLE_TOP));
    OK(cuonn_mesh_create(&chip, n, universal[i % kUniversal]));
    OK(cuonn_mesh_decompose(&ideal, (const double *)u));
    dense_random(&chip, &c, spread, 0);
    programmed(&chip, &result, u, &options);
    for (size_t at = 0; at < n * n; at++) want[at] = at % (n + 1) == 0;
    for (size_t column = 0, node = 0; column < n; column++) {
      for (size_t top = column % 2; top + 1 < n; top += 2, node++) {
        double complex m[2][2];
        nearest_node(m, ideal.theta[node], ideal.phi[node], chip.coupler_error + 2 * node);
        out_of_reach += fabs(cabs(m[0][0]) - sin(ideal.theta[node] / 2)) > 1e-12;
        for (size_t j = 0; j < n; j++) {
          const double complex a = want[top * n + j], b = want[(top + 1) * n + j];
          want[top * n + j] = m[0][0] * a + m[0][1] * b;
          want[(top + 1) * n + j] = m[1][0] * a + m[1][1] * b;
        }
      }
    }
    for (size_t at = 0; at < n * n; at++) want[at] *= cexp(I * ideal.gamma[at / n]);
    dense_matrix(got, &chip);
    const double error = distance(got, want, n);
    if (!(error < 1e-12)) fail_msg("N %zu, errors up to %g: %g from the product", n, spread, error);
    assert_int_equal(result.out_of_reach, out_of_reach);
    cuonn_mesh_free(&chip);
    cuonn_mesh_free(&ideal);
  }
  free(got);
  free(want);
  free(u);
}

/* --- losses ------------------------------------------------------------------------------------------------------- */

static void measures_distances(void **unused) {
  (void)unused;
  double complex u[25], half[25] = {0};
  chance c = {15};
  unitary_haar(u, 5, &c);
  for (size_t i = 0; i < 25; i++) half[i] = u[i] / 2;
  cuonn_matrix_distance d = cuonn_matrix_distance_of((const double *)half, (const double *)u, 5);
  assert_true(fabs(d.error - 0.5) < 1e-15 && fabs(d.normalised) < 1e-15);
  for (size_t i = 0; i < 25; i++) half[i] = I * u[i]; /* a common phase counts: |i - 1| */
  d = cuonn_matrix_distance_of((const double *)half, (const double *)u, 5);
  assert_true(fabs(d.error - M_SQRT2) < 1e-14 && fabs(d.normalised - M_SQRT2) < 1e-14);
  memset(half, 0, sizeof half);
  d = cuonn_matrix_distance_of((const double *)half, (const double *)u, 5);
  assert_true(fabs(d.error - 1) < 1e-14 && isnan(d.normalised));
}

/* Losses are no unitary's: no method reaches the target, and each comes nearer than the one before it. */
static void comes_nearer_on_lossy_chips(void **unused) {
  (void)unused;
  double complex u[81];
  chance c = {16};
  for (size_t which = 0; which < 2 * kUniversal; which++) {
    for (size_t n = 2; n <= 9; n++) {
      cuonn_mesh chip;
      cuonn_programming_options options = CUONN_PROGRAMMING_OPTIONS_INIT;
      cuonn_programming_result local, gradient, nulling;
      make_chip(&chip, n, which);
      dense_random(&chip, &c, 0, 0.3);
      target_within_reach(u, &chip, 0.1, &c);
      programmed(&chip, &local, u, &options);
      options.method = CUONN_PROGRAMMING_NULLING;
      programmed(&chip, &nulling, u, &options);
      options.method = CUONN_PROGRAMMING_GRADIENT;
      programmed(&chip, &gradient, u, &options);
      assert_true(local.after.error < local.before.error && local.after.normalised < local.before.normalised / 2);
      assert_true(nulling.after.normalised < local.before.normalised);
      assert_true(gradient.after.error < local.after.error);
      assert_true(gradient.after.error > 0.01);
      cuonn_mesh_free(&chip);
    }
  }
}

/* Losses change the phases of a node's elements. Of one lossy node, what both rows see between its columns is as
 * wanted, and each row is in phase with that of the target. */
static void local_takes_losses_into_account(void **unused) {
  (void)unused;
  double complex u[4], got[4];
  chance c = {21};
  for (size_t trial = 0; trial < 30; trial++) {
    cuonn_mesh chip;
    OK(cuonn_mesh_create(&chip, 2, universal[trial % kUniversal]));
    unitary_haar(u, 2, &c);
    dense_random(&chip, &c, 0.1, 3);
    programmed_by(&chip, u, CUONN_PROGRAMMING_LOCAL);
    dense_matrix(got, &chip);
    const double complex want = u[0] * conj(u[1]) - u[2] * conj(u[3]);
    const double complex have = got[0] * conj(got[1]) - got[2] * conj(got[3]);
    assert_true(fabs(carg(have * conj(want))) < 1e-12);
    for (size_t row = 0; row < 4; row += 2) {
      assert_true(fabs(carg(got[row] * conj(u[row]) + got[row + 1] * conj(u[row + 1]))) < 1e-12);
    }
    cuonn_mesh_free(&chip);
  }
}

/* --- nulling ------------------------------------------------------------------------------------------------------ */

static void counts_readings_and_repeats_their_noise(void **unused) {
  (void)unused;
  double complex u[49];
  double errors[4], shots[] = {1e-3, 1e-3, 1e-3, 1e-5};
  const uint64_t seeds[] = {1, 1, 2, 1};
  for (size_t i = 0; i < 4; i++) {
    cuonn_mesh chip;
    cuonn_programming_result result;
    cuonn_programming_options options = {CUONN_PROGRAMMING_NULLING, shots[i], seeds[i], 1};
    chance same = {18};
    OK(cuonn_mesh_create(&chip, 7, CUONN_STYLE_TOP));
    target_within_reach(u, &chip, 0.1, &same);
    errors[i] = programmed(&chip, &result, u, &options);
    assert_int_equal(result.readings, 9 * 21 + 3 * 7); /* nine a node, three an output */
    cuonn_mesh_free(&chip);
  }
  assert_true(errors[0] == errors[1] && errors[0] != errors[2]);
  /* The same normal numbers a hundred times smaller: so is the error, to first order. */
  assert_true(errors[0] > 1e-4 && errors[0] < 1e-1 && fabs(errors[3] / errors[0] * 100 - 1) < 0.1);
}

/* --- gradient ----------------------------------------------------------------------------------------------------- */

/* Where it ends, no phase that moves by a thousandth makes the error smaller by what its square is worth. */
static void gradient_ends_where_no_phase_helps(void **unused) {
  (void)unused;
  double complex u[64], got[64];
  chance c = {19};
  for (size_t style = 0; style < kUniversal; style++) {
    cuonn_mesh chip;
    cuonn_programming_options options = CUONN_PROGRAMMING_OPTIONS_INIT;
    cuonn_programming_result local, result;
    unitary_haar(u, 8, &c);
    OK(cuonn_mesh_create(&chip, 8, universal[style]));
    dense_random(&chip, &c, 0.2, 0);
    programmed(&chip, &local, u, &options);
    options.method = CUONN_PROGRAMMING_GRADIENT;
    options.iterations = 20000;
    const double least = programmed(&chip, &result, u, &options);
    assert_true(result.iterations > 0 && result.iterations < 20000);
    assert_true(least < local.after.error && local.out_of_reach > 0);
    assert_int_equal(local.out_of_reach, result.out_of_reach);
    double *const phases[] = {chip.theta, chip.phi, chip.gamma};
    for (size_t i = 0; i < 3 * 28; i++) {
      if (i / 28 == 2 && i % 28 >= 8) continue;
      for (int sign = -1; sign <= 1; sign += 2) {
        phases[i / 28][i % 28] += sign * 1e-3;
        dense_matrix(got, &chip);
        phases[i / 28][i % 28] -= sign * 1e-3;
        assert_true(distance(got, u, 8) > least - 1e-7);
      }
    }
    options.iterations = 3;
    programmed(&chip, &result, u, &options);
    assert_int_equal(result.iterations, 3);
    cuonn_mesh_free(&chip);
  }
}

/* f = sum over (1 + i) (x_i - i)^2, and its derivatives. */
static cuonn_status bowl(double *value, double *gradient, const double *x, void *of) {
  *value = 0;
  for (size_t i = 0; i < *(size_t *)of; i++) {
    const double off = x[i] - (double)i;
    *value += (double)(1 + i) * off * off + 1;
    gradient[i] = 2 * (double)(1 + i) * off;
  }
  return CUONN_OK;
}

/* Rosenbrock, Comput. J. 3, 175 (1960), moved up by 1. */
static cuonn_status valley(double *value, double *gradient, const double *x, void *of) {
  const double along = 1 - x[0], across = x[1] - x[0] * x[0];
  (void)of;
  *value = 1 + along * along + 100 * across * across;
  gradient[0] = -2 * along - 400 * x[0] * across;
  gradient[1] = 200 * across;
  return CUONN_OK;
}

static void descends_to_known_minima(void **unused) {
  (void)unused;
  double x[50] = {0}, xy[2] = {-1.2, 1};
  size_t n = 50, taken;
  OK(programming_descend(x, &taken, &(descent_function){bowl, &n, n, 2, 0}, 1000));
  for (size_t i = 0; i < n; i++) assert_true(fabs(x[i] - (double)i) < 1e-3); /* the rest is less than 1e-9 of f */
  assert_true(taken < 100);
  OK(programming_descend(xy, &taken, &(descent_function){valley, NULL, 2, 2, 0}, 1000));
  assert_true(fabs(xy[0] - 1) < 1e-3 && fabs(xy[1] - 1) < 1e-3 && taken < 100);
}

/* --- refusals ----------------------------------------------------------------------------------------------------- */

static void refuses_what_it_cannot_program(void **unused) {
  (void)unused;
  double complex u[16], bad[16];
  chance c = {20};
  cuonn_mesh chip, before, symmetric, triangle;
  cuonn_mesh_shape *shape;
  cuonn_programming_options options = CUONN_PROGRAMMING_OPTIONS_INIT;
  cuonn_programming_result result;
  unitary_haar(u, 4, &c);
  OK(cuonn_mesh_create(&chip, 4, CUONN_STYLE_TOP));
  OK(cuonn_mesh_create(&before, 4, CUONN_STYLE_TOP));
  OK(cuonn_mesh_create(&symmetric, 4, CUONN_STYLE_SYMMETRIC));
  OK(cuonn_mesh_shape_create(&shape, 4, 5, (const size_t[]){1, 1, 2, 1, 1},
                             (const uint32_t[][2]){{2, 3}, {1, 2}, {0, 1}, {2, 3}, {1, 2}, {2, 3}}));
  OK(cuonn_mesh_create_shaped(&triangle, shape, CUONN_STYLE_TOP));
  dense_random(&chip, &c, 0.1, 0.1);
  OK(cuonn_mesh_copy(&before, &chip));
#define REFUSES(mesh, matrix, status, text)                                                                \
  do {                                                                                                     \
    memset(&result, 0x5a, sizeof result);                                                                  \
    REFUSED(cuonn_chip_program(mesh, &result, context, (const double *)(matrix), &options), status, text); \
    assert_true(result.before.error == 0 && result.after.error == 0 && result.readings == 0);              \
  } while (0)
  for (size_t i = 0; i < 16; i++) bad[i] = 1.001 * u[i];
  REFUSES(&chip, bad, CUONN_E_DATA, "not unitary");
  bad[5] = NAN;
  REFUSES(&chip, bad, CUONN_E_NONFINITE, "the matrix is nan at row 1, column 1");
  REFUSES(&symmetric, u, CUONN_E_ARGUMENT, "symmetric");
  REFUSES(&triangle, u, CUONN_E_ARGUMENT, "rectangular");
  chip.coupler_error[3] = NAN;
  REFUSES(&chip, u, CUONN_E_NONFINITE, "coupler_error[3]");
  chip.coupler_error[3] = before.coupler_error[3];
  options.iterations = 0;
  REFUSES(&chip, u, CUONN_E_ARGUMENT, "iterations");
  options.iterations = 1;
  const double shots[] = {-1, 101, NAN};
  for (size_t i = 0; i < 3; i++) {
    options.tap_shot = shots[i];
    REFUSES(&chip, u, CUONN_E_ARGUMENT, "shot noise");
  }
  options.tap_shot = 0;
  options.method = (cuonn_programming_method)4;
  REFUSES(&chip, u, CUONN_E_ARGUMENT, "method 4");
  assert_memory_equal(chip.theta, before.theta, 6 * sizeof(double));
  assert_memory_equal(chip.phi, before.phi, 6 * sizeof(double));
  assert_memory_equal(chip.gamma, before.gamma, 4 * sizeof(double));
  cuonn_mesh_free(&triangle);
  cuonn_mesh_shape_free(shape);
  cuonn_mesh_free(&symmetric);
  cuonn_mesh_free(&before);
  cuonn_mesh_free(&chip);
}

static void methods_have_names(void **unused) {
  (void)unused;
  const char *const names[] = {"decompose", "local", "nulling", "gradient"};
  cuonn_programming_options options;
  for (int i = 0; i < 4; i++) {
    cuonn_programming_method method = (cuonn_programming_method)9;
    OK(cuonn_programming_method_parse(&method, names[i]));
    assert_int_equal(method, i);
    assert_string_equal(cuonn_programming_method_name(method), names[i]);
  }
  assert_null(cuonn_programming_method_name((cuonn_programming_method)4));
  REFUSED(cuonn_programming_method_parse(&options.method, "Local"), CUONN_E_ARGUMENT,
          "\"Local\" is unknown; it is one of decompose, local, nulling, gradient");
  cuonn_programming_options_init(&options);
  assert_true(options.method == CUONN_PROGRAMMING_LOCAL && options.tap_shot == 0 && options.seed == 0);
  assert_int_equal(options.iterations, 1000);
}

/* --- other kinds of nodes ----------------------------------------------------------------------------------------- */

/* A chip of any kind of nodes, with normal coupler errors; equal: of all couplers of a node. */
static void make_chip_of(cuonn_mesh *chip, size_t n, cuonn_node_kind node, cuonn_phase_style style, double sigma,
                         bool equal, chance *c) {
  const size_t couplers = cuonn_node_kind_couplers(node);
  cuonn_mesh_shape *columns, *shape;
  OK(cuonn_mesh_shape_make(&columns, CUONN_ARCHITECTURE_RECTANGULAR, n, 0));
  OK(cuonn_mesh_shape_with_node(&shape, columns, node));
  OK(cuonn_mesh_create_shaped(chip, shape, style));
  cuonn_mesh_shape_free(shape);
  cuonn_mesh_shape_free(columns);
  chance_normals(chip->coupler_error, couplers * chip->n_nodes, c);
  for (size_t i = 0; i < couplers * chip->n_nodes; i++) {
    chip->coupler_error[i] = equal && i % couplers > 0 ? chip->coupler_error[i - 1] : sigma * chip->coupler_error[i];
  }
}

/* Where every node is in reach, all methods are exact; elsewhere they are nearer than the phases of a perfect chip. */
static void programs_all_kinds_of_nodes(void **unused) {
  (void)unused;
  double complex u[81];
  chance c = {21};
  size_t exact = 0, others = 0;
  for (size_t i = 0; i < 3 * 8 * kUniversal; i++) {
    const size_t n = 2 + i / 3 % 8;
    const cuonn_node_kind node = (cuonn_node_kind)(i % 3);
    for (int method = CUONN_PROGRAMMING_LOCAL; method <= CUONN_PROGRAMMING_GRADIENT; method++) {
      cuonn_mesh chip;
      cuonn_programming_options options = CUONN_PROGRAMMING_OPTIONS_INIT;
      cuonn_programming_result result, local;
      unitary_haar(u, n, &c);
      make_chip_of(&chip, n, node, universal[i / 24], .1, false, &c);
      programmed(&chip, &local, u, &options);
      options.method = (cuonn_programming_method)method;
      const double error = programmed(&chip, &result, u, &options);
      assert_true(error < result.before.error);
      if (local.out_of_reach == 0) assert_true(error < (method == CUONN_PROGRAMMING_NULLING ? 1e-7 : 1e-12));
      *(local.out_of_reach == 0 ? &exact : &others) += 1;
      cuonn_mesh_free(&chip);
    }
  }
  assert_true(exact > 50 && others > 50); /* both cases were there */
}

/* Errors of Haar-random targets after local correction, N 16, sigma .05. */
typedef struct {
  double mean, deviation; /* of the mean itself */
  size_t exact;
} errors_of_targets;

static errors_of_targets after_local(cuonn_node_kind node, bool equal) {
  enum { kN = 16, kTargets = 300 };
  double complex u[kN * kN];
  double square = 0;
  errors_of_targets out = {0};
  chance c = {22};
  for (size_t i = 0; i < kTargets; i++) {
    cuonn_mesh chip;
    unitary_haar(u, kN, &c);
    make_chip_of(&chip, kN, node, CUONN_STYLE_TOP, .05, equal, &c);
    const double error = programmed_by(&chip, u, CUONN_PROGRAMMING_LOCAL);
    out.mean += error / kTargets;
    square += error * error / kTargets;
    out.exact += error < 1e-10;
    cuonn_mesh_free(&chip);
  }
  out.deviation = sqrt((square - out.mean * out.mean) / (kTargets - 1));
  return out;
}

/* Hamerly, Bandyopadhyay, Englund, Nat. Commun. 13, 6831 (2022): a third coupler takes the nodes away from full
 * crossing, and most targets become exact; a crossing makes full crossing of full straightness, which equal errors
 * leave, and independent ones do not. Means of 300 targets are compared to 4 of their deviations. */
static void other_nodes_are_corrected_better(void **unused) {
  (void)unused;
  const errors_of_targets mzi = after_local(CUONN_NODE_MZI, false), mzi3 = after_local(CUONN_NODE_MZI3, false);
  const errors_of_targets mzix = after_local(CUONN_NODE_MZIX, false);
  const errors_of_targets equal = after_local(CUONN_NODE_MZI, true), crossed = after_local(CUONN_NODE_MZIX, true);
  assert_true(fabs(mzi3.mean - .0073) < 4 * mzi3.deviation && mzi3.exact > 150);
  assert_true(fabs(mzi.mean - .0261) < 4 * mzi.deviation && mzi.exact < 30);
  assert_true(fabs(mzix.mean - mzi.mean) < 4 * hypot(mzix.deviation, mzi.deviation) && mzix.exact < 30);
  assert_true(fabs(equal.mean - .0561) < 4 * equal.deviation && equal.exact < 30);
  assert_true(fabs(crossed.mean - .0027) < 4 * crossed.deviation && crossed.exact > 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_exact_without_errors),
      cmocka_unit_test(corrects_errors_within_reach_exactly),
      cmocka_unit_test(comes_as_near_as_one_node_can),
      cmocka_unit_test(local_is_the_product_of_nearest_nodes),
      cmocka_unit_test(measures_distances),
      cmocka_unit_test(comes_nearer_on_lossy_chips),
      cmocka_unit_test(local_takes_losses_into_account),
      cmocka_unit_test(counts_readings_and_repeats_their_noise),
      cmocka_unit_test(gradient_ends_where_no_phase_helps),
      cmocka_unit_test(descends_to_known_minima),
      cmocka_unit_test(programs_all_kinds_of_nodes),
      cmocka_unit_test(other_nodes_are_corrected_better),
      cmocka_unit_test(refuses_what_it_cannot_program),
      cmocka_unit_test(methods_have_names),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
