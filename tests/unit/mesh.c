/* The mesh as plain arrays, and the decomposition of unitaries into its phases. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include <lapacke.h>

#include "cuonn/mesh.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"
#include "support/unitaries.h"

static const cuonn_phase_style universal[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM, CUONN_STYLE_DIFFERENTIAL};
enum { kUniversal = sizeof universal / sizeof *universal };

/* --- plain arrays ------------------------------------------------------------------------------------------------ */

static void counts_nodes_column_by_column(void **unused) {
  (void)unused;
  for (size_t n = 2; n <= 9; n++) {
    cuonn_mesh_shape *shape;
    size_t nodes = 0;
    OK(cuonn_mesh_shape_rectangular(&shape, n));
    assert_int_equal(cuonn_mesh_shape_columns(shape), n + 1);
    for (size_t c = 0; c < n; c++) {
      const cuonn_mesh_column column = cuonn_mesh_shape_column(shape, c);
      assert_int_equal(column.kind, CUONN_COLUMN_PAIRS);
      assert_int_equal(column.first, nodes);
      for (size_t top = c % 2; top + 1 < n; top += 2, nodes++) {
        assert_int_equal(column.pairs[nodes - column.first][0], top);
        assert_int_equal(column.pairs[nodes - column.first][1], top + 1);
      }
      assert_int_equal(column.first + column.count, nodes);
    }
    assert_int_equal(cuonn_mesh_shape_column(shape, n).kind, CUONN_COLUMN_SINGLES);
    assert_int_equal(cuonn_mesh_shape_column(shape, n).count, n);
    assert_int_equal(cuonn_mesh_shape_nodes(shape), nodes);
    assert_int_equal(cuonn_mesh_nodes(n), nodes);
    assert_int_equal(nodes, n * (n - 1) / 2);
    cuonn_mesh_shape_free(shape);
  }
}

static void create_makes_zeros_and_refuses_sizes(void **unused) {
  (void)unused;
  cuonn_mesh mesh;
  OK(cuonn_mesh_create(&mesh, 5, CUONN_STYLE_BOTTOM));
  assert_int_equal(mesh.n_modes, 5);
  assert_int_equal(mesh.style, CUONN_STYLE_BOTTOM);
  for (size_t k = 0; k < 10; k++) {
    assert_true(mesh.theta[k] == 0 && mesh.phi[k] == 0);
    assert_true(mesh.coupler_error[2 * k] == 0 && mesh.coupler_error[2 * k + 1] == 0);
    assert_true(mesh.loss_db[2 * k] == 0 && mesh.loss_db[2 * k + 1] == 0);
  }
  for (size_t w = 0; w < 5; w++) assert_true(mesh.gamma[w] == 0);
  cuonn_mesh_free(&mesh);
  assert_null(mesh.theta);
  cuonn_mesh_free(&mesh);
  cuonn_mesh_free(NULL);

  const size_t refused[] = {0, 1, CUONN_MODES_MAX + 1, SIZE_MAX};
  for (size_t i = 0; i < 4; i++) {
    memset(&mesh, 0x5a, sizeof mesh);
    REFUSED(cuonn_mesh_create(&mesh, refused[i], CUONN_STYLE_TOP), CUONN_E_SHAPE, "2 to 16384 waveguides");
    assert_true(mesh.n_modes == 0 && !mesh.theta && !mesh.loss_db);
  }
}

static void copies_every_array(void **unused) {
  (void)unused;
  chance c = {1};
  cuonn_mesh from, to, other;
  OK(cuonn_mesh_create(&from, 6, CUONN_STYLE_DIFFERENTIAL));
  OK(cuonn_mesh_create(&to, 6, CUONN_STYLE_TOP));
  OK(cuonn_mesh_create(&other, 5, CUONN_STYLE_TOP));
  dense_random(&from, &c, 0.1, 1);
  OK(cuonn_mesh_copy(&to, &from));
  assert_int_equal(to.style, CUONN_STYLE_DIFFERENTIAL);
  assert_memory_equal(to.theta, from.theta, 15 * sizeof(double));
  assert_memory_equal(to.phi, from.phi, 15 * sizeof(double));
  assert_memory_equal(to.gamma, from.gamma, 6 * sizeof(double));
  assert_memory_equal(to.coupler_error, from.coupler_error, 30 * sizeof(double));
  assert_memory_equal(to.loss_db, from.loss_db, 30 * sizeof(double));
  assert_ptr_not_equal(to.theta, from.theta);
  REFUSED(cuonn_mesh_copy(&other, &from), CUONN_E_SHAPE, "6 waveguides");
  cuonn_mesh_free(&other);
  cuonn_mesh_free(&to);
  cuonn_mesh_free(&from);
}

static void check_names_array_and_index(void **unused) {
  (void)unused;
  cuonn_mesh mesh;
  OK(cuonn_mesh_create(&mesh, 4, CUONN_STYLE_TOP));
  OK(cuonn_mesh_check(&mesh));
  const struct {
    double *at, value;
    const char *text;
  } bad[] = {{&mesh.theta[3], NAN, "theta[3] is"},
             {&mesh.phi[5], INFINITY, "phi[5] is inf"},
             {&mesh.gamma[2], -INFINITY, "gamma[2] is -inf"},
             {&mesh.coupler_error[11], NAN, "coupler_error[11] is"},
             {&mesh.loss_db[0], NAN, "loss_db[0] is"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    *bad[i].at = bad[i].value;
    REFUSED(cuonn_mesh_check(&mesh), CUONN_E_NONFINITE, bad[i].text);
    *bad[i].at = 0;
  }
  mesh.style = (cuonn_phase_style)4;
  REFUSED(cuonn_mesh_check(&mesh), CUONN_E_ARGUMENT, "phase style 4");
  mesh.style = (cuonn_phase_style)-1;
  REFUSED(cuonn_mesh_check(&mesh), CUONN_E_ARGUMENT, "phase style -1");
  cuonn_mesh_free(&mesh);
}

static void styles_have_names(void **unused) {
  (void)unused;
  const char *const names[] = {"top", "bottom", "symmetric", "differential"};
  for (int i = 0; i < 4; i++) {
    cuonn_phase_style style = (cuonn_phase_style)9;
    OK(cuonn_phase_style_parse(&style, names[i]));
    assert_int_equal(style, i);
    assert_string_equal(cuonn_phase_style_name(style), names[i]);
  }
  assert_null(cuonn_phase_style_name((cuonn_phase_style)4));
  cuonn_phase_style style;
  REFUSED(cuonn_phase_style_parse(&style, "Top"), CUONN_E_ARGUMENT, "\"Top\" is unknown; it is one of top, bottom");
  REFUSED(cuonn_phase_style_parse(&style, ""), CUONN_E_ARGUMENT, "top, bottom, symmetric, differential");
}

/* --- periods ------------------------------------------------------------------------------------------------------ */

static double distance(const double complex *a, const double complex *b, size_t n) {
  double worst = 0;
  for (size_t i = 0; i < n * n; i++) {
    const double error = cabs(a[i] - b[i]);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

/* A node of a random chip, with phases moved by so much, is as far from what it was. */
static double moved_by(cuonn_phase_style style, double theta, double phi, double gamma) {
  chance c = {5};
  cuonn_mesh mesh;
  double complex before[4], after[4];
  OK(cuonn_mesh_create(&mesh, 2, style));
  dense_random(&mesh, &c, 0.3, 2);
  dense_matrix(before, &mesh);
  mesh.theta[0] += theta;
  mesh.phi[0] += phi;
  mesh.gamma[0] += gamma;
  dense_matrix(after, &mesh);
  cuonn_mesh_free(&mesh);
  return distance(after, before, 2);
}

static void nodes_repeat_after_their_periods(void **unused) {
  (void)unused;
  const double same = 1e-14, turn = 2 * M_PI; /* a few roundings of phases up to 20 */
  for (int style = 0; style < 4; style++) {
    const cuonn_phase_periods p = cuonn_phase_style_periods((cuonn_phase_style)style);
    const cuonn_phase_style s = (cuonn_phase_style)style;
    assert_true(moved_by(s, p.theta, 0, 0) < same);
    assert_true(moved_by(s, 0, p.phi, 0) < same);
    assert_true(moved_by(s, 0, 0, p.gamma) < same);
    assert_true(moved_by(s, p.joint_theta, p.joint_phi, 0) < same);
    /* and after no less: half of each is another node */
    assert_true(moved_by(s, p.theta / 2, 0, 0) > 0.1);
    assert_true(moved_by(s, 0, p.phi / 2, 0) > 0.1);
    assert_true(moved_by(s, 0, 0, p.gamma / 2) > 0.1);
    assert_true(p.joint_theta == turn && p.gamma == turn);
  }
}

static void wraps_into_the_half_open_interval(void **unused) {
  (void)unused;
  const double turn = 2 * M_PI, below = nextafter(turn, 0);
  const struct {
    double phase, wrapped;
  } cases[] = {{0, 0},
               {-0.0, 0},
               {1, 1},
               {below, below},
               {turn, 0},
               {-turn, 0},
               {-1e-17, 0},
               {-5e-324, 0},
               {5e-324, 5e-324},
               {2 * turn + 1e-17, 0},
               {-1, turn - 1},
               {-3 * turn, 0},
               {1e300, fmod(1e300, turn)}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const double got = cuonn_phase_wrap(cases[i].phase, turn);
    assert_true(got == cases[i].wrapped && got >= 0 && got < turn && !signbit(got));
  }
  assert_true(cuonn_phase_wrap(7, 2 * turn) == 7);
}

/* Phases at and beside whole and half turns, where signs are lost or kept. */
static double awkward_phase(chance *c) {
  const double near[] = {0, 0, 1e-17, -1e-17, 1e-300, -1e-300, 1e-15, -1e-15};
  return M_PI * ((double)chance_index(c, 17) - 8) + near[chance_index(c, 8)];
}

static void in_one_turn(const double *phases, size_t n) {
  for (size_t i = 0; i < n; i++) assert_true(phases[i] >= 0 && phases[i] < 2 * M_PI);
}

static void wraps_one(cuonn_mesh *mesh) {
  const size_t n = mesh->n_modes, nodes = cuonn_mesh_nodes(n);
  double complex *before = malloc(n * n * sizeof *before), *after = malloc(n * n * sizeof *after);
  double *phases = malloc((2 * nodes + n) * sizeof *phases);
  assert_true(before && after && phases);
  dense_matrix(before, mesh);
  OK(cuonn_mesh_wrap(mesh));
  in_one_turn(mesh->theta, nodes);
  in_one_turn(mesh->phi, nodes);
  in_one_turn(mesh->gamma, n);
  dense_matrix(after, mesh);
  /* Light meets N nodes, whose phases are each wrong by two roundings of numbers up to 25 or so, 2e-15. */
  const double error = distance(after, before, n);
  if (!(error < 2e-15 * (double)n + 1e-14)) {
    fail_msg("N %zu, style %s: wrapping moves the matrix by %g", n, cuonn_phase_style_name(mesh->style), error);
  }
  memcpy(phases, mesh->theta, nodes * sizeof *phases);
  memcpy(phases + nodes, mesh->phi, nodes * sizeof *phases);
  memcpy(phases + 2 * nodes, mesh->gamma, n * sizeof *phases);
  OK(cuonn_mesh_wrap(mesh)); /* what is there already stays */
  assert_memory_equal(phases, mesh->theta, nodes * sizeof *phases);
  assert_memory_equal(phases + nodes, mesh->phi, nodes * sizeof *phases);
  assert_memory_equal(phases + 2 * nodes, mesh->gamma, n * sizeof *phases);
  free(phases);
  free(after);
  free(before);
}

static void wrapping_keeps_the_matrix_of_any_chip(void **unused) {
  (void)unused;
  chance c = {6};
  const size_t sizes[] = {2, 3, 4, 6, 7, 16, 33, 64};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int style = 0; style < 4; style++) {
      for (int awkward = 0; awkward < 2; awkward++) {
        cuonn_mesh mesh;
        OK(cuonn_mesh_create(&mesh, sizes[i], (cuonn_phase_style)style));
        dense_random(&mesh, &c, 0.3, 0.1);
        for (size_t k = 0; awkward && k < cuonn_mesh_nodes(sizes[i]); k++) {
          mesh.theta[k] = awkward_phase(&c);
          mesh.phi[k] = awkward_phase(&c);
        }
        wraps_one(&mesh);
        cuonn_mesh_free(&mesh);
      }
    }
  }
}

/* --- what phases can reach ---------------------------------------------------------------------------------------- */

/* dU/dp, all real and imaginary parts. Each part of U is a + b e^{i w p}, or a e^{iwp} + b e^{-iwp}, with w = 1 or 1/2,
 * so that a difference over a quarter turn of w p is the derivative itself: no step, no error but rounding. */
static void derivative(double *out, cuonn_mesh *mesh, double *phase, double frequency, double complex *u) {
  const size_t n = mesh->n_modes;
  const double at = *phase, quarter = M_PI / 2 / frequency;
  *phase = at + quarter;
  dense_matrix(u, mesh);
  for (size_t i = 0; i < n * n; i++)
    out[2 * i] = frequency / 2 * creal(u[i]), out[2 * i + 1] = frequency / 2 * cimag(u[i]);
  *phase = at - quarter;
  dense_matrix(u, mesh);
  for (size_t i = 0; i < n * n; i++)
    out[2 * i] -= frequency / 2 * creal(u[i]), out[2 * i + 1] -= frequency / 2 * cimag(u[i]);
  *phase = at;
}

/* Dimensions that the derivatives by all N^2 phases span: singular values that are not rounding. */
static size_t rank_of(size_t n, cuonn_phase_style style) {
  const size_t nodes = cuonn_mesh_nodes(n), phases = n * n;
  const bool push_pull = style == CUONN_STYLE_SYMMETRIC || style == CUONN_STYLE_DIFFERENTIAL;
  double *const jacobian = malloc(phases * 2 * phases * sizeof *jacobian), *const s = malloc(phases * sizeof *s);
  double complex *const u = malloc(phases * sizeof *u);
  double unused;
  chance c = {7};
  cuonn_mesh mesh;
  assert_true(jacobian && s && u);
  OK(cuonn_mesh_create(&mesh, n, style));
  dense_random(&mesh, &c, 0, 0);
  for (size_t i = 0; i < phases; i++) {
    double *const row = jacobian + i * 2 * phases;
    if (i < nodes)
      derivative(row, &mesh, &mesh.theta[i], push_pull ? 0.5 : 1, u);
    else if (i < 2 * nodes)
      derivative(row, &mesh, &mesh.phi[i - nodes], style == CUONN_STYLE_DIFFERENTIAL ? 0.5 : 1, u);
    else
      derivative(row, &mesh, &mesh.gamma[i - 2 * nodes], 1, u);
  }
  const lapack_int rows = (lapack_int)phases, columns = 2 * rows;
  assert_int_equal(
      LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', rows, columns, jacobian, columns, s, &unused, rows, &unused, columns), 0);
  size_t rank = 0;
  while (rank < phases && s[rank] > 1e-9 * s[0]) rank++;
  if (rank < phases) assert_true(s[rank] < 1e-13 * s[0]); /* nothing in between: the rank is no matter of taste */
  cuonn_mesh_free(&mesh);
  free(u);
  free(s);
  free(jacobian);
  return rank;
}

/* The unitaries of N waveguides have N^2 dimensions. */
static void symmetric_alone_does_not_reach_all_unitaries(void **unused) {
  (void)unused;
  for (size_t n = 2; n <= 9; n++) {
    for (size_t i = 0; i < kUniversal; i++) assert_int_equal(rank_of(n, universal[i]), n * n);
    assert_int_equal(rank_of(n, CUONN_STYLE_SYMMETRIC), n * n - (n % 2 ? (n - 1) / 2 : n - 1));
  }
  assert_int_equal(rank_of(6, CUONN_STYLE_SYMMETRIC), 31);
}

/* Its phi does set arms against each other, those of later nodes: outputs that nothing follows but gamma get other
 * powers. */
static void phi_of_symmetric_moves_powers(void **unused) {
  (void)unused;
  chance c = {8};
  double complex u[36];
  double before[6], worst = 0;
  cuonn_mesh mesh;
  OK(cuonn_mesh_create(&mesh, 6, CUONN_STYLE_SYMMETRIC));
  dense_random(&mesh, &c, 0, 0);
  for (int moved = 0; moved < 2; moved++) {
    mesh.phi[0] += moved;
    dense_matrix(u, &mesh);
    for (size_t k = 0; k < 6; k++) {
      double complex y = 0;
      for (size_t j = 0; j < 6; j++) y += u[6 * k + j]; /* the same light in every waveguide */
      const double power = creal(y * conj(y));
      if (moved) worst = fmax(worst, fabs(power - before[k]));
      before[k] = power;
    }
  }
  assert_true(worst > 0.1);
  cuonn_mesh_free(&mesh);
}

/* --- decomposition ------------------------------------------------------------------------------------------------ */

/* The mesh's matrix, multiplied together here, is the matrix that was asked for. */
static void decomposes(const double complex *u, const cuonn_mesh_shape *shape, cuonn_phase_style style,
                       const char *name) {
  const size_t n = cuonn_mesh_shape_modes(shape);
  cuonn_mesh mesh;
  double complex *got = malloc(n * n * sizeof *got);
  assert_non_null(got);
  OK(cuonn_mesh_create_shaped(&mesh, shape, style));
  mesh.coupler_error[0] = mesh.loss_db[0] = 1; /* must be cleared */
  if (cuonn_mesh_decompose(&mesh, (const double *)u) != CUONN_OK) {
    fail_msg("%s, N %zu: %s", name, n, cuonn_last_error());
  }
  OK(cuonn_mesh_check(&mesh));
  assert_int_equal(mesh.style, style);
  assert_true(mesh.coupler_error[0] == 0 && mesh.loss_db[0] == 0);
  for (size_t k = 0; k < cuonn_mesh_nodes(n); k++) assert_true(mesh.theta[k] >= 0 && mesh.theta[k] <= M_PI);
  in_one_turn(mesh.phi, cuonn_mesh_nodes(n));
  in_one_turn(mesh.gamma, n);
  dense_matrix(got, &mesh);
  const double worst = distance(got, u, n);
  /* Light meets up to 2N nodes, each with some 10 roundings of 1e-16: at worst 1.3e-13 at N 65 (1.3e-14 is seen). */
  if (!(worst <= 1e-13)) {
    fail_msg("%s, N %zu, %s, style %s: the mesh misses the matrix by %g", name, n,
             cuonn_architecture_name(cuonn_mesh_shape_architecture(shape)), cuonn_phase_style_name(style), worst);
  }
  cuonn_mesh_free(&mesh);
  free(got);
}

static void decomposes_every_kind_of_unitary(void **unused) {
  (void)unused;
  double complex *u = malloc((size_t)65 * 65 * sizeof *u);
  assert_non_null(u);
  chance c = {2};
  for (size_t n = 2; n <= 65; n += n == 17 ? 47 : 1) {
    cuonn_mesh_shape *shapes[2];
    OK(cuonn_mesh_shape_rectangular(&shapes[0], n));
    OK(cuonn_mesh_shape_make(&shapes[1], CUONN_ARCHITECTURE_TRIANGULAR, n, 0));
    for (size_t kind = 0; kind < kUnitaryKinds; kind++) {
      for (size_t style = 0; style < kUniversal; style++) {
        unitary_kinds[kind].make(u, n, &c);
        decomposes(u, shapes[0], universal[style], unitary_kinds[kind].name);
        decomposes(u, shapes[1], universal[style], unitary_kinds[kind].name);
      }
    }
    cuonn_mesh_shape_free(shapes[0]);
    cuonn_mesh_shape_free(shapes[1]);
  }
  free(u);
}

/* Nulling leaves an upper triangle T of which the mesh keeps the phases of the diagonal. T^H T - 1 has the norm of
 * U^H U - 1, and T - D has, to first order, at most that norm: so has the mesh's matrix minus U. */
static void reproduces_a_nearly_unitary_matrix(void **unused) {
  (void)unused;
  enum { kN = 8 };
  double complex u[kN * kN], got[kN * kN];
  chance c = {3};
  for (size_t style = 0; style < kUniversal; style++) {
    cuonn_mesh mesh;
    OK(cuonn_mesh_create(&mesh, kN, universal[style]));
    unitary_random(u, kN, &c);
    for (size_t i = 0; i < kN * kN; i++) u[i] += 1e-8 * (chance_normal(&c) + I * chance_normal(&c));
    const double error = cuonn_unitarity_error((const double *)u, kN);
    assert_true(error > 1e-8 && error < 1e-6);
    OK(cuonn_mesh_decompose(&mesh, (const double *)u));
    dense_matrix(got, &mesh);
    assert_true(cuonn_unitarity_error((const double *)got, kN) < 1e-13);
    for (size_t i = 0; i < kN * kN; i++) assert_true(cabs(got[i] - u[i]) <= 1.1 * kN * error);
    cuonn_mesh_free(&mesh);
  }
}

static void measures_how_far_from_unitary(void **unused) {
  (void)unused;
  double complex u[9] = {1, 0, 0, 0, I, 0, 0, 0, -1};
  assert_true(cuonn_unitarity_error((const double *)u, 3) == 0);
  u[8] = -1.01; /* 1.01^2 - 1 */
  assert_true(fabs(cuonn_unitarity_error((const double *)u, 3) - 0.0201) < 1e-15);
  u[8] = -1;
  u[1] = 0.25 * I; /* columns 0 and 1 overlap by this much */
  assert_true(fabs(cuonn_unitarity_error((const double *)u, 3) - 0.25) < 1e-15);
  u[5] = NAN;
  assert_true(isnan(cuonn_unitarity_error((const double *)u, 3)));
}

static void decompose_refuses(void **unused) {
  (void)unused;
  chance c = {4};
  cuonn_mesh mesh;
  double complex u[16];
  OK(cuonn_mesh_create(&mesh, 4, CUONN_STYLE_TOP));
  unitary_identity(u, 4, &c);
  for (size_t i = 0; i < 16; i++) u[i] *= 1.01;
  REFUSED(cuonn_mesh_decompose(&mesh, (const double *)u), CUONN_E_DATA, "not unitary");
  REFUSED(cuonn_mesh_decompose(&mesh, (const double *)u), CUONN_E_DATA, "0.0201");
  memset(u, 0, sizeof u);
  REFUSED(cuonn_mesh_decompose(&mesh, (const double *)u), CUONN_E_DATA, "modulus 1,");
  unitary_identity(u, 4, &c);
  u[1] = 3e-6;
  REFUSED(cuonn_mesh_decompose(&mesh, (const double *)u), CUONN_E_DATA, "3e-06");
  u[1] = 1e200;
  REFUSED(cuonn_mesh_decompose(&mesh, (const double *)u), CUONN_E_DATA, "not unitary");
  u[1] = 0;
  u[6] = NAN;
  REFUSED(cuonn_mesh_decompose(&mesh, (const double *)u), CUONN_E_NONFINITE, "row 1, column 2");
  u[6] = CMPLX(0, -INFINITY);
  REFUSED(cuonn_mesh_decompose(&mesh, (const double *)u), CUONN_E_NONFINITE, "-inf at row 1, column 2");
  u[6] = 0;
  mesh.style = CUONN_STYLE_SYMMETRIC;
  REFUSED(cuonn_mesh_decompose(&mesh, (const double *)u), CUONN_E_ARGUMENT, "symmetric");
  cuonn_mesh_free(&mesh);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_nodes_column_by_column),
      cmocka_unit_test(create_makes_zeros_and_refuses_sizes),
      cmocka_unit_test(copies_every_array),
      cmocka_unit_test(check_names_array_and_index),
      cmocka_unit_test(styles_have_names),
      cmocka_unit_test(nodes_repeat_after_their_periods),
      cmocka_unit_test(wraps_into_the_half_open_interval),
      cmocka_unit_test(wrapping_keeps_the_matrix_of_any_chip),
      cmocka_unit_test(symmetric_alone_does_not_reach_all_unitaries),
      cmocka_unit_test(phi_of_symmetric_moves_powers),
      cmocka_unit_test(decomposes_every_kind_of_unitary),
      cmocka_unit_test(reproduces_a_nearly_unitary_matrix),
      cmocka_unit_test(measures_how_far_from_unitary),
      cmocka_unit_test(decompose_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
