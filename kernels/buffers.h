/* Between arrays of a caller's in device memory, of either precision, and those that the kernels work on. */
#ifndef CUONN_KERNELS_BUFFERS_H
#define CUONN_KERNELS_BUFFERS_H

#include <cuda_runtime.h>
#include <stdint.h>

#include "mesh.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Real numbers; a complex one is two. */
typedef struct {
  void *data; /* NULL: none */
  bool is_double;
} number_array;

/* Fields: [example][N] of the caller, [example][stride] here, 0 in the waveguide beyond an odd N. */
cudaError_t launch_take_fields(float2 *to, const number_array *from, mesh_layout layout, size_t n_examples,
                               cudaStream_t stream);
cudaError_t launch_give_fields(const number_array *to, const float2 *from, mesh_layout layout, size_t n_examples,
                               cudaStream_t stream);

/* Phases of one mesh: [node] of the caller, [place] here; place: [node]. Arrays that are not there leave what is. */
cudaError_t launch_take_phases(double2 *to, const number_array *theta, const number_array *phi, const uint32_t *place,
                               size_t n_nodes, cudaStream_t stream);
cudaError_t launch_take_gamma(double *to, const number_array *gamma, size_t n_modes, cudaStream_t stream);

/* Derivatives with respect to them, to arrays of the caller that are there. d_gamma: [chunk][N], added in the order of
 * the chunks. */
cudaError_t launch_give_gradient(const number_array *theta, const number_array *phi, const float2 *from,
                                 const uint32_t *place, size_t n_nodes, cudaStream_t stream);
cudaError_t launch_give_gamma(const number_array *to, const float *d_gamma, size_t n_chunks, size_t n_modes,
                              cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
