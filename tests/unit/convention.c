/* Conversions between every two conventions: the same matrix, or a refusal that leaves the mesh as it was.
 *
 * Tolerance: light meets at most 12 columns, a node some ten roundings of 1.1e-16 of its phases and products, and
 * phases of up to 30 radians (what is carried, before it is reduced) are off by 4e-15: 1e-12 is allowed. */
#include "cuonn/convention.h"

#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "support/close.h"
#include "support/dense.h"
#include "support/shapes.h"

enum { kMost = 9 };

static const cuonn_convention *named(const char *name) {
  const cuonn_convention *convention;
  OK(cuonn_convention_parse(&convention, name));
  return convention;
}

static bool is(const cuonn_convention *convention, const char *part) {
  return strstr(cuonn_convention_name(convention), part) != NULL;
}

static bool is_rotation(const cuonn_convention *c) {
  return is(c, "interferometer") || is(c, "torchonn") || strcmp(cuonn_convention_name(c), "strawberryfields") == 0;
}

/* Universal: it can say every mesh. */
static bool is_universal(const cuonn_convention *c) {
  return !(strstr(cuonn_convention_name(c), "x-symmetric") || strstr(cuonn_convention_name(c), "cuonn-symmetric") ||
           is(c, "torchonn"));
}

static void random_mesh(cuonn_mesh *mesh, const cuonn_mesh_shape *shape, uint64_t seed, double error, double loss) {
  OK(cuonn_mesh_create_shaped(mesh, shape, CUONN_STYLE_TOP));
  dense_random(mesh, &(chance){seed}, error, loss);
}

/* Rotations and signs: a mesh that torchonn can say. */
static void make_real(cuonn_mesh *mesh) {
  for (size_t k = 0; k < mesh->n_nodes; k++) mesh->phi[k] = 0;
  for (size_t w = 0; w < mesh->n_modes; w++) mesh->gamma[w] = mesh->gamma[w] < 0 ? M_PI : 0;
}

static void check_converted(cuonn_mesh *mesh, const cuonn_convention *from, const cuonn_convention *to) {
  double want[2 * kMost * kMost], got[2 * kMost * kMost];
  cuonn_convention_matrix(want, mesh, from);
  OK(cuonn_mesh_convert(mesh, from, to));
  cuonn_convention_matrix(got, mesh, to);
  CLOSE(got, want, 2 * mesh->n_modes * mesh->n_modes, .abs = 1e-12);
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    if (is_universal(to)) assert_true(mesh->theta[k] >= 0 && mesh->theta[k] < 2 * M_PI);
    if (is_universal(to) && is_rotation(from) != is_rotation(to)) /* no error, not the same node */
      assert_true(mesh->theta[k] <= (is_rotation(to) ? M_PI / 2 : M_PI));
    assert_true(mesh->phi[k] >= 0 && mesh->phi[k] < 2 * M_PI);
  }
  for (size_t w = 0; w < mesh->n_modes; w++) assert_true(mesh->gamma[w] >= 0 && mesh->gamma[w] < 2 * M_PI);
}

/* Every pair of conventions that can say every mesh. */
static void each_pair(const cuonn_mesh_shape *shape, double error, bool (*takes)(const cuonn_convention *)) {
  uint64_t seed = 1;
  for (size_t i = 0; cuonn_convention_at(i); i++) {
    for (size_t j = 0; cuonn_convention_at(j); j++) {
      const cuonn_convention *const from = cuonn_convention_at(i), *const to = cuonn_convention_at(j);
      if (!takes(from) || !takes(to) || !is_universal(to)) continue;
      cuonn_mesh mesh;
      random_mesh(&mesh, shape, seed++, error, 0);
      if (is(from, "torchonn")) make_real(&mesh);
      check_converted(&mesh, from, to);
      cuonn_mesh_free(&mesh);
    }
  }
}

static bool takes_all(const cuonn_convention *c) { return c != NULL; }
static bool takes_errors(const cuonn_convention *c) { return !is_rotation(c); }
static bool takes_errors_of_any_shape(const cuonn_convention *c) {
  return !is_rotation(c) && strcmp(cuonn_convention_name(c), "neurophox") != 0;
}
static bool takes_any_shape(const cuonn_convention *c) { return strcmp(cuonn_convention_name(c), "neurophox") != 0; }

static void every_pair_has_the_same_matrix(void **unused) {
  (void)unused;
  for (size_t n = 2; n <= kMost; n++) {
    cuonn_mesh_shape *shape;
    OK(cuonn_mesh_shape_rectangular(&shape, n));
    each_pair(shape, 0, takes_all);
    each_pair(shape, 0.2, takes_errors);
    cuonn_mesh_shape_free(shape);
    OK(cuonn_mesh_shape_make(&shape, CUONN_ARCHITECTURE_RECTANGULAR, n, n / 2 + 3)); /* fewer columns, and more */
    each_pair(shape, 0, takes_all);
    cuonn_mesh_shape_free(shape);
  }
}

static void every_shape_is_converted(void **unused) {
  (void)unused;
  for (size_t i = 0; i < sizeof neighbour_shapes / sizeof *neighbour_shapes; i++) {
    cuonn_mesh_shape *const shape = shape_of(&neighbour_shapes[i]);
    each_pair(shape, 0, takes_any_shape);
    cuonn_mesh_shape_free(shape);
  }
  for (size_t i = 0; i < sizeof far_shapes / sizeof *far_shapes; i++) {
    cuonn_mesh_shape *const shape = shape_of(&far_shapes[i]);
    each_pair(shape, 0, takes_any_shape);
    cuonn_mesh_shape_free(shape);
  }
  for (int architecture = CUONN_ARCHITECTURE_TRIANGULAR; architecture < CUONN_ARCHITECTURE_CUSTOM; architecture++) {
    cuonn_mesh_shape *shape;
    OK(cuonn_mesh_shape_make(&shape, architecture, 8, 0));
    each_pair(shape, 0.1, takes_errors_of_any_shape);
    cuonn_mesh_shape_free(shape);
  }
}

/* The matrix of one of our styles is the product of the stages, with errors and losses. */
static void our_styles_are_conventions(void **unused) {
  (void)unused;
  for (int style = CUONN_STYLE_TOP; style <= CUONN_STYLE_DIFFERENTIAL; style++) {
    cuonn_mesh mesh;
    cuonn_phase_style found = CUONN_STYLE_TOP;
    double complex want[kMost * kMost];
    double got[2 * kMost * kMost];
    OK(cuonn_mesh_create(&mesh, 7, style));
    dense_random(&mesh, &(chance){40}, 0.3, 1);
    dense_matrix(want, &mesh);
    const cuonn_convention *const ours = cuonn_convention_of_style(style);
    assert_true(cuonn_convention_is_style(&found, ours));
    assert_int_equal(found, style);
    cuonn_convention_matrix(got, &mesh, ours);
    CLOSE(got, (const double *)want, 2 * 7 * 7, .abs = 1e-13);
    cuonn_mesh_free(&mesh);
  }
  assert_null(cuonn_convention_of_style((cuonn_phase_style)9));
  assert_false(cuonn_convention_is_style(NULL, named("perceval"))); /* the same node, by another name */
}

/* Meshes of the same node keep what they have, losses included. */
static void the_same_node_keeps_losses(void **unused) {
  (void)unused;
  static const char *const same[][2] = {{"cuonn-top", "perceval"},
                                        {"meshes", "strawberryfields-symmetric"},
                                        {"simphox-symmetric", "cuonn-symmetric"},
                                        {"cuonn-differential", "simphox-differential"}};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    cuonn_mesh_shape *shape;
    cuonn_mesh mesh;
    double want[2 * kMost * kMost], got[2 * kMost * kMost];
    OK(cuonn_mesh_shape_rectangular(&shape, 6));
    random_mesh(&mesh, shape, 50 + i, 0.2, 2);
    cuonn_convention_matrix(want, &mesh, named(same[i][0]));
    OK(cuonn_mesh_convert(&mesh, named(same[i][0]), named(same[i][1])));
    cuonn_convention_matrix(got, &mesh, named(same[i][1]));
    CLOSE(got, want, 2 * 6 * 6, .abs = 1e-12);
    cuonn_mesh_free(&mesh);
    cuonn_mesh_shape_free(shape);
  }
}

/* Phases at which a node is a bar or a cross, and where single phases are undetermined. */
static void degenerate_phases_are_converted(void **unused) {
  (void)unused;
  static const double quarters[] = {0, M_PI / 2, M_PI, -M_PI, 2 * M_PI, -M_PI / 2, -0.0, 3 * M_PI};
  for (size_t i = 0; cuonn_convention_at(i); i++) {
    for (size_t j = 0; cuonn_convention_at(j); j++) {
      if (!is_universal(cuonn_convention_at(j))) continue;
      for (size_t n = 2; n <= 5; n++) {
        for (size_t q = 0; q < 8; q++) {
          cuonn_mesh mesh;
          OK(cuonn_mesh_create(&mesh, n, CUONN_STYLE_TOP));
          for (size_t k = 0; k < mesh.n_nodes; k++) {
            mesh.theta[k] = quarters[q];
            mesh.phi[k] = is(cuonn_convention_at(i), "torchonn") ? 0 : quarters[(q + k) % 8];
          }
          check_converted(&mesh, cuonn_convention_at(i), cuonn_convention_at(j));
          cuonn_mesh_free(&mesh);
        }
      }
    }
  }
}

static void real_meshes_go_to_rotations_without_phi(void **unused) {
  (void)unused;
  const cuonn_convention *const real = named("torchonn");
  for (size_t i = 0; cuonn_convention_at(i); i++) {
    const cuonn_convention *const by = cuonn_convention_at(i);
    if (!is_universal(by) && by != real) continue;
    for (size_t n = 2; n <= kMost; n++) {
      cuonn_mesh mesh;
      OK(cuonn_mesh_create(&mesh, n, CUONN_STYLE_TOP));
      dense_random(&mesh, &(chance){60 + n}, 0, 0);
      make_real(&mesh);
      OK(cuonn_mesh_convert(&mesh, real, by));
      check_converted(&mesh, by, real);
      for (size_t k = 0; k < mesh.n_nodes; k++) assert_true(mesh.phi[k] == 0 && fabs(mesh.theta[k]) <= M_PI / 2);
      for (size_t w = 0; w < n; w++) assert_true(mesh.gamma[w] == 0 || mesh.gamma[w] == M_PI);
      cuonn_mesh_free(&mesh);
    }
  }
}

/* A period leaves the matrix, half of it does not. */
static void periods_are_the_shortest(void **unused) {
  (void)unused;
  for (size_t i = 0; cuonn_convention_at(i); i++) {
    const cuonn_convention *const c = cuonn_convention_at(i);
    const cuonn_phase_periods period = cuonn_convention_periods(c);
    const double by[] = {period.theta, period.phi, period.gamma};
    cuonn_mesh mesh;
    double want[2 * 25], got[2 * 25];
    OK(cuonn_mesh_create(&mesh, 5, CUONN_STYLE_TOP));
    dense_random(&mesh, &(chance){70}, 0, 0);
    double *const phases[] = {&mesh.theta[3], &mesh.phi[3], &mesh.gamma[3]};
    cuonn_convention_matrix(want, &mesh, c);
    for (size_t p = 0; p < 3; p++) {
      const double start = *phases[p];
      *phases[p] = start + by[p];
      cuonn_convention_matrix(got, &mesh, c);
      CLOSE(got, want, 50, .abs = 1e-13);
      *phases[p] = start + by[p] / 2;
      cuonn_convention_matrix(got, &mesh, c);
      double moved = 0;
      for (size_t e = 0; e < 50; e++) moved = fmax(moved, fabs(got[e] - want[e]));
      if (p != 1 || !is(c, "torchonn")) assert_true(moved > 0.05);
      *phases[p] = start;
    }
    cuonn_mesh_free(&mesh);
  }
}

/* Refused, and as it was. */
static void check_refused(cuonn_mesh *mesh, const char *from, const char *to, cuonn_status status, const char *text) {
  cuonn_mesh before;
  OK(cuonn_mesh_create_shaped(&before, mesh->shape, mesh->style));
  OK(cuonn_mesh_copy(&before, mesh));
  REFUSED(cuonn_mesh_convert(mesh, named(from), named(to)), status, text);
  assert_int_equal(mesh->style, before.style);
  assert_memory_equal(mesh->theta, before.theta, mesh->n_nodes * sizeof(double));
  assert_memory_equal(mesh->phi, before.phi, mesh->n_nodes * sizeof(double));
  assert_memory_equal(mesh->gamma, before.gamma, mesh->n_modes * sizeof(double));
  cuonn_mesh_free(&before);
}

static void what_cannot_be_said_is_refused(void **unused) {
  (void)unused;
  const cuonn_convention *convention = NULL;
  cuonn_mesh mesh;
  OK(cuonn_mesh_create(&mesh, 4, CUONN_STYLE_BOTTOM));
  dense_random(&mesh, &(chance){80}, 0, 0);
  check_refused(&mesh, "cuonn-top", "cuonn-symmetric", CUONN_E_ARGUMENT, "for which cuonn-symmetric has no shifter");
  check_refused(&mesh, "perceval", "torchonn", CUONN_E_ARGUMENT, "for which torchonn has no shifter");
  make_real(&mesh);
  mesh.gamma[2] = 0.5;
  check_refused(&mesh, "interferometer", "torchonn", CUONN_E_ARGUMENT, "; torchonn has signs alone, for real matrices");
  mesh.coupler_error[7] = 0.1;
  check_refused(&mesh, "cuonn-top", "interferometer", CUONN_E_ARGUMENT,
                "node 3 has a coupler error; the nodes of interf");
  check_refused(&mesh, "torchonn", "perceval", CUONN_E_ARGUMENT, "the nodes of torchonn are rotations");
  mesh.coupler_error[7] = 0;
  mesh.loss_db[4] = 0.1;
  check_refused(&mesh, "cuonn-top", "cuonn-bottom", CUONN_E_ARGUMENT,
                "node 2 has a lossy phase shifter; cuonn-top and");
  mesh.loss_db[4] = 0;
  mesh.phi[1] = NAN;
  check_refused(&mesh, "cuonn-top", "cuonn-bottom", CUONN_E_NONFINITE, "phi[1]");
  cuonn_mesh_free(&mesh);

  cuonn_mesh_shape *const shape = shape_of(&neighbour_shapes[0]);
  random_mesh(&mesh, shape, 81, 0, 0);
  check_refused(&mesh, "neurophox", "cuonn-top", CUONN_E_ARGUMENT, "rectangular meshes only");
  check_refused(&mesh, "perceval", "neurophox", CUONN_E_ARGUMENT, "rectangular meshes only");
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(shape);
  REFUSED(cuonn_convention_parse(&convention, "clements"), CUONN_E_ARGUMENT,
          "convention \"clements\" is unknown; it is one of cuonn-top, cuonn-bottom, ");
  REFUSED(cuonn_convention_parse(&convention, "clements"), CUONN_E_ARGUMENT, ", meshes, meshes-out");
  assert_null(convention);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_pair_has_the_same_matrix),  cmocka_unit_test(every_shape_is_converted),
      cmocka_unit_test(our_styles_are_conventions),      cmocka_unit_test(the_same_node_keeps_losses),
      cmocka_unit_test(degenerate_phases_are_converted), cmocka_unit_test(real_meshes_go_to_rotations_without_phi),
      cmocka_unit_test(periods_are_the_shortest),        cmocka_unit_test(what_cannot_be_said_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
