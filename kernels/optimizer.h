/* Sums over chunks, and the step of the phases. */
#ifndef CUONN_KERNELS_OPTIMIZER_H
#define CUONN_KERNELS_OPTIMIZER_H

#include <cuda_runtime.h>

#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rule of one model: sgd with momentum, or Adam (docs/physics.md, eq. 19, 20). */
typedef struct {
  bool sgd;
  bool gamma; /* the phases at the outputs are trained too */
  double momentum, beta1, beta2, epsilon;
} optimizer_rule;

/* Of one step and model: the learning rate, and Adam's 1 / (1 - beta^(j + 1)). */
typedef struct {
  double rate, correct1, correct2;
} optimizer_step;

/* Results of launch_network() or launch_matrix_gradient(). Arrays are on the device. */
typedef struct {
  mesh_layout layout;
  int n_layers, n_models;
  unsigned most_chunks;
  unsigned n_parts; /* of gradients; 0: the chunks of the batch */
  bool
      common_phi; /* phi is applied to both arms: in the last column it changes no modulus, its gradient is exactly 0 */
  const network_batch *batch;
  const float2 *gradient; /* [model][chunk or part][layer][place] */
  const double *losses;   /* [model][chunk] */
} network_sums;

/* Phases and moments, [model][layer][place] theta, phi in double, as checkpoints hold them. */
typedef struct {
  double2 *phases, *first, *second;
  const optimizer_rule *rules; /* [model] */
} optimizer_state;

/* One step of all phases. steps: [model]; loss: [model] mean loss of the batch. */
cudaError_t launch_update(double *loss, const optimizer_state *state, const optimizer_step *steps,
                          const network_sums *sums, cudaStream_t stream);

/* The gradient itself: [model][layer][place], and the loss. */
cudaError_t launch_gradient(float2 *out, double *loss, const network_sums *sums, cudaStream_t stream);

/* The two parts of launch_update(): a step along a given gradient, [model][layer][place]; and the losses alone (of
 * sums, only those and the batch are read). */
cudaError_t launch_step(const optimizer_state *state, const optimizer_step *steps, const float2 *gradient,
                        mesh_layout layout, int n_layers, int n_models, cudaStream_t stream);
/* The same for gamma and its moments, [model][layer][N], of the models that train it. */
typedef struct {
  double *gamma, *first, *second;
  const optimizer_rule *rules; /* [model] */
} gamma_state;
cudaError_t launch_step_gamma(const gamma_state *state, const optimizer_step *steps, const float *d_gamma, int n_modes,
                              int n_layers, int n_models, cudaStream_t stream);
cudaError_t launch_loss(double *loss, const network_sums *sums, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
