/* What detectors read of a tile: powers of the outputs, the loss, and its cotangent. */
#ifndef CPU_READ_OUT_H
#define CPU_READ_OUT_H

#include "cpu/kernels.h"
#include "cuonn/network.h"

typedef struct {
  cuonn_loss loss;
  float *power;   /* [class][lanes], written by cpu_read_out_loss(): the softmax of the powers, or with squared error
                     the powers */
  const float *y; /* [class][2][lanes]; the outputs are factor x y */
  const float *factor; /* [class] */
  const uint8_t *labels;
  const uint32_t *index; /* [count] example in each lane, whose label is labels[index] */
  size_t n_classes, count, lanes;
} cpu_read_out;

/* Sum of the losses of the examples; predictions[index] are written unless NULL. */
double cpu_read_out_loss(const cpu_read_out *r, uint32_t *predictions, const cpu_kernels *kernels);
/* After it: cotangents g [class][2][lanes] of y by share x that loss. */
void cpu_read_out_backward(float *g, const cpu_read_out *r, double share, const cpu_kernels *kernels);

#endif
