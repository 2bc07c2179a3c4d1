/* Which method gets which gradient. */
#ifndef CUONN_REFERENCE_METHODS_H
#define CUONN_REFERENCE_METHODS_H

#include "reference/loss_method.h"

/* The method that gets a gradient. */
static inline const reference_method *reference_method_of(cuonn_gradient_method which) {
  if (cuonn_gradient_is_perturbed(which)) return &reference_perturbation;
  return cuonn_gradient_is_measured(which) ? &reference_in_situ : &reference_columns;
}

#endif
