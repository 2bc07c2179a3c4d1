/* A program of somebody else: the power that a triangular mesh sends from its first input to each output. */
#include <cuonn/cuonn.h>
#include <stdio.h>

static int failed(void) {
  fprintf(stderr, "shape: %s\n", cuonn_last_error());
  return 1;
}

int main(void) {
  /* columns from the input on, and the two waveguides of each node */
  static const size_t counts[5] = {1, 1, 2, 1, 1};
  static const uint32_t pairs[6][2] = {{0, 1}, {1, 2}, {0, 1}, {2, 3}, {1, 2}, {0, 1}};
  cuonn_mesh_shape *triangular = NULL;
  cuonn_context *context = NULL;
  cuonn_mesh mesh;
  double matrix[4][4][2], total = 0;

  if (cuonn_mesh_shape_create(&triangular, 4, 5, counts, pairs) != CUONN_OK) return failed();
  if (cuonn_mesh_create_shaped(&mesh, triangular, CUONN_STYLE_TOP) != CUONN_OK) return failed();
  cuonn_mesh_shape_free(triangular); /* the mesh is an owner of its own */
  for (size_t k = 0; k < mesh.n_nodes; k++) mesh.theta[k] = 1.2, mesh.phi[k] = 0.3;

  if (cuonn_context_create(&context, "reference", 1) != CUONN_OK) return failed();
  if (cuonn_matrix(&matrix[0][0][0], context, &mesh) != CUONN_OK) return failed();
  for (int row = 0; row < 4; row++) {
    const double power = matrix[row][0][0] * matrix[row][0][0] + matrix[row][0][1] * matrix[row][0][1];
    printf("output %d: %.4f\n", row, power);
    total += power;
  }
  cuonn_context_free(context);
  cuonn_mesh_free(&mesh);
  return total > 1 - 1e-12 && total < 1 + 1e-12 ? 0 : 1; /* nodes lose no light */
}
