#include "cpu/nonlinear.h"

#include <math.h>

static pass_law law_of(const cuonn_nonlinearity *f) {
  return (pass_law){.driven = f->kind == CUONN_NONLINEARITY_ELECTRO_OPTIC,
                    .half_depth = (float)(f->optical_depth / 2),
                    .saturation = (float)(1 / f->saturation_power),
                    .passed = sqrt(1 - f->tap),
                    .gain = M_PI * f->gain,
                    .bias = M_PI * f->bias};
}

void cpu_nonlinear(float *h, const float *y, const cpu_outputs *of, const cuonn_nonlinearity *f, size_t n_modes,
                   size_t lanes, const cpu_kernels *kernels) {
  if (cuonn_nonlinearity_keeps_phase(f->kind)) {
    const pass_law law = law_of(f);
    kernels->pass(h, y, of->output, &law, n_modes, lanes);
  } else if (f->kind == CUONN_NONLINEARITY_SQUARE) {
    kernels->square(h, y, of->factor, n_modes, lanes);
  } else {
    kernels->modulus(h, y, of->factor, n_modes, lanes);
  }
}

void cpu_nonlinear_backward(float *g, const float *y, const cpu_outputs *of, const cuonn_nonlinearity *f,
                            size_t n_modes, size_t lanes, const cpu_kernels *kernels) {
  if (cuonn_nonlinearity_keeps_phase(f->kind)) {
    const pass_law law = law_of(f);
    kernels->pass_backward(g, y, of->output, &law, n_modes, lanes);
  } else if (f->kind == CUONN_NONLINEARITY_SQUARE) {
    kernels->square_backward(g, y, of->factor, n_modes, lanes);
  } else {
    kernels->modulus_backward(g, y, of->factor, n_modes, lanes);
  }
}
