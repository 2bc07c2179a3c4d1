/* Which method gets which gradient, and which loss. */
#ifndef CPU_METHODS_H
#define CPU_METHODS_H

#include "cpu/method.h"
#include "cpu/method_auto.h"

/* columns or dense, as the state was asked to compute, of so many examples, their gradients or their losses alone. */
static inline const cpu_method *cpu_exact_method(const cpu_state *s, size_t count, bool gradient) {
  const cuonn_method asked = s->problem.method;
  const cuonn_method taken = asked == CUONN_METHOD_AUTO ? cpu_auto_method(&s->problem.shape, count, gradient) : asked;
  return taken == CUONN_METHOD_DENSE ? &cpu_dense : &cpu_columns;
}

/* The method that gets a gradient over so many examples. */
static inline const cpu_method *cpu_method_of(const cpu_state *s, cuonn_gradient_method which, size_t count) {
  return cuonn_gradient_is_measured(which) ? &cpu_in_situ : cpu_exact_method(s, count, true);
}

#endif
