/* Meshes of several shapes on the emulated device. */
#include <float.h>

#include "support/shapes.h"

#include "cuda/device.h"

static void neighbours_are_computed(void **unused) {
  (void)unused;
  static const char *const methods[] = {"columns", "dense"};
  for (size_t i = 0; i < 2; i++) {
    shapes_check(neighbour_shapes, sizeof neighbour_shapes / sizeof *neighbour_shapes, "cuda", methods[i],
                 FLT_EPSILON / 2);
  }
}

/* Named shapes of neighbours on layouts of 8 lanes to 32 lanes of 2 pairs: loss and gradients of a network against the
 * reference's, computed and measured. Light meets up to 2 N columns of two layers, 4 * 65 nodes of some 12 roundings:
 * 5 sqrt(12 * 260) u / 2 = 140 u, of derivatives 4 times that, measured ones 4 times more. */
static void larger_meshes_are_computed(void **unused) {
  (void)unused;
  enum { kBatch = 5 };
  static const size_t sizes[] = {9, 16, 33, 65};
  const double u = FLT_EPSILON / 2;
  for (size_t i = 0; i < 12; i++) {
    const size_t n = sizes[i / 3], kind = i % 3;
    chance c = {i};
    cuonn_mesh_shape *shape;
    cuonn_network network;
    cuonn_fields x;
    const uint8_t labels[kBatch] = {0, 2, 1, 1, 0};
    OK(cuonn_mesh_shape_make(&shape, kind == 0 ? CUONN_ARCHITECTURE_TRIANGULAR : CUONN_ARCHITECTURE_RECTANGULAR, n,
                             kind == 0   ? 0
                             : kind == 1 ? n / 2
                                         : 2 * n + 1));
    const cuonn_network_shape of = {n, 2, 3, CUONN_STYLE_TOP, false, shape};
    OK(cuonn_network_create(&network, &of));
    cuonn_mesh_shape_free(shape);
    for (size_t l = 0; l < 2; l++) dense_random(&network.layers[l], &c, i % 2 ? .1 : 0, i % 2 ? .5 : 0);
    OK(cuonn_fields_create(&x, kBatch, n));
    chance_normals(x.values, 2 * kBatch * n, &c);
    const size_t nodes = network.layers->n_nodes, size = 2 * nodes + n;
    cuonn_mesh_gradient *gradients[2];
    double loss[2];
    for (int measured = 0; measured < 2; measured++) {
      for (int side = 0; side < 2; side++) {
        const cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
        cuonn_context *context;
        OK(cuonn_context_create(&context, side ? "reference" : "cuda", 1));
        OK(cuonn_gradients_create(&gradients[side], &network.shape));
        OK(cuonn_gradient_on_chip(&loss[side], gradients[side], context, &network, &chip,
                                  measured ? CUONN_GRADIENT_DIGITAL : CUONN_GRADIENT_EXACT, &x, labels));
        cuonn_context_free(context);
      }
      CLOSE(&loss[0], &loss[1], 1, .rel = 256 * u);
      CLOSE(gradients[0]->d_theta, gradients[1]->d_theta, 2 * size, .rel = (measured ? 4096 : 1024) * u);
      cuonn_gradients_free(gradients[0]);
      cuonn_gradients_free(gradients[1]);
    }
    cuonn_fields_free(&x);
    cuonn_network_free(&network);
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
  const cuonn_network_shape of = {4, 1, 2, CUONN_STYLE_TOP, true, shape};
  cuonn_training_options training = CUONN_TRAINING_OPTIONS_INIT;
  REFUSED(cuonn_training_check(context, &of, &training), CUONN_E_SHAPE, "neighbouring waveguides; use backend cpu");
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(shape);
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
