/** @file function.h
 *  A mesh as a function of its phases and of the fields that enter it: what automatic differentiation calls.
 *
 *  These calls know no handle, and any number of threads may make them at once.  Behind them lies a store of handles
 *  (cuonn_model), each of which serves one call at a time, so that a call sets nothing up that an earlier one of the
 *  same kind of mesh has left.  All else holds that model.h says of buffers, memory and streams.
 */
#ifndef CUONN_FUNCTION_H
#define CUONN_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/buffer.h"
#include "cuonn/model.h"
#include "cuonn/shape.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What of a mesh is no argument: everything but its phases. */
typedef struct cuonn_function {
  const char *backend;           /**< as for cuonn_context_create() */
  int threads;                   /**< as for cuonn_context_create() */
  size_t n_modes;                /**< waveguides, N */
  const cuonn_mesh_shape *shape; /**< of n_modes waveguides; NULL: rectangular */
  cuonn_phase_style style;
  const double *coupler_error; /**< [node][2 or 3], as in cuonn_mesh; NULL: none */
  const double *loss_db;       /**< [node][2], as in cuonn_mesh; NULL: none */
} cuonn_function;

/** Sends fields through meshes that differ in their phases: out = U in, or with backward, out = U^T in.
 *  @param[in] n_meshes  with phases of their own, side by side
 *  @param[out] out      complex, [mesh][example][N]; may not be `in`
 *  @param[in] phases    theta and phi [mesh][node], gamma [mesh][waveguide]; a NULL `data` stands for zeros
 *  @param[in] in        complex, [mesh][example][N], or [example][N], which all meshes get
 *  @return CUONN_OK; CUONN_E_SHAPE naming the buffer whose size does not fit; CUONN_E_NONFINITE for an error or a loss;
 *          as cuonn_model_propagate() and cuonn_context_create() */
CUONN_API cuonn_status cuonn_function_propagate(const cuonn_buffer *out, const cuonn_function *function,
                                                size_t n_meshes, const cuonn_phase_buffers *phases,
                                                const cuonn_buffer *in, bool backward, void *stream);

/** Vector-Jacobian products of them, as cuonn_model_vjp().
 *  @param[out] gradient  as `phases`; a NULL `data` is not wanted
 *  @param[out] backward  complex, [mesh][example][N]; NULL if not wanted
 *  @param[in] input      complex, [mesh][example][N], or [example][N], which all meshes got
 *  @param[in] cotangent  complex, [mesh][example][N]; PyTorch's is the complex conjugate of it
 *  @return as cuonn_function_propagate() */
CUONN_API cuonn_status cuonn_function_vjp(const cuonn_phase_buffers *gradient, const cuonn_buffer *backward,
                                          const cuonn_function *function, size_t n_meshes,
                                          const cuonn_phase_buffers *phases, const cuonn_buffer *input,
                                          const cuonn_buffer *cotangent, void *stream);

/** Releases the handles that no call uses at present.  @return their number */
CUONN_API size_t cuonn_function_release(void);

#ifdef __cplusplus
}
#endif
#endif
