/* Layers as matrices. Element (output, input) of a layer of n inputs lies at [input][plane][output], which is how
 * products want it and how cotangents that enter at outputs arrive at inputs; outputs that are not read are left out.
 *
 * A network of L layers, outputs filled up to a multiple of 16 (`lanes` of a layer):
 *   layer 0         [3][n][lanes]  r, i - r, r + i of the elements r + i i (kernels.h says why)
 *   layers 1 .. L-1 [n][2][lanes]
 * Sums over examples of input x cotangent of the output are the gradient of these elements and lie in the same way. */
#ifndef CPU_DENSE_H
#define CPU_DENSE_H

#include "cpu/kernels.h"
#include "cuonn/network.h"

/* What one thread works with on a block of examples; addresses of one allocation. */
typedef struct {
  float *x, *sum;       /* [example][2][n], and real + imaginary [example][n] */
  float *parts;         /* [3][example][lanes] */
  float *y, *h;         /* [layer][example][2][padded n] outputs and their moduli */
  float *g[2];          /* [example][2][padded n] cotangents of one layer and of the one before it */
  float *g_read;        /* [example][2][lanes of the last layer] */
  float *y_read, *back; /* [n][2][example] of the last layer: outputs, and their cotangents */
  float *power;         /* [class][example] */
  float *ones;          /* as many as examples */
  uint32_t *index;      /* [example] */
} dense_space;

enum { kDenseExamples = 64 }; /* most of a block */

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
  for (size_t i = 0; i < l; i++) offset += (i == 0 ? 3 : 2) * shape->n_modes * dense_lanes(shape, i);
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

/* Examples of a block: 16, 32 or 64; so few that there are eight blocks to share. A function of their number alone. */
static inline size_t dense_block(size_t n_examples) {
  return n_examples >= 8 * kDenseExamples ? kDenseExamples : n_examples >= 4 * kDenseExamples ? 32 : 16;
}

/* [example][2][lanes of the last layer] behind the last layer. */
static inline float *dense_outputs(const dense_space *space, const cuonn_network_shape *shape) {
  return space->y + (shape->n_layers - 1) * kDenseExamples * 2 * dense_padded(shape->n_modes);
}

/* Sends the block in x through; later layers take moduli of the layer before. n_examples: a multiple of 16. */
void dense_forward(dense_space *space, const dense_model *model, const cuonn_network_shape *shape, size_t n_examples,
                   const cpu_kernels *kernels);
/* After it, from the cotangents in g_read: adds to sums[dense_size()]. */
void dense_backward(float *sums, dense_space *space, const dense_model *model, const cuonn_network_shape *shape,
                    size_t n_examples, const cpu_kernels *kernels);

#endif
