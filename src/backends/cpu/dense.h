/* Layers as matrices. Element (output, input) of a layer of n inputs lies at [input][plane][output], which is how
 * products want it and how rows come out of the nodes; outputs that are not read are left out, and filled up to a
 * multiple of 16 (`lanes` of a layer). A network of L layers:
 *   layer 0         [4][n][lanes]  r, i - r, r + i, i of the elements r + i i (kernels.h says why)
 *   layers 1 .. L-1 [n][2][lanes]
 * Sums over examples of input x cotangent of the output are the gradient of these elements and lie in the same way, in
 * the first layer as three products. */
#ifndef CPU_DENSE_H
#define CPU_DENSE_H

#include "cpu/kernels.h"
#include "cpu/product.h"
#include "cuonn/network.h"

/* What one thread works with on a block of examples; each is an allocation of its own, so that AddressSanitizer sees a
 * step from one into the next. */
typedef struct {
  float *x, *sum;       /* [example][2][n], and real + imaginary [example][n] */
  float *parts;         /* [3][example][lanes] */
  float *y, *h;         /* [layer][example][2][padded n] outputs and what they become */
  float *g[2];          /* [example][2][padded n] cotangents of one layer and of the one before it */
  float *g_read;        /* [example][2][lanes of the last layer] */
  float *y_read, *back; /* [n][2][example] of the last layer: outputs, and their cotangents */
  float *power;         /* [class][example] */
  float *ones;          /* as many as examples */
  uint32_t *index;      /* [example] */
} dense_space;

enum { kDenseExamples = 64, kDenseBlocks = 3 }; /* most of a block; blocks are of 16, 32 or 64 */

/* Products of one layer for blocks of one size. The first layer's inputs are the sum of both planes, or one of them. */
typedef struct {
  cpu_product first[2], first_gradient[2][2]; /* [sum, plane][adding] */
  cpu_product forward, back, gradient[2];     /* of layers behind the first; [adding] */
} dense_products;

/* Matrices of one model. */
typedef struct {
  float *elements; /* dense_size() */
  float *back;     /* [layer but the first][2][lanes][padded n]: r, -i, by output and input */
  float *sums;     /* [chunk][dense_size()] */
} dense_model;

static inline size_t dense_padded(size_t n) { return (n + 15) / 16 * 16; }

static inline size_t dense_read(const cuonn_network_shape *shape, size_t l) {
  return l + 1 < shape->n_layers ? shape->n_modes : shape->n_classes;
}

static inline size_t dense_lanes(const cuonn_network_shape *shape, size_t l) {
  return dense_padded(dense_read(shape, l));
}

/* Where a layer begins, also that behind the last. */
static inline size_t dense_offset(const cuonn_network_shape *shape, size_t l) {
  size_t offset = 0;
  for (size_t i = 0; i < l; i++) offset += (i == 0 ? 4 : 2) * shape->n_modes * dense_lanes(shape, i);
  return offset;
}
static inline size_t dense_size(const cuonn_network_shape *shape) { return dense_offset(shape, shape->n_layers); }

static inline float *dense_back(const dense_model *model, const cuonn_network_shape *shape, size_t l) {
  const size_t padded = dense_padded(shape->n_modes);
  return model->back + (l - 1) * 2 * padded * padded;
}

/* n_chunks: 0 if no gradients are wanted. Release with dense_model_free(); zeroed on failure. */
cuonn_status dense_model_create(dense_model *out, const cuonn_network_shape *shape, size_t n_chunks);
void dense_model_free(dense_model *model);

cuonn_status dense_space_create(dense_space *out, const cuonn_network_shape *shape);
void dense_space_free(dense_space *space);

/* to: [layer][kDenseBlocks]. */
void dense_products_prepare(dense_products *to, const cuonn_network_shape *shape);

/* Examples of a block: so few that there are eight blocks to share. A function of their number alone. */
static inline size_t dense_block(size_t n_examples) {
  return n_examples >= 8 * kDenseExamples ? kDenseExamples : n_examples >= 4 * kDenseExamples ? 32 : 16;
}

/* Those that the last, not quite full block is filled up to. */
static inline size_t dense_filled(size_t count) { return count <= 16 ? 16 : count <= 32 ? 32 : 64; }

/* [example][2][lanes of the last layer] behind the last layer. */
static inline float *dense_outputs(const dense_space *space, const cuonn_network_shape *shape) {
  return space->y + (shape->n_layers - 1) * kDenseExamples * 2 * dense_padded(shape->n_modes);
}

/* A tile of a layer is [n][2][lanes] of outputs first .. first + lanes - 1; zero where there are none. Rows that nodes
 * made go into every form in which products read them, */
void dense_store_rows(const dense_model *to, const cuonn_network_shape *shape, size_t l, const float *g, size_t first,
                      size_t lanes);
/* and come back. */
void dense_load_rows(float *g, const dense_model *model, const cuonn_network_shape *shape, size_t l, size_t first,
                     size_t lanes);
/* The sums of all chunks, as fields. */
void dense_load_sums(float *x, const dense_model *model, const cuonn_network_shape *shape, size_t l, size_t n_chunks,
                     size_t first, size_t lanes, const cpu_kernels *kernels);

/* Sends the block in x through; later layers take what the outputs of the layer before become, real numbers.
 * n_examples: 16, 32 or 64. */
void dense_forward(dense_space *space, const dense_model *model, const dense_products *products,
                   const cuonn_network_shape *shape, size_t n_examples, const cpu_kernels *kernels);
/* After it, from the cotangents in g_read: sums[dense_size()] are set, or added to. */
void dense_backward(float *sums, bool add, dense_space *space, const dense_model *model, const dense_products *products,
                    const cuonn_network_shape *shape, size_t n_examples, const cpu_kernels *kernels);

#endif
