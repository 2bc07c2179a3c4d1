/* A program of somebody else: draws a unitary, finds phases for it, and asks the mesh for its matrix again. */
#include <cuonn/cuonn.h>
#include <math.h>
#include <stdio.h>

enum { kModes = 8 };

int main(void) {
  static double unitary[2 * kModes * kModes], matrix[2 * kModes * kModes];
  cuonn_context *context = NULL;
  cuonn_mesh mesh;
  if (cuonn_context_create(&context, "reference", 0) || cuonn_mesh_create(&mesh, kModes, CUONN_STYLE_TOP) ||
      cuonn_haar_unitary(unitary, kModes, 1, 0) || cuonn_mesh_decompose(&mesh, unitary) ||
      cuonn_matrix(matrix, context, &mesh)) {
    fprintf(stderr, "%s\n", cuonn_last_error());
    return 1;
  }
  double error = 0;
  for (int i = 0; i < 2 * kModes * kModes; i++) error = fmax(error, fabs(matrix[i] - unitary[i]));
  printf("cuONN %s with %s\nlargest error %.1e\n", cuonn_version(), cuonn_libraries(), error);
  cuonn_mesh_free(&mesh);
  cuonn_context_free(context);
  return error < 1e-12 ? 0 : 1; /* some ten roundings of 1e-16 along each of 2 x 8 columns */
}
