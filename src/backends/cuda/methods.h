/* Which method gets which gradient. */
#ifndef CUDA_METHODS_H
#define CUDA_METHODS_H

#include "cuda/method.h"

/* Whether matrices are taken to be faster than columns. The nodes' part of a dense step is that of N examples, however
 * many there are; its launches, 6 a layer more, have to be outweighed. An estimate that no device was timed for:
 * docs/performance.md has the model behind it. */
static inline bool cuda_dense_pays(size_t n, size_t batch) {
  return batch >= 2 * n && batch * n * n >= (size_t)1 << 24;
}

/* Losses alone have one way, which is not asked for. Nor are the models of a state, because a sweep that goes on has
 * fewer of them than it began with, and is to go on by the same method. */
static inline cuonn_method cuda_auto_method(const cuonn_network_shape *shape, size_t n_examples, bool gradient) {
  return gradient && (!cuda_columns.supports(shape) || cuda_dense_pays(shape->n_modes, n_examples))
             ? CUONN_METHOD_DENSE
             : CUONN_METHOD_COLUMNS;
}

/* columns or dense: one for all exact gradients of a state, because it has room for one of them alone. Networks that
 * one does not take, the other does, whichever is asked for. */
static inline const cuda_method *cuda_exact_method(const backend_problem *p) {
  if (!cuda_columns.supports(&p->shape)) return &cuda_dense;
  if (cuonn_gradient_is_measured(p->gradient) || p->method == CUONN_METHOD_COLUMNS) return &cuda_columns;
  if (p->method == CUONN_METHOD_DENSE) return &cuda_dense;
  return cuda_dense_pays(p->shape.n_modes, p->batch_size) ? &cuda_dense : &cuda_columns;
}

/* The method that gets a gradient. */
static inline const cuda_method *cuda_method_of(const backend_problem *p, cuonn_gradient_method which) {
  return cuonn_gradient_is_measured(which) ? &cuda_in_situ : cuda_exact_method(p);
}

#endif
