/* Which method gets which gradient, and which loss. */
#ifndef CPU_METHODS_H
#define CPU_METHODS_H

#include "cpu/method.h"

/* Whether matrices are faster than columns for so many examples. They send some 3 N vectors through the nodes in any
 * case, where columns send the examples; small meshes leave products too little to do (docs/performance.md has the
 * times). */
static inline bool cpu_dense_pays(const cuonn_network_shape *shape, size_t count) {
  return shape->n_modes >= 16 && count >= 64 && count >= 2 * shape->n_modes;
}

/* columns or dense, as the state was asked to compute, of so many examples. */
static inline const cpu_method *cpu_exact_method(const cpu_state *s, size_t count) {
  switch (s->problem.method) {
    case CUONN_METHOD_COLUMNS: return &cpu_columns;
    case CUONN_METHOD_DENSE: return &cpu_dense;
    case CUONN_METHOD_AUTO: break;
  }
  return cpu_dense_pays(&s->problem.shape, count) ? &cpu_dense : &cpu_columns;
}

/* The method that gets a gradient over so many examples. */
static inline const cpu_method *cpu_method_of(const cpu_state *s, cuonn_gradient_method which, size_t count) {
  return cuonn_gradient_is_measured(which) ? &cpu_in_situ : cpu_exact_method(s, count);
}

#endif
