/* What light becomes between two layers, of a tile of fields (kernels.h). */
#ifndef CPU_NONLINEAR_H
#define CPU_NONLINEAR_H

#include "cpu/kernels.h"
#include "cuonn/network.h"

/* What a layer's true outputs are of what it left, y: factor y times a number of modulus 1, and both together, which
 * may be NULL unless phases are kept. */
typedef struct {
  const float *factor;      /* [n_modes] */
  const float (*output)[2]; /* [n_modes] */
} cpu_outputs;

/* h = f(output y); where phases are kept, at most kMostLanes lanes. */
void cpu_nonlinear(float *h, const float *y, const cpu_outputs *of, const cuonn_nonlinearity *f, size_t n_modes,
                   size_t lanes, const cpu_kernels *kernels);
/* The cotangent g of h becomes that of y. */
void cpu_nonlinear_backward(float *g, const float *y, const cpu_outputs *of, const cuonn_nonlinearity *f,
                            size_t n_modes, size_t lanes, const cpu_kernels *kernels);

#endif
