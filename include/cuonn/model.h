/** @file model.h
 *  Networks that are kept where a backend computes: what training, sweeps, gradients and evaluation are written on.
 *
 *  A handle holds models of one shape side by side, each with its own phases, errors, chip, optimizer and seed, over
 *  one training and one test set.  Order of examples and noise depend on what is handed in alone (seeds, and the
 *  numbers of a step), so that a caller can go on from any step with the same bits.
 *
 *  Unless a call says otherwise, it copies what it is given and is done when it returns, and arrays stay the
 *  caller's.  A handle is for one thread at a time; handles of different threads do not disturb each other.
 */
#ifndef CUONN_MODEL_H
#define CUONN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/buffer.h"
#include "cuonn/chip.h"
#include "cuonn/compute.h"
#include "cuonn/dataset.h"
#include "cuonn/features.h"
#include "cuonn/network.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Kind of optimizer. */
typedef enum cuonn_optimizer_kind {
  CUONN_OPTIMIZER_ADAM, /**< Kingma and Ba, arXiv:1412.6980, algorithm 1 */
  CUONN_OPTIMIZER_SGD   /**< v = momentum v + g;  p = p - learning_rate v */
} cuonn_optimizer_kind;

/** Settings of the optimizer. */
typedef struct cuonn_optimizer_options {
  cuonn_optimizer_kind kind;
  double learning_rate;
  double momentum;                         /**< sgd */
  double beta1;                            /**< adam */
  double beta2;                            /**< adam */
  double epsilon;                          /**< adam */
  bool restart_bias_correction_each_epoch; /**< adam: its step index begins again with every epoch, as in the study */
} cuonn_optimizer_options;

/** The source study's optimizer. */
#define CUONN_OPTIMIZER_OPTIONS_INIT \
  { CUONN_OPTIMIZER_ADAM, 1e-3, 0.0, 0.9, 0.999, 1e-8, true }

/** Checks the numbers of an optimizer.  @return CUONN_OK; CUONN_E_ARGUMENT naming the one that is out of range */
CUONN_API cuonn_status cuonn_optimizer_check(const cuonn_optimizer_options *optimizer);

/** Order of the examples. */
typedef enum cuonn_order {
  CUONN_ORDER_FIXED,   /**< as they stand in the file, every epoch */
  CUONN_ORDER_SHUFFLED /**< a new permutation every epoch, from the seed */
} cuonn_order;

/** What a handle is made for.  Start from CUONN_MODEL_OPTIONS_INIT or cuonn_model_options_init(). */
typedef struct cuonn_model_options {
  size_t n_models; /**< networks side by side, at least 1; on backend `cuda` 65535 at most */
  cuonn_network_shape shape;
  size_t batch_size; /**< most examples of a step and of a gradient; 0: neither will be asked for */
  cuonn_order order;
  /** How all models get their gradients, because a device does the same for all.  Where they are measured, models may
   *  differ in the method (analog or digital), not in what is sent through the chip. */
  cuonn_gradient_method gradient;
  cuonn_measurement measurement;
} cuonn_model_options;

/** One network of the source study's shape, which propagates and evaluates. */
#define CUONN_MODEL_OPTIONS_INIT \
  { 1, CUONN_NETWORK_SHAPE_INIT, 0, CUONN_ORDER_FIXED, CUONN_GRADIENT_EXACT, CUONN_MEASUREMENT_EXAMPLE }

/** What models of a handle have of their own besides phases.  Start from CUONN_MODEL_SETTINGS_INIT or
 *  cuonn_model_settings_init(). */
typedef struct cuonn_model_settings {
  cuonn_optimizer_options optimizer;
  uint64_t seed;                  /**< of the order of examples */
  cuonn_gradient_method gradient; /**< that steps follow */
  bool train_gamma;               /**< by its gradient, too */
  cuonn_chip_options chip; /**< noise, and what phases become on the chip; its errors of couplers and losses are what
                                       the network's meshes hold: cuonn_chip_draw_errors() */
} cuonn_model_settings;

/** Exact gradients, a chip without errors and noise. */
#define CUONN_MODEL_SETTINGS_INIT \
  { CUONN_OPTIMIZER_OPTIONS_INIT, 0, CUONN_GRADIENT_EXACT, false, CUONN_CHIP_OPTIONS_INIT }

/** The sets of examples that a handle has. */
typedef enum cuonn_split { CUONN_SPLIT_TRAIN, CUONN_SPLIT_TEST, CUONN_SPLITS } cuonn_split;

/** One training step, the same for all models: examples order(first) .. order(first + count - 1) of the training set,
 *  where order(i) = i, or a permutation that the model's seed and the epoch determine. */
typedef struct cuonn_step {
  uint32_t epoch; /**< 0 the first */
  size_t first, count;
  double rate_factor;  /**< learning rate = factor x the model's own */
  uint64_t adam_index; /**< i of the bias correction 1 - beta^(i + 1) */
  uint32_t number;     /**< of the step in the run, 0 the first; noise depends on it */
} cuonn_step;

/** Models of one shape where a backend computes. */
typedef struct cuonn_model cuonn_model;

/** Fills in what the macros CUONN_..._INIT hold, for callers that have no macros. */
CUONN_API void cuonn_model_options_init(cuonn_model_options *out);
CUONN_API void cuonn_model_settings_init(cuonn_model_settings *out);
CUONN_API void cuonn_optimizer_options_init(cuonn_optimizer_options *out);

/** Whether a context computes such handles, as far as that is known without making one.
 *  @return CUONN_OK; CUONN_E_ARGUMENT for options out of range, and for measured gradients by method "dense";
 *          CUONN_E_SHAPE for more waveguides than the backend takes */
CUONN_API cuonn_status cuonn_model_check_options(const cuonn_context *context, const cuonn_model_options *options);

/** Makes a handle without phases and examples.
 *  @param[out] out     release with cuonn_model_destroy(); NULL on failure
 *  @param[in] context  whose backend and threads are taken; it may be released before the handle
 *  @return as cuonn_model_check_options(); CUONN_E_SHAPE; CUONN_E_MEMORY; CUONN_E_DEVICE */
CUONN_API cuonn_status cuonn_model_create(cuonn_model **out, const cuonn_context *context,
                                          const cuonn_model_options *options);

/** Waits for what is under way, and releases the handle.  NULL is fine. */
CUONN_API void cuonn_model_destroy(cuonn_model *model);

/** Gives a model its phases, its errors and losses, and its settings.
 *  @param[in] index    0 .. n_models - 1
 *  @param[in] network  of the handle's shape
 *  @param[in] moments  of the optimizer, as in cuonn_training_state; NULL: zero
 *  @return CUONN_OK; CUONN_E_ARGUMENT, CUONN_E_SHAPE, as cuonn_network_check(), cuonn_chip_check() and
 *          cuonn_optimizer_check() */
CUONN_API cuonn_status cuonn_model_set(cuonn_model *model, size_t index, const cuonn_network *network,
                                       const double *moments, const cuonn_model_settings *settings);

/** Takes the present phases of a model, and the moments of its optimizer.
 *  @param[in,out] network  of the handle's shape; theta, phi and gamma are overwritten, its errors stay
 *  @param[out] moments     as in cuonn_training_state; NULL if not wanted, or if the handle's batch_size is 0 */
CUONN_API cuonn_status cuonn_model_get(cuonn_network *network, double *moments, cuonn_model *model, size_t index);

/** Whether examples are for networks of a shape.
 *  @return CUONN_OK; CUONN_E_SHAPE if N does not fit; as cuonn_features_check() and cuonn_examples_check_labels() */
CUONN_API cuonn_status cuonn_model_check_examples(const cuonn_network_shape *shape, const cuonn_examples *examples,
                                                  const cuonn_features_options *features);

/** Gives a handle a set of examples in place of an earlier one; all models use it.
 *  @param[in] features  what becomes of images; not read, and may be NULL, where the examples are fields
 *  @return as cuonn_model_check_examples(); CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_model_set_examples(cuonn_model *model, cuonn_split split, const cuonn_examples *examples,
                                                const cuonn_features_options *features);

/** Training steps of all models, one after the other.
 *  @param[out] losses  [step][model] means over the batches, each taken before its update; one that is not finite does
 *                      not stop the call, nor does it fail it: cuonn_model_find_overflow() tells more
 *  @param[in] steps    [n_steps]; cuonn_context_steps_at_once() is a good number of them
 *  @return CUONN_OK; CUONN_E_ARGUMENT for a step that does not lie in the training set or is larger than batch_size */
CUONN_API cuonn_status cuonn_model_step(double *losses, cuonn_model *model, const cuonn_step *steps, size_t n_steps);

/** Loss and gradients of a model over the examples of a step, as its chip gives them at that step; by the programmed
 *  phases.
 *  @param[out] loss       mean over the examples; may be not finite, as gradients may be
 *  @param[out] gradients  [layer], arrays overwritten
 *  @param[in] step        epoch, first, count and number are read; only the training set has an order
 *  @param[in] method      that of the model's settings, or CUONN_GRADIENT_EXACT
 *  @return as cuonn_model_step() */
CUONN_API cuonn_status cuonn_model_gradient(double *loss, cuonn_mesh_gradient *gradients, cuonn_model *model,
                                            size_t index, cuonn_split split, const cuonn_step *step,
                                            cuonn_gradient_method method);

/** The same of all models, with the numbers of cuonn_model_gradient(): on a device side by side, which costs one wait.
 *  @param[out] losses     [model]
 *  @param[out] gradients  [model][layer], arrays overwritten
 *  @param[in] method      CUONN_GRADIENT_EXACT, or that of the handle's options, which stands for each model's own
 *  @return as cuonn_model_step() */
CUONN_API cuonn_status cuonn_model_gradient_all(double *losses, cuonn_mesh_gradient *gradients, cuonn_model *model,
                                                cuonn_split split, const cuonn_step *step,
                                                cuonn_gradient_method method);

/** Evaluates a model on a set, on its chip.
 *  @param[in,out] out  `confusion` is read, the rest is written */
CUONN_API cuonn_status cuonn_model_evaluate(cuonn_evaluation *out, cuonn_model *model, size_t index, cuonn_split split);

/** Evaluates all models, with the numbers of cuonn_model_evaluate(): on a device side by side, which costs one wait.
 *  @param[in,out] out  [model], each as there */
CUONN_API cuonn_status cuonn_model_evaluate_all(cuonn_evaluation *out, cuonn_model *model, cuonn_split split);

/** Phases of one layer, or derivatives by them, as real numbers: theta and phi [node], gamma [waveguide]. */
typedef struct cuonn_phase_buffers {
  cuonn_buffer theta, phi, gamma;
} cuonn_phase_buffers;

/** Gives one layer of a model new phases; its errors, losses and moments stay.
 *
 *  Of this and the next two calls: all buffers of a call lie in host memory, or all in device memory, where only
 *  backend "cuda" takes them.  With host memory the call is done when it returns, and `stream` is not looked at.  With
 *  device memory it queues its work on `stream`, behind what is queued there, and returns: the buffers are in use until
 *  the stream has come past it.  The call itself waits only after cuonn_model_set(), and where it meets more examples
 *  than the handle ever had.  What goes wrong on the device afterwards is told by the next call that waits.  No pointer
 *  of the caller's is kept, and a stream that is being captured into a graph is refused.
 *  @param[in] phases  not checked for numbers that are not finite; a NULL `data` leaves these phases as they are
 *  @param[in] stream  a cudaStream_t; NULL is CUDA's default stream
 *  @return CUONN_OK; CUONN_E_SHAPE naming the buffer whose size does not fit; CUONN_E_ARGUMENT for its type, address or
 *          memory, and for a stream that is being captured; CUONN_E_DEVICE; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_model_set_phases(cuonn_model *model, size_t index, size_t layer,
                                              const cuonn_phase_buffers *phases, void *stream);

/** Sends fields through one layer of a model, as its chip applies its phases: out = U in, or with backward,
 *  out = U^T in.  On a chip without errors of its phases these are the numbers of cuonn_propagate().
 *  @param[out] out  complex, [example][N]; may not be `in`
 *  @param[in] in    complex, [example][N], as many
 *  @return as cuonn_model_set_phases() */
CUONN_API cuonn_status cuonn_model_propagate(const cuonn_buffer *out, cuonn_model *model, size_t index, size_t layer,
                                             const cuonn_buffer *in, bool backward, void *stream);

/** Vector-Jacobian product of one layer, as cuonn_vjp(), by the programmed phases.
 *  @param[out] gradient   overwritten; a NULL `data` is not wanted
 *  @param[out] backward   complex, [example][N]; NULL if not wanted
 *  @param[in] input       complex, [example][N]
 *  @param[in] cotangent   complex, [example][N]; PyTorch's is the complex conjugate of it
 *  @return as cuonn_model_set_phases() */
CUONN_API cuonn_status cuonn_model_vjp(const cuonn_phase_buffers *gradient, const cuonn_buffer *backward,
                                       cuonn_model *model, size_t index, size_t layer, const cuonn_buffer *input,
                                       const cuonn_buffer *cotangent, void *stream);

/** Why a loss is not finite: sends examples through a network layer by layer, and where gradients are measured,
 *  measures that of the step anew.  The model has the network's phases afterwards, and its moments are zero.
 *  @param[out] reason   one line that says where powers overflow and what to do; "" if they do not; cut off to `size`
 *                       bytes
 *  @param[in] network   phases from before the loss, errors and losses of the model
 *  @param[in] step      of the loss
 *  @return CUONN_OK, also if nothing is found */
CUONN_API cuonn_status cuonn_model_find_overflow(char *reason, size_t size, cuonn_model *model, size_t index,
                                                 const cuonn_network *network, cuonn_split split,
                                                 const cuonn_step *step);

#ifdef __cplusplus
}
#endif
#endif
