/* Which method gets which gradient. */
#ifndef CPU_METHODS_H
#define CPU_METHODS_H

#include "cpu/loss_method.h"

/* The method that gets a gradient over so many examples. */
static inline const cpu_method *cpu_method_of(const cpu_state *s, cuonn_gradient_method which, size_t count) {
  if (cuonn_gradient_is_perturbed(which)) return &cpu_perturbation;
  return cuonn_gradient_is_measured(which) ? &cpu_in_situ : cpu_exact_method(s, count, true);
}

#endif
