/* Meshes as functions of their phases on the backends in host memory: the bits of the functions that take a mesh, in
 * single precision their rounding; refusals; other shapes. */
#include "support/function.h"

#include "support/shapes.h"

static void test_function__as_meshes(void **unused) {
  (void)unused;
  as_meshes("reference");
  as_meshes("cpu");
}

static void test_function__keeps_handles(void **unused) {
  (void)unused;
  handles("reference");
  handles("cpu");
}

static void test_function__from_eight_threads(void **unused) {
  (void)unused;
  threads("reference");
  threads("cpu");
}

/* Going backward is the transpose: sum of g (U x) = sum of x (U^T g), to rounding of 70 products. */
static void test_function__backward(void **unused) {
  (void)unused;
  inputs in = {0};
  static double y[2 * kCount], b[2 * kCount];
  double forward[2] = {0}, back[2] = {0};
  inputs_make(&in, CUONN_STYLE_BOTTOM, .1, .5, 5);
  const cuonn_function f = function_of(&in, "reference");
  const cuonn_phase_buffers phases = phases_of(&in, 1);
  const cuonn_buffer x = numbers(in.x, CUONN_COMPLEX128, kCount), g = numbers(in.g, CUONN_COMPLEX128, kCount);
  const cuonn_buffer to = numbers(y, CUONN_COMPLEX128, kCount), from = numbers(b, CUONN_COMPLEX128, kCount);
  OK(cuonn_function_propagate(&to, &f, 1, &phases, &x, false, NULL));
  OK(cuonn_function_propagate(&from, &f, 1, &phases, &g, true, NULL));
  for (size_t i = 0; i < kCount; i++) {
    const double *const p[2][2] = {{in.g[0] + 2 * i, y + 2 * i}, {in.x[0] + 2 * i, b + 2 * i}};
    forward[0] += p[0][0][0] * p[0][1][0] - p[0][0][1] * p[0][1][1];
    forward[1] += p[0][0][0] * p[0][1][1] + p[0][0][1] * p[0][1][0];
    back[0] += p[1][0][0] * p[1][1][0] - p[1][0][1] * p[1][1][1];
    back[1] += p[1][0][0] * p[1][1][1] + p[1][0][1] * p[1][1][0];
  }
  CLOSE(forward, back, 2, .abs = 1e-12);
  inputs_free(&in);
}

/* Not inlined: gcc 12.2 at -O3 takes the last values as they were before they were rounded. */
__attribute__((noinline)) static void widen(double *to, const float *values, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = (double)values[i];
}

static void rounded(float *to, double *values, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = (float)values[i];
  widen(values, to, count);
}

/* Floats in and out: the double function at the floats' values, rounded once. */
static void test_function__of_single_precision(void **unused) {
  (void)unused;
  inputs in = {0};
  static float x[2 * kCount], y[2 * kCount], theta[kNodes], phi[kNodes], gamma[kModes];
  static results want;
  inputs_make(&in, CUONN_STYLE_TOP, .1, .5, 6);
  rounded(x, in.x[0], 2 * kCount);
  rounded(theta, in.meshes->theta, kNodes);
  rounded(phi, in.meshes->phi, kNodes);
  rounded(gamma, in.meshes->gamma, kModes);
  const cuonn_function f = function_of(&in, "reference");
  const cuonn_phase_buffers phases = {numbers(theta, CUONN_FLOAT32, kNodes), numbers(phi, CUONN_FLOAT32, kNodes),
                                      numbers(gamma, CUONN_FLOAT32, kModes)};
  const cuonn_buffer from = numbers(x, CUONN_COMPLEX64, kCount), to = numbers(y, CUONN_COMPLEX64, kCount);
  OK(cuonn_function_propagate(&to, &f, 1, &phases, &from, false, NULL));
  expect(&want, &in, "reference", false);
  for (size_t i = 0; i < 2 * kCount; i++) assert_true(y[i] == (float)want.y[0][i]);
  inputs_free(&in);
}

/* A butterfly, against a plain product of its nodes' matrices; a rectangle with as many waveguides has another handle.
 */
static void test_function__of_another_shape(void **unused) {
  (void)unused;
  const listed_shape *const butterfly = far_shapes;
  cuonn_mesh_shape *shape;
  cuonn_mesh mesh;
  chance c = {8};
  double complex u[16];
  OK(cuonn_mesh_shape_create(&shape, butterfly->n, butterfly->columns, butterfly->counts, butterfly->pairs));
  OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_TOP));
  dense_random(&mesh, &c, .1, .5);
  dense_matrix(u, &mesh);
  (void)cuonn_function_release();
  const cuonn_function f = {"reference", 1, 4, shape, CUONN_STYLE_TOP, mesh.coupler_error, mesh.loss_db};
  const cuonn_phase_buffers phases = {numbers(mesh.theta, CUONN_FLOAT64, mesh.n_nodes),
                                      numbers(mesh.phi, CUONN_FLOAT64, mesh.n_nodes),
                                      numbers(mesh.gamma, CUONN_FLOAT64, 4)};
  double units[32] = {0}, y[32];
  for (size_t i = 0; i < 4; i++) units[2 * (4 * i + i)] = 1;
  const cuonn_buffer in = numbers(units, CUONN_COMPLEX128, 16), out = numbers(y, CUONN_COMPLEX128, 16);
  OK(cuonn_function_propagate(&out, &f, 1, &phases, &in, true, NULL)); /* rows of U */
  CLOSE(y, (const double *)u, 32, .abs = 1e-14);
  cuonn_function rectangle = f;
  rectangle.shape = NULL;
  rectangle.coupler_error = rectangle.loss_db = NULL;
  double zeros[6] = {0};
  const cuonn_phase_buffers six = {numbers(zeros, CUONN_FLOAT64, 6), numbers(zeros, CUONN_FLOAT64, 6),
                                   numbers(zeros, CUONN_FLOAT64, 4)};
  OK(cuonn_function_propagate(&out, &rectangle, 1, &six, &in, false, NULL));
  assert_int_equal(cuonn_function_release(), 2);
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(shape);
}

static void test_function__refuses(void **unused) {
  (void)unused;
  static results r;
  inputs in = {0};
  inputs_make(&in, CUONN_STYLE_TOP, .1, .5, 7);
  (void)cuonn_function_release();
  const cuonn_function f = function_of(&in, "reference");
  const cuonn_phase_buffers phases = phases_of(&in, kMeshes);
  const cuonn_buffer x = numbers(in.x, CUONN_COMPLEX128, kMeshes * kCount), y = numbers(r.y, x.type, x.count);
  cuonn_phase_buffers missing = phases, odd = phases, short_one = phases;
  missing.phi.data = NULL;
  odd.theta.count -= 1;
  short_one.theta.count -= kMeshes;
  cuonn_buffer part = x;
  part.count -= kMeshes * kModes;
  REFUSED(cuonn_function_propagate(&y, &f, 0, &phases, &x, false, NULL), CUONN_E_ARGUMENT, "n_meshes is 0");
  REFUSED(cuonn_function_propagate(&y, &f, kMeshes, &missing, &x, false, NULL), CUONN_E_ARGUMENT, "phi has no data");
  REFUSED(cuonn_function_propagate(&y, &f, kMeshes, &odd, &x, false, NULL), CUONN_E_SHAPE, "no multiple of 3 meshes");
  REFUSED(cuonn_function_propagate(&y, &f, kMeshes, &short_one, &x, false, NULL), CUONN_E_SHAPE,
          "theta has 9 numbers, a layer has 10");
  REFUSED(cuonn_function_propagate(&y, &f, kMeshes, &phases, &part, false, NULL), CUONN_E_SHAPE, "the input has");
  cuonn_function unknown = f, deep = f;
  unknown.backend = "a name that is longer than any";
  deep.n_modes = 1;
  REFUSED(cuonn_function_propagate(&y, &unknown, kMeshes, &phases, &x, false, NULL), CUONN_E_ARGUMENT, "is unknown");
  REFUSED(cuonn_function_propagate(&y, &deep, kMeshes, &phases, &x, false, NULL), CUONN_E_SHAPE, "");
  double errors[2 * kNodes] = {0};
  errors[7] = NAN;
  cuonn_function broken = f;
  broken.coupler_error = errors;
  REFUSED(cuonn_function_propagate(&y, &broken, kMeshes, &phases, &x, false, NULL), CUONN_E_NONFINITE, "coupler_error");
  assert_int_equal(cuonn_function_release(), 0);
  OK(cuonn_function_propagate(&y, &f, kMeshes, &phases, &x, false, NULL));
  REFUSED(cuonn_function_propagate(&y, &broken, kMeshes, &phases, &x, false, NULL), CUONN_E_NONFINITE, "coupler_error");
  assert_int_equal(cuonn_function_release(), 0);
  inputs_free(&in);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_function__as_meshes),
      cmocka_unit_test(test_function__keeps_handles),
      cmocka_unit_test(test_function__from_eight_threads),
      cmocka_unit_test(test_function__backward),
      cmocka_unit_test(test_function__of_single_precision),
      cmocka_unit_test(test_function__of_another_shape),
      cmocka_unit_test(test_function__refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
