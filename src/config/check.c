/* What single keys cannot say: which values fit each other. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "config/keys.h"

/* The largest r with r^2 <= n. */
static size_t root(size_t n) {
  size_t r = 0;
  while ((r + 1) * (r + 1) <= n) r++;
  return r;
}

/* N against the features. Says which change of either key would do; a value that the key does not allow is no advice.
 */
static cuonn_status check_modes(const cuonn_config *config) {
  const bool fourier = config->features.kind == CUONN_FEATURES_FOURIER;
  const size_t size = fourier ? config->features.radius : config->features.side;
  const size_t factor = fourier ? 2 : 1;
  const size_t modes = config->network.n_modes, given = factor * size * factor * size;
  if (given == modes) return CUONN_OK;
  const char *key = fourier ? "data.radius" : "data.side", *law = fourier ? "(2 radius)^2" : "side^2";
  const size_t side = root(modes), fitting = side / factor;
  char modes_advice[64] = "", size_advice[64] = "";
  if (given <= CUONN_MODES_MAX) snprintf(modes_advice, sizeof modes_advice, "set network.modes to %zu", given);
  if (side * side == modes && fitting * factor == side) {
    snprintf(size_advice, sizeof size_advice, "set %s to %zu", key, fitting);
  } else if (given > CUONN_MODES_MAX) {
    snprintf(size_advice, sizeof size_advice, "set %s to %zu or less and network.modes to %s", key,
             root(CUONN_MODES_MAX) / factor, law);
  }
  return cuonn_fail(CUONN_E_CONFIG, "network.modes is %zu, but %s %zu gives N = %s = %zu: %s%s%s", modes, key, size,
                    law, given, modes_advice, modes_advice[0] && size_advice[0] ? ", or " : "", size_advice);
}

cuonn_status cuonn_config_check(const cuonn_config *config) {
  CUONN_TRY(check_modes(config));
  CUONN_CHECK(config->network.n_classes <= config->network.n_modes, CUONN_E_CONFIG,
              "network.classes is %zu, but network.modes is %zu, and every class needs an output of its own: set "
              "network.classes to %zu or less, or network.modes to %zu or more",
              config->network.n_classes, config->network.n_modes, config->network.n_modes, config->network.n_classes);
  CUONN_CHECK(config->network.style != CUONN_STYLE_SYMMETRIC || config->start != CUONN_START_HAAR, CUONN_E_CONFIG,
              "network.phase_style symmetric cannot start from network.start haar (the default), because it cannot "
              "express every unitary: set network.start to haar-phases, or network.phase_style to top, bottom or "
              "differential");
  CUONN_CHECK(config->start != CUONN_START_FILE || config->start_file[0] != '\0', CUONN_E_CONFIG,
              "network.start is file, but network.start_file is empty: name the checkpoint there, or set network.start "
              "to haar");
  CUONN_CHECK(config->start == CUONN_START_FILE || config->start_file[0] == '\0', CUONN_E_CONFIG,
              "network.start_file is set, but only network.start file reads it: set network.start to file, or remove "
              "network.start_file");
  const cuonn_chip_options *const chip = &config->training.chip;
  const bool drawn = chip->coupler_mean != 0 || chip->coupler_std != 0 || chip->loss_mean != 0 || chip->loss_std != 0;
  CUONN_CHECK(!drawn || config->chip_errors_file[0] == '\0', CUONN_E_CONFIG,
              "chip.errors_file is set, but errors of couplers or losses are also to be drawn: set chip.coupler_mean, "
              "chip.coupler_std, chip.loss_mean and chip.loss_std to 0, or remove chip.errors_file");
  const bool one_arm = config->network.style == CUONN_STYLE_TOP || config->network.style == CUONN_STYLE_BOTTOM;
  CUONN_CHECK(!cuonn_gradient_is_measured(config->training.gradient) || one_arm, CUONN_E_CONFIG,
              "training.gradient is measured in situ, but network.phase_style %s moves the phases of both arms: set "
              "network.phase_style to top or bottom, or training.gradient to exact",
              cuonn_phase_style_name(config->network.style));
  CUONN_CHECK(config->repeats == 1, CUONN_E_CONFIG,
              "sweep.repeats is %zu, but several runs of a configuration are for cuonn sweep; set it to 1",
              config->repeats);
  return CUONN_OK;
}
