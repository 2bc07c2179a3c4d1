/* Which method gets which gradient. */
#ifndef CUDA_METHODS_H
#define CUDA_METHODS_H

#include "cuda/method.h"

/* The method that gets a gradient. */
static inline const cuda_method *cuda_method_of(cuonn_gradient_method which) {
  return cuonn_gradient_is_measured(which) ? &cuda_in_situ : &cuda_columns;
}

static inline cuonn_status cuda_check_shape(const cuda_method *method, const cuonn_mesh_shape *shape) {
  CUONN_CHECK(method->supports(shape), CUONN_E_SHAPE,
              "backend cuda computes meshes whose nodes join neighbouring waveguides; use backend cpu");
  return CUONN_OK;
}

#endif
