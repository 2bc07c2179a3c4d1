/* What light becomes between two layers, of a tile of fields (kernels.h). */
#ifndef CPU_NONLINEAR_H
#define CPU_NONLINEAR_H

#include "cpu/kernels.h"
#include "cuonn/network.h"

/* h = f(factor y). */
void cpu_nonlinear(float *h, const float *y, const float *factor, const cuonn_nonlinearity *f, size_t n_modes,
                   size_t lanes, const cpu_kernels *kernels);
/* The cotangent g of h becomes that of y. */
void cpu_nonlinear_backward(float *g, const float *y, const float *factor, const cuonn_nonlinearity *f, size_t n_modes,
                            size_t lanes, const cpu_kernels *kernels);

#endif
