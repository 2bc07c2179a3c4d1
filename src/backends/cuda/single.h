/* One mesh on the device for the time of one call. */
#ifndef CUDA_SINGLE_H
#define CUDA_SINGLE_H

#include "cuda/state.h"
#include "kernels/stages.h"

typedef struct {
  cuda_session *session;
  cuda_meshes meshes;
  float4 *stages; /* device, of launch_stage_nodes(); NULL unless by_stages */
  size_t stride;
  cuda_memory memory; /* of the call */
} cuda_single;

/* Coefficients of whole nodes, or by stages. Zeroed on failure. */
cuonn_status cuda_single_open(cuda_single *out, const cuonn_mesh *mesh, bool by_stages);
/* Zeroes it; zeroed is fine. */
void cuda_single_close(cuda_single *one);

#endif
