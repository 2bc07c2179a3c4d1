/* Estimates in operations of nodes, which both methods do at about one rate (50 GFLOP/s a core of an AMD EPYC with
 * AVX-512); the constants were measured there (docs/performance.md). */
#include "cpu/method_auto.h"

/* Operations of a node for one field or row: with the way back, or without. */
static double node_work(bool gradient) { return gradient ? 56 : 14; }

/* A product of matrices does an operation in this share of the time, */
static const double product = 0.4;
/* and examples cost this many for each layer, to be brought into and out of the form of products. */
static double example_work(bool gradient) { return gradient ? 2000 : 750; }

static double padded(double n, double to) { return to * (double)(size_t)((n + to - 1) / to); }

/* Nodes of a mesh from which light reaches one of the first `read` outputs. */
static double nodes_of(double n, double read) { return n * (n - 1) / 2 - (n - read) * (n - read) / 4; }

/* Rows of one layer times the nodes that each passes: rows go in tiles of 16 or 32, which see two thirds of the nodes
 * where they are narrow, and all of them where one is as wide as the mesh. */
static double rows_through(double n, double read) {
  const double tile = read <= 16 ? 16 : 32, rows = padded(read, tile);
  const double share = tile < n ? 2. / 3 + tile / n / 3 : 1;
  return rows * (read < n ? nodes_of(n, tile < n ? tile : n) : share * n * (n - 1) / 2);
}

cuonn_method cpu_auto_method(const cuonn_network_shape *shape, size_t n_examples, bool gradient) {
  const bool real = shape->layer == CUONN_LAYER_UNITARY && !cuonn_nonlinearity_keeps_phase(shape->nonlinearity.kind);
  if (!real) return CUONN_METHOD_COLUMNS; /* dense takes real inputs, and knows no amplitudes */
  const double n = (double)shape->n_modes, classes = (double)shape->n_classes, inner = (double)shape->n_layers - 1;
  /* of another shape as many of a rectangle's nodes as it has */
  const double share = (double)cuonn_network_nodes(shape) / (n * (n - 1) / 2);
  const double examples = padded((double)n_examples, 16), node = node_work(gradient) * share;
  const double columns = examples * node * (inner * nodes_of(n, n) + nodes_of(n, classes));
  const double rows = inner * padded(n, 16) + padded(classes, 16), first = padded(inner > 0 ? n : classes, 16);
  const double products = n * (gradient ? 12 * rows : 4 * rows + 2 * first);
  const double of_rows = node * (inner * rows_through(n, n) + rows_through(n, classes));
  const double dense = of_rows + examples * (product * products + (inner + 1) * example_work(gradient));
  return dense < columns ? CUONN_METHOD_DENSE : CUONN_METHOD_COLUMNS;
}
