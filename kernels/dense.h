/* Element-wise steps around the matrix products that propagate batches through networks. */
#ifndef CUONN_KERNELS_DENSE_H
#define CUONN_KERNELS_DENSE_H

#include <cuda_runtime.h>
#include <stdint.h>

#include "laws.h"
#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out[i] = f(y[i]): real numbers of a law that detects light, complex ones, real part first, of others. */
cudaError_t launch_pass(float *out, const float2 *y, size_t count, const field_law *law, cudaStream_t stream);
/* c of the fields y in front of a law, from u of those behind it: the real part of their cotangent where these are
 * real, else c again. */
cudaError_t launch_pass_back(float2 *c, const float *u, const float2 *y, size_t count, const field_law *law,
                             cudaStream_t stream);

enum { CUONN_READOUT_EXAMPLES = 64 }; /* of a block */

/* Losses and predictions of models that have seen the same examples. */
typedef struct {
  const float2 *y;       /* [model][example][class] */
  const uint8_t *labels; /* [example] */
  int n_classes, n_examples, n_models;
  bool squared;   /* the loss is the squared error, not the cross entropy */
  double *losses; /* [model][block] sums over CUONN_READOUT_EXAMPLES examples each */
  size_t losses_distance;
  unsigned *confusion; /* [model][label][prediction], added to */
} readout_task;
cudaError_t launch_readout(const readout_task *task, cudaStream_t stream);

/* The digital half of a step: examples of a batch, as many for every model. */
typedef struct {
  int stride, n_models, n_classes, most_examples; /* of a batch; fields beyond it are 0 */
  int n_written;                                  /* waveguides of c that are written: classes, or more, where c is 0 */
  const float2 *fields;                           /* [example of the set][stride] */
  const uint8_t *labels;
  const unsigned *order; /* [model][n_examples], NULL: in the order of the set */
  unsigned n_examples;
  const network_batch *batch;
  unsigned most_chunks;
  bool squared; /* as above */
} batch_task;

/* x [model][example][stride]; without an order one for all models. */
cudaError_t launch_gather(float2 *x, const batch_task *task, cudaStream_t stream);
/* The loss by the powers of y: losses [model][chunk], and c, the conjugate of its cotangent. The cross entropy is that
 * of their softmax, as in network.h. */
cudaError_t launch_loss(float2 *c, double *losses, const float2 *y, const batch_task *task, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
