/* Which method gets which gradient. */
#ifndef CPU_METHODS_H
#define CPU_METHODS_H

#include "cpu/method.h"

/* The method that gets a gradient. */
static inline const cpu_method *cpu_method_of(cuonn_gradient_method which) {
  return cuonn_gradient_is_measured(which) ? &cpu_in_situ : &cpu_columns;
}

#endif
