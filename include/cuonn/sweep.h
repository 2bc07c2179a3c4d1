/** @file sweep.h
 *  Training of many networks on the same images: those that do the same steps train side by side.
 */
#ifndef CUONN_SWEEP_H
#define CUONN_SWEEP_H

#include <stddef.h>
#include <stdint.h>

#include "cuonn/compute.h"
#include "cuonn/dataset.h"
#include "cuonn/features.h"
#include "cuonn/network.h"
#include "cuonn/status.h"
#include "cuonn/training.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One network of a sweep and how it is trained. */
typedef struct cuonn_sweep_model {
  cuonn_network_shape shape;
  cuonn_training_options training;
} cuonn_sweep_model;

/** The source study's network and training. */
#define CUONN_SWEEP_MODEL_INIT \
  { CUONN_NETWORK_SHAPE_INIT, CUONN_TRAINING_OPTIONS_INIT }

/** Fills in what CUONN_SWEEP_MODEL_INIT holds, for callers that have no macros. */
CUONN_API void cuonn_sweep_model_init(cuonn_sweep_model *out);

/** Numbers of one finished epoch of one network. */
typedef struct cuonn_sweep_epoch {
  double train_error; /**< share of the training images taken for another class, after the epoch: 0..1 */
  double test_error;  /**< the same of the test images */
  double train_loss;  /**< mean of the losses of the epoch's steps, each taken before its update */
  double test_loss;
  double gradient_error_batch; /**< gradient of a training batch against the exact one; NaN: it is exact, or was not
                                    compared */
  double gradient_error_small; /**< the same of a small fixed batch */
  double seconds;              /**< of training: this network's equal share of the time of those beside it */
} cuonn_sweep_epoch;

/** What became of one network. */
typedef struct cuonn_sweep_result {
  cuonn_status status;             /**< CUONN_OK; CUONN_E_DIVERGED; why its start could not be made */
  const char *reason;              /**< one line, "" if it is CUONN_OK */
  size_t n_epochs;                 /**< finished */
  const cuonn_sweep_epoch *epochs; /**< [n_epochs] */
  size_t n_layers;
  const double *gradient_errors;     /**< [n_epochs][2][n_layers] of each layer alone, small and batch; NULL: they are
                                          exact, or were never compared */
  const cuonn_training_state *state; /**< after the last step; NULL unless CUONN_OK */
} cuonn_sweep_result;

/** Where a sweep is. */
typedef struct cuonn_sweep_progress {
  size_t models_done, n_models; /**< finished and failed ones, of all */
  size_t models_together;       /**< that train side by side at present */
  size_t memory_holds;          /**< most that the memory holds side by side; 0: it was no limit so far */
  uint64_t steps_done, steps;   /**< training steps of all networks; what failed ones leave out counts as done */
  double steps_per_second;      /**< of all networks, since cuonn_sweep() began, tests included */
  double seconds_left;          /**< estimate */
} cuonn_sweep_progress;

/** What a sweep asks and tells its caller, always from the thread that called it.  A failure of on_progress or on_model
 *  ends the sweep. */
typedef struct cuonn_sweep_callbacks {
  void *user;
  /** Gives a network its starting phases; they are zero before.  A failure is that network's result.  May be asked
   *  again. */
  cuonn_status (*start)(void *user, size_t model, cuonn_network *network);
  /** May be NULL. */
  cuonn_status (*on_progress)(void *user, const cuonn_sweep_progress *progress);
  /** Once a network, when it is finished or has failed; what the result points to is gone afterwards. */
  cuonn_status (*on_model)(void *user, size_t model, const cuonn_sweep_result *result);
} cuonn_sweep_callbacks;

/** Trains every network from its start to its last epoch, with the numbers that cuonn_train() gives it alone: on the
 *  backends "reference" and "cpu" with the same bits.
 *  Networks train side by side, over features that are made once, if they have the same shape, epochs, batches, order,
 *  schedule, restart of the bias correction and gradient_error_every, and if their gradients come in one way (exact,
 *  ideal, measured of examples or of matrices); as many as the backend gains from and the memory holds.  The others
 *  come after them.
 *  @return CUONN_OK when all are finished or have failed; CUONN_E_INTERRUPTED, with those that are not finished lost;
 *          as cuonn_train() for what holds for all; CUONN_E_MEMORY if not even one network fits; what a callback
 *          returned */
CUONN_API cuonn_status cuonn_sweep(cuonn_context *context, const cuonn_dataset *data,
                                   const cuonn_features_options *features, const cuonn_sweep_model *models,
                                   size_t n_models, const cuonn_sweep_callbacks *callbacks);

/** Most parts. */
#define CUONN_SWEEP_PARTS_MAX 1000000

/** Cuts networks into parts of even cost, for as many processes: those that can train side by side stay together where
 *  the cost allows it.  The cut depends on the networks and n_parts alone, not on the machine.
 *  @param[out] part  [n_models] of each network: 0 .. n_parts - 1; with few networks some parts have none
 *  @return CUONN_OK; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_sweep_cut(size_t *part, const cuonn_sweep_model *models, size_t n_models, size_t n_parts);

#ifdef __cplusplus
}
#endif
#endif
