/* Fields at every stage of every column. */
#ifndef CUONN_KERNELS_STAGES_H
#define CUONN_KERNELS_STAGES_H

#include <cuda_runtime.h>

#include "mesh.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the fields of five stages are written, each [column][example][stride], in the order of light: before phi, after
 * phi, before theta, after theta, after the right coupler and a crossing. NULL: not wanted. */
typedef struct {
  float2 *at[5];
} stage_taps;

/* One mesh, stage by stage: out = U in or, with backward, U^T in. stages, turns: of launch_stage_nodes(). */
cudaError_t launch_stages(float2 *out, stage_taps taps, const float4 *stages, const float2 *turns, mesh_layout layout,
                          node_extras extras, const float2 *in, int n_examples, bool backward, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
