/* What single keys cannot say: which values fit each other. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "config/keys.h"
#include "cuonn/files.h"

/* The largest r with r^2 <= n. */
static size_t root(size_t n) {
  size_t r = 0;
  while ((r + 1) * (r + 1) <= n) r++;
  return r;
}

/* What a kind of features asks of N. */
typedef struct {
  const char *key, *law; /* of the size that rules N */
  size_t size, fitting; /* the size now, and the one that would give what N leaves for the features; 0: there is none */
  size_t largest;       /* that may give any N at all */
} features_rule;

static features_rule rule_of(const cuonn_features_options *f, size_t wanted) {
  const size_t side = root(wanted);
  const bool is_square = side * side == wanted, wide = f->width > 0;
  switch (f->kind) {
    case CUONN_FEATURES_RADIAL:
      return (features_rule){"data.frequencies", "frequencies", f->frequencies, wanted, CUONN_MODES_MAX};
    case CUONN_FEATURES_RESAMPLE:
      if (wide)
        return (features_rule){"data.side", "side x width", f->side, wanted % f->width == 0 ? wanted / f->width : 0,
                               CUONN_MODES_MAX / f->width};
      return (features_rule){"data.side", "side^2", f->side, is_square ? side : 0, root(CUONN_MODES_MAX)};
    case CUONN_FEATURES_FOURIER: break;
  }
  return (features_rule){"data.radius", "(2 radius)^2", f->radius, is_square && side % 2 == 0 ? side / 2 : 0,
                         root(CUONN_MODES_MAX) / 2};
}

/* N against the features. Says which change of either key would do; a value that the key does not allow is no
 * advice. */
static cuonn_status check_modes(const cuonn_config *config) {
  const bool reference = config->features.reference;
  const size_t modes = config->network.n_modes, given = cuonn_features_modes(&config->features);
  if (given == modes) return CUONN_OK;
  const features_rule rule = rule_of(&config->features, modes - reference);
  const char *const and_reference = reference ? " + 1" : "";
  const bool fourier = config->features.kind == CUONN_FEATURES_FOURIER;
  char modes_advice[64] = "", size_advice[160] = "";
  if (given <= CUONN_MODES_MAX) snprintf(modes_advice, sizeof modes_advice, "set network.modes to %zu", given);
  if (rule.fitting > 0) {
    snprintf(size_advice, sizeof size_advice, "set %s to %zu", rule.key, rule.fitting);
  } else if (given > CUONN_MODES_MAX) {
    snprintf(size_advice, sizeof size_advice, "set %s to %zu or less and network.modes to %s%s", rule.key, rule.largest,
             rule.law, and_reference);
  } else if (fourier) {
    snprintf(size_advice, sizeof size_advice, "set data.features to radial and data.frequencies to %zu",
             modes - reference);
  }
  return cuonn_fail(CUONN_E_CONFIG, "network.modes is %zu, but %s %zu gives N = %s%s = %zu: %s%s%s", modes, rule.key,
                    rule.size, rule.law, and_reference, given, modes_advice,
                    modes_advice[0] && size_advice[0] ? ", or " : "", size_advice);
}

static cuonn_status check_fields(const cuonn_data_options *data) {
  CUONN_CHECK(data->train[0] != '\0', CUONN_E_CONFIG,
              "data.kind is fields, but data.train is empty: name the netCDF file with input and label there");
  CUONN_CHECK(
      data->test[0] != '\0' || data->test_share > 0, CUONN_E_CONFIG,
      "data.kind is fields, but nothing says what to test with: name a file in data.test, or set data.test_share "
      "to a share of data.train, such as 0.2");
  CUONN_CHECK(data->test[0] == '\0' || data->test_share == 0, CUONN_E_CONFIG,
              "data.test and data.test_share are both set, but there is one test set: remove data.test, or set "
              "data.test_share to 0");
  return CUONN_OK;
}

/* Keys that only fields have. */
static cuonn_status check_images(const cuonn_data_options *data) {
  const char *const key = data->train[0] != '\0'  ? "data.train"
                          : data->test[0] != '\0' ? "data.test"
                          : data->test_share > 0  ? "data.test_share"
                          : data->pad             ? "data.pad"
                                                  : NULL;
  CUONN_CHECK(!key, CUONN_E_CONFIG, "%s is set, but data.kind is images: set data.kind to fields, or remove %s", key,
              key);
  return CUONN_OK;
}

static bool is_universal(const cuonn_config *config) {
  if (config->architecture == CUONN_ARCHITECTURE_TRIANGULAR) return true;
  return config->architecture == CUONN_ARCHITECTURE_RECTANGULAR &&
         (config->columns == 0 || config->columns == config->network.n_modes);
}

/* The shape of meshes: what it is made of, and whether it can have the starting phases. */
static cuonn_status check_architecture(const cuonn_config *config) {
  const char *const name = cuonn_architecture_name(config->architecture);
  const bool custom = config->architecture == CUONN_ARCHITECTURE_CUSTOM;
  const size_t n = config->network.n_modes;
  CUONN_CHECK(
      config->columns == 0 || config->architecture == CUONN_ARCHITECTURE_RECTANGULAR, CUONN_E_CONFIG,
      "network.columns is %zu, but only network.architecture rectangular has any number of columns, not %s: set "
      "network.columns to 0",
      config->columns, name);
  CUONN_CHECK(config->architecture != CUONN_ARCHITECTURE_BUTTERFLY || (n & (n - 1)) == 0, CUONN_E_CONFIG,
              "network.modes is %zu, but network.architecture butterfly has 2, 4, 8, 16, ... waveguides: change either",
              n);
  CUONN_CHECK(cuonn_architecture_columns(config->architecture, n) <= CUONN_COLUMNS_MAX, CUONN_E_CONFIG,
              "network.modes is %zu, of which network.architecture %s has %zu columns; at most %d are computed: change "
              "either",
              n, name, cuonn_architecture_columns(config->architecture, n), CUONN_COLUMNS_MAX);
  CUONN_CHECK(!custom || config->shape_file[0] != '\0', CUONN_E_CONFIG,
              "network.architecture is custom, but network.shape_file is empty: name the file with the pairs of each "
              "column there");
  CUONN_CHECK(custom || config->shape_file[0] == '\0', CUONN_E_CONFIG,
              "network.shape_file is set, but only network.architecture custom reads it: set network.architecture to "
              "custom, or remove network.shape_file");
  CUONN_CHECK(config->start != CUONN_START_HAAR || is_universal(config), CUONN_E_CONFIG,
              "network.architecture %s%s cannot start from network.start haar (the default), because it cannot express "
              "every unitary: set network.start to haar-phases",
              name, config->columns ? " with other than N columns" : "");
  return CUONN_OK;
}

cuonn_status cuonn_config_mesh_shape(cuonn_mesh_shape **out, const cuonn_config *config) {
  cuonn_mesh_shape *columns;
  *out = NULL;
  if (config->architecture == CUONN_ARCHITECTURE_CUSTOM)
    CUONN_TRY(cuonn_mesh_shape_read(&columns, config->network.n_modes, config->shape_file));
  else
    CUONN_TRY(cuonn_mesh_shape_make(&columns, config->architecture, config->network.n_modes, config->columns));
  const cuonn_status status = cuonn_mesh_shape_with_node(out, columns, config->node);
  cuonn_mesh_shape_free(columns);
  return status;
}

cuonn_status cuonn_config_check(const cuonn_config *config) {
  const bool fields = config->data.kind == CUONN_DATA_FIELDS;
  CUONN_TRY(fields ? check_fields(&config->data) : check_images(&config->data));
  if (!fields) CUONN_TRY(check_modes(config));
  CUONN_CHECK(config->network.n_classes <= config->network.n_modes, CUONN_E_CONFIG,
              "network.classes is %zu, but network.modes is %zu, and every class needs an output of its own: set "
              "network.classes to %zu or less, or network.modes to %zu or more",
              config->network.n_classes, config->network.n_modes, config->network.n_modes, config->network.n_classes);
  CUONN_CHECK(config->network.layer != CUONN_LAYER_SVD || config->network.n_layers % 2 == 0, CUONN_E_CONFIG,
              "network.layers is %zu meshes, but a layer of network.layer svd takes two: set network.layers to %zu for "
              "%zu svd layers",
              config->network.n_layers, 2 * config->network.n_layers, config->network.n_layers);
  CUONN_TRY(check_architecture(config));
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
  CUONN_CHECK(
      config->chip_file[0] == '\0' || config->chip_errors_file[0] == '\0', CUONN_E_CONFIG,
      "chip.file and chip.errors_file are both set, and both have errors of couplers and losses: remove either");
  CUONN_CHECK(!drawn || config->chip_file[0] == '\0', CUONN_E_CONFIG,
              "chip.file is set, but errors of couplers or losses are also to be drawn: set chip.coupler_mean, "
              "chip.coupler_std, chip.loss_mean and chip.loss_std to 0, or remove chip.file");
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
