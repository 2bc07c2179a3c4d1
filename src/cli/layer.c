#include "cli/layer.h"

#include <stdlib.h>

static size_t meshes_of(const cuonn_network_shape *shape) { return shape->layer == CUONN_LAYER_SVD ? 2 : 1; }

size_t cli_layers(const cuonn_network_shape *shape) { return shape->n_layers / meshes_of(shape); }

/* Row k times the amplitude of waveguide k. */
static void attenuate(double *matrix, const double *amplitudes, size_t n) {
  for (size_t k = 0; k < n; k++)
    for (size_t i = 0; i < 2 * n; i++) matrix[2 * k * n + i] *= amplitudes[k];
}

/* out = a b, of N x N complex numbers; out: zeros. */
static void multiply(double *out, const double *a, const double *b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      const double re = a[2 * (i * n + k)], im = a[2 * (i * n + k) + 1];
      const double *const row = b + 2 * k * n;
      for (size_t j = 0; j < n; j++) {
        out[2 * (i * n + j)] += re * row[2 * j] - im * row[2 * j + 1];
        out[2 * (i * n + j) + 1] += re * row[2 * j + 1] + im * row[2 * j];
      }
    }
  }
}

/* The matrix of a mesh with the amplitudes behind it, if there are any. */
static int mesh_matrix(double **out, cuonn_context *context, const cuonn_network *network, size_t mesh,
                       const char *path) {
  const size_t n = network->shape.n_modes;
  const int code = cli_matrix_of(out, context, &network->layers[mesh], path);
  if (code == CLI_DONE && cuonn_network_has_amplitudes(&network->shape, mesh))
    attenuate(*out, network->amplitudes + mesh * n, n);
  return code;
}

int cli_layer_matrix(double **out, cuonn_context *context, const cuonn_network *network, size_t layer,
                     const char *path) {
  int code = CLI_DONE;
  double *first = NULL, *second = NULL;
  const size_t n = network->shape.n_modes, meshes = meshes_of(&network->shape);
  *out = NULL;
  if (meshes == 1) return mesh_matrix(out, context, network, layer, path);
  CLI_PASS_DONE(mesh_matrix(&first, context, network, 2 * layer, path));
  CLI_PASS_DONE(mesh_matrix(&second, context, network, 2 * layer + 1, path));
  *out = calloc(2 * n * n, sizeof **out);
  if (*out)
    multiply(*out, second, first, n);
  else
    code = cli_fail(CLI_RESOURCES, "not enough memory for a matrix of %zu x %zu", n, n);
done:
  free(second);
  free(first);
  return code;
}
