/* Networks that train side by side in one handle: the epoch loop, of a single run and of a sweep. */
#ifndef CUONN_TRAINING_RUN_H
#define CUONN_TRAINING_RUN_H

#include "cuonn/training.h"
#include "training/measured.h"

/* One of them. */
typedef struct {
  cuonn_training_state *state; /* goes on with every step but for the network and the moments: training_run_take() */
  const cuonn_training_options *options;
  bool failed; /* its place goes on computing, because taking it out would cost the others more than it costs */
} training_member;

/* Numbers of one finished epoch of one member. */
typedef struct {
  cuonn_evaluation train, test; /* train: zeroed unless it is wanted */
  double train_loss, seconds;
  double error_small, error_batch; /* cuonn_gradient_error(); NaN: gradients are exact, or were not compared */
  const double *errors;            /* [2][layer] the same of each layer alone; NULL: gradients are exact */
} training_epoch;

/* Members differ in what a handle lets them differ in; the rest is taken from the first. */
typedef struct {
  cuonn_context *context;
  const cuonn_dataset *data;
  const cuonn_features_options *features;
  training_member *members; /* [n_members] */
  size_t n_members, n_failed;

  /* What the loop tells; a failure that one of them returns ends it. */
  void *user;
  bool wants_train; /* epochs are evaluated on the training set, too */
  cuonn_status (*on_step)(void *user, size_t member, double loss);
  cuonn_status (*on_steps)(void *user); /* after some steps of all: progress */
  cuonn_status (*on_epoch)(void *user, size_t member, const training_epoch *epoch);
  cuonn_status (*on_failure)(void *user, size_t member, cuonn_status status); /* a loss is not finite */
  cuonn_status (*on_stop)(void *user);                                        /* asked to stop */

  cuonn_model *model;
  size_t steps_per_epoch;
  uint64_t step, total_steps;       /* step: the first to do, counted from the start of the run */
  double seconds;                   /* of training, in this call */
  cuonn_step *steps;                /* plan of one call */
  double *losses;                   /* [step][member] of one call */
  cuonn_evaluation *tests, *trains; /* [member] of an epoch */
  training_errors errors;           /* empty where gradients are exact */
} training_run;

/* Makes the handle, and gives it examples and members. Close it also after a failure. */
cuonn_status training_run_open(training_run *run);
void training_run_close(training_run *run);

/* From `step` to the last epoch of the options, or until all members have failed. */
cuonn_status training_run_epochs(training_run *run);

/* Takes a member's phases and moments into its state. */
cuonn_status training_run_take(training_run *run, size_t member);

#endif
