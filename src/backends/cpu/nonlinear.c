#include "cpu/nonlinear.h"

void cpu_nonlinear(float *h, const float *y, const float *factor, const cuonn_nonlinearity *f, size_t n_modes,
                   size_t lanes, const cpu_kernels *kernels) {
  if (f->kind == CUONN_NONLINEARITY_SQUARE) {
    kernels->square(h, y, factor, n_modes, lanes);
  } else {
    kernels->modulus(h, y, factor, n_modes, lanes);
  }
}

void cpu_nonlinear_backward(float *g, const float *y, const float *factor, const cuonn_nonlinearity *f, size_t n_modes,
                            size_t lanes, const cpu_kernels *kernels) {
  if (f->kind == CUONN_NONLINEARITY_SQUARE) {
    kernels->square_backward(g, y, factor, n_modes, lanes);
  } else {
    kernels->modulus_backward(g, y, factor, n_modes, lanes);
  }
}
