/* Which method gets which gradient. */
#ifndef CUDA_METHODS_H
#define CUDA_METHODS_H

#include "cuda/method.h"

/* The method that gets a gradient. */
static inline const cuda_method *cuda_method_of(cuonn_gradient_method which) {
  return cuonn_gradient_is_measured(which) ? &cuda_in_situ : &cuda_columns;
}

#endif
