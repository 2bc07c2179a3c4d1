/** @file compute.h
 *  What the backends compute: features, propagation, matrices, vector-Jacobian products, gradients, evaluation.
 *
 *  A context names the backend that does the work.  Complex arrays are [..][2]: real, imaginary.
 *  Formulas: docs/physics.md.
 */
#ifndef CUONN_COMPUTE_H
#define CUONN_COMPUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/chip.h"
#include "cuonn/dataset.h"
#include "cuonn/features.h"
#include "cuonn/fields.h"
#include "cuonn/mesh.h"
#include "cuonn/network.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A backend and its number of threads.  Not to be shared by threads that compute at the same time. */
typedef struct cuonn_context cuonn_context;

/** Most threads of a backend. */
#define CUONN_THREADS_MAX 1024

/** Makes a context.
 *  @param[out] out     release with cuonn_context_free()
 *  @param[in] backend  "auto" (the fastest that can compute here; cuonn_context_note() tells what was passed over),
 *                      "reference" (double, one thread), "cpu" (float, OpenMP), "cuda" (float, one NVIDIA GPU: the
 *                      first, or with "cuda:1" the second, and then no other need be usable)
 *  @param[in] threads  for "cpu"; 0 = OpenMP's own choice, of which CUONN_THREADS_MAX at most are taken
 *                      (cuonn_context_note() tells).  No result depends on it.
 *  @return CUONN_OK; CUONN_E_ARGUMENT for an unknown name, or a device that is not there; CUONN_E_DEVICE if the
 *          backend is not in this build or finds no device that it can use */
CUONN_API cuonn_status cuonn_context_create(cuonn_context **out, const char *backend, int threads);

/** Fits a context that was made with "auto" to networks: if the backend that it chose does not compute such ones, the
 *  fastest that does takes its place, and cuonn_context_note() tells.  Other contexts stay as they are; what their
 *  backend cannot compute is refused where it would compute it. */
CUONN_API void cuonn_context_fit(cuonn_context *context, const cuonn_network_shape *shape);

/** The same for the gradients that will be asked for, of the networks that it was last fitted to. */
CUONN_API void cuonn_context_fit_gradient(cuonn_context *context, cuonn_gradient_method method);

/** Whether a context trains on a chip.
 *  @return CUONN_OK; CUONN_E_ARGUMENT for noise of fields that are read where processes share the training */
CUONN_API cuonn_status cuonn_context_check_chip(const cuonn_context *context, const cuonn_chip_options *chip);

/** Releases a context.  NULL is fine. */
CUONN_API void cuonn_context_free(cuonn_context *context);

/** How exact gradients and losses of networks are computed.  The results differ by rounding.  Backend cuda takes DENSE,
 *  whichever is chosen, for meshes of which a node joins waveguides that are not neighbours, for networks with
 *  amplitudes, and for those of another nonlinearity than the modulus or another loss than the cross entropy. */
typedef enum cuonn_method {
  CUONN_METHOD_COLUMNS, /**< every example goes through the nodes, column by column */
  CUONN_METHOD_DENSE,   /**< layers become matrices, examples go through these: fast for many examples */
  CUONN_METHOD_AUTO     /**< the faster of the two, by N and the number of examples */
} cuonn_method;

/** Chooses a method for handles that are made afterwards; a new context has CUONN_METHOD_COLUMNS.
 *  @param[in] name  "columns", "dense" or "auto"; the second not for backend "reference", and not for measured
 *                   gradients, which are refused then when a handle is made
 *  @return CUONN_OK; CUONN_E_ARGUMENT for another name, or if the backend has no such method */
CUONN_API cuonn_status cuonn_context_set_method(cuonn_context *context, const char *name);

/** Chooses the device for calls and handles that are made afterwards; a new context has device 0.  A handle stays on
 * its device.  Calls may come from any thread, whose own current device they leave as it was.
 *  @param[in] device  0 <= device < cuonn_backend_devices(cuonn_context_backend(context))
 *  @return CUONN_OK; CUONN_E_ARGUMENT for a number that is not there; CUONN_E_DEVICE if the device cannot be used */
CUONN_API cuonn_status cuonn_context_set_device(cuonn_context *context, int device);

/** Name of a method, such as "dense".  @return a constant string, NULL if unknown */
CUONN_API const char *cuonn_method_name(cuonn_method method);

/** Name of the backend that "auto" or the caller chose.  @return a constant string */
CUONN_API const char *cuonn_context_backend(const cuonn_context *context);

/** Number of the device that cuonn_context_set_device() chose. */
CUONN_API int cuonn_context_device(const cuonn_context *context);

/** What a user may want to know of the choice: why "auto" passed over a faster backend, such as a GPU that is not
 *  there, and that OpenMP's own number of threads (OMP_NUM_THREADS) is more than are taken.  One line.
 *  @return owned by the context; "" if there is nothing to tell */
CUONN_API const char *cuonn_context_note(const cuonn_context *context);

/** Training steps that the backend does best in one call of cuonn_model_step(): one may look up after them. */
CUONN_API size_t cuonn_context_steps_at_once(const cuonn_context *context);

/** Most models that are worth a place in one handle: more would gain nothing, and be finished later. */
CUONN_API size_t cuonn_context_models_at_once(const cuonn_context *context);

/** Name of the i-th backend of this build, NULL past the last. */
CUONN_API const char *cuonn_backend_name(size_t i);

/** Devices that a backend sees, numbered 0, 1, ...: of "cuda" the GPUs that CUDA_VISIBLE_DEVICES leaves, of others 1.
 *  @param[in] backend  a name of cuonn_backend_name()
 *  @return 0 if there is none, or for another name */
CUONN_API int cuonn_backend_devices(const char *backend);

/** Whether a backend can compute on one of its devices, and what that is.
 *  @param[out] line    one line on the device, "" if it is the processor; cut off to `size` bytes
 *  @param[in] backend  a name of cuonn_backend_name()
 *  @param[in] device   its number
 *  @return CUONN_OK; CUONN_E_DEVICE if it cannot use the device, or finds none; CUONN_E_ARGUMENT for another name, or a
 *          number that is not there */
CUONN_API cuonn_status cuonn_backend_device(char *line, size_t size, const char *backend, int device);

/** Features of images, each example divided by its own mean modulus; an all-black image stays zero.  Examples that are
 *  fields are their own features, whatever the options.
 *  @param[out] out  [example][N]; made here, release with cuonn_fields_free()
 *  @return CUONN_OK; as cuonn_features_check(); CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_features(cuonn_fields *out, cuonn_context *context, const cuonn_examples *examples,
                                      const cuonn_features_options *options);

/** Fields at the stages of every column, each [column][example][N][2] over the mesh's columns of nodes; one without
 *  nodes passes the fields on.  Going backward they are taken at the same places.  A stage that is not wanted is NULL.
 */
typedef struct cuonn_taps {
  double *before_phi;    /**< before the phi stage; the column's input, or behind a third coupler */
  double *after_phi;     /**< after the phi stage, before the left coupler */
  double *before_theta;  /**< after the left coupler, before the theta stage */
  double *after_theta;   /**< after the theta stage, before the right coupler */
  double *after_coupler; /**< after the right coupler and a crossing, the column's output */
} cuonn_taps;

/** Sends a batch of fields through a mesh: out = U in, or with backward, out = U^T in, light entering at the outputs.
 *  @param[in,out] out  [example][N], already made, may not be `in`
 *  @param[in] taps     NULL if no stage is wanted; its arrays are the caller's
 *  @return CUONN_OK; CUONN_E_SHAPE if sizes differ; CUONN_E_NONFINITE if a phase or field is; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_propagate(cuonn_fields *out, const cuonn_taps *taps, cuonn_context *context,
                                       const cuonn_mesh *mesh, const cuonn_fields *in, bool backward);

/** Matrix of a mesh.
 *  @param[out] matrix  [row][column][2], N x N, caller's; out = matrix x in
 *  @return as cuonn_propagate() */
CUONN_API cuonn_status cuonn_matrix(double *matrix, cuonn_context *context, const cuonn_mesh *mesh);

/** Derivatives of a loss L with respect to a mesh's phases; arrays are the caller's. */
typedef struct cuonn_mesh_gradient {
  double *d_theta;     /**< [node] dL/dtheta, summed over the batch */
  double *d_phi;       /**< [node] */
  double *d_gamma;     /**< [waveguide] */
  double *d_amplitude; /**< [waveguide] dL/ds of the amplitudes behind the mesh; not looked at with unitary layers, nor
                          of a mesh by itself */
} cuonn_mesh_gradient;

/** Makes zero gradients of every layer of a network.
 *  @param[out] out  [layer]; release with cuonn_gradients_free()
 *  @return CUONN_OK; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_gradients_create(cuonn_mesh_gradient **out, const cuonn_network_shape *shape);

/** Releases what cuonn_gradients_create() made.  NULL is fine. */
CUONN_API void cuonn_gradients_free(cuonn_mesh_gradient *gradients);

/** Vector-Jacobian product of a mesh, y = U x:  dL = Re(sum_k g_k dy_k)  for a cotangent g_k = dL/dRe y_k - i dL/dIm
 *  y_k. Both fields taken at one place, -Im(x g) is dL per radian of phase there (Hughes, Minkov, Shi, Fan, Optica 5,
 *  864 (2018), eq. 9, in this sign convention).
 *  @param[out] gradient    overwritten
 *  @param[in,out] backward [example][N] U^T g, the cotangent of x; NULL if not wanted
 *  @return as cuonn_propagate() */
CUONN_API cuonn_status cuonn_vjp(cuonn_mesh_gradient *gradient, cuonn_fields *backward, cuonn_context *context,
                                 const cuonn_mesh *mesh, const cuonn_fields *input, const cuonn_fields *cotangent);

/** Loss of a network on a batch, and its gradient with respect to every phase.
 *  Phases that cannot reach an output that is read, and every gamma (only moduli are read), have gradient exactly 0.
 *  @param[out] loss       mean over the batch
 *  @param[out] gradients  [layer], arrays overwritten
 *  @param[in] labels      [example]
 *  @return as cuonn_propagate(); CUONN_E_NONFINITE if powers overflow, too; CUONN_E_DATA if a label is >= the class
 *          count */
CUONN_API cuonn_status cuonn_gradient(double *loss, cuonn_mesh_gradient *gradients, cuonn_context *context,
                                      const cuonn_network *network, const cuonn_fields *input, const uint8_t *labels);

/** The same on a chip: measured by a method, the exact gradient at the phases that the chip applies, or the ideal one,
 *  for which the meshes have no errors.  Gradients are by the programmed phases, straight through quantization.  Errors
 *  of couplers and losses are those of the meshes; noise is drawn for step 0.
 *  @return as cuonn_gradient() and cuonn_chip_check() */
CUONN_API cuonn_status cuonn_gradient_on_chip(double *loss, cuonn_mesh_gradient *gradients, cuonn_context *context,
                                              const cuonn_network *network, const cuonn_chip_options *chip,
                                              cuonn_gradient_method method, const cuonn_fields *input,
                                              const uint8_t *labels);

/** One minus the cosine between two gradients of n_layers meshes of n_nodes nodes each, theta and phi of all together;
 *  1 if one is zero. */
CUONN_API double cuonn_gradient_error(const cuonn_mesh_gradient *measured, const cuonn_mesh_gradient *exact,
                                      size_t n_layers, size_t n_nodes);

/** Norm of the difference over that of the exact gradient, theta and phi of n_layers meshes together; NaN if that is
 *  zero. */
CUONN_API double cuonn_gradient_relative_error(const cuonn_mesh_gradient *measured, const cuonn_mesh_gradient *exact,
                                               size_t n_layers, size_t n_nodes);

/** How well a network does on a labelled set. */
typedef struct cuonn_evaluation {
  size_t n_examples;
  size_t n_correct;    /**< examples whose largest output is their label's; the lower index wins a tie */
  double loss;         /**< mean cross entropy, divided by the class count if the network says so */
  uint64_t *confusion; /**< [label][prediction] counts, C x C; caller's, or NULL if not wanted */
} cuonn_evaluation;

/** Evaluates a network on features that already are fields.
 *  @param[in,out] out  `confusion` is read, the rest is written
 *  @return as cuonn_gradient() */
CUONN_API cuonn_status cuonn_evaluate(cuonn_evaluation *out, cuonn_context *context, const cuonn_network *network,
                                      const cuonn_fields *input, const uint8_t *labels);

/** The same on a chip, whose fields are read with noise.  Errors of couplers and losses are those of the meshes.
 *  @return as cuonn_evaluate() and cuonn_chip_check() */
CUONN_API cuonn_status cuonn_evaluate_on_chip(cuonn_evaluation *out, cuonn_context *context,
                                              const cuonn_network *network, const cuonn_chip_options *chip,
                                              const cuonn_fields *input, const uint8_t *labels);

#ifdef __cplusplus
}
#endif
#endif
