/* Derivatives from the sums of the taps. */
#ifndef CUONN_KERNELS_DERIVATIVES_H
#define CUONN_KERNELS_DERIVATIVES_H

#include "in_situ.h"
#include "update.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of derivatives: a step of the optimizer along them, or they are kept. */
typedef struct {
  double *loss; /* [model] mean loss of the batch */
  loss_sums losses;
  const optimizer_step *steps; /* [model]; NULL: no step */
  optimizer_state phases;      /* where there are steps */
  gamma_state outputs;
  float2 *gradient; /* [model][layer][place] theta, phi, where there are none */
  float *d_gamma;   /* [model][layer][N] */
} finish_task;

/* Derivatives, with shot noise, of the phases of a task's layers. */
cudaError_t launch_finish(const finish_task *finish, const measure_task *task, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
