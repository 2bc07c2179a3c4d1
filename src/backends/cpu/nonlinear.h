/* What light becomes behind a mesh, of a tile of fields (kernels.h). */
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

/* What is behind a mesh. */
typedef struct {
  cpu_outputs of;
  const double *amplitudes;      /* [n_modes]; NULL: none */
  const cuonn_nonlinearity *law; /* NULL: none */
  cpu_outputs ones;              /* of fields that are true outputs; needed with amplitudes */
} cpu_behind;

/* Whether there is anything. */
static inline bool cpu_is_behind(const cpu_behind *b) { return b->amplitudes || b->law; }

/* Fields y that a mesh left to those in front of the next, or of the detectors. room: as large. */
void cpu_pass(float *h, float *room, const float *y, const cpu_behind *b, size_t n_modes, size_t lanes,
              const cpu_kernels *kernels);
/* The cotangent g of those becomes that of y; adds derivatives by amplitudes to slope[n_modes], where there are any. */
void cpu_pass_back(double *slope, float *g, float *room, const float *y, const cpu_behind *b, size_t n_modes,
                   size_t lanes, const cpu_kernels *kernels);

#endif
