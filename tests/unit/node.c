/* Kinds of nodes: names, files, what is refused of them, and what reference and cpu compute of them. */
#include <float.h>
#include <unistd.h>

#include "support/shapes.h"

static const cuonn_node_kind others[] = {CUONN_NODE_MZI3, CUONN_NODE_MZIX};
enum { kOthers = sizeof others / sizeof *others };

static void kinds_have_names(void **unused) {
  (void)unused;
  for (int i = CUONN_NODE_MZI; i <= CUONN_NODE_MZIX; i++) {
    cuonn_node_kind kind = CUONN_NODE_MZI;
    OK(cuonn_node_kind_parse(&kind, cuonn_node_kind_name((cuonn_node_kind)i)));
    assert_int_equal(kind, i);
    assert_int_equal(cuonn_node_kind_couplers(kind), kind == CUONN_NODE_MZI3 ? 3 : 2);
  }
  cuonn_node_kind kind;
  assert_null(cuonn_node_kind_name((cuonn_node_kind)3));
  REFUSED(cuonn_node_kind_parse(&kind, "mzi4"), CUONN_E_ARGUMENT, "\"mzi4\" is unknown; it is one of mzi, mzi3, mzix");
}

static void shapes_know_their_nodes(void **unused) {
  (void)unused;
  cuonn_mesh_shape *columns, *shape, *none = (cuonn_mesh_shape *)&none;
  cuonn_mesh mesh, plain;
  OK(cuonn_mesh_shape_make(&columns, CUONN_ARCHITECTURE_TRIANGULAR, 5, 0));
  OK(cuonn_mesh_shape_with_node(&shape, columns, CUONN_NODE_MZI3));
  assert_int_equal(cuonn_mesh_shape_node(columns), CUONN_NODE_MZI);
  assert_int_equal(cuonn_mesh_shape_node(shape), CUONN_NODE_MZI3);
  assert_int_equal(cuonn_mesh_shape_architecture(shape), CUONN_ARCHITECTURE_TRIANGULAR);
  assert_int_equal(cuonn_mesh_shape_nodes(shape), 10);
  REFUSED(cuonn_mesh_shape_with_node(&none, columns, (cuonn_node_kind)3), CUONN_E_ARGUMENT, "kind 3");
  assert_null(none);
  OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_TOP));
  OK(cuonn_mesh_create_shaped(&plain, columns, CUONN_STYLE_TOP));
  cuonn_mesh_shape_free(shape);
  cuonn_mesh_shape_free(columns);
  REFUSED(cuonn_mesh_copy(&plain, &mesh), CUONN_E_SHAPE, "another shape");
  mesh.coupler_error[29] = NAN;
  REFUSED(cuonn_mesh_check(&mesh), CUONN_E_NONFINITE, "coupler_error[29]");
  mesh.coupler_error[29] = 0;
  REFUSED(cuonn_mesh_convert(&mesh, cuonn_convention_of_style(CUONN_STYLE_TOP),
                             cuonn_convention_of_style(CUONN_STYLE_BOTTOM)),
          CUONN_E_ARGUMENT, "of the kind mzi3");
  cuonn_mesh_free(&plain);
  cuonn_mesh_free(&mesh);
}

/* Files keep the kind, and the error of every coupler. */
static void files_keep_them(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kOthers; i++) {
    chance c = {1};
    cuonn_mesh_shape *const shape = shape_with(&far_shapes[1], others[i]);
    cuonn_mesh mesh, read;
    char path[] = "/tmp/cuonn-node-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_BOTTOM));
    cuonn_mesh_shape_free(shape);
    dense_random(&mesh, &c, .1, 1);
    OK(cuonn_mesh_write(path, &mesh));
    OK(cuonn_mesh_read(&read, path));
    unlink(path);
    assert_int_equal(cuonn_mesh_shape_node(read.shape), others[i]);
    assert_memory_equal(read.coupler_error, mesh.coupler_error,
                        cuonn_node_kind_couplers(others[i]) * mesh.n_nodes * sizeof(double));
    assert_memory_equal(read.phi, mesh.phi, mesh.n_nodes * sizeof(double));
    OK(cuonn_mesh_copy(&mesh, &read));
    cuonn_mesh_free(&read);
    cuonn_mesh_free(&mesh);
  }
}

/* A chip draws an error of its own for each coupler; the first two are those of an mzi, of the same seed. */
static void chips_draw_all_errors(void **unused) {
  (void)unused;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  cuonn_network networks[2];
  chip.coupler_std = .05;
  for (int equal = 0; equal < 2; equal++) {
    chip.coupler_equal = equal;
    for (int i = 0; i < 2; i++) {
      cuonn_mesh_shape *const shape = shape_with(&far_shapes[1], i ? CUONN_NODE_MZI3 : CUONN_NODE_MZI);
      const cuonn_network_shape of = CUONN_NETWORK_SHAPE_OF(8, 1, 2, CUONN_STYLE_TOP, false, shape);
      OK(cuonn_network_create(&networks[i], &of));
      cuonn_mesh_shape_free(shape);
      OK(cuonn_chip_draw_errors(&networks[i], &chip));
    }
    for (size_t k = 0; k < networks->layers->n_nodes; k++) {
      const double *const two = networks[0].layers->coupler_error + 2 * k;
      const double *const three = networks[1].layers->coupler_error + 3 * k;
      assert_memory_equal(two, three, 2 * sizeof *two);
      assert_true((three[2] == three[0]) == equal && three[2] != 0);
    }
    for (int i = 0; i < 2; i++) cuonn_network_free(&networks[i]);
  }
}

static void check_all(const char *backend, const char *method, double u) {
  for (size_t i = 0; i < kOthers; i++) {
    shapes_check(neighbour_shapes, sizeof neighbour_shapes / sizeof *neighbour_shapes, others[i], backend, method, u);
    shapes_check(far_shapes, sizeof far_shapes / sizeof *far_shapes, others[i], backend, method, u);
  }
}

static void reference_computes_them(void **unused) {
  (void)unused;
  check_all("reference", "auto", DBL_EPSILON / 2);
}

static void cpu_computes_them(void **unused) {
  (void)unused;
  check_all("cpu", "columns", FLT_EPSILON / 2);
  check_all("cpu", "dense", FLT_EPSILON / 2);
}

static void taps_are_those_of_the_reference(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kOthers; i++) {
    cuonn_mesh_shape *const shape = shape_with(&far_shapes[1], others[i]);
    shape_taps_agree(shape, 17, "cpu", FLT_EPSILON / 2);
    cuonn_mesh_shape_free(shape);
  }
}

/* Whole networks of meshes up to N = 65, whose third couplers make as many columns as twice N of other nodes. */
static void cpu_computes_larger_ones(void **unused) {
  (void)unused;
  static const size_t sizes[] = {9, 16, 33, 65};
  for (size_t i = 0; i < 4 * kOthers; i++) {
    cuonn_mesh_shape *columns, *shape;
    OK(cuonn_mesh_shape_make(&columns, (i + i / 4) % 2 ? CUONN_ARCHITECTURE_RECTANGULAR : CUONN_ARCHITECTURE_TRIANGULAR,
                             sizes[i % 4], 0));
    OK(cuonn_mesh_shape_with_node(&shape, columns, others[i / 4]));
    shape_network_agrees(shape, "cpu", "columns", true, false, FLT_EPSILON / 2);
    shape_network_agrees(shape, "cpu", "dense", true, false, FLT_EPSILON / 2);
    shape_network_agrees(shape, "cpu", "columns", false, false, FLT_EPSILON / 2);
    shape_network_agrees(shape, "cpu", NULL, true, true, FLT_EPSILON / 2);
    cuonn_mesh_shape_free(shape);
    cuonn_mesh_shape_free(columns);
  }
}

/* Haar-random unitaries, cyclic permutations (the identity is one), and what leaves half of the waveguides alone. */
static void make_unitary(double *unitary, size_t n, int which, uint32_t stream) {
  const size_t own = which == 2 ? (n + 1) / 2 : n;
  double *const haar = calloc(2 * own * own, sizeof *haar);
  assert_non_null(haar);
  memset(unitary, 0, 2 * n * n * sizeof *unitary);
  OK(cuonn_haar_unitary(haar, own, 1, stream));
  for (size_t row = 0; row < n; row++) {
    if (which == 1) unitary[2 * (row * n + (row + stream % 3) % n)] = 1;
    if (which == 2 && row >= own) unitary[2 * (row * n + row)] = 1;
    if (which != 1 && row < own) memcpy(unitary + 2 * row * n, haar + 2 * row * own, 2 * own * sizeof *haar);
  }
  free(haar);
}

/* Each kind, shape and style. Up to 2 N columns with some 12 roundings each, and what the walk over the nodes adds:
 * 5 sqrt(12 * 2 N) u / 2, of which 40 times are allowed. */
static void unitaries_are_decomposed(void **unused) {
  (void)unused;
  enum { kMost = 65, kSizes = 4, kStyles = 3, kShapes = 2, kUnitaries = 3 };
  static double unitary[2 * kMost * kMost];
  static double complex u[kMost * kMost];
  for (size_t i = 0; i < (size_t)kSizes * kStyles * kShapes * kUnitaries * kOthers; i++) {
    static const cuonn_phase_style styles[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM, CUONN_STYLE_DIFFERENTIAL};
    const size_t n = (const size_t[kSizes]){2, 5, 16, kMost}[i % kSizes], each = i / kSizes, at = each / kStyles;
    const cuonn_architecture architecture = at % 2 ? CUONN_ARCHITECTURE_TRIANGULAR : CUONN_ARCHITECTURE_RECTANGULAR;
    const double allowed = 40 * 5 * sqrt(12 * 2 * (double)n) * DBL_EPSILON / 4;
    cuonn_mesh_shape *columns, *shape;
    cuonn_mesh mesh;
    if (n == kMost && each % kStyles > 0) continue; /* the walk is the same */
    OK(cuonn_mesh_shape_make(&columns, architecture, n, 0));
    OK(cuonn_mesh_shape_with_node(&shape, columns, others[at / kShapes / kUnitaries]));
    OK(cuonn_mesh_create_shaped(&mesh, shape, styles[each % kStyles]));
    cuonn_mesh_shape_free(shape);
    cuonn_mesh_shape_free(columns);
    make_unitary(unitary, n, (int)(at / kShapes % kUnitaries), (uint32_t)i);
    OK(cuonn_mesh_decompose(&mesh, unitary));
    dense_matrix(u, &mesh);
    for (size_t k = 0; k < n * n; k++) assert_true(cabs(u[k] - unitary[2 * k] - I * unitary[2 * k + 1]) < allowed);
    for (size_t k = 0; k < mesh.n_nodes; k++) {
      assert_true(mesh.theta[k] >= 0 && mesh.theta[k] <= M_PI && mesh.phi[k] >= 0 && mesh.phi[k] < 2 * M_PI);
    }
    cuonn_mesh_free(&mesh);
  }
}

/* Random phases of any kind are those of the matrix that an mzi has; errors stay. */
static void random_phases_have_one_law(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kOthers; i++) {
    double complex u[2][64];
    for (size_t side = 0; side < 2; side++) {
      cuonn_mesh_shape *const shape = shape_with(&far_shapes[1], side ? others[i] : CUONN_NODE_MZI);
      cuonn_mesh mesh;
      OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_TOP));
      cuonn_mesh_shape_free(shape);
      mesh.coupler_error[1] = .1;
      OK(cuonn_mesh_randomize(&mesh, 5, 0));
      assert_true(mesh.coupler_error[1] == .1);
      mesh.coupler_error[1] = 0;
      dense_matrix(u[side], &mesh);
      cuonn_mesh_free(&mesh);
    }
    for (size_t k = 0; k < 64; k++) assert_true(cabs(u[0][k] - u[1][k]) < 1e-14);
  }
}

/* All phases come into [0, 2 pi), but phi of a differential mzi3 into [0, 4 pi), and the matrix stays. */
static void wrapping_leaves_the_matrix(void **unused) {
  (void)unused;
  for (int i = 0; i < 4 * kOthers; i++) {
    chance c = {(uint64_t)i};
    cuonn_mesh_shape *const shape = shape_with(&far_shapes[1], others[i / 4]);
    const double most = i / 4 == 0 && i % 4 == CUONN_STYLE_DIFFERENTIAL ? 4 * M_PI : 2 * M_PI;
    double complex before[64], after[64];
    cuonn_mesh mesh;
    OK(cuonn_mesh_create_shaped(&mesh, shape, (cuonn_phase_style)(i % 4)));
    cuonn_mesh_shape_free(shape);
    dense_random(&mesh, &c, .1, 1);
    dense_matrix(before, &mesh);
    OK(cuonn_mesh_wrap(&mesh));
    dense_matrix(after, &mesh);
    for (size_t k = 0; k < 64; k++) assert_true(cabs(before[k] - after[k]) < 1e-13);
    for (size_t k = 0; k < mesh.n_nodes; k++) {
      assert_true(mesh.theta[k] >= 0 && mesh.theta[k] < 2 * M_PI && mesh.phi[k] >= 0 && mesh.phi[k] < most);
    }
    cuonn_mesh_free(&mesh);
  }
}

/* The reference's derivatives, which the others are held against, by finite differences of a product of matrices: of
 * L = Re sum g y with y = U x. A step h is off by h^2 / 6 of third derivatives of about 4, and by rounding over h. */
static void derivatives_are_those_of_the_matrix(void **unused) {
  (void)unused;
  enum { kN = 8, kNodes = 12 };
  const double h = 1e-4;
  for (int i = 0; i < 3 * 4; i++) {
    chance c = {(uint64_t)i};
    cuonn_mesh_shape *const shape = shape_with(&far_shapes[1], (cuonn_node_kind)(i / 4));
    cuonn_mesh mesh;
    cuonn_context *context;
    cuonn_fields x, g;
    double got[2 * kNodes + kN];
    cuonn_mesh_gradient gradient = {got, got + kNodes, got + 2 * kNodes, NULL};
    OK(cuonn_context_create(&context, "reference", 1));
    OK(cuonn_mesh_create_shaped(&mesh, shape, (cuonn_phase_style)(i % 4)));
    cuonn_mesh_shape_free(shape);
    OK(cuonn_fields_create(&x, 1, kN));
    OK(cuonn_fields_create(&g, 1, kN));
    chance_normals(x.values, 2 * kN, &c);
    chance_normals(g.values, 2 * kN, &c);
    dense_random(&mesh, &c, .1, 1);
    OK(cuonn_vjp(&gradient, NULL, context, &mesh, &x, &g));
    double *const phases[] = {mesh.theta, mesh.phi, mesh.gamma};
    for (size_t p = 0; p < 2 * kNodes + kN; p++) {
      double *const phase = &phases[p / kNodes][p % kNodes], before = *phase, loss[2] = {0};
      for (int side = 0; side < 2; side++) {
        double complex u[kN * kN];
        *phase = before + (side ? -h : h);
        dense_matrix(u, &mesh);
        for (size_t r = 0; r < kN; r++) {
          for (size_t s = 0; s < kN; s++) {
            const double complex in = x.values[2 * s] + I * x.values[2 * s + 1];
            loss[side] += creal((g.values[2 * r] + I * g.values[2 * r + 1]) * u[r * kN + s] * in);
          }
        }
      }
      *phase = before;
      assert_true(fabs(got[p] - (loss[0] - loss[1]) / (2 * h)) < 1e-7);
    }
    cuonn_fields_free(&g);
    cuonn_fields_free(&x);
    cuonn_mesh_free(&mesh);
    cuonn_context_free(context);
  }
}

/* Without losses a chip measures what is computed, whatever its couplers are: analog, digital, by examples and by the
 * matrix. Tolerances: shapes.h, in double. */
static void chips_measure_what_is_computed(void **unused) {
  (void)unused;
  enum { kN = 5, kBatch = 4 };
  const uint8_t labels[kBatch] = {0, 1, 1, 0};
  for (int i = 0; i < 8 * kOthers; i++) {
    chance c = {(uint64_t)i};
    cuonn_mesh_shape *const shape = shape_with(&neighbour_shapes[1], others[i / 8]);
    const cuonn_phase_style style = i % 2 ? CUONN_STYLE_TOP : CUONN_STYLE_BOTTOM;
    const cuonn_network_shape of = CUONN_NETWORK_SHAPE_OF(kN, 2, 2, style, false, shape);
    cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
    cuonn_context *context;
    cuonn_network network;
    cuonn_mesh_gradient *gradients[2];
    cuonn_fields x;
    double loss[2];
    chip.measurement = i / 4 % 2 ? CUONN_MEASUREMENT_MATRIX : CUONN_MEASUREMENT_EXAMPLE;
    OK(cuonn_context_create(&context, "reference", 1));
    OK(cuonn_network_create(&network, &of));
    cuonn_mesh_shape_free(shape);
    for (size_t l = 0; l < 2; l++) dense_random(&network.layers[l], &c, .1, 0);
    OK(cuonn_fields_create(&x, kBatch, kN));
    chance_normals(x.values, (size_t)2 * kBatch * kN, &c);
    for (int measured = 0; measured < 2; measured++) {
      const cuonn_gradient_method how = i / 2 % 2 ? CUONN_GRADIENT_ANALOG : CUONN_GRADIENT_DIGITAL;
      OK(cuonn_gradients_create(&gradients[measured], &network.shape));
      OK(cuonn_gradient_on_chip(&loss[measured], gradients[measured], context, &network, &chip,
                                measured ? how : CUONN_GRADIENT_EXACT, &x, labels));
    }
    CLOSE(&loss[1], &loss[0], 1, .rel = 64 * DBL_EPSILON);
    for (size_t l = 0; l < 2; l++) {
      CLOSE(gradients[1][l].d_theta, gradients[0][l].d_theta, network.layers->n_nodes, .rel = 1024 * DBL_EPSILON);
      CLOSE(gradients[1][l].d_phi, gradients[0][l].d_phi, network.layers->n_nodes, .rel = 1024 * DBL_EPSILON);
    }
    for (int measured = 0; measured < 2; measured++) cuonn_gradients_free(gradients[measured]);
    cuonn_fields_free(&x);
    cuonn_network_free(&network);
    cuonn_context_free(context);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kinds_have_names),
      cmocka_unit_test(shapes_know_their_nodes),
      cmocka_unit_test(files_keep_them),
      cmocka_unit_test(chips_draw_all_errors),
      cmocka_unit_test(reference_computes_them),
      cmocka_unit_test(cpu_computes_them),
      cmocka_unit_test(taps_are_those_of_the_reference),
      cmocka_unit_test(cpu_computes_larger_ones),
      cmocka_unit_test(unitaries_are_decomposed),
      cmocka_unit_test(random_phases_have_one_law),
      cmocka_unit_test(wrapping_leaves_the_matrix),
      cmocka_unit_test(derivatives_are_those_of_the_matrix),
      cmocka_unit_test(chips_measure_what_is_computed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
