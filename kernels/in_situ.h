/* Gradients that a chip measures on itself: powers at its taps, summed over a batch. */
#ifndef CUONN_KERNELS_IN_SITU_H
#define CUONN_KERNELS_IN_SITU_H

#include <cuda_runtime.h>

#include "chip.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Layers first_layer .. first_layer + n_here - 1 of every model, side by side: "here" counts model x n_here + layer.
 * What goes in are unit vectors if x and h are NULL (then x_scale is 1), else x or, where fields are real, h. All
 * arrays are on the device. */
typedef struct {
  mesh_layout layout;
  bool bottom;                /* the arm with the shifters */
  const float4 *nodes;        /* [model][layer], as launch_tap_nodes() fills them */
  const float2 *gammas;       /* [model][layer][N] */
  const chip_reader *readers; /* [model] */
  const network_batch *batch; /* for the number of the step */
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

/* What x and c are divided by before they are sent in. */
cudaError_t launch_scales(const measure_task *task, cudaStream_t stream);
/* Sums of what the taps give. */
cudaError_t launch_measure(const measure_task *task, cudaStream_t stream);
/* Derivatives, with shot noise: gradient [model][layer][place] theta, phi; d_gamma [model][layer][N], NULL: not
 * wanted. */
cudaError_t launch_finish(float2 *gradient, float *d_gamma, const measure_task *task, cudaStream_t stream);

/* The digital half of a step: examples of a batch, as many for every model. */
typedef struct {
  int n_modes, stride, n_models, n_classes, most_examples; /* of a batch; those that are not there are dark */
  const float2 *fields;                                    /* [example of the set][stride] */
  const uint8_t *labels;
  const unsigned *order; /* [model][n_examples], NULL: as they stand */
  unsigned n_examples;
  const network_batch *batch;
  unsigned most_chunks;
} batch_task;

/* x [model][example][stride]; without an order one for all models. */
cudaError_t launch_gather(float2 *x, const batch_task *task, cudaStream_t stream);
/* Cross entropy of the softmax of the powers of y, as in network.h: losses [model][chunk], and c, the conjugate of its
 * cotangent. */
cudaError_t launch_cross_entropy(float2 *c, double *losses, const float2 *y, const batch_task *task,
                                 cudaStream_t stream);
/* c of the fields y behind which the modulus was taken; u: the real part of the modulus' cotangent. */
cudaError_t launch_modulus_back(float2 *c, const float *u, const float2 *y, size_t count, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
