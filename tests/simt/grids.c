/* More models, layers and columns than a grid has room for in y or z: launched in parts, or refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "cuda/device.h"
#include "kernels/coefficients.h"
#include "kernels/columns.h"
#include "support/close.h"

enum { kMeshes = CUONN_GRID_ROWS_MAX + 2, kModes = 2 };

static void *on_device(cuda_memory *memory, const void *host, size_t bytes) {
  void *device;
  OK(cuda_allocate(&device, memory, bytes, 1, "a test"));
  if (host) assert_int_equal(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice), cudaSuccess);
  return device;
}

typedef float2 matrix[kModes][kModes];

/* Matrices of n_meshes meshes with these phases and output phases. */
static void build(matrix *out, const double2 *phases, const double *gamma, size_t n_meshes) {
  const mesh_layout layout = mesh_layout_of(kModes);
  const style_arms arms = {{1, 0}, {1, 0}};
  const size_t places = mesh_places(layout), count = n_meshes * places;
  cuda_memory memory = {0};
  node_constants *const constants = calloc(count, sizeof *constants);
  assert_non_null(constants);
  for (size_t i = 0; i < count; i++) constants[i] = (node_constants){{.6, .8}, {.8, .6}, .9, .8};
  const node_tables to = {.nodes = on_device(&memory, NULL, 2 * count * sizeof *to.nodes),
                          .turns = on_device(&memory, NULL, n_meshes * kModes * sizeof *to.turns)};
  const device_meshes meshes = {.layout = layout, .nodes = to.nodes, .turns = to.turns, .shared_limit = 99 * 1024};
  matrix *const built = on_device(&memory, NULL, n_meshes * sizeof *built);
  assert_int_equal(
      launch_general_nodes(&to, on_device(&memory, phases, count * sizeof *phases),
                           on_device(&memory, gamma, n_meshes * kModes * sizeof *gamma),
                           &(node_parts){.constants = on_device(&memory, constants, count * sizeof *constants)}, layout,
                           arms, (int)n_meshes, NULL),
      cudaSuccess);
  assert_int_equal(launch_columns((float2 *)built, &meshes, (int)n_meshes, NULL, kModes, false, true, NULL),
                   cudaSuccess);
  assert_int_equal(cudaMemcpy(out, built, n_meshes * sizeof *built, cudaMemcpyDeviceToHost), cudaSuccess);
  cuda_memory_free(&memory);
  free(constants);
}

/* Each is what it is alone. */
static void test_meshes__more_than_a_grid_has_rows(void **unused) {
  (void)unused;
  const size_t places = mesh_places(mesh_layout_of(kModes));
  double2 *const phases = calloc(kMeshes * places, sizeof *phases);
  double *const gamma = calloc((size_t)kMeshes * kModes, sizeof *gamma);
  matrix *const all = calloc(kMeshes, sizeof *all);
  assert_true(phases && gamma && all);
  for (size_t m = 0; m < kMeshes; m++) {
    phases[m * places] = (double2){1e-4 * (double)m, 2e-4 * (double)m};
    for (size_t w = 0; w < kModes; w++) gamma[m * kModes + w] = 1e-3 * (double)(m + w);
  }
  build(all, phases, gamma, kMeshes);
  for (size_t m = 0; m < kMeshes; m += m == 0 ? CUONN_GRID_ROWS_MAX - 1 : 1) {
    matrix alone;
    build(&alone, phases + m * places, gamma + m * kModes, 1);
    assert_memory_equal(all[m], alone, sizeof alone);
  }
  free(all);
  free(gamma);
  free(phases);
}

static void test_models__more_than_a_grid_has_rows(void **unused) {
  (void)unused;
  void *state;
  backend_problem problem = {.n_models = CUONN_GRID_ROWS_MAX + 1,
                             .shape = {.n_modes = kModes, .n_layers = 1, .n_classes = 2}};
  REFUSED(cuonn_backend_cuda.create(&state, &problem), CUONN_E_ARGUMENT,
          "backend cuda computes up to 65535 models in one handle, these are 65536; divide them among several");
  assert_null(state);
}

/* The most columns that a mesh has, of one node each. */
static void test_columns__more_than_a_grid_has_rows(void **unused) {
  (void)unused;
  const size_t columns = CUONN_COLUMNS_MAX, n_modes = CUONN_DEVICE_MODES_MAX;
  size_t *const counts = calloc(columns, sizeof *counts);
  uint32_t(*const pairs)[2] = calloc(columns, sizeof *pairs);
  cuonn_mesh_shape *shape;
  void *state;
  assert_true(counts && pairs);
  for (size_t c = 0; c < columns; c++) {
    counts[c] = 1;
    pairs[c][0] = c % 2;
    pairs[c][1] = c % 2 + 1;
  }
  OK(cuonn_mesh_shape_create(&shape, n_modes, columns, counts, (const uint32_t(*)[2])pairs));
  backend_problem problem = {.n_models = 1,
                             .shape = {.n_modes = n_modes, .n_layers = 1, .n_classes = 2, .mesh = shape}};
  REFUSED(cuonn_backend_cuda.create(&state, &problem), CUONN_E_SHAPE,
          "backend cuda computes meshes of up to 16383 columns of 1024 waveguides, this one has 16384");
  cuonn_mesh_shape_free(shape);
  free(pairs);
  free(counts);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_meshes__more_than_a_grid_has_rows),
                                     cmocka_unit_test(test_models__more_than_a_grid_has_rows),
                                     cmocka_unit_test(test_columns__more_than_a_grid_has_rows)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  cuda_release();
  return failed;
}
