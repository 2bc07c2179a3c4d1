/** @file training.h
 *  Training of a network on images, with exact gradients, with those that a chip measures on itself, or with those of a
 *  chip without errors.
 */
#ifndef CUONN_TRAINING_H
#define CUONN_TRAINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/chip.h"
#include "cuonn/compute.h"
#include "cuonn/dataset.h"
#include "cuonn/features.h"
#include "cuonn/model.h"
#include "cuonn/network.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How the learning rate goes over the whole run. */
typedef enum cuonn_schedule {
  CUONN_SCHEDULE_CONSTANT, /**< learning_rate */
  CUONN_SCHEDULE_COSINE    /**< learning_rate (1 + cos(pi step / steps)) / 2; Loshchilov, Hutter, arXiv:1608.03983 */
} cuonn_schedule;

/** Settings of training.  Start from CUONN_TRAINING_OPTIONS_INIT. */
typedef struct cuonn_training_options {
  size_t epochs;
  size_t batch_size;
  bool drop_last; /**< true: a last partial batch is left out */
  cuonn_order order;
  uint64_t seed; /**< of the order */
  cuonn_schedule schedule;
  cuonn_optimizer_options optimizer;
  cuonn_gradient_method gradient;
  bool train_gamma; /**< the phases at the outputs, too: their gradient is 0 unless it is measured, with noise or where
                         light is lost */
  cuonn_chip_options chip;     /**< of tests and measured gradients; its errors of couplers and losses are what the
                                    network's meshes hold: cuonn_chip_draw_errors() */
  size_t gradient_error_every; /**< epochs: gradients that are not exact are compared with the exact ones after so many,
                                    and after the last; 0: never */
} cuonn_training_options;

/** The source study's settings. */
#define CUONN_TRAINING_OPTIONS_INIT                                                                                   \
  {                                                                                                                   \
    50, 512, true, CUONN_ORDER_FIXED, 0, CUONN_SCHEDULE_CONSTANT, CUONN_OPTIMIZER_OPTIONS_INIT, CUONN_GRADIENT_EXACT, \
        false, CUONN_CHIP_OPTIONS_INIT, 1                                                                             \
  }

/** Fills in what CUONN_TRAINING_OPTIONS_INIT holds, for callers that have no macros. */
CUONN_API void cuonn_training_options_init(cuonn_training_options *out);

/** Whether cuonn_train() and cuonn_sweep() train such a network in a context, whatever the data: to be asked before
 *  files are made.
 *  @return CUONN_OK; CUONN_E_ARGUMENT naming the option that is out of range or does not go with others; CUONN_E_SHAPE,
 *          as cuonn_model_check_options() */
CUONN_API cuonn_status cuonn_training_check(const cuonn_context *context, const cuonn_network_shape *shape,
                                            const cuonn_training_options *options);

/** Steps in an epoch over n_examples.  0 if a partial batch is dropped and there is no other. */
CUONN_API size_t cuonn_steps_per_epoch(const cuonn_training_options *options, size_t n_examples);

/** Everything that training changes: what a checkpoint holds. */
typedef struct cuonn_training_state {
  cuonn_network network; /**< the phases */
  double *moments; /**< [2][layer][cuonn_network_parameters()]: first (or SGD velocity), second moment; of theta [node],
                        phi [node], gamma [N] and, unless layers are unitary, amplitudes [N] */
  uint64_t step;   /**< steps done since the start */
  double epoch_loss_sum; /**< sum of the losses of the unfinished epoch's steps */
  double epoch_seconds;  /**< time spent in the unfinished epoch */
  double best_accuracy;  /**< best test accuracy of a finished epoch, -1 before the first */
} cuonn_training_state;

/** Makes a state at step 0 whose network has zero phases.  Release with cuonn_training_state_free(). */
CUONN_API cuonn_status cuonn_training_state_create(cuonn_training_state *out, const cuonn_network_shape *shape);

/** Number of doubles in `moments`. */
CUONN_API size_t cuonn_training_moments_count(const cuonn_network_shape *shape);

/** Releases the state and zeroes the struct.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_training_state_free(cuonn_training_state *state);

/** Numbers of one finished epoch. */
typedef struct cuonn_epoch_record {
  size_t epoch;      /**< 1 is the first */
  double train_loss; /**< mean of the losses of the epoch's steps, each taken before its update */
  double test_loss;
  double test_accuracy; /**< 0..1 */
  double seconds;       /**< training time of the epoch, without the evaluation */
  double examples_per_second;
  /** Error of a measured or ideal gradient, cuonn_gradient_error() against the exact one of the chip; 0 if gradients
   *  are exact, NaN if they were not compared after this epoch. Of the first CUONN_SMALL_BATCH examples (or of a batch,
   *  if that is smaller), and of the epoch's last batch. */
  double gradient_error_small, gradient_error_batch;
  size_t n_layers; /**< 0 if gradients are exact */
  const double
      *gradient_errors; /**< [2][n_layers] the same of each layer alone, small and batch; gone after the callback */
} cuonn_epoch_record;

/** Examples of the small fixed batch that a measured gradient is tried on. */
#define CUONN_SMALL_BATCH 64

/** Where training is. */
typedef struct cuonn_progress {
  size_t epoch, epochs; /**< epoch: 1 is the first */
  size_t step_in_epoch, steps_per_epoch;
  double loss;                /**< of the newest step */
  double examples_per_second; /**< since this call of cuonn_train() began */
  double seconds_left;        /**< estimate */
} cuonn_progress;

/** What training tells its caller; a function may be NULL.  A failure that one returns ends training with it. */
typedef struct cuonn_training_callbacks {
  void *user;
  cuonn_status (*on_progress)(void *user, const cuonn_progress *progress);
  /** After every epoch; `improved`: its test accuracy is the best so far. */
  cuonn_status (*on_epoch)(void *user, const cuonn_epoch_record *record, const cuonn_training_state *state,
                           bool improved);
  /** After every step; for tests and logs. */
  cuonn_status (*on_step)(void *user, uint64_t step, double loss);
} cuonn_training_callbacks;

/** Trains from the state's step to the last epoch of the options.
 *  @param[in,out] state  on CUONN_OK and CUONN_E_INTERRUPTED it stands after the last finished step, and going on from
 *                        it gives bit for bit what an uninterrupted run gives (same build, processor type and backend)
 *  @return CUONN_OK; CUONN_E_INTERRUPTED; CUONN_E_DIVERGED naming the step whose loss is not finite (the state is then
 *          of no use); CUONN_E_SHAPE if N does not fit the features; CUONN_E_DATA for a label outside the classes;
 *          CUONN_E_ARGUMENT for an option out of range; CUONN_E_MEMORY; what a callback returned */
CUONN_API cuonn_status cuonn_train(cuonn_training_state *state, cuonn_context *context, const cuonn_dataset *data,
                                   const cuonn_features_options *features, const cuonn_training_options *options,
                                   const cuonn_training_callbacks *callbacks);

#ifdef __cplusplus
}
#endif
#endif
