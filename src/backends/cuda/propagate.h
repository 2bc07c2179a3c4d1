/* One mesh, from and to the buffers of a call, on the current device. */
#ifndef CUDA_PROPAGATE_H
#define CUDA_PROPAGATE_H

#include "cuda/state.h"
#include "kernels/stages.h"

/* A state of one mesh for the time of one call. */
typedef struct {
  cuda_state *state;
  float4 *stages;     /* device, of launch_stage_nodes(); NULL unless by_stages */
  cuda_memory memory; /* of the call */
} cuda_single;

/* Coefficients of whole nodes, and by stages. Zeroed on failure. */
cuonn_status cuda_single_open(cuda_single *out, const cuonn_mesh *mesh, bool by_stages);
/* Zeroes it; zeroed is fine. */
void cuda_single_close(cuda_single *one);

cuonn_status cuda_propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                            const cuonn_buffer *in, bool backward);
cuonn_status cuda_vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                      const cuonn_buffer *input, const cuonn_buffer *cotangent);

#endif
