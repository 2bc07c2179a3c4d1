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
  bool more;                  /* nodes have more than an MZI (tap_node.h) */
  const float4 *nodes;        /* [model][layer], as launch_general_nodes() fills `taps` */
  const float2 *gammas;       /* [model][layer][N] */
  const chip_reader *readers; /* [model] */
  const network_batch *batch; /* its number is the step */
  int n_models, n_layers, first_layer, n_here;
  int n_examples;
  const float2 *x;        /* [model][example][stride] */
  const float *h;         /* [model][example][stride] */
  size_t x_distance;      /* from model to model; 0: they share it */
  const float2 *c;        /* [here][example][stride] conjugate of the cotangents */
  float2 *factors;        /* [here][example][stride] of the returned field, where the scheme reads it; NULL: 1 */
  double2 *scales;        /* [here] x_scale, g_scale */
  const float2 *y_before; /* [here][example][stride] fields whose moduli x is; NULL: their cotangents are not wanted */
  float2 *c_before;       /* [here][example][stride] conjugate of those, from the returned field; not c */
  int n_chunks;           /* of the examples; a function of their number */
  float4 *sums;           /* [here][chunk][place] theta: signal, light; phi: signal, light */
  float2 *outputs;        /* [here][chunk][N] the same of the outputs */
  size_t shared_limit;    /* bytes that a block may ask for on this device */
} measure_task;

#ifdef __cplusplus
#include "device.h"

/* Blocks for each layer and model of a task: in x, which has room for any number of models, those of one model after
 * those of another. */
static inline dim3 measure_grid(const measure_task &t, unsigned blocks) {
  return dim3(blocks * static_cast<unsigned>(t.n_models), static_cast<unsigned>(t.n_here));
}

/* What this block of such a grid is for. */
struct measure_block {
  unsigned n_blocks, block, model, layer; /* block: of the layer; layer: of all */
  size_t here;
  DEVICE explicit measure_block(const measure_task &t)
      : n_blocks(gridDim.x / static_cast<unsigned>(t.n_models)),
        block(blockIdx.x % n_blocks),
        model(blockIdx.x / n_blocks),
        layer(static_cast<unsigned>(t.first_layer) + blockIdx.y),
        here(static_cast<size_t>(model) * gridDim.y + blockIdx.y) {}
  /* [model][layer] among all layers */
  DEVICE size_t mesh(const measure_task &t) const { return static_cast<size_t>(model) * t.n_layers + layer; }
};
#endif
#endif
