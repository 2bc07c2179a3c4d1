/* Shapes of meshes: what is refused, who owns them, and what reference and cpu compute of them. */
#include <float.h>

#include "chip/phases.h"
#include "support/shapes.h"

static void shapes_are_shared(void **unused) {
  (void)unused;
  cuonn_mesh_shape *const shape = shape_of(&neighbour_shapes[0]), *const same = cuonn_mesh_shape_share(shape);
  cuonn_mesh mesh, other;
  assert_ptr_equal(same, shape);
  OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_BOTTOM));
  cuonn_mesh_shape_free(same);
  cuonn_mesh_shape_free(shape);
  assert_int_equal(mesh.n_modes, 4);
  assert_int_equal(mesh.n_nodes, 6);
  assert_int_equal(cuonn_mesh_shape_columns(mesh.shape), 6);
  assert_int_equal(cuonn_mesh_shape_column(mesh.shape, 2).first, 2);
  assert_int_equal(cuonn_mesh_shape_column(mesh.shape, 2).pairs[1][0], 2);
  assert_int_equal(cuonn_mesh_shape_column(mesh.shape, 5).kind, CUONN_COLUMN_SINGLES);
  assert_int_equal(cuonn_mesh_shape_architecture(mesh.shape), CUONN_ARCHITECTURE_CUSTOM);
  assert_false(cuonn_mesh_shape_is_universal(mesh.shape));
  assert_null(cuonn_mesh_shape_share(NULL));
  cuonn_mesh_shape_free(NULL);

  OK(cuonn_mesh_create(&other, 4, CUONN_STYLE_BOTTOM)); /* as many nodes, in other columns */
  REFUSED(cuonn_mesh_copy(&mesh, &other), CUONN_E_SHAPE, "another shape");
  REFUSED(cuonn_mesh_decompose(&mesh, (const double[32]){0}), CUONN_E_ARGUMENT, "rectangular");
  cuonn_mesh_free(&other);
  cuonn_mesh_free(&mesh);
}

static void wrong_lists_are_refused(void **unused) {
  (void)unused;
  const struct {
    size_t n, columns, counts[2];
    uint32_t pairs[3][2];
    const char *text;
  } lists[] = {
      {1, 1, {0}, {{0}}, "2 to 16384 waveguides, not 1"},
      {CUONN_MODES_MAX + 1, 1, {0}, {{0}}, "not 16385"},
      {4, 0, {0}, {{0}}, "at least one column"},
      {4, CUONN_COLUMNS_MAX + 1, {0}, {{0}}, "at most 16384 columns of nodes, not 16385"},
      {4, 1, {2}, {{0, 1}, {1, 2}}, "waveguide 1 is in column 0 twice"},
      {4, 2, {1, 1}, {{0, 1}, {3, 4}}, "node 0 of column 1 is on waveguide 4; the mesh has 0 to 3"},
      {4, 2, {1, 1}, {{0, 1}, {3, 2}}, "waveguides 3 and 2; the top one comes first"},
      {4, 1, {1}, {{2, 2}}, "waveguides 2 and 2"},
  };
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    cuonn_mesh_shape *shape = (cuonn_mesh_shape *)&shape;
    REFUSED(cuonn_mesh_shape_create(&shape, lists[i].n, lists[i].columns, lists[i].counts, lists[i].pairs),
            CUONN_E_SHAPE, lists[i].text);
    assert_null(shape);
  }
  cuonn_mesh_shape *const shape = shape_of(&neighbour_shapes[0]);
  cuonn_network network;
  const cuonn_network_shape of = CUONN_NETWORK_SHAPE_OF(5, 1, 3, CUONN_STYLE_TOP, true, shape);
  REFUSED(cuonn_network_create(&network, &of), CUONN_E_SHAPE, "a network of 5 waveguides cannot have meshes of 4");
  cuonn_mesh_shape_free(shape);
}

static void crosstalk_needs_neighbours(void **unused) {
  (void)unused;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip_phases phases;
  chip.crosstalk = .1;
  cuonn_mesh_shape *const far = shape_of(&far_shapes[0]), *const near = shape_of(&neighbour_shapes[5]);
  REFUSED(chip_phases_create(&phases, &chip, 0, far, CUONN_STYLE_TOP), CUONN_E_ARGUMENT, "neighbouring waveguides");
  OK(chip_phases_create(&phases, &chip, 0, near, CUONN_STYLE_TOP));
  /* theta of node (0, 1) in column 0 reaches that of (1, 2) in column 1, two half pitches on and one row down */
  double theta[6] = {1}, phi[6] = {0}, applied[12];
  chip_phases_apply(applied, applied + 6, &phases, theta, phi);
  const double distance = sqrt(5) / 2;
  assert_true(fabs(applied[2] - .1 * exp(-distance / chip.crosstalk_decay)) < 1e-15);
  chip_phases_free(&phases);
  cuonn_mesh_shape_free(near);
  cuonn_mesh_shape_free(far);
}

static void reference_computes_all(void **unused) {
  (void)unused;
  shapes_check(neighbour_shapes, sizeof neighbour_shapes / sizeof *neighbour_shapes, CUONN_NODE_MZI, "reference",
               "auto", DBL_EPSILON / 2);
  shapes_check(far_shapes, sizeof far_shapes / sizeof *far_shapes, CUONN_NODE_MZI, "reference", "auto",
               DBL_EPSILON / 2);
}

/* The reference's derivatives, which the others are held against, by finite differences of its loss. */
static void derivatives_are_those_of_the_loss(void **unused) {
  (void)unused;
  const double h = 1e-5;
  chance c = {1};
  cuonn_mesh_shape *const shape = shape_of(&far_shapes[1]);
  const cuonn_network_shape of =
      CUONN_NETWORK_SHAPE_OF(8, kShapeLayers, kShapeClasses, CUONN_STYLE_DIFFERENTIAL, false, shape);
  cuonn_network network;
  cuonn_context *context;
  cuonn_fields x;
  const uint8_t labels[2] = {0, 2};
  cuonn_mesh_gradient *gradients;
  OK(cuonn_context_create(&context, "reference", 1));
  OK(cuonn_network_create(&network, &of));
  cuonn_mesh_shape_free(shape);
  OK(cuonn_fields_create(&x, 2, 8));
  OK(cuonn_gradients_create(&gradients, &network.shape));
  chance_normals(x.values, 32, &c);
  for (size_t l = 0; l < kShapeLayers; l++) dense_random(&network.layers[l], &c, .1, 1);
  double loss;
  OK(cuonn_gradient(&loss, gradients, context, &network, &x, labels));
  for (size_t l = 0; l < kShapeLayers; l++) {
    double *const phases[2] = {network.layers[l].theta, network.layers[l].phi};
    const double *const got[2] = {gradients[l].d_theta, gradients[l].d_phi};
    for (size_t i = 0; i < 2 * network.layers[l].n_nodes; i++) {
      double *const phase = &phases[i % 2][i / 2], before = *phase;
      cuonn_evaluation at[2] = {{0}, {0}};
      *phase = before + h;
      OK(cuonn_evaluate(&at[0], context, &network, &x, labels));
      *phase = before - h;
      OK(cuonn_evaluate(&at[1], context, &network, &x, labels));
      *phase = before;
      assert_true(fabs(got[i % 2][i / 2] - (at[0].loss - at[1].loss) / (2 * h)) < 1e-8);
    }
  }
  cuonn_gradients_free(gradients);
  cuonn_fields_free(&x);
  cuonn_network_free(&network);
  cuonn_context_free(context);
}

static void cpu_computes_all(void **unused) {
  (void)unused;
  for (int dense = 0; dense < 2; dense++) {
    const char *const method = dense ? "dense" : "columns";
    shapes_check(neighbour_shapes, sizeof neighbour_shapes / sizeof *neighbour_shapes, CUONN_NODE_MZI, "cpu", method,
                 FLT_EPSILON / 2);
    shapes_check(far_shapes, sizeof far_shapes / sizeof *far_shapes, CUONN_NODE_MZI, "cpu", method, FLT_EPSILON / 2);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shapes_are_shared),
      cmocka_unit_test(wrong_lists_are_refused),
      cmocka_unit_test(crosstalk_needs_neighbours),
      cmocka_unit_test(reference_computes_all),
      cmocka_unit_test(derivatives_are_those_of_the_loss),
      cmocka_unit_test(cpu_computes_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
