/* Options as callers without macros get them, and those that no other room checks. */
#include <math.h>

#include "base/error.h"
#include "cuonn/model.h"

void cuonn_model_options_init(cuonn_model_options *out) { *out = (cuonn_model_options)CUONN_MODEL_OPTIONS_INIT; }

void cuonn_model_settings_init(cuonn_model_settings *out) { *out = (cuonn_model_settings)CUONN_MODEL_SETTINGS_INIT; }

void cuonn_optimizer_options_init(cuonn_optimizer_options *out) {
  *out = (cuonn_optimizer_options)CUONN_OPTIMIZER_OPTIONS_INIT;
}

cuonn_status cuonn_optimizer_check(const cuonn_optimizer_options *o) {
  CUONN_CHECK(o->learning_rate > 0 && isfinite(o->learning_rate), CUONN_E_ARGUMENT,
              "learning_rate is %g; it must be a positive number", o->learning_rate);
  CUONN_CHECK(o->momentum >= 0 && o->momentum < 1, CUONN_E_ARGUMENT, "momentum is %g; it must lie in [0, 1)",
              o->momentum);
  CUONN_CHECK(o->beta1 >= 0 && o->beta1 < 1, CUONN_E_ARGUMENT, "beta1 is %g; it must lie in [0, 1)", o->beta1);
  CUONN_CHECK(o->beta2 >= 0 && o->beta2 < 1, CUONN_E_ARGUMENT, "beta2 is %g; it must lie in [0, 1)", o->beta2);
  CUONN_CHECK(o->epsilon > 0 && isfinite(o->epsilon), CUONN_E_ARGUMENT, "epsilon is %g; it must be a positive number",
              o->epsilon);
  return CUONN_OK;
}
