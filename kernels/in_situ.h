/* Gradients that a chip measures on itself: the scales of what is sent in (scales.cu), powers at the taps summed over a
 * batch (measure.cu), and derivatives from those (derivatives.cu). */
#ifndef CUONN_KERNELS_IN_SITU_H
#define CUONN_KERNELS_IN_SITU_H

#include <cuda_runtime.h>

#include "network.h"
#include "reader.h"

/* Layers first_layer .. first_layer + n_here - 1 of every model, side by side: "here" counts model x n_here + layer.
 * Inputs are unit vectors if x and h are NULL (then x_scale is 1), else x or, where fields are real, h. All arrays are
 * on the device. */
typedef struct {
  mesh_layout layout;
  unsigned n_nodes;           /* of a mesh; outputs are counted behind them */
  bool bottom;                /* the arm with the shifters */
  const float4 *nodes;        /* [model][layer], as launch_tap_nodes() fills them */
  const float2 *gammas;       /* [model][layer][N] */
  const chip_reader *readers; /* [model] */
  const network_batch *batch; /* its number is the step */
  int n_models, n_layers, first_layer, n_here;
  int n_examples;
  const float2 *x;       /* [model][example][stride] */
  const float *h;        /* [model][example][stride] */
  size_t x_distance;     /* from model to model; 0: they share it */
  const float2 *c;       /* [here][example][stride] conjugate of the cotangents */
  const float2 *factors; /* [here][example][stride] of the returned field, where the scheme reads it; NULL: 1 */
  double2 *scales;       /* [here] x_scale, g_scale */
  float *returned;     /* [here][example][stride] real part of the returned field in the units of c, NULL: not wanted */
  int n_chunks;        /* of the examples; a function of their number */
  float4 *sums;        /* [here][chunk][place] theta: signal, light; phi: signal, light */
  float2 *outputs;     /* [here][chunk][N] the same of the outputs */
  size_t shared_limit; /* bytes that a block may ask for on this device */
} measure_task;

#ifdef __cplusplus
/* Blocks for each layer and model of a task. */
static inline dim3 measure_grid(const measure_task &t, unsigned blocks) {
  return dim3(blocks, static_cast<unsigned>(t.n_here), static_cast<unsigned>(t.n_models));
}
#endif
#endif
