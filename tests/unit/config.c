/* Configuration: what is read, what is refused and with which words, and text that reads back to the same values. */
#include "cuonn/config.h"
#include "cuonn/grid.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "config/keys.h"
#include "config/value.h"
#include "support/close.h"

static cuonn_status read_text(cuonn_config *config, const char *text) {
  return cuonn_config_read_text(config, text, strlen(text), "f.yaml");
}

/* Keys that no test sets to another value hold their default. */
static cuonn_config defaults(void) {
  cuonn_config config;
  cuonn_config_init(&config);
  return config;
}

static char *text_of(const cuonn_config *config) {
  char *text = cuonn_config_text(config);
  assert_non_null(text);
  return text;
}

/* --- Correct --- */

static void defaults_are_the_study(void **state) {
  (void)state;
  cuonn_config config;
  memset(&config, 0xA5, sizeof config);
  cuonn_config_init(&config);
  const cuonn_features_options features = CUONN_FEATURES_OPTIONS_INIT;
  const cuonn_network_shape network = CUONN_NETWORK_SHAPE_INIT;
  const cuonn_training_options training = CUONN_TRAINING_OPTIONS_INIT;
  assert_string_equal(config.data.path, "/usr/share/datasets/fashion-mnist");
  assert_true(config.features.kind == features.kind && config.features.radius == features.radius);
  assert_true(config.features.side == features.side && config.features.border == features.border);
  assert_true(config.network.n_modes == network.n_modes && config.network.n_layers == network.n_layers);
  assert_true(config.network.n_classes == network.n_classes && config.network.style == network.style);
  assert_true(config.network.loss_per_class == network.loss_per_class && config.start == CUONN_START_HAAR);
  assert_string_equal(config.start_file, "");
  assert_true(config.training.epochs == training.epochs && config.training.batch_size == training.batch_size);
  assert_true(config.training.drop_last == training.drop_last && config.training.order == training.order);
  assert_true(config.training.seed == training.seed && config.training.schedule == training.schedule);
  const cuonn_optimizer_options *got = &config.training.optimizer, *want = &training.optimizer;
  assert_true(got->kind == want->kind && got->learning_rate == want->learning_rate && got->momentum == want->momentum);
  assert_true(got->beta1 == want->beta1 && got->beta2 == want->beta2 && got->epsilon == want->epsilon);
  assert_true(got->restart_bias_correction_each_epoch == want->restart_bias_correction_each_epoch);
  assert_string_equal(config.backend, "auto");
  assert_int_equal(config.threads, 0);
  assert_string_equal(config.output_directory, "runs/fashion-mnist");
  OK(cuonn_config_check(&config));
}

/* Every default must be readable: cuonn_config_init() does not look at what the parser says. */
static void table_is_sound(void **state) {
  (void)state;
  cuonn_config config = defaults();
  cuonn_config_key key;
  size_t n = 0;
  for (; cuonn_config_key_at(&key, n); n++) {
    const config_key *row = &config_keys[n];
    OK(config_value_parse(&config, row, row->default_value, strlen(row->default_value)));
    assert_string_equal(key.path, row->path);
    assert_true(key.allowed[0] && key.type[0] && key.default_value[0] && key.sentence[0]);
    assert_int_equal(config_key_find(key.path, strlen(key.path)), n);
    assert_true(row->decides || !row->sweepable);
    for (size_t other = 0; other < n; other++) {
      const config_key *with = &config_keys[other];
      assert_true(row->offset >= with->offset + with->size || with->offset >= row->offset + row->size);
    }
  }
  assert_int_equal(n, config_key_count);
  assert_false(cuonn_config_key_at(&key, SIZE_MAX));
}

/* The names of a choice stand in the order of the enum's values. */
static void choices_are_the_enums(void **state) {
  (void)state;
  cuonn_config config = defaults();
#define SET(assignment, member, value)           \
  do {                                           \
    OK(cuonn_config_set(&config, (assignment))); \
    assert_true(config.member == (value));       \
  } while (0)
  SET("data.features=resample", features.kind, CUONN_FEATURES_RESAMPLE);
  SET("data.features=fourier", features.kind, CUONN_FEATURES_FOURIER);
  SET("network.start=haar-phases", start, CUONN_START_HAAR_PHASES);
  SET("network.start=file", start, CUONN_START_FILE);
  SET("network.start=haar", start, CUONN_START_HAAR);
  SET("training.order=shuffled", training.order, CUONN_ORDER_SHUFFLED);
  SET("training.order=fixed", training.order, CUONN_ORDER_FIXED);
  SET("training.schedule=cosine", training.schedule, CUONN_SCHEDULE_COSINE);
  SET("training.schedule=constant", training.schedule, CUONN_SCHEDULE_CONSTANT);
  SET("training.optimizer.name=sgd", training.optimizer.kind, CUONN_OPTIMIZER_SGD);
  SET("training.optimizer.name=adam", training.optimizer.kind, CUONN_OPTIMIZER_ADAM);
  SET("energy.detection=direct", energy.detection, CUONN_DETECTION_DIRECT);
  SET("energy.detection=homodyne", energy.detection, CUONN_DETECTION_HOMODYNE);
  SET("energy.components=mzm", energy_components, CUONN_COMPONENTS_MZM);
  SET("energy.components=ring", energy_components, CUONN_COMPONENTS_RING);
  SET("energy.components=study", energy_components, CUONN_COMPONENTS_STUDY);
  for (int i = 3; i >= 0; i--) {
    char assignment[64];
    const cuonn_energy_scheme scheme = (cuonn_energy_scheme)i;
    snprintf(assignment, sizeof assignment, "energy.scheme=%s", cuonn_energy_scheme_name(scheme));
    SET(assignment, energy.scheme, scheme);
  }
  SET("energy.tap_reading=example", energy.tap_reading, CUONN_TAPS_EXAMPLE);
  SET("energy.tap_reading=batch", energy.tap_reading, CUONN_TAPS_BATCH);
  SET("energy.measurement=matrix", energy.measurement, CUONN_MEASUREMENT_MATRIX);
  SET("energy.measurement=example", energy.measurement, CUONN_MEASUREMENT_EXAMPLE);
  SET("energy.holding_law=constant", energy.holding, CUONN_HOLDING_CONSTANT);
  SET("energy.holding_law=heater", energy.holding, CUONN_HOLDING_HEATER);
  SET("energy.dataflow=streaming", energy.dataflow, CUONN_DATAFLOW_STREAMING);
  SET("energy.dataflow=reused", energy.dataflow, CUONN_DATAFLOW_REUSED);
  SET("energy.dataflow=sequential", energy.dataflow, CUONN_DATAFLOW_SEQUENTIAL);
  static const cuonn_phase_style styles[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM, CUONN_STYLE_SYMMETRIC,
                                             CUONN_STYLE_DIFFERENTIAL};
  for (size_t i = 0; i < 4; i++) {
    char assignment[64];
    snprintf(assignment, sizeof assignment, "network.phase_style=%s", cuonn_phase_style_name(styles[i]));
    SET(assignment, network.style, styles[i]);
  }
  static const char *const backends[] = {"auto", "reference", "cpu", "cuda"};
  for (size_t i = 0; i < 4; i++) {
    char assignment[64];
    snprintf(assignment, sizeof assignment, "backend.name=%s", backends[i]);
    OK(cuonn_config_set(&config, assignment));
    assert_string_equal(config.backend, backends[i]);
  }
#undef SET
}

static void reads_a_file_over_present_values(void **state) {
  (void)state;
  cuonn_config config = defaults();
  OK(cuonn_config_set(&config, "training.batch_size=7"));
  OK(read_text(&config,
               "\xEF\xBB\xBF%YAML 1.1\r\n--- # byte order mark, directive, Windows line ends\r\n"
               "\"data\": {path: \"/a # b: c\", 'features': 'resample'}\r\n"
               "training:\r\n  epochs: +5\r\n  drop_last: false\r\n  seed: 18446744073709551615\r\n"
               "  optimizer:\r\n    learning_rate: .5e-2\r\n    beta1: 0\r\n"
               "output:\r\n  directory: 2024 # plain text may look like a number\r\n...\r\n"));
  assert_string_equal(config.data.path, "/a # b: c");
  assert_true(config.features.kind == CUONN_FEATURES_RESAMPLE);
  assert_int_equal(config.training.epochs, 5);
  assert_false(config.training.drop_last);
  assert_true(config.training.seed == UINT64_MAX);
  assert_true(config.training.optimizer.learning_rate == 5e-3 && config.training.optimizer.beta1 == 0);
  assert_string_equal(config.output_directory, "2024");
  assert_int_equal(config.training.batch_size, 7); /* not named by the file */
}

static void nothing_is_all_defaults(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",    "\n\n", " ",    "# only a comment\n", "---\n",           "--- # comment\n", "# comment\n---\n...\n",
      "~\n", "null", "{}\n", "\xEF\xBB\xBF",       "%YAML 1.1\n---\n"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cuonn_config before = defaults(), config = before;
    cuonn_grid grid;
    OK(cuonn_config_set(&before, "backend.method=columns")); /* as in any stored text that names none */
    OK(cuonn_config_read_text(&config, texts[i], strlen(texts[i]), "f.yaml"));
    assert_memory_equal(&config, &before, sizeof config);
    cuonn_grid_init(&grid);
    OK(cuonn_grid_read_text(&grid, texts[i], strlen(texts[i]), "f.yaml"));
    OK(cuonn_grid_complete(&grid));
    assert_int_equal(cuonn_grid_points(&grid), 1);
    cuonn_grid_free(&grid);
  }
}

static void reads_the_ends_of_ranges(void **state) {
  (void)state;
  static const char *const assignments[] = {
      "data.radius=1",
      "data.radius=512",
      "data.side=2",
      "data.side=128",
      "data.border=0",
      "data.border=256",
      "network.modes=2",
      "network.modes=16384",
      "network.layers=1",
      "network.layers=1024",
      "network.classes=2",
      "network.classes=256",
      "training.epochs=1",
      "training.epochs=1000000",
      "training.batch_size=1000000",
      "training.seed=0",
      "backend.threads=1024",
      "network.start_file=",
      "data.path= a=b ",
      "training.optimizer.learning_rate=1000",
      "training.optimizer.learning_rate=5e-324",
      "training.optimizer.momentum=0.9999999999999999",
      "training.optimizer.beta2=0",
      "training.optimizer.epsilon=1",
      "training.optimizer.epsilon=1.",
  };
  for (size_t i = 0; i < sizeof assignments / sizeof *assignments; i++) {
    cuonn_config config = defaults();
    OK(cuonn_config_set(&config, assignments[i]));
    cuonn_config back = defaults();
    char *text = text_of(&config);
    OK(read_text(&back, text));
    free(text);
    assert_memory_equal(&back, &config, sizeof config);
  }
  char longest[sizeof "data.path=" + CUONN_CONFIG_TEXT];
  snprintf(longest, sizeof longest, "data.path=%0*d", CUONN_CONFIG_TEXT - 1, 0);
  cuonn_config config = defaults();
  OK(cuonn_config_set(&config, longest));
  assert_int_equal(strlen(config.data.path), CUONN_CONFIG_TEXT - 1);
}

static void reads_the_example_files(void **state) {
  (void)state;
  cuonn_config study = defaults(), config;
  memset(&config, 0, sizeof config);
  config = study;
  OK(cuonn_config_read(&config, CUONN_SOURCE_DIR "/configs/fashion-mnist.yaml"));
  OK(cuonn_config_check(&config));
  assert_memory_equal(&config, &study, sizeof config); /* the defaults are the study's setting */

  OK(cuonn_config_read(&config, CUONN_SOURCE_DIR "/configs/fashion-mnist-adam.yaml"));
  OK(cuonn_config_check(&config));
  assert_false(config.training.optimizer.restart_bias_correction_each_epoch);
  assert_string_equal(cuonn_config_difference(&config, &study),
                      "training.optimizer.restart_bias_correction_each_epoch");
  OK(cuonn_config_set(&config, "training.optimizer.restart_bias_correction_each_epoch=true"));
  assert_null(cuonn_config_difference(&config, &study));

  cuonn_config_init(&config);
  OK(cuonn_config_read(&config, CUONN_SOURCE_DIR "/configs/in-situ-fashion-mnist.yaml"));
  OK(cuonn_config_check(&config));
  assert_int_equal(config.training.gradient, CUONN_GRADIENT_ANALOG);
  assert_int_equal(config.training.chip.measurement, CUONN_MEASUREMENT_MATRIX);
  assert_true(config.training.chip.tap_shot == .02);
}

/* What two sections of energy differ in: names of the keys, with a space behind each. */
static void energy_differences(char *out, size_t size, const cuonn_config *a, const cuonn_config *b) {
  size_t n = 0;
  out[0] = '\0';
  for (size_t i = 0; i < config_key_count; i++) {
    const config_key *key = &config_keys[i];
    if (strncmp(key->path, "energy.", 7) != 0 || config_value_equal(a, b, key)) continue;
    n += (size_t)snprintf(out + n, size - n, "%s ", key->path + 7);
  }
}

static void preset_sets_the_components(void **state) {
  (void)state;
  cuonn_config config = defaults(), want = defaults();
  char differ[1024];
  cuonn_energy_options_init(&want.energy, CUONN_ENERGY_DEFAULT); /* the table's defaults are this preset's */
  energy_differences(differ, sizeof differ, &config, &want);
  assert_string_equal(differ, "");

  static const cuonn_energy_preset presets[] = {CUONN_ENERGY_FIGURE, CUONN_ENERGY_DEFAULT, CUONN_ENERGY_CITED};
  static const char *const names[] = {"figure", "default", "cited"};
  static const char *const against_default[] = {"preset scheme laser column_loss tap_fraction ", "",
                                                "preset components dac modulator modulator_static receiver fixed_loss "
                                                "column_loss holding_power programming_time "};
  for (size_t i = 0; i < 3; i++) {
    char assignment[64];
    snprintf(assignment, sizeof assignment, "energy.preset=%s", names[i]);
    config = defaults();
    OK(cuonn_config_set(&config, assignment));
    cuonn_energy_options_init(&want.energy, presets[i]);
    want.energy_preset = presets[i];
    want.energy_components = cuonn_energy_preset_components(presets[i]);
    energy_differences(differ, sizeof differ, &config, &want);
    assert_string_equal(differ, "");
    want = defaults();
    energy_differences(differ, sizeof differ, &config, &want);
    assert_string_equal(differ, against_default[i]);
  }
}

/* In a file the preset comes before the keys beside it, wherever it stands; of settings the last one counts. */
static void preset_comes_first(void **state) {
  (void)state;
  static const char *const files[] = {"energy:\n  preset: cited\n  adc: 2\n  modes: 8\n",
                                      "energy:\n  modes: 8\n  adc: 2\n  preset: cited\n"};
  for (size_t i = 0; i < 2; i++) {
    cuonn_config config = defaults();
    OK(cuonn_config_set(&config, "energy.batch=3"));
    OK(cuonn_config_set(&config, "energy.tap=7"));
    OK(read_text(&config, files[i]));
    assert_true(config.energy.adc == 2 && config.energy.dac == 3.571 && config.energy.tap == 0.103);
    assert_true(config.energy.n_modes == 8 && config.energy.batch == 3);
    OK(read_text(&config, "energy:\n  tap: 5\n")); /* a file without the preset leaves the rest as it is */
    assert_true(config.energy.adc == 2 && config.energy.dac == 3.571 && config.energy.tap == 5);
    OK(cuonn_config_set(&config, "energy.preset=cited"));
    assert_true(config.energy.adc == 1.48 && config.energy.tap == 0.103 && config.energy.n_modes == 8);
    const cuonn_config before = config;
    REFUSED(read_text(&config, "energy:\n  preset: figure\n  adc: 0\n"), CUONN_E_CONFIG, "f.yaml:3: energy.adc");
    assert_memory_equal(&config, &before, sizeof config);
  }
}

/* A set of components comes behind the preset and before the keys beside it, wherever it stands. */
static void components_come_second(void **state) {
  (void)state;
  static const char *const files[] = {"energy:\n  components: ring\n  adc: 2\n  preset: cited\n",
                                      "energy:\n  adc: 2\n  preset: cited\n  components: ring\n"};
  for (size_t i = 0; i < 2; i++) {
    cuonn_config config = defaults();
    OK(read_text(&config, files[i]));
    assert_true(config.energy.adc == 2 && config.energy.modulator == 0.042 && config.energy.modulator_static == 1.2);
    assert_true(config.energy.fixed_loss == 2.75 && config.energy.column_loss == 0.89);
    OK(read_text(&config, "energy:\n  components: mzm\n")); /* sets its own keys and no more */
    assert_true(config.energy.adc == 1.48 && config.energy.modulator == 0.45 && config.energy.modulator_static == 0);
    assert_true(config.energy.fixed_loss == 3 && config.energy.column_loss == 0.89);
    OK(cuonn_config_set(&config, "energy.preset=default")); /* sets the components, too */
    assert_true(config.energy_components == CUONN_COMPONENTS_STUDY && config.energy.dac == 2.211);
    OK(cuonn_config_set(&config, "energy.components=ring"));
    assert_true(config.energy_preset == CUONN_ENERGY_DEFAULT && config.energy.dac == 3.571);
  }
}

/* Keys of earlier versions stand in checkpoints and in sweeps, and must not make them unreadable. */
static void retired_keys_are_passed_over(void **state) {
  (void)state;
  const cuonn_config before = defaults();
  cuonn_config config = before;
  static const char former[] =
      "energy:\n  preset: cited\n  dac: 3\n  passes: 3\n  light_passes: 4\n  tap_readouts: 2\n  tap_scheme: analog\n"
      "  tap: 0.2\n";
  static const char changed[] = "energy:\n  tap: 0.2\n  passes: 4\n  tap_scheme: digital\n";
  OK(read_text(&config, former));
  assert_true(config.energy.dac == 3 && config.energy.tap == 0.2 && config.energy.scheme == CUONN_SCHEME_ANALOG);
  assert_true(config.energy.modulator_static == 0 && config.energy.detector_bias == 0); /* it counted none */
  OK(read_text(&config, changed));                                                      /* of a checkpoint */
  config = before;
  FILE *const file = fopen("former.yaml", "w"); /* a user's file, which can be changed */
  assert_non_null(file);
  fputs(changed, file);
  fclose(file);
  REFUSED(
      cuonn_config_read(&config, "former.yaml"), CUONN_E_CONFIG,
      "former.yaml:3: energy: the key \"energy.passes\" is no more: energy.scheme says which passes a gradient takes");
  assert_memory_equal(&config, &before, sizeof config);
  FILE *const again = fopen("former.yaml", "w");
  assert_non_null(again);
  fputs(former, again);
  fclose(again);
  OK(cuonn_config_read(&config, "former.yaml"));
  assert_true(config.energy.tap == 0.2 && config.energy.detector_bias == 1.1);
  static const char *const rates[] = {"    learning_rate: 2\n    name: sgd\n",
                                      "    name: adam\n    learning_rate: .5\n"};
  for (size_t i = 0; i < sizeof rates / sizeof *rates;
       i++) { /* sgd had a rate of its own; other energies are as they stand */
    char text[256];
    snprintf(text, sizeof text, "training:\n  optimizer:\n    sgd_learning_rate: .5\n%senergy:\n  detector_bias: 1.5\n",
             rates[i]);
    OK(read_text(&config, text));
    assert_true(config.training.optimizer.learning_rate == .5 && config.energy.detector_bias == 1.5);
  }
  REFUSED(cuonn_config_set(&config, "energy.tap_scheme=analog"), CUONN_E_CONFIG, "energy.tap_reading says when");
  REFUSED(read_text(&config, "energy:\n  passes: [3, 4]\n"), CUONN_E_CONFIG,
          "f.yaml:2: energy: the key \"energy.passes\"");
}

/* The library refuses what the table of keys refuses, at both ends of every range of numbers. */
static void energy_ranges_are_the_librarys(void **state) {
  (void)state;
  for (size_t i = 0; i < config_key_count; i++) {
    const config_key *key = &config_keys[i];
    if (strncmp(key->path, "energy.", 7) != 0) continue;
    cuonn_config config = defaults();
    void *const member = (char *)&config + key->offset;
    if (key->type == CONFIG_NUMBER) {
      const double tried[] = {key->low,  nextafter(key->low, -1),        nextafter(key->low, INFINITY),
                              key->high, nextafter(key->high, INFINITY), NAN};
      const bool good[] = {!key->above_low, false, true, true, false, false};
      for (size_t t = 0; t < 6; t++) {
        memcpy(member, &tried[t], sizeof tried[t]);
        if (good[t])
          OK(cuonn_energy_options_check(&config.energy));
        else
          REFUSED(cuonn_energy_options_check(&config.energy), CUONN_E_ARGUMENT, key->path);
      }
    } else if (key->type == CONFIG_INTEGER) {
      const size_t tried[] = {key->least, key->most, key->most + 1, key->least - 1};
      for (size_t t = 0; t < (key->least ? 4 : 3); t++) {
        memcpy(member, &tried[t], sizeof tried[t]);
        if (t < 2)
          OK(cuonn_energy_options_check(&config.energy));
        else
          REFUSED(cuonn_energy_options_check(&config.energy), CUONN_E_ARGUMENT, key->path);
      }
    }
  }
}

static void text_is_as_a_person_would_write_it(void **state) {
  (void)state;
  cuonn_config config = defaults();
  for (size_t i = 0; i < 100; i++) strcat(config.output_directory, " \xC3\xA9"); /* no line is broken, nor é escaped */
  char *text = text_of(&config);
  assert_non_null(strstr(text, config.output_directory));
  assert_non_null(strstr(text, "data:\n  kind: images\n  path: \"/usr/share/datasets/fashion-mnist\"\n"));
  assert_non_null(strstr(text, "  optimizer:\n    name: adam\n    learning_rate: 0.001\n"));
  assert_non_null(strstr(text, "    epsilon: 1.0e-08\n")); /* YAML 1.1 takes 1e-08 for text */
  assert_null(strstr(text, "..."));
  free(text);
}

/* One random place after the other. */
static uint64_t draw(uint64_t below) {
  static uint32_t index;
  return (uint64_t)(random_uniform((random_place){.seed = 1, .purpose = RANDOM_ORDER}, index++) * (double)below);
}

/* Characters that YAML, its emitter or a careless quoting might stumble over. */
static void random_text(char *out, size_t least, size_t most) {
  static const char *const pieces[] = {"a",
                                       "Z",
                                       "0",
                                       "#",
                                       " #",
                                       ": ",
                                       ":",
                                       "-",
                                       "- ",
                                       "? ",
                                       "|",
                                       ">",
                                       "'",
                                       "\"",
                                       "\\",
                                       "\\n",
                                       "\n",
                                       "\r",
                                       "\t",
                                       " ",
                                       "  ",
                                       "{",
                                       "}",
                                       "[",
                                       "]",
                                       ",",
                                       "&a",
                                       "*a",
                                       "!",
                                       "%",
                                       "@",
                                       "`",
                                       "~",
                                       "null",
                                       "true",
                                       "1e-3",
                                       "\1",
                                       "\x7F",
                                       "\x1B",
                                       "é",
                                       "€",
                                       "\xC2\x85",
                                       "\xC2\x80",
                                       "\xE2\x80\xA8",
                                       "\xE2\x80\xA9",
                                       "\xEF\xBB\xBF",
                                       "\xEF\xBF\xBE",
                                       "\xED\x9F\xBF",
                                       "\xF0\x9F\x98\x80",
                                       "\xF4\x8F\xBF\xBF"};
  const size_t wanted = least + (size_t)draw(draw(8) == 0 ? most - least + 1 : 12);
  size_t length = 0;
  out[0] = '\0';
  while (length < wanted) {
    const char *piece = pieces[draw(sizeof pieces / sizeof *pieces)];
    if (length + strlen(piece) > most) return;
    strcpy(out + length, piece);
    length += strlen(piece);
  }
}

static void random_value(char *out, size_t size, const config_key *key) {
  size_t n = 0;
  switch (key->type) {
    case CONFIG_INTEGER: {
      const uint64_t span = key->most - key->least;
      snprintf(out, size, "%llu", (unsigned long long)(key->least + (draw(4) ? draw(span) : draw(2) * span)));
      break;
    }
    case CONFIG_NUMBER: /* all magnitudes, all 53 bits */
      snprintf(out, size, "%.17g",
               key->low + (key->high - key->low) * ((double)draw(UINT64_C(1) << 53) + 1) * 0x1p-54 *
                              pow(2, -(double)draw(1000)));
      break;
    case CONFIG_BOOLEAN: snprintf(out, size, "%s", draw(2) ? "true" : "false"); break;
    case CONFIG_TEXT: random_text(out, key->least, key->most); break;
    case CONFIG_GROUPS: snprintf(out, size, "[]"); break;
    case CONFIG_CHOICE:
    case CONFIG_NAME:
      while (key->choices[n]) n++;
      snprintf(out, size, "%s", key->choices[draw(n)]);
  }
}

static void random_configurations_come_back(void **state) {
  (void)state;
  for (int trial = 0; trial < 300; trial++) {
    cuonn_config config = defaults(), back = defaults();
    for (size_t i = 0; i < config_key_count; i++) {
      char value[CUONN_CONFIG_TEXT], assignment[CUONN_CONFIG_TEXT + 128];
      random_value(value, sizeof value, &config_keys[i]);
      snprintf(assignment, sizeof assignment, "%s=%s", config_keys[i].path, value);
      OK(cuonn_config_set(&config, assignment));
    }
    char *text = text_of(&config);
    OK(read_text(&back, text));
    assert_memory_equal(&back, &config, sizeof config); /* numbers bit by bit */
    char *again = text_of(&back);
    assert_string_equal(again, text);
    free(again);
    free(text);
  }
}

/* A program's locale may write numbers with a comma. Without such a locale on the machine there is nothing to see. */
static void locale_does_not_matter(void **state) {
  (void)state;
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
  const char *found = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++) found = setlocale(LC_NUMERIC, names[i]);
  if (!found) skip();
  cuonn_config config = defaults(), back = defaults();
  OK(cuonn_config_set(&config, "training.optimizer.learning_rate=0.25"));
  char *text = text_of(&config);
  const cuonn_status status = read_text(&back, text);
  setlocale(LC_NUMERIC, "C");
  assert_non_null(strstr(text, "learning_rate: 0.25\n"));
  free(text);
  assert_int_equal(status, CUONN_OK);
  assert_true(back.training.optimizer.learning_rate == 0.25);
}

static void difference_names_what_decides(void **state) {
  (void)state;
  static const struct {
    const char *assignment;
    bool decides;
  } cases[] = {
      {"data.path=/elsewhere", false},
      {"network.start_file=x.nc", false},
      {"network.shape_file=x.nc", false},
      {"training.epochs=51", false},
      {"chip.errors_file=x.nc", false},
      {"chip.file=x.nc", false},
      {"backend.name=cpu", false},
      {"backend.threads=2", false},
      {"backend.devices=0,1", false},
      {"backend.method=dense", false},
      {"output.directory=o", false},
      {"output.checkpoint_interval=2", false},
      {"sweep.repeats=2", false},
      {"data.train_images=a", false},
      {"data.train_labels=a", false},
      {"data.test_images=a", false},
      {"data.test_labels=a", false},
      {"data.train=a.nc", false},
      {"data.test=a.nc", false},
      {"data.kind=fields", true},
      {"data.test_share=.2", true},
      {"data.seed=1", true},
      {"data.pad=true", true},
      {"data.reference=true", true},
      {"data.frequencies=9", true},
      {"data.width=9", true},
      {"data.features=resample", true},
      {"data.radius=5", true},
      {"data.side=9", true},
      {"data.border=1", true},
      {"network.modes=63", true},
      {"network.layers=2", true},
      {"network.classes=9", true},
      {"network.phase_style=bottom", true},
      {"network.loss_per_class=false", true},
      {"network.loss=squared-error", true},
      {"network.nonlinearity=square", true},
      {"network.optical_depth=1", true},
      {"network.saturation_power=2", true},
      {"network.electro_optic_tap=0", true},
      {"network.electro_optic_gain=1", true},
      {"network.electro_optic_bias=0", true},
      {"network.architecture=tree", true},
      {"network.columns=7", true},
      {"network.node=mzix", true},
      {"network.layer=diagonal", true},
      {"network.amplitude_limit=2", true},
      {"network.start=haar-phases", true},
      {"training.batch_size=511", true},
      {"training.drop_last=false", true},
      {"training.order=shuffled", true},
      {"training.seed=1", true},
      {"training.schedule=cosine", true},
      {"training.optimizer.name=sgd", true},
      {"training.optimizer.learning_rate=0.0010000000000000002", true},
      {"training.optimizer.momentum=.1", true},
      {"training.optimizer.beta1=.8", true},
      {"training.optimizer.beta2=.9", true},
      {"training.optimizer.epsilon=1e-9", true},
      {"training.optimizer.restart_bias_correction_each_epoch=false", true},
      {"training.gradient=analog", true},
      {"training.gradient_error_every=2", false},
      {"training.train_gamma=true", true},
      {"chip.seed=1", true},
      {"chip.measurement=matrix", true},
      {"chip.scale=study", true},
      {"chip.perturbation=.2", true},
      {"chip.estimates=2", true},
      {"chip.noise=frozen", true},
      {"chip.tap_shot=.02", true},
      {"chip.io_amplitude=.05", true},
      {"chip.io_phase=.05", true},
      {"chip.coupler_mean=.01", true},
      {"chip.coupler_std=.01", true},
      {"chip.coupler_equal=true", true},
      {"chip.loss_mean=.1", true},
      {"chip.loss_std=.1", true},
      {"chip.loss_law=study", true},
      {"chip.phase_bits=6", true},
      {"chip.crosstalk=.01", true},
      {"chip.crosstalk_decay=2", true},
      {"chip.phase_error=.01", true},
  };
  size_t n_others = 0;
  for (size_t i = 0; i < config_key_count; i++) {
    if (strncmp(config_keys[i].path, "energy.", 7) != 0 && config_keys[i].type != CONFIG_GROUPS) continue;
    assert_false(config_keys[i].decides); /* what a chip would cost is asked beside a training run, not by it */
    n_others++;
  }
  assert_int_equal(sizeof cases / sizeof *cases + n_others, config_key_count);
  const cuonn_config base = defaults();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cuonn_config other = base;
    OK(cuonn_config_set(&other, cases[i].assignment));
    const char *difference = cuonn_config_difference(&base, &other);
    if (!cases[i].decides) {
      assert_null(difference);
    } else {
      assert_non_null(difference);
      assert_int_equal(strncmp(difference, cases[i].assignment, strlen(difference)), 0);
    }
  }
  cuonn_config cosine = base, longer;
  OK(cuonn_config_set(&cosine, "training.schedule=cosine"));
  longer = cosine;
  OK(cuonn_config_set(&longer, "training.epochs=51"));
  assert_string_equal(cuonn_config_difference(&cosine, &longer), "training.epochs");

  cuonn_config minus = base;
  OK(cuonn_config_set(&minus, "training.optimizer.momentum=-0"));
  assert_null(cuonn_config_difference(&base, &minus));
}

/* --- Refused --- */

/* Files, and the message that each gets: line, key, what was found, what is allowed. */
static const struct {
  const char *text, *message;
} bad_files[] = {
    /* keys */
    {"training:\n  epoch: 5\n", "f.yaml:2: training: unknown key \"training.epoch\"; did you mean training.epochs?"},
    {"trainig:\n  epochs: 5\n", "f.yaml:1: unknown key \"trainig\"; did you mean training?"},
    {"traniing:\n  epochs: 5\n", "f.yaml:1: unknown key \"traniing\"; did you mean training?"},
    {"training:\n  learning_rate: 1\n",
     "f.yaml:2: training: unknown key \"training.learning_rate\"; did you mean "
     "training.optimizer.learning_rate?"},
    {"data:\n  x: 5\n",
     "f.yaml:2: data: unknown key \"data.x\"; allowed in data: kind, path, train_images, train_labels, "
     "test_images, test_labels, features, radius, frequencies, side, width, border, train, test, test_share, seed, "
     "pad, "
     "reference"},
    {"nonsense: 5\n",
     "f.yaml:1: unknown key \"nonsense\"; allowed here: data, network, training, chip, sweep, energy, backend, output"},
    {"training:\n  optimizer:\n    gain: 5\n", "allowed in training.optimizer: name, learning_rate, momentum,"},
    {"training.epochs: 5\n",
     "f.yaml:1: found the key \"training.epochs\"; in a file a key stands in its section, without points: "
     "training: and below it, indented, epochs:"},
    {"\"tra\\nining\": 5\n", "f.yaml:1: unknown key \"tra?ining\"; did you mean training?"},
    {"\"data\\0\": {path: x}\n", "f.yaml:1: unknown key \"data?\""},
    {"\"\": 5\n", "f.yaml:1: unknown key \"\""},
    {"data:\n  \"\": 5\n", "f.yaml:2: data: unknown key \"data.\""},
    {"? "
     "a234567890b234567890c234567890d234567890e234567890f234567890g234567890h234567890i234567890j234567890k23456789012"
     "34567890\n: 5\n",
     "f.yaml:1: unknown key "
     "\"a234567890b234567890c234567890d234567890e2345678...\""},
    {"<<: {data: {radius: 5}}\n", "f.yaml:1: unknown key \"<<\""},
    {"training:\n  epochs: 5\n  seed: 1\n  epochs: 5\n", "f.yaml:4: training.epochs: named twice, first in line 2"},
    {"data:\n  side: 8\ntraining:\n  seed: 1\ndata:\n  radius: 5\n", "f.yaml:5: data: named twice, first in line 1"},
    {"training: {optimizer: {name: sgd}, optimizer: {momentum: 0}}\n", "f.yaml:1: training.optimizer: named twice"},
    {"? [data]\n: 5\n", "f.yaml:1: found a list or section where a key must stand"},
    {"training:\n  ? [a]\n  : 5\n", "f.yaml:2: training: found a list or section where a key must stand"},
    {"training: {optimizer.name: sgd}\n",
     "f.yaml:1: training: found the key \"optimizer.name\"; in a file a key stands in its section, without points: "
     "optimizer: and below it, indented, name:"},
    {"? {data: 1}\n: 5\n", "f.yaml:1: found a list or section where a key must stand"},
    /* integers */
    {"training:\n  epochs: 5.5\n",
     "f.yaml:2: training.epochs: found \"5.5\", which is not an integer; allowed: 1 to "
     "1000000"},
    {"training: {epochs: 5x}\n", "training.epochs: found \"5x\", which is not an integer"},
    {"training: {epochs: 0x10}\n", "training.epochs: found \"0x10\", which is not an integer"},
    {"training: {epochs: 1e3}\n", "training.epochs: found \"1e3\", which is not an integer"},
    {"training: {epochs: 1_000}\n", "training.epochs: found \"1_000\", which is not an integer"},
    {"training: {epochs: 5 0}\n", "training.epochs: found \"5 0\", which is not an integer"},
    {"training: {epochs: ++5}\n", "training.epochs: found \"++5\", which is not an integer"},
    {"training: {epochs: +}\n", "training.epochs: found \"+\", which is not an integer"},
    {"training: {epochs: true}\n", "training.epochs: found \"true\", which is not an integer"},
    {"training: {epochs: 0}\n", "training.epochs: found \"0\", which is out of range; allowed: 1 to 1000000"},
    {"training: {epochs: 1000001}\n", "training.epochs: found \"1000001\", which is out of range"},
    {"training: {epochs: 18446744073709551617}\n", "found \"18446744073709551617\", which is out of range"},
    {"training: {seed: -1}\n",
     "training.seed: found \"-1\", which is out of range; allowed: 0 to "
     "18446744073709551615"},
    {"training: {seed: 18446744073709551616}\n", "found \"18446744073709551616\", which is out of range"},
    {"training: {seed: 18446744073709551624}\n", "found \"18446744073709551624\", which is out of range"},
    {"backend: {threads: 4294967297}\n", "backend.threads: found \"4294967297\", which is out of range"},
    {"training: {epochs: \"5\"}\n", "training.epochs: found \"5\" as text; remove the quotes, allowed: 1 to 1000000"},
    {"training: {epochs: '5'}\n", "training.epochs: found \"5\" as text"},
    {"training:\n  epochs: |\n    5\n", "f.yaml:2: training.epochs: found \"5?\" as text"},
    {"training:\n  seed: 1\n  epochs:\n", "f.yaml:3: training.epochs: found no value; allowed: 1 to 1000000"},
    {"training:\n  epochs: ~\n", "f.yaml:2: training.epochs: found no value, but \"~\"; allowed: 1 to 1000000"},
    /* numbers */
    {"training: {optimizer: {learning_rate: 1e-3x}}\n",
     "f.yaml:1: training.optimizer.learning_rate: found \"1e-3x\", which is not a number; allowed: above 0 to 1000"},
    {"training: {optimizer: {learning_rate: 0x1p-3}}\n", "found \"0x1p-3\", which is not a number"},
    {"training: {optimizer: {learning_rate: nan}}\n", "found \"nan\", which is not a number"},
    {"training: {optimizer: {learning_rate: .nan}}\n", "found \".nan\", which is not a number"},
    {"training: {optimizer: {learning_rate: inf}}\n", "found \"inf\", which is not a number"},
    {"training: {optimizer: {learning_rate: .inf}}\n", "found \".inf\", which is not a number"},
    {"training: {optimizer: {learning_rate: 1e999}}\n",
     "found \"1e999\", which is too large; allowed: above 0 to 1000"},
    {"training: {optimizer: {momentum: 1e-999}}\n", "found \"1e-999\", which is too small to be told from 0"},
    {"training: {optimizer: {learning_rate: 1e}}\n", "found \"1e\", which is not a number"},
    {"training: {optimizer: {learning_rate: 1e+}}\n", "found \"1e+\", which is not a number"},
    {"training: {optimizer: {learning_rate: .}}\n", "found \".\", which is not a number"},
    {"training: {optimizer: {learning_rate: 1.2.3}}\n", "found \"1.2.3\", which is not a number"},
    {"training: {optimizer: {learning_rate: 1,5}}\n", "f.yaml:1: "},
    {"training: {optimizer: {learning_rate: 0}}\n", "found \"0\", which is out of range; allowed: above 0 to 1000"},
    {"training: {optimizer: {learning_rate: 1000.1}}\n", "found \"1000.1\", which is out of range"},
    {"training: {optimizer: {momentum: 1}}\n", "found \"1\", which is out of range; allowed: 0 to below 1"},
    {"training: {optimizer: {momentum: -1e-9}}\n", "found \"-1e-9\", which is out of range"},
    {"training: {optimizer: {beta1: 1.0}}\n", "training.optimizer.beta1: found \"1.0\", which is out of range"},
    {"training: {optimizer: {epsilon: 1.1}}\n", "found \"1.1\", which is out of range; allowed: above 0 to 1"},
    {"training: {optimizer: {epsilon: \"1e-8\"}}\n", "training.optimizer.epsilon: found \"1e-8\" as text"},
    /* booleans, choices, text */
    {"training: {drop_last: yes}\n",
     "training.drop_last: found \"yes\", which is not a boolean; allowed: true | false"},
    {"training: {drop_last: True}\n", "training.drop_last: found \"True\", which is not a boolean"},
    {"training: {drop_last: 1}\n", "training.drop_last: found \"1\", which is not a boolean"},
    {"training: {drop_last: 'true'}\n", "training.drop_last: found \"true\" as text"},
    {"network:\n  phase_style: diff\n",
     "f.yaml:2: network.phase_style: found \"diff\", which is none of the choices; "
     "allowed: top | bottom | symmetric | differential"},
    {"network: {phase_style: Top}\n", "found \"Top\", which is none of the choices"},
    {"network: {phase_style: a234567890b234567890c234567890d234567890e234567\xC3\xA9}\n", /* cut between characters */
     "network.phase_style: found \"a234567890b234567890c234567890d234567890e234567...\", which"},
    {"backend: {name: gpu}\n",
     "backend.name: found \"gpu\", which is none of the choices; allowed: auto | reference | "
     "cpu | cuda"},
    {"backend: {name: \"\"}\n", "backend.name: found \"\", which is none of the choices"},
    {"data: {path: \"\"}\n", "data.path: found \"\", which is too short; allowed: 1 to 1023 bytes"},
    {"data: {path: \"a\\0b\"}\n", "data.path: found \"a\", which goes on after a zero byte"},
    {"data:\n  path:\n", "f.yaml:2: data.path: found no value; allowed: 1 to 1023 bytes, in quotes if it is empty"},
    {"network: {start_file: null}\n", "network.start_file: found no value, but \"null\""},
    /* shapes */
    {"data: 5\n", "f.yaml:1: data: found a value where a section must stand"},
    {"data: [radius]\n", "f.yaml:1: data: found a list where a section must stand"},
    {"output:\n  directory: o\ntraining:\n", "f.yaml:3: training: the section is empty"},
    {"training:\n  optimizer: ~\n", "f.yaml:2: training.optimizer: the section is empty"},
    {"training:\n  optimizer: adam\n", "f.yaml:2: training.optimizer: found a value where a section must stand"},
    {"training:\n  epochs: {count: 5}\n", "f.yaml:2: training.epochs: found a section where one value must stand"},
    {"training:\n  epochs: [5]\n",
     "f.yaml:2: training.epochs: found a list where one value must stand; allowed: 1 to "
     "1000000"},
    {"training:\n  epochs:\n    - 5\n", "training.epochs: found a list where one value must stand"},
    {"training: {optimizer: {name: {a: {b: {c: {d: {e: {f: 1}}}}}}}}\n",
     "training.optimizer.name: found a section where one value must stand"},
    {"a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}\n", "f.yaml:1: unknown key \"a\""},
    {"5\n", "f.yaml:1: found a value where sections must stand"},
    {"- data\n", "f.yaml:1: found a list where sections must stand"},
    /* YAML's machinery */
    {"data: &d\n  radius: 5\n", "f.yaml:1: data: found the anchor \"d\"; anchors are not allowed"},
    {"training:\n  seed: &a 5\n  epochs: *a\n", "f.yaml:2: training.seed: found the anchor \"a\""},
    {"training:\n  epochs: *a\n", "f.yaml:2: training.epochs: found the alias \"a\"; aliases are not allowed"},
    {"training:\n  epochs: !!int 5\n",
     "f.yaml:2: training.epochs: found the tag \"tag:yaml.org,2002:int\"; tags are not "
     "allowed"},
    {"# \xC3\xA9\r\ntraining:\n  epochs: ! 5\n", "f.yaml:3: training.epochs: found the tag \"!\""},
    {"training:\n  epochs: ! '5'\n", "f.yaml:2: training.epochs: found the tag \"!\""},
    {"data:\n  path: !\n", "f.yaml:2: data.path: found the tag \"!\""},
    {"training: !t {epochs: 5}\n", "f.yaml:1: training: found the tag \"!t\""},
    {"!t training: {epochs: 5}\n", "f.yaml:1: found the tag \"!t\""},
    {"&a training: {epochs: 5}\n", "f.yaml:1: found the anchor \"a\""},
    {"training:\n  &a epochs: 5\n", "f.yaml:2: training: found the anchor \"a\""},
    {"--- !t\ndata: {radius: 5}\n", "f.yaml:1: found the tag \"!t\""},
    {"*a : 5\n", "f.yaml:1: found the alias \"a\""},
    {"data: {radius: 5}\n---\ndata: {radius: 6}\n", "f.yaml:2: found a second document; only one is allowed"},
    {"data: {radius: 5}\n---\n", "f.yaml:2: found a second document"},
    {"data: {radius: 5}\n...\n[1]\n", "f.yaml:3: "},
    {"---\n---\n", "f.yaml:2: found a second document"},
    {"~\n---\ndata: {radius: 5}\n", "f.yaml:2: found a second document"},
    {"--- !t\n", "f.yaml:1: found the tag \"!t\""},
    {"0\n", "f.yaml:1: found a value where sections must stand"},
    {"''\n", "f.yaml:1: found a value where sections must stand"},
    /* broken YAML */
    {"data:\n  radius: 5\n side: 8\n", "f.yaml:3: not valid YAML: "},
    {"data:\n\tradius: 5\n",
     "f.yaml:2: not valid YAML: while scanning for the next token, found character that cannot "
     "start any token"},
    {"data: {radius: 5\n", "f.yaml:2: not valid YAML: "},
    {"data: \"x\n", "not valid YAML: while scanning a quoted scalar, found unexpected end of stream"},
    {"data: {radius: 5}: 6\n", "f.yaml:1: not valid YAML: mapping values are not allowed in this context"},
    {"data: {path: \"\\q\"}\n",
     "f.yaml:1: not valid YAML: while parsing a quoted scalar, found unknown escape character"},
    {"# a\ndata:\n  path: /\xE4\n", "f.yaml:3: not valid YAML: "},
    {"data:\n  path: /\xC0\xAF\n", "f.yaml:2: not valid YAML: "},
    {"data:\n  path: /\xED\xA0\x80\n", "f.yaml:2: not valid YAML: "},
    {"data:\n  path: /\x01\n", "f.yaml:2: not valid YAML: control characters are not allowed"},
    {"%YAML 3.0\n---\ndata: {radius: 5}\n", "f.yaml:1: not valid YAML: found incompatible YAML document"},
};

static void files_are_refused(void **state) {
  (void)state;
  const cuonn_config before = defaults();
  for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
    /* what goes before is right, and must not be kept */
    cuonn_config config = before;
    REFUSED(read_text(&config, bad_files[i].text), CUONN_E_CONFIG, bad_files[i].message);
    assert_int_equal(strncmp(cuonn_last_error(), "f.yaml", 6), 0);
    assert_null(strchr(cuonn_last_error(), '\n'));
    assert_memory_equal(&config, &before, sizeof config);
  }
}

static void zero_bytes_are_refused(void **state) {
  (void)state;
  cuonn_config config = defaults();
  static const char text[] = "data:\n  radius: 5\n\0\ntraining: {epochs: 5}\n";
  REFUSED(cuonn_config_read_text(&config, text, sizeof text - 1, "f.yaml"), CUONN_E_CONFIG,
          "f.yaml:3: not valid YAML: control characters are not allowed");
  static const char utf16[] =
      "\xFF\xFE"
      "d\0a\0t\0a\0:\0 \0{\0r\0a\0d\0i\0u\0s\0:\0 \0"
      "5\0}\0\n";
  REFUSED(cuonn_config_read_text(&config, utf16, sizeof utf16, "f.yaml"), CUONN_E_CONFIG, "f.yaml:1: not valid YAML: ");
  assert_int_equal(config.features.radius, 4);
}

static void deep_nesting_is_refused(void **state) {
  (void)state;
  cuonn_config config = defaults();
  enum { kDeep = 100000 };
  char *text = malloc(kDeep);
  assert_non_null(text);
  static const char openings[] = "[{";
  for (int i = 0; i < 2; i++) {
    memset(text, openings[i], kDeep);
    assert_int_equal(cuonn_config_read_text(&config, text, kDeep, "f.yaml"), CUONN_E_CONFIG);
    memcpy(text, "data: ", 6);
    assert_int_equal(cuonn_config_read_text(&config, text, kDeep, "f.yaml"), CUONN_E_CONFIG);
  }
  free(text);
}

static void assignments_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *assignment, *message;
  } cases[] = {
      {"training.epochs", "found \"training.epochs\" where \"key=value\" must stand"},
      {"=5", "found \"=5\" where \"key=value\" must stand"},
      {"", "found \"\" where \"key=value\" must stand"},
      {"training.epochs=", "training.epochs: found \"\", which is not an integer; allowed: 1 to 1000000"},
      {"training.epochs= 5", "training.epochs: found \" 5\", which is not an integer"},
      {"training.epochs=5 ", "training.epochs: found \"5 \", which is not an integer"},
      {"training.epochs =5", "unknown key \"training.epochs \"; did you mean training.epochs?"},
      {"training.epochs=\"5\"", "training.epochs: found \"\"5\"\", which is not an integer"},
      {"training.optimizer.learning_rate=", "training.optimizer.learning_rate: found \"\", which is not a number"},
      {"training.optimizer.learning_rate= 1", "found \" 1\", which is not a number"},
      {"epochs=5", "unknown key \"epochs\"; did you mean training.epochs?"},
      {"Training.epochs=5", "did you mean training.epochs?"},
      {"other.thing=5",
       "unknown key \"other.thing\"; allowed here: data, network, training, chip, sweep, energy, backend, output"},
      {"training=5", "training: is a section, which takes no value; its keys: epochs, batch_size, "},
      {"training.optimizer=adam", "training.optimizer: is a section, which takes no value; its keys: name, "},
      {"training.=5", "unknown key \"training.\""},
      {"data.path=", "data.path: found \"\", which is too short; allowed: 1 to 1023 bytes"},
      {"data.path=/tmp/\xE4", "data.path: found \"/tmp/\", which is followed by bytes that are not UTF-8"},
      {"data.path=\xED\xA0\x80", "bytes that are not UTF-8"},
      {"data.path=\xF4\x90\x80\x80", "bytes that are not UTF-8"},
      {"data.path=\xC1\x81", "bytes that are not UTF-8"},
      {"data.path=\xE2\x82", "bytes that are not UTF-8"},
      {"data.path=\xE0\x9F\xBF", "bytes that are not UTF-8"},
      {"data.path=\xF0\x8F\xBF\xBF", "bytes that are not UTF-8"},
      {"data.path=\xF5\x80\x80\x80", "bytes that are not UTF-8"},
      {"training.drop_last=TRUE", "training.drop_last: found \"TRUE\", which is not a boolean; allowed: true | false"},
  };
  const cuonn_config before = defaults();
  cuonn_config config = before;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    REFUSED(cuonn_config_set(&config, cases[i].assignment), CUONN_E_CONFIG, cases[i].message);
    assert_memory_equal(&config, &before, sizeof config);
  }
  char too_long[sizeof "data.path=" + CUONN_CONFIG_TEXT + 1];
  snprintf(too_long, sizeof too_long, "data.path=%0*d", CUONN_CONFIG_TEXT, 0);
  REFUSED(cuonn_config_set(&config, too_long), CUONN_E_CONFIG,
          "data.path: found \"000000000000000000000000000000000000000000000000...\", which is too long");
  char many_digits[2048] = "training.optimizer.learning_rate=0.";
  memset(many_digits + strlen(many_digits), '1', sizeof many_digits - strlen(many_digits) - 1);
  REFUSED(cuonn_config_set(&config, many_digits), CUONN_E_CONFIG, "which is not a number");
}

static void paths_are_refused(void **state) {
  (void)state;
  cuonn_config config = defaults();
  const cuonn_config before = config;
  char folder[] = "config-test-XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  REFUSED(cuonn_config_read(&config, folder), CUONN_E_IO, "is a folder");
  snprintf(path, sizeof path, "%s/missing.yaml", folder);
  REFUSED(cuonn_config_read(&config, path), CUONN_E_IO, "missing.yaml: cannot be opened: No such file");
  REFUSED(cuonn_config_read(&config, ""), CUONN_E_IO, "cannot be opened");

  /* exactly 1 MiB is read, one byte more is not */
  snprintf(path, sizeof path, "%s/large.yaml", folder);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  const char start[] = "data:\n  radius: 5\n#";
  fputs(start, file);
  for (size_t i = strlen(start); i < 1 << 20; i++) fputc('x', file);
  fclose(file);
  OK(cuonn_config_read(&config, path));
  assert_int_equal(config.features.radius, 5);
  config = before;
  file = fopen(path, "ab");
  assert_non_null(file);
  fputc('x', file);
  fclose(file);
  REFUSED(cuonn_config_read(&config, path), CUONN_E_CONFIG, "large.yaml: is larger than 1 MiB");
  assert_memory_equal(&config, &before, sizeof config);
  file = fopen(path, "wb"); /* empty */
  assert_non_null(file);
  fclose(file);
  OK(cuonn_config_read(&config, path));
  assert_memory_equal(&config, &before, sizeof config);
  unlink(path);
  rmdir(folder);
}

static void values_that_do_not_fit_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *assignments[3], *message; /* no message: accepted */
  } cases[] = {
      {{"network.modes=65"},
       "network.modes is 65, but data.radius 4 gives N = (2 radius)^2 = 64: set network.modes to 64"},
      {{"network.modes=100"}, "set network.modes to 64, or set data.radius to 5"},
      {{"data.radius=64", "network.modes=16384"}, NULL},
      {{"data.radius=65", "network.modes=16384"}, "N = (2 radius)^2 = 16900: set data.radius to 64"},
      {{"data.radius=512", "network.modes=50"},
       "N = (2 radius)^2 = 1048576: set data.radius to 64 or less and network.modes to (2 radius)^2"},
      {{"data.features=resample"}, NULL}, /* side 8 */
      {{"data.features=resample", "data.side=7"},
       "network.modes is 64, but data.side 7 gives N = side^2 = 49: set network.modes to 49, or set data.side to 8"},
      {{"data.features=resample", "data.side=7", "network.modes=49"}, NULL},
      {{"data.features=resample", "data.side=128", "network.modes=50"},
       "N = side^2 = 16384: set network.modes to 16384"},
      {{"network.modes=50"}, "set network.modes to 64, or set data.features to radial and data.frequencies to 50"},
      {{"data.features=radial"}, NULL}, /* 64 frequencies */
      {{"data.features=radial", "network.modes=50"},
       "network.modes is 50, but data.frequencies 64 gives N = frequencies = 64: set network.modes to 64, or set "
       "data.frequencies to 50"},
      {{"data.features=resample", "data.width=5", "network.modes=40"}, NULL},
      {{"data.features=resample", "data.width=5"}, "N = side x width = 40: set network.modes to 40"},
      {{"data.features=resample", "data.width=4"}, "set network.modes to 32, or set data.side to 16"},
      {{"data.reference=true"},
       "network.modes is 64, but data.radius 4 gives N = (2 radius)^2 + 1 = 65: set network.modes to 65, or set "
       "data.features to radial and data.frequencies to 63"},
      {{"data.reference=true", "network.modes=65"}, NULL},
      {{"data.kind=fields", "data.train=a.nc", "data.test=b.nc"}, NULL},
      {{"data.kind=fields", "data.train=a.nc", "data.test_share=0.2"}, NULL},
      {{"data.kind=fields"}, "data.kind is fields, but data.train is empty"},
      {{"data.kind=fields", "data.train=a.nc"}, "nothing says what to test with: name a file in data.test, or"},
      {{"data.train=a.nc"}, "data.train is set, but data.kind is images: set data.kind to fields"},
      {{"data.test=a.nc"}, "data.test is set, but data.kind is images"},
      {{"data.test_share=0.1"}, "data.test_share is set, but data.kind is images"},
      {{"data.pad=true"}, "data.pad is set, but data.kind is images"},
      {{"training.gradient=digital", "network.phase_style=bottom"}, NULL},
      {{"training.gradient=analog", "network.phase_style=differential"},
       "network.phase_style differential moves the phases of both arms: set network.phase_style to top or bottom"},
      {{"chip.errors_file=x.nc", "chip.coupler_std=.1"}, "chip.errors_file is set, but errors"},
      {{"chip.file=x.nc", "chip.loss_mean=.1"}, "chip.file is set, but errors of couplers or losses"},
      {{"chip.file=x.nc", "chip.errors_file=x.nc"}, "chip.file and chip.errors_file are both set"},
      {{"chip.file=x.nc", "chip.phase_error=.1"}, NULL},
      {{"network.classes=64"}, NULL},
      {{"network.classes=65"}, "network.classes is 65, but network.modes is 64"},
      {{"data.radius=1", "network.modes=4"},
       "network.classes is 10, but network.modes is 4, and every class needs an "
       "output of its own: set network.classes to 4 or less"},
      {{"network.phase_style=symmetric"},
       "network.phase_style symmetric cannot start from network.start haar (the "
       "default), because it cannot express every unitary: set network.start to "
       "haar-phases"},
      {{"network.phase_style=symmetric", "network.start=haar-phases"}, NULL},
      {{"network.phase_style=symmetric", "network.start=file", "network.start_file=a.nc"}, NULL},
      {{"network.architecture=triangular"}, NULL},
      {{"network.columns=64"}, NULL},
      {{"network.columns=32"},
       "network.architecture rectangular with other than N columns cannot start from network.start haar (the default), "
       "because it cannot express every unitary: set network.start to haar-phases"},
      {{"network.columns=32", "network.start=haar-phases"}, NULL},
      {{"network.architecture=tree"}, "network.architecture tree cannot start from network.start haar"},
      {{"network.architecture=tree", "network.start=haar-phases"}, NULL},
      {{"network.architecture=tree", "network.start=haar-phases", "network.columns=6"},
       "network.columns is 6, but only network.architecture rectangular has any number of columns, not tree"},
      {{"network.architecture=butterfly", "network.start=haar-phases"}, NULL},
      {{"network.architecture=butterfly", "data.features=radial", "data.frequencies=48"},
       "network.modes is 64, but data.frequencies 48"},
      {{"network.architecture=butterfly", "data.radius=3", "network.modes=36"},
       "network.modes is 36, but network.architecture butterfly has 2, 4, 8, 16, ... waveguides"},
      {{"network.architecture=triangular", "data.radius=64", "network.modes=16384"},
       "network.modes is 16384, of which network.architecture triangular has 32765 columns; at most 16384"},
      {{"network.architecture=custom", "network.start=haar-phases"},
       "network.architecture is custom, but network.shape_file is empty"},
      {{"network.architecture=custom", "network.start=haar-phases", "network.shape_file=a.nc"}, NULL},
      {{"network.shape_file=a.nc"}, "network.shape_file is set, but only network.architecture custom reads it"},
      {{"network.start=file"}, "network.start is file, but network.start_file is empty"},
      {{"network.start_file=a.nc"}, "network.start_file is set, but only network.start file reads it"},
  };
  cuonn_config odd = defaults();
  OK(cuonn_config_set(&odd, "data.kind=fields"));
  OK(cuonn_config_set(&odd, "data.train=a.nc"));
  OK(cuonn_config_set(&odd, "data.test=a.nc"));
  OK(cuonn_config_set(&odd, "data.test_share=0.2"));
  REFUSED(cuonn_config_check(&odd), CUONN_E_CONFIG, "data.test and data.test_share are both set");
  odd = defaults();
  OK(cuonn_config_set(&odd, "network.modes=49")); /* 7 x 7: no radius gives it, so none is advised */
  REFUSED(cuonn_config_check(&odd), CUONN_E_CONFIG, "set network.modes to 64");
  assert_null(strstr(cuonn_last_error(), "set data.radius"));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cuonn_config config = defaults();
    for (size_t j = 0; j < 3 && cases[i].assignments[j]; j++) OK(cuonn_config_set(&config, cases[i].assignments[j]));
    if (cases[i].message) {
      REFUSED(cuonn_config_check(&config), CUONN_E_CONFIG, cases[i].message);
    } else {
      OK(cuonn_config_check(&config));
    }
  }
}

/* What is stored without a method was computed by columns; a user's file without one leaves the present value. */
static void test_method__of_an_earlier_version(void **state) {
  (void)state;
  cuonn_config config = defaults();
  assert_string_equal(config.method, "auto");
  OK(read_text(&config, "backend:\n  threads: 1\n"));
  assert_string_equal(config.method, "columns");
  OK(read_text(&config, "backend:\n  method: dense\n"));
  assert_string_equal(config.method, "dense");
  FILE *const file = fopen("method.yaml", "w");
  assert_non_null(file);
  fputs("backend:\n  threads: 1\n", file);
  fclose(file);
  OK(cuonn_config_read(&config, "method.yaml"));
  unlink("method.yaml");
  assert_string_equal(config.method, "dense");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_the_study),
      cmocka_unit_test(table_is_sound),
      cmocka_unit_test(choices_are_the_enums),
      cmocka_unit_test(reads_a_file_over_present_values),
      cmocka_unit_test(nothing_is_all_defaults),
      cmocka_unit_test(reads_the_ends_of_ranges),
      cmocka_unit_test(reads_the_example_files),
      cmocka_unit_test(preset_sets_the_components),
      cmocka_unit_test(preset_comes_first),
      cmocka_unit_test(components_come_second),
      cmocka_unit_test(retired_keys_are_passed_over),
      cmocka_unit_test(energy_ranges_are_the_librarys),
      cmocka_unit_test(text_is_as_a_person_would_write_it),
      cmocka_unit_test(random_configurations_come_back),
      cmocka_unit_test(locale_does_not_matter),
      cmocka_unit_test(difference_names_what_decides),
      cmocka_unit_test(files_are_refused),
      cmocka_unit_test(zero_bytes_are_refused),
      cmocka_unit_test(deep_nesting_is_refused),
      cmocka_unit_test(assignments_are_refused),
      cmocka_unit_test(paths_are_refused),
      cmocka_unit_test(values_that_do_not_fit_are_refused),
      cmocka_unit_test(test_method__of_an_earlier_version),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
