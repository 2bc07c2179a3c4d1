/* What is behind the nodes of a mesh: the phases that they leave with gamma, and amplitudes; their gradients, and the
 * step of amplitudes. */
#ifndef CUONN_KERNELS_OUTPUTS_H
#define CUONN_KERNELS_OUTPUTS_H

#include <cuda_runtime.h>

#include "update.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Factors of the outputs of meshes, turn x amplitude. Arrays are on the device. */
typedef struct {
  int n_modes, stride, n_layers, n_models;
  const float2 *turns;      /* [model][mesh][N] of modulus 1; NULL: no field keeps its phase */
  const double *amplitudes; /* the same, 1 behind meshes that have none; NULL: no mesh has any */
  int phases_every;         /* meshes of which fields keep their phases, up to the last one, where none do */
  int amplitudes_every;     /* meshes with amplitudes (network_every()) */
} output_factors;

/* Rows of matrices [model][mesh][column][stride] times their factors; out may be the matrices. */
cudaError_t launch_outputs(float2 *out, const float2 *matrices, const output_factors *factors, cudaStream_t stream);

/* From derivatives, conj(D), with respect to the matrices with factors, those with respect to the matrices without; and
 * the gradients of gamma and of amplitudes, [model][mesh][N], 0 where they have none. */
cudaError_t launch_outputs_back(float2 *derivatives, float *d_gamma, float *d_amplitude, const float2 *matrices,
                                const output_factors *factors, cudaStream_t stream);

/* Amplitudes with their moments, as update.h has phases, and how large they may be. */
typedef struct {
  double *amplitudes, *first, *second; /* [model][mesh][N] */
  const optimizer_rule *rules;         /* [model] */
  double limit;
} amplitude_state;

/* One step of the amplitudes of the meshes that have them; steps: [model]. */
cudaError_t launch_amplitudes(const amplitude_state *state, const optimizer_step *steps, const float *d_amplitude,
                              const output_factors *factors, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
