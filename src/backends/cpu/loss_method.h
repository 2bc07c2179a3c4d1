/* Which method gets losses, and which exact gradients. */
#ifndef CPU_LOSS_METHOD_H
#define CPU_LOSS_METHOD_H

#include "cpu/method.h"
#include "cpu/method_auto.h"

/* columns or dense, as the state was asked to compute, of so many examples, their gradients or their losses alone. */
static inline const cpu_method *cpu_exact_method(const cpu_state *s, size_t count, bool gradient) {
  const cuonn_method asked = s->problem.method;
  const cuonn_method taken = asked == CUONN_METHOD_AUTO ? cpu_auto_method(&s->problem.shape, count, gradient) : asked;
  return taken == CUONN_METHOD_DENSE ? &cpu_dense : &cpu_columns;
}

/* The method that gets losses alone of so many examples, as a chip reads them. */
static inline const cpu_method *cpu_loss_method(const cpu_state *s, const cuonn_chip_options *chip, size_t count) {
  return chip_reads_exactly(chip) ? cpu_exact_method(s, count, false) : &cpu_in_situ;
}

#endif
