/* Meshes of several shapes on the emulated device. */
#include <float.h>

#include "support/shapes.h"

#include "cuda/device.h"

static void neighbours_are_computed(void **unused) {
  (void)unused;
  static const char *const methods[] = {"columns", "dense"};
  for (size_t i = 0; i < 2; i++) {
    shapes_check(neighbour_shapes, sizeof neighbour_shapes / sizeof *neighbour_shapes, CUONN_NODE_MZI, "cuda",
                 methods[i], FLT_EPSILON / 2);
  }
}

/* Named shapes of neighbours on layouts of 8 lanes to 32 lanes of 2 pairs. */
static void larger_meshes_are_computed(void **unused) {
  (void)unused;
  static const size_t sizes[] = {9, 16, 33, 65};
  for (size_t i = 0; i < 12; i++) {
    const size_t n = sizes[i / 3], columns[] = {0, n / 2, 2 * n + 1};
    cuonn_mesh_shape *shape;
    OK(cuonn_mesh_shape_make(&shape, i % 3 ? CUONN_ARCHITECTURE_RECTANGULAR : CUONN_ARCHITECTURE_TRIANGULAR, n,
                             columns[i % 3]));
    shape_network_agrees(shape, "cuda", "columns", i % 2, false, FLT_EPSILON / 2);
    shape_network_agrees(shape, "cuda", "dense", i % 2, false, FLT_EPSILON / 2);
    shape_network_agrees(shape, "cuda", NULL, i % 2, true, FLT_EPSILON / 2);
    cuonn_mesh_shape_free(shape);
  }
}

static void others_are_refused(void **unused) {
  (void)unused;
  cuonn_mesh_shape *const shape = shape_of(&far_shapes[0]);
  cuonn_context *context;
  cuonn_mesh mesh;
  double matrix[32];
  OK(cuonn_context_create(&context, "cuda", 0));
  OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_TOP));
  REFUSED(cuonn_matrix(matrix, context, &mesh), CUONN_E_SHAPE, "neighbouring waveguides; use backend cpu");
  /* before anything of a training is begun, too */
  const cuonn_network_shape of = {
      4, 1, 2, CUONN_STYLE_TOP, true, shape, CUONN_NONLINEARITY_INIT, CUONN_LOSS_CROSS_ENTROPY};
  cuonn_training_options training = CUONN_TRAINING_OPTIONS_INIT;
  REFUSED(cuonn_training_check(context, &of, &training), CUONN_E_SHAPE, "neighbouring waveguides; use backend cpu");
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(shape);

  cuonn_mesh_shape *const third = shape_with(&neighbour_shapes[0], CUONN_NODE_MZI3);
  const cuonn_network_shape of_third = {
      4, 1, 2, CUONN_STYLE_TOP, true, third, CUONN_NONLINEARITY_INIT, CUONN_LOSS_CROSS_ENTROPY};
  OK(cuonn_mesh_create_shaped(&mesh, third, CUONN_STYLE_TOP));
  REFUSED(cuonn_matrix(matrix, context, &mesh), CUONN_E_SHAPE, "of the kind mzi, not mzi3; use backend cpu");
  REFUSED(cuonn_training_check(context, &of_third, &training), CUONN_E_SHAPE, "mzi, not mzi3; use backend cpu");
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(third);
  cuonn_context_free(context);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(neighbours_are_computed),
      cmocka_unit_test(larger_meshes_are_computed),
      cmocka_unit_test(others_are_refused),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  cuda_release();
  return failed;
}
