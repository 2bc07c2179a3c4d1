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

/* a = s output y. */
static void weaken(float *a, const float *y, const cpu_behind *b, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, a += 2 * lanes, y += 2 * lanes) {
    const float s = (float)b->amplitudes[w], re = s * b->of.output[w][0], im = s * b->of.output[w][1];
    for (size_t i = 0; i < lanes; i++) {
      a[i] = re * y[i] - im * y[lanes + i];
      a[lanes + i] = re * y[lanes + i] + im * y[i];
    }
  }
}

/* g of a becomes s output g, and dL/ds = Re(g output y). */
static void weaken_back(double *slope, float *g, const float *y, const cpu_behind *b, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, g += 2 * lanes, y += 2 * lanes) {
    const float s = (float)b->amplitudes[w], re = b->of.output[w][0], im = b->of.output[w][1];
    for (size_t i = 0; i < lanes; i++) {
      const float turned = re * g[i] - im * g[lanes + i], across = re * g[lanes + i] + im * g[i];
      slope[w] += (double)(turned * y[i] - across * y[lanes + i]);
      g[i] = s * turned;
      g[lanes + i] = s * across;
    }
  }
}

void cpu_pass(float *h, float *room, const float *y, const cpu_behind *b, size_t n_modes, size_t lanes,
              const cpu_kernels *kernels) {
  if (!b->amplitudes) {
    cpu_nonlinear(h, y, &b->of, b->law, n_modes, lanes, kernels);
    return;
  }
  weaken(b->law ? room : h, y, b, n_modes, lanes);
  if (b->law) cpu_nonlinear(h, room, &b->ones, b->law, n_modes, lanes, kernels);
}

void cpu_pass_back(double *slope, float *g, float *room, const float *y, const cpu_behind *b, size_t n_modes,
                   size_t lanes, const cpu_kernels *kernels) {
  if (!b->amplitudes) {
    cpu_nonlinear_backward(g, y, &b->of, b->law, n_modes, lanes, kernels);
    return;
  }
  if (b->law) {
    weaken(room, y, b, n_modes, lanes);
    cpu_nonlinear_backward(g, room, &b->ones, b->law, n_modes, lanes, kernels);
  }
  weaken_back(slope, g, y, b, n_modes, lanes);
}
