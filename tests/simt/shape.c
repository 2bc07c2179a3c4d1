/* Meshes of several shapes on the emulated device. */
#include <float.h>

#include "support/shapes.h"

#include <simt.h>

#include "cuda/meshes.h"

static void neighbours_are_computed(void **unused) {
  (void)unused;
  static const char *const methods[] = {"columns", "dense"};
  for (size_t i = 0; i < 2; i++) {
    for (int node = CUONN_NODE_MZI; node <= CUONN_NODE_MZIX; node++) {
      shapes_check(neighbour_shapes, sizeof neighbour_shapes / sizeof *neighbour_shapes, (cuonn_node_kind)node, "cuda",
                   methods[i], FLT_EPSILON / 2);
    }
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

/* Whichever method is asked for. */
static void far_pairs_are_computed(void **unused) {
  (void)unused;
  static const char *const methods[] = {"columns", "auto"};
  for (size_t i = 0; i < 2; i++)
    shapes_check(far_shapes, sizeof far_shapes / sizeof *far_shapes, CUONN_NODE_MZI, "cuda", methods[i],
                 FLT_EPSILON / 2);
}

/* Groups of threads of one warp, one warp, several nodes a lane; in every order of warps and blocks. */
static void larger_far_meshes_are_computed(void **unused) {
  (void)unused;
  static const struct {
    cuonn_architecture architecture;
    size_t n;
  } meshes[] = {{CUONN_ARCHITECTURE_BUTTERFLY, 16},
                {CUONN_ARCHITECTURE_TREE, 17},
                {CUONN_ARCHITECTURE_TREE, 33},
                {CUONN_ARCHITECTURE_BUTTERFLY, 64},
                {CUONN_ARCHITECTURE_BUTTERFLY, 128}};
  for (size_t i = 0; i < sizeof meshes / sizeof *meshes; i++) {
    cuonn_mesh_shape *shape;
    OK(cuonn_mesh_shape_make(&shape, meshes[i].architecture, meshes[i].n, 0));
    for (int schedule = 0; schedule < SIMT_SCHEDULES; schedule++) {
      simt_schedule(schedule);
      shape_network_agrees(shape, "cuda", "auto", schedule % 2, false, FLT_EPSILON / 2);
      shape_network_agrees(shape, "cuda", NULL, schedule % 2, true, FLT_EPSILON / 2);
    }
    cuonn_mesh_shape_free(shape);
  }
  simt_schedule(0);
}

static void far_pairs_have_taps(void **unused) {
  (void)unused;
  static const size_t sizes[] = {7, 18, 70};
  for (size_t i = 0; i < 3; i++) {
    cuonn_mesh_shape *shape;
    OK(cuonn_mesh_shape_make(&shape, CUONN_ARCHITECTURE_TREE, sizes[i], 0));
    shape_taps_agree(shape, 17, "cuda", FLT_EPSILON / 2);
    cuonn_mesh_shape_free(shape);
  }
}

/* Fields and gradients of a mesh with large losses, and one node that lets nothing pass in the middle, which no way
 * back can undo. Rounding of up to 10 columns as in shapes.h; gradients are sums over the examples. */
static void lossy_mesh_agrees(cuonn_architecture architecture, size_t n, size_t n_examples) {
  const double u = FLT_EPSILON / 2;
  const size_t size = 2 * n_examples * n;
  chance c = {n};
  cuonn_mesh_shape *shape;
  cuonn_mesh mesh;
  cuonn_fields x, g, y[2], back[2];
  double *gradients[2];
  OK(cuonn_mesh_shape_make(&shape, architecture, n, 0));
  OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_SYMMETRIC));
  const size_t nodes = mesh.n_nodes, each = 2 * nodes + n;
  dense_random(&mesh, &c, .1, 3);
  mesh.loss_db[2 * (nodes / 2)] = 120;
  OK(cuonn_fields_create(&x, n_examples, n));
  OK(cuonn_fields_create(&g, n_examples, n));
  chance_normals(x.values, size, &c);
  chance_normals(g.values, size, &c);
  for (size_t i = 0; i < 2; i++) {
    cuonn_context *context;
    OK(cuonn_fields_create(&y[i], n_examples, n));
    OK(cuonn_fields_create(&back[i], n_examples, n));
    assert_non_null(gradients[i] = malloc(each * sizeof(double)));
    cuonn_mesh_gradient to = {gradients[i], gradients[i] + nodes, gradients[i] + 2 * nodes, NULL};
    OK(cuonn_context_create(&context, i ? "reference" : "cuda", 1));
    OK(cuonn_propagate(&y[i], NULL, context, &mesh, &x, false));
    OK(cuonn_vjp(&to, &back[i], context, &mesh, &x, &g));
    cuonn_context_free(context);
  }
  CLOSE(y[0].values, y[1].values, size, .rel = 64 * u);
  CLOSE(back[0].values, back[1].values, size, .rel = 64 * u);
  CLOSE(gradients[0], gradients[1], each, .rel = 256 * u);
  for (size_t i = 0; i < 2; i++) {
    free(gradients[i]);
    cuonn_fields_free(&back[i]);
    cuonn_fields_free(&y[i]);
  }
  cuonn_fields_free(&g);
  cuonn_fields_free(&x);
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(shape);
}

/* The most waveguides that a device takes; and more examples than all blocks take at once. */
static void lossy_far_meshes_are_computed(void **unused) {
  (void)unused;
  lossy_mesh_agrees(CUONN_ARCHITECTURE_BUTTERFLY, CUONN_DEVICE_MODES_MAX, 5);
  for (int schedule = 0; schedule < 2; schedule++) {
    simt_schedule(schedule);
    lossy_mesh_agrees(CUONN_ARCHITECTURE_TREE, 66, 4 * kMostChunks + 3);
  }
  simt_schedule(0);
}

/* The same of other kinds of nodes. */
static void larger_meshes_of_other_nodes_are_computed(void **unused) {
  (void)unused;
  static const size_t sizes[] = {9, 16, 33, 65};
  for (size_t i = 0; i < 8; i++) {
    cuonn_mesh_shape *columns, *shape;
    OK(cuonn_mesh_shape_make(&columns, i % 3 ? CUONN_ARCHITECTURE_RECTANGULAR : CUONN_ARCHITECTURE_TRIANGULAR,
                             sizes[i % 4], 0));
    OK(cuonn_mesh_shape_with_node(&shape, columns, i / 4 ? CUONN_NODE_MZIX : CUONN_NODE_MZI3));
    shape_network_agrees(shape, "cuda", "columns", i % 2, false, FLT_EPSILON / 2);
    shape_network_agrees(shape, "cuda", "dense", i % 2, false, FLT_EPSILON / 2);
    shape_network_agrees(shape, "cuda", NULL, i % 2, true, FLT_EPSILON / 2);
    cuonn_mesh_shape_free(shape);
    cuonn_mesh_shape_free(columns);
  }
}

static void taps_are_those_of_the_reference(void **unused) {
  (void)unused;
  for (int node = CUONN_NODE_MZI; node <= CUONN_NODE_MZIX; node++) {
    cuonn_mesh_shape *const shape = shape_with(&neighbour_shapes[0], (cuonn_node_kind)node);
    shape_taps_agree(shape, 17, "cuda", FLT_EPSILON / 2);
    cuonn_mesh_shape_free(shape);
  }
}

static void others_are_refused(void **unused) {
  (void)unused;
  cuonn_context *context;
  cuonn_mesh mesh;
  double matrix[32];
  cuonn_training_options training = CUONN_TRAINING_OPTIONS_INIT;
  OK(cuonn_context_create(&context, "cuda", 0));
  cuonn_mesh_shape *const far = shape_with(&far_shapes[0], CUONN_NODE_MZI3);
  const cuonn_network_shape of_far = CUONN_NETWORK_SHAPE_OF(4, 1, 2, CUONN_STYLE_TOP, true, far);
  OK(cuonn_mesh_create_shaped(&mesh, far, CUONN_STYLE_TOP));
  REFUSED(cuonn_matrix(matrix, context, &mesh), CUONN_E_SHAPE, "kind mzi3 in meshes of up to 512 waveguides");
  REFUSED(cuonn_training_check(context, &of_far, &training), CUONN_E_SHAPE,
          "kind mzi3 in meshes of up to 512 waveguides");
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(far);

  cuonn_mesh_shape *columns, *large;
  cuonn_fields x;
  OK(cuonn_mesh_shape_make(&columns, CUONN_ARCHITECTURE_RECTANGULAR, 513, 1));
  OK(cuonn_mesh_shape_with_node(&large, columns, CUONN_NODE_MZIX));
  const cuonn_network_shape of_large = CUONN_NETWORK_SHAPE_OF(513, 1, 2, CUONN_STYLE_TOP, true, large);
  OK(cuonn_mesh_create_shaped(&mesh, large, CUONN_STYLE_TOP));
  OK(cuonn_fields_create(&x, 1, 513));
  REFUSED(cuonn_propagate(&x, NULL, context, &mesh, &x, false), CUONN_E_SHAPE,
          "kind mzix in meshes of up to 512 waveguides");
  REFUSED(cuonn_training_check(context, &of_large, &training), CUONN_E_SHAPE,
          "kind mzix in meshes of up to 512 waveguides");
  cuonn_fields_free(&x);
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(large);
  cuonn_mesh_shape_free(columns);
  cuonn_context_free(context);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(neighbours_are_computed),
      cmocka_unit_test(larger_meshes_are_computed),
      cmocka_unit_test(far_pairs_are_computed),
      cmocka_unit_test(larger_far_meshes_are_computed),
      cmocka_unit_test(far_pairs_have_taps),
      cmocka_unit_test(lossy_far_meshes_are_computed),
      cmocka_unit_test(larger_meshes_of_other_nodes_are_computed),
      cmocka_unit_test(taps_are_those_of_the_reference),
      cmocka_unit_test(others_are_refused),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  cuda_release();
  return failed;
}
