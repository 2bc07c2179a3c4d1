/* What a backend with the method dense refuses when that is asked for. */
#ifndef CUONN_TESTS_REFUSALS_H
#define CUONN_TESTS_REFUSALS_H

#include <string.h>

#include "cuonn/training.h"
#include "support/close.h"

/* Chooses dense for a context: neither a handle nor a training is made whose gradients are measured, while computed
 * ones are fine. */
static inline void dense_refuses_measured(cuonn_context *context) {
  const cuonn_model_options measured = {
      .n_models = 1, .shape = {4, 1, 2, CUONN_STYLE_TOP, false, NULL}, .gradient = CUONN_GRADIENT_ANALOG};
  cuonn_training_options training = CUONN_TRAINING_OPTIONS_INIT;
  cuonn_model *model;
  OK(cuonn_context_set_method(context, "dense"));
  REFUSED(cuonn_model_create(&model, context, &measured), CUONN_E_ARGUMENT, "method dense has no measured gradients");
  OK(cuonn_training_check(context, &measured.shape, &training));
  training.gradient = CUONN_GRADIENT_DIGITAL;
  REFUSED(cuonn_training_check(context, &measured.shape, &training), CUONN_E_ARGUMENT,
          "method dense has no measured gradients");
}

#endif
