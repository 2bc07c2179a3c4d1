/* Meshes of several shapes on one backend: fields against a plain product of the nodes' matrices, gradients against the
 * reference's, measured ones against computed ones. A program includes it, makes its tests of shapes_check() and gives
 * the backend's name and the relative rounding of its numbers.
 *
 * Tolerances, relative to the largest value of an array, u being the unit of rounding: fields behind the at most 16
 * columns of two layers are off by some 5 sqrt(12 * 16) u / 2 = 35 u (parity.h), 64 u are allowed; gradients are
 * differences of sums of two fields, 4 times that; measured ones have light going back, in again, and forward, 4 times
 * more. */
#ifndef CUONN_TEST_SHAPES_H
#define CUONN_TEST_SHAPES_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/cuonn.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"

enum { kShapeExamples = 6, kShapeColumns = 8, kShapeModes = 8, kShapeLayers = 2, kShapeClasses = 3 };

/* A shape as a list: count of nodes of each column, and their pairs. */
typedef struct {
  const char *name;
  size_t n, columns, counts[kShapeColumns];
  uint32_t pairs[32][2];
} listed_shape;

static const listed_shape neighbour_shapes[] = {
    {"triangular of 4 waveguides", 4, 5, {1, 1, 2, 1, 1}, {{0, 1}, {1, 2}, {0, 1}, {2, 3}, {1, 2}, {0, 1}}},
    {"triangular, its tip at an odd waveguide", 5, 4, {1, 2, 1, 2}, {{1, 2}, {0, 1}, {2, 3}, {1, 2}, {0, 1}, {2, 3}}},
    {"one column", 5, 1, {2}, {{0, 1}, {2, 3}}},
    {"two columns of a rectangle", 6, 2, {3, 2}, {{0, 1}, {2, 3}, {4, 5}, {1, 2}, {3, 4}}},
    {"more columns than waveguides",
     3,
     7,
     {1, 1, 1, 1, 1, 1, 1},
     {{0, 1}, {1, 2}, {0, 1}, {1, 2}, {0, 1}, {1, 2}, {0, 1}}},
    {"even and odd nodes in one column", 6, 3, {2, 2, 2}, {{0, 1}, {3, 4}, {1, 2}, {4, 5}, {0, 1}, {2, 3}}},
    {"the same column twice, the lower node first", 5, 3, {2, 2, 1}, {{3, 4}, {0, 1}, {3, 4}, {0, 1}, {1, 2}}},
    {"an empty column", 4, 3, {2, 0, 1}, {{0, 1}, {2, 3}, {1, 2}}},
};
static const listed_shape far_shapes[] = {
    {"butterfly of 4 waveguides", 4, 2, {2, 2}, {{0, 2}, {1, 3}, {0, 1}, {2, 3}}},
    {"butterfly of 8 waveguides",
     8,
     3,
     {4, 4, 4},
     {{0, 4}, {1, 5}, {2, 6}, {3, 7}, {0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 1}, {2, 3}, {4, 5}, {6, 7}}},
    {"binary tree", 8, 3, {4, 2, 1}, {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2}, {4, 6}, {0, 4}}},
};

static cuonn_mesh_shape *shape_of(const listed_shape *list) {
  cuonn_mesh_shape *shape;
  OK(cuonn_mesh_shape_create(&shape, list->n, list->columns, list->counts, list->pairs));
  return shape;
}

static cuonn_mesh_shape *shape_with(const listed_shape *list, cuonn_node_kind node) {
  cuonn_mesh_shape *const columns = shape_of(list), *shape;
  OK(cuonn_mesh_shape_with_node(&shape, columns, node));
  cuonn_mesh_shape_free(columns);
  return shape;
}

/* Whether a chip can measure its gradients. */
static bool is_measured(const cuonn_network *network) {
  return network->shape.style == CUONN_STYLE_TOP || network->shape.style == CUONN_STYLE_BOTTOM;
}

/* What is computed of a network: fields and gradients behind a mesh, loss and gradients of a batch. */
typedef struct {
  double fields[2][2 * kShapeExamples * kShapeModes], gradient[2 * 32 + kShapeModes], loss[2];
  double derivatives[2][kShapeLayers * (2 * 32 + kShapeModes)];
} shape_results;

static void mesh_results(shape_results *out, cuonn_context *context, const cuonn_mesh *mesh, const cuonn_fields *x,
                         const cuonn_fields *g) {
  const size_t nodes = mesh->n_nodes;
  cuonn_mesh_gradient gradient = {out->gradient, out->gradient + nodes, out->gradient + 2 * nodes, NULL};
  cuonn_fields y = {x->n_examples, x->n_modes, out->fields[0]}, back = {x->n_examples, x->n_modes, out->fields[1]};
  OK(cuonn_propagate(&y, NULL, context, mesh, x, false));
  OK(cuonn_vjp(&gradient, &back, context, mesh, x, g));
}

/* method: of the exact gradient; measured ones have none. */
static void network_results(shape_results *out, cuonn_context *context, const char *method,
                            const cuonn_network *network, const cuonn_fields *x, const uint8_t *labels) {
  const size_t nodes = network->layers->n_nodes, each = 2 * nodes + network->shape.n_modes;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  for (int measured = 0; measured < 2; measured++) {
    cuonn_mesh_gradient layers[kShapeLayers];
    for (size_t l = 0; l < kShapeLayers; l++) {
      double *const at = out->derivatives[measured] + l * each;
      layers[l] = (cuonn_mesh_gradient){at, at + nodes, at + 2 * nodes, NULL};
    }
    if (measured && !is_measured(network)) break;
    OK(cuonn_context_set_method(context, measured ? "auto" : method));
    OK(cuonn_gradient_on_chip(&out->loss[measured], layers, context, network, &chip,
                              measured ? CUONN_GRADIENT_ANALOG : CUONN_GRADIENT_EXACT, x, labels));
  }
}

/* y = U x of a plain product, and U^T g. */
static void expect_dense(const shape_results *got, const cuonn_mesh *mesh, const cuonn_fields *x, const cuonn_fields *g,
                         double rel) {
  const size_t n = mesh->n_modes;
  double complex u[kShapeModes * kShapeModes], y[kShapeExamples * kShapeModes], back[kShapeExamples * kShapeModes];
  dense_matrix(u, mesh);
  for (size_t e = 0; e < kShapeExamples; e++) {
    const double complex *const in = (const double complex *)x->values + e * n;
    const double complex *const out = (const double complex *)g->values + e * n;
    for (size_t i = 0; i < n; i++) {
      y[e * n + i] = back[e * n + i] = 0;
      for (size_t j = 0; j < n; j++) {
        y[e * n + i] += u[i * n + j] * in[j];
        back[e * n + i] += u[j * n + i] * out[j];
      }
    }
  }
  CLOSE(got->fields[0], (const double *)y, 2 * kShapeExamples * n, .rel = rel);
  CLOSE(got->fields[1], (const double *)back, 2 * kShapeExamples * n, .rel = rel);
}

/* One shape, kind of nodes, style, and size of errors. u: unit of rounding of the backend. */
static void check_one(const listed_shape *list, cuonn_node_kind node, const char *backend, const char *method,
                      cuonn_phase_style style, bool errors, double u) {
  chance c = {list->n + 10 * list->columns};
  cuonn_mesh_shape *const shape = shape_with(list, node);
  const size_t n = list->n;
  const cuonn_network_shape of = CUONN_NETWORK_SHAPE_OF(n, kShapeLayers, kShapeClasses, style, false, shape);
  cuonn_network network;
  cuonn_context *context, *reference;
  cuonn_fields x, g;
  uint8_t labels[kShapeExamples];
  shape_results *const got = calloc(2, sizeof *got), *const want = got + 1;
  assert_non_null(got);
  OK(cuonn_context_create(&context, backend, 2));
  OK(cuonn_context_create(&reference, "reference", 1));
  OK(cuonn_network_create(&network, &of));
  cuonn_mesh_shape_free(shape); /* the network is its owner now */
  for (size_t l = 0; l < kShapeLayers; l++) dense_random(&network.layers[l], &c, errors ? .1 : 0, errors ? 3 : 0);
  OK(cuonn_fields_create(&x, kShapeExamples, n));
  OK(cuonn_fields_create(&g, kShapeExamples, n));
  chance_normals(x.values, 2 * kShapeExamples * n, &c);
  chance_normals(g.values, 2 * kShapeExamples * n, &c);
  for (size_t e = 0; e < kShapeExamples; e++) labels[e] = (uint8_t)(e % kShapeClasses);

  const size_t nodes = network.layers->n_nodes, each = 2 * nodes + n;
  mesh_results(got, context, network.layers, &x, &g);
  expect_dense(got, network.layers, &x, &g, 64 * u);
  network_results(got, context, method, &network, &x, labels);
  network_results(want, reference, "auto", &network, &x, labels);
  mesh_results(want, reference, network.layers, &x, &g);
  CLOSE(got->gradient, want->gradient, each, .rel = 256 * u);
  CLOSE(got->loss, want->loss, 1, .rel = 64 * u);
  CLOSE(got->derivatives[0], want->derivatives[0], kShapeLayers * each, .rel = 256 * u);
  if (is_measured(&network)) {
    CLOSE(got->derivatives[1], want->derivatives[1], kShapeLayers * each, .rel = 1024 * u);
    /* without losses the chip measures what is computed */
    for (size_t l = 0; !errors && l < kShapeLayers; l++)
      CLOSE(got->derivatives[1] + l * each, want->derivatives[0] + l * each, 2 * nodes, .rel = 1024 * u);
  }
  cuonn_fields_free(&g);
  cuonn_fields_free(&x);
  cuonn_network_free(&network);
  cuonn_context_free(reference);
  cuonn_context_free(context);
  free(got);
}

/* Loss and gradients of a network of meshes of any size against the reference's; measured: by the chip itself. Light
 * meets up to 2 N columns of two layers, 4 * 65 nodes of some 12 roundings: 5 sqrt(12 * 260) u / 2 = 140 u, of
 * derivatives 4 times that, measured ones 4 times more. */
static inline void shape_network_agrees(const cuonn_mesh_shape *shape, const char *backend, const char *method,
                                        bool errors, bool measured, double u) {
  enum { kBatch = 5 };
  const size_t n = cuonn_mesh_shape_modes(shape);
  const cuonn_network_shape of = CUONN_NETWORK_SHAPE_OF(n, 2, 2, CUONN_STYLE_TOP, false, shape);
  const uint8_t labels[kBatch] = {0, 1, 1, 1, 0};
  const cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chance c = {n};
  cuonn_network network;
  cuonn_fields x;
  cuonn_mesh_gradient *gradients[2];
  double loss[2];
  OK(cuonn_network_create(&network, &of));
  for (size_t l = 0; l < 2; l++) dense_random(&network.layers[l], &c, errors ? .1 : 0, errors ? .5 : 0);
  OK(cuonn_fields_create(&x, kBatch, n));
  chance_normals(x.values, 2 * kBatch * n, &c);
  for (int side = 0; side < 2; side++) {
    cuonn_context *context;
    OK(cuonn_context_create(&context, side ? "reference" : backend, 1));
    if (!side && !measured) OK(cuonn_context_set_method(context, method));
    OK(cuonn_gradients_create(&gradients[side], &network.shape));
    OK(cuonn_gradient_on_chip(&loss[side], gradients[side], context, &network, &chip,
                              measured ? CUONN_GRADIENT_DIGITAL : CUONN_GRADIENT_EXACT, &x, labels));
    cuonn_context_free(context);
  }
  CLOSE(&loss[0], &loss[1], 1, .rel = 256 * u);
  const double rel = (measured ? 4096 : 1024) * u; /* sums of terms of about 1, which may cancel in all phases */
  CLOSE(gradients[0]->d_theta, gradients[1]->d_theta, 2 * (2 * network.layers->n_nodes + n), .rel = rel, .abs = rel);
  cuonn_gradients_free(gradients[0]);
  cuonn_gradients_free(gradients[1]);
  cuonn_fields_free(&x);
  cuonn_network_free(&network);
}

/* Fields at all taps, both ways, with coupler errors and losses. */
static inline void shape_taps_agree(const cuonn_mesh_shape *shape, size_t n_examples, const char *backend, double u) {
  const size_t n = cuonn_mesh_shape_modes(shape), columns = cuonn_mesh_shape_columns(shape) - 1;
  const size_t each = 2 * columns * n_examples * n;
  chance c = {n};
  cuonn_mesh mesh;
  cuonn_fields x, y;
  double *values[2];
  OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_TOP));
  dense_random(&mesh, &c, .1, .5);
  OK(cuonn_fields_create(&x, n_examples, n));
  OK(cuonn_fields_create(&y, n_examples, n));
  chance_normals(x.values, 2 * n_examples * n, &c);
  for (size_t i = 0; i < 2; i++) assert_non_null(values[i] = malloc(5 * each * sizeof **values));
  for (int backward = 0; backward < 2; backward++) {
    for (size_t i = 0; i < 2; i++) {
      double *const at = values[i];
      const cuonn_taps taps = {at, at + each, at + 2 * each, at + 3 * each, at + 4 * each};
      cuonn_context *context;
      OK(cuonn_context_create(&context, i ? "reference" : backend, 1));
      OK(cuonn_propagate(&y, &taps, context, &mesh, &x, backward));
      cuonn_context_free(context);
    }
    CLOSE(values[0], values[1], 5 * each, .rel = 64 * u);
  }
  for (size_t i = 0; i < 2; i++) free(values[i]);
  cuonn_fields_free(&y);
  cuonn_fields_free(&x);
  cuonn_mesh_free(&mesh);
}

static inline void shapes_check(const listed_shape *shapes, size_t count, cuonn_node_kind node, const char *backend,
                                const char *method, double u) {
  for (size_t i = 0; i < count; i++) {
    for (int style = 0; style < 4; style++) {
      for (int errors = 0; errors < 2; errors++)
        check_one(&shapes[i], node, backend, method, (cuonn_phase_style)style, errors, u);
    }
  }
}

#endif
