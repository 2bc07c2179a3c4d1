/* Grids of configurations: lists are read, ordered, expanded and written back; what makes no grid is refused. */
#include "cuonn/grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/keys.h"
#include "support/close.h"
#include "support/folder.h"

static cuonn_status read_text(cuonn_grid *grid, const char *text) {
  return cuonn_grid_read_text(grid, text, strlen(text), "f.yaml");
}

/* The text as a file of a user's. */
static cuonn_status read_file(cuonn_grid *grid, const char *text) {
  FILE *const file = fopen("f.yaml", "w");
  fputs(text, file);
  fclose(file);
  return cuonn_grid_read(grid, "f.yaml");
}

static const char kFile[] =
    "training:\n"
    "  seed: [7, 8]\n"
    "  optimizer:\n"
    "    learning_rate:\n"
    "      - 1e-3\n"
    "      - 0.01\n"
    "      - 5e-4\n"
    "    name: [sgd, adam]\n";

static void axes_stand_in_the_order_of_the_table(void **state) {
  (void)state;
  cuonn_grid grid;
  cuonn_grid_init(&grid);
  OK(read_text(&grid, kFile));
  OK(cuonn_grid_complete(&grid));
  assert_int_equal(grid.n_axes, 3);
  assert_string_equal(grid.axes[0].key, "training.seed");
  assert_string_equal(grid.axes[0].coordinate, "seed");
  assert_string_equal(grid.axes[1].coordinate, "optimizer");
  assert_string_equal(grid.axes[2].coordinate, "learning_rate");
  assert_string_equal(grid.axes[2].unit, "radians");
  assert_true(grid.axes[0].numeric && !grid.axes[1].numeric && grid.axes[2].numeric);
  assert_int_equal(grid.axes[2].count, 3);
  assert_string_equal(grid.axes[2].values[2], "0.0005");
  assert_true(grid.base.training.seed == 7 && grid.base.training.optimizer.kind == CUONN_OPTIMIZER_SGD);
  cuonn_grid_free(&grid);
}

static void points_are_all_combinations(void **state) {
  (void)state;
  static const double rates[] = {1e-3, 0.01, 5e-4};
  cuonn_grid grid;
  cuonn_grid_init(&grid);
  OK(read_text(&grid, kFile));
  OK(cuonn_grid_complete(&grid));
  assert_int_equal(cuonn_grid_points(&grid), 12);
  for (size_t p = 0; p < 12; p++) { /* the last axis runs fastest */
    cuonn_config config;
    cuonn_grid_config(&config, &grid, p);
    assert_true(config.training.seed == 7 + p / 6);
    assert_true(config.training.optimizer.kind == (p / 3 % 2 ? CUONN_OPTIMIZER_ADAM : CUONN_OPTIMIZER_SGD));
    assert_true(config.training.optimizer.learning_rate == rates[p % 3]);
    assert_int_equal(config.training.epochs, 50);
    assert_string_equal(cuonn_grid_value(&grid, 1, p), p / 3 % 2 ? "adam" : "sgd");
  }
  cuonn_grid_free(&grid);
}

static void settings_replace_lists_and_values(void **state) {
  (void)state;
  cuonn_grid grid;
  cuonn_grid_init(&grid);
  OK(read_text(&grid, kFile));
  OK(cuonn_grid_set(&grid, "training.seed=3"));
  OK(cuonn_grid_set(&grid, "training.optimizer.learning_rate=[1, 2]"));
  OK(cuonn_grid_set(&grid, "training.drop_last=[true,false]"));
  OK(cuonn_grid_set(&grid, "training.epochs=4"));
  OK(cuonn_grid_complete(&grid));
  assert_int_equal(grid.n_axes, 3);
  assert_string_equal(grid.axes[0].coordinate, "drop_last");
  assert_string_equal(grid.axes[1].coordinate, "optimizer");
  assert_string_equal(grid.axes[2].coordinate, "learning_rate");
  assert_int_equal(grid.axes[2].count, 2);
  assert_true(grid.base.training.seed == 3 && grid.base.training.epochs == 4);
  cuonn_grid_free(&grid);
}

static void repeats_are_seeds(void **state) {
  (void)state;
  cuonn_grid grid;
  cuonn_grid_init(&grid);
  OK(read_text(&grid, "sweep:\n  repeats: 3\ntraining:\n  seed: 5\n"));
  OK(cuonn_grid_complete(&grid));
  assert_int_equal(cuonn_grid_points(&grid), 3);
  for (size_t p = 0; p < 3; p++) {
    cuonn_config config;
    cuonn_grid_config(&config, &grid, p);
    assert_true(config.training.seed == 5 + p && config.repeats == 1);
    OK(cuonn_config_check(&config));
  }
  cuonn_grid_free(&grid);
}

static void text_reads_back(void **state) {
  (void)state;
  cuonn_grid grid, again;
  cuonn_grid_init(&grid);
  cuonn_grid_init(&again);
  OK(read_text(&grid, kFile));
  OK(cuonn_grid_complete(&grid));
  char *const text = cuonn_grid_text(&grid);
  assert_non_null(text);
  OK(read_text(&again, text));
  char *const second = cuonn_grid_text(&again);
  assert_string_equal(text, second);
  assert_non_null(strstr(text, "learning_rate: [0.001, 0.01, 0.0005]\n"));
  assert_int_equal(cuonn_grid_points(&again), 12);
  free(second);
  free(text);
  cuonn_grid_free(&again);
  cuonn_grid_free(&grid);
}

static void a_file_to_start_from_is_for_those_that_read_it(void **state) {
  (void)state;
  cuonn_grid grid;
  cuonn_config config;
  cuonn_grid_init(&grid);
  OK(read_text(&grid, "network:\n  start: [file, haar]\n  start_file: s.nc\n"));
  OK(cuonn_grid_complete(&grid));
  cuonn_grid_config(&config, &grid, 0);
  assert_string_equal(config.start_file, "s.nc");
  cuonn_grid_config(&config, &grid, 1);
  assert_string_equal(config.start_file, "");
  OK(cuonn_grid_set(&grid, "network.start=haar")); /* no list any more: the file is a mistake */
  REFUSED(cuonn_grid_complete(&grid), CUONN_E_CONFIG, "network.start_file is set");
  cuonn_grid_free(&grid);
}

static void reads_the_example_files(void **state) {
  (void)state;
  static const struct {
    const char *path;
    size_t points;
  } files[] = {{CUONN_SOURCE_DIR "/configs/learning-rates.yaml", 20},
               {CUONN_SOURCE_DIR "/configs/tolerance.yaml", 72},
               {CUONN_SOURCE_DIR "/configs/noise-sweep.yaml", 144}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    cuonn_grid grid;
    cuonn_grid_init(&grid);
    OK(cuonn_grid_read(&grid, files[i].path));
    OK(cuonn_grid_complete(&grid));
    assert_int_equal(cuonn_grid_points(&grid), files[i].points);
    cuonn_grid_free(&grid);
  }
}

/* A preset makes the file be read twice, which must not make lists twice as long. */
static void preset_and_lists(void **state) {
  (void)state;
  cuonn_grid grid;
  cuonn_grid_init(&grid);
  OK(read_text(&grid, "training:\n  seed: [1, 2]\nenergy:\n  preset: cited\n"));
  assert_int_equal(cuonn_grid_points(&grid), 2);
  cuonn_grid_free(&grid);
}

/* kFile with rates of their own for the optimizers, the groups before the lists, and values that come twice in one of
 * them. */
static const char kZip[] =
    "sweep:\n  zip: [[training.optimizer.learning_rate, training.optimizer.name], [chip.coupler_std, chip.loss_std]]\n"
    "chip:\n  seed: [5, 6]\n  coupler_std: [0, .01, .02]\n  loss_std: [0, .1, .1]\n"
    "training:\n  optimizer:\n    name: [sgd, adam, sgd, adam]\n    momentum: [0, .5]\n    learning_rate: [.1, .001, "
    "1, .01]\n";

static void keys_of_a_group_advance_together(void **state) {
  (void)state;
  static const char *const keys[] = {"optimizer", "learning_rate", "momentum",
                                     "chip_seed", "coupler_std",   "loss_db_std"};
  static const double rates[] = {.1, .001, 1, .01}, losses[] = {0, .1, .1};
  cuonn_grid grid;
  cuonn_grid_init(&grid);
  OK(read_text(&grid, kZip));
  for (int twice = 0; twice < 2; twice++) OK(cuonn_grid_complete(&grid));
  assert_int_equal(grid.n_axes, 6);
  for (size_t a = 0; a < 6; a++) {
    assert_string_equal(grid.axes[a].coordinate, keys[a]);
    assert_int_equal(grid.axes[a].zipped, a == 1 || a == 5);
  }
  assert_int_equal(cuonn_grid_points(&grid), 4 * 2 * 2 * 3);
  for (size_t p = 0; p < 48; p++) {
    cuonn_config c;
    const size_t optimizer = p / 12, coupler = p % 3;
    cuonn_grid_config(&c, &grid, p);
    assert_true(c.training.optimizer.kind == (optimizer % 2 ? CUONN_OPTIMIZER_ADAM : CUONN_OPTIMIZER_SGD));
    assert_true(c.training.optimizer.learning_rate == rates[optimizer]);
    assert_true(c.training.optimizer.momentum == (p / 6 % 2 ? .5 : 0) && c.training.chip.seed == 5 + p / 3 % 2);
    assert_true(c.training.chip.coupler_std == .01 * (double)coupler && c.training.chip.loss_std == losses[coupler]);
    assert_true(cuonn_grid_number(&grid.axes[1], optimizer) == strtod(cuonn_grid_value(&grid, 1, p), NULL));
  }
  cuonn_grid_free(&grid);
}

static void settings_replace_groups(void **state) {
  (void)state;
  cuonn_grid grid;
  cuonn_grid_init(&grid);
  OK(read_text(&grid, kZip));
  OK(cuonn_grid_set(&grid, "sweep.zip=[[training.optimizer.momentum, chip.seed]]"));
  OK(cuonn_grid_set(&grid, "training.optimizer.name=adam"));
  OK(cuonn_grid_set(&grid, "chip.loss_std=0"));
  OK(cuonn_grid_complete(&grid));
  assert_int_equal(cuonn_grid_points(&grid), 4 * 2 * 3);
  OK(cuonn_grid_set(&grid, "sweep.zip=[]"));
  OK(cuonn_grid_complete(&grid));
  assert_int_equal(cuonn_grid_points(&grid), 4 * 2 * 2 * 3);
  cuonn_grid_free(&grid);
}

static void groups_are_written_back(void **state) {
  (void)state;
  cuonn_grid grid, again;
  cuonn_config config;
  cuonn_grid_init(&grid);
  cuonn_grid_init(&again);
  OK(read_text(&grid, kZip));
  OK(cuonn_grid_complete(&grid));
  char *const text = cuonn_grid_text(&grid);
  assert_non_null(strstr(text,
                         "  zip: [[training.optimizer.learning_rate, training.optimizer.name], [chip.coupler_std, "
                         "chip.loss_std]]\n"));
  OK(read_text(&again, text));
  OK(cuonn_grid_complete(&again));
  char *const second = cuonn_grid_text(&again);
  assert_string_equal(text, second);
  free(second);
  free(text);
  cuonn_grid_config(&config, &grid, 0); /* one run: no groups */
  char *const one = cuonn_config_text(&config);
  assert_non_null(strstr(one, "  zip: []\n"));
  OK(cuonn_config_read_text(&config, one, strlen(one), "f.yaml"));
  free(one);
  REFUSED(cuonn_config_read_text(&config, kZip, strlen(kZip), "f.yaml"), CUONN_E_CONFIG,
          "f.yaml:2: sweep.zip: found a group of keys, but their lists are for cuonn sweep");
  cuonn_grid_free(&again);
  cuonn_grid_free(&grid);
}

/* Sweeps were stored with one rate for sgd, and another for adam. */
static void stored_rates_of_sgd_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t points;
    double rate[2];
  } cases[] = {
      {"name: [sgd, adam]\n    learning_rate: 1e-3\n    sgd_learning_rate: 0.1\n", 2, {.1, .001}},
      {"sgd_learning_rate: 0.1\n    learning_rate: 1e-3\n    name: [adam, sgd]\nenergy:\n  preset: cited\n",
       2,
       {.001, .1}},
      {"name: [sgd, adam]\n    learning_rate: 0.1\n    sgd_learning_rate: 0.1\n", 2, {.1, .1}},
      {"name: [sgd]\n    learning_rate: 1e-3\n    sgd_learning_rate: 0.1\n", 1, {.1}},
      {"name: sgd\n    learning_rate: 1e-3\n    sgd_learning_rate: 0.1\n", 1, {.1}},
      {"name: adam\n    learning_rate: 1e-3\n    sgd_learning_rate: 0.1\n", 1, {.001}},
      {"name: adam\n    learning_rate: [1, 2]\n    sgd_learning_rate: 0.1\n", 2, {1, 2}},
      {"name: [sgd, adam]\n    learning_rate: [1, 2]\n    sgd_learning_rate: 0\n", 4, {1, 2}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[256];
    cuonn_grid grid;
    cuonn_grid_init(&grid);
    snprintf(text, sizeof text, "training:\n  optimizer:\n    %s", cases[i].text);
    OK(read_text(&grid, text));
    OK(cuonn_grid_complete(&grid));
    assert_int_equal(cuonn_grid_points(&grid), cases[i].points);
    for (size_t p = 0; p < 2 && p < cases[i].points; p++) {
      cuonn_config config;
      cuonn_grid_config(&config, &grid, p);
      assert_true(config.training.optimizer.learning_rate == cases[i].rate[p]);
    }
    cuonn_grid_free(&grid);
  }
  static const char *const refused[][2] = {
      {"name: [sgd, adam]\n    learning_rate: [1, 2]\n    sgd_learning_rate: 0.1\n",
       "f.yaml: has a list of learning rates and"},
      {"sgd_learning_rate: [0.1, 1]\n",
       "f.yaml:3: training.optimizer: the key \"training.optimizer.sgd_learning_rate\""},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    char text[256];
    cuonn_grid grid;
    cuonn_grid_init(&grid);
    snprintf(text, sizeof text, "training:\n  optimizer:\n    %s", refused[i][0]);
    REFUSED(read_text(&grid, text), CUONN_E_CONFIG, refused[i][1]);
    cuonn_grid_free(&grid);
  }
}

/* Two keys of one coordinate, or one that a result file has itself, could not stand in one file. */
static void coordinates_differ(void **state) {
  (void)state;
  static const char *const taken[] = {"epoch",   "train_error", "test_error", "train_loss", "test_loss",
                                      "seconds", "status",      "reason",     "layer"};
  for (size_t i = 0; i < config_key_count; i++) {
    if (!config_keys[i].sweepable) continue;
    for (size_t k = 0; k < sizeof taken / sizeof *taken; k++)
      assert_string_not_equal(config_key_coordinate(&config_keys[i]), taken[k]);
    for (size_t j = 0; j < i; j++) {
      if (config_keys[j].sweepable)
        assert_string_not_equal(config_key_coordinate(&config_keys[i]), config_key_coordinate(&config_keys[j]));
    }
  }
}

static void files_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"training:\n  epochs: [1, 2]\n", "f.yaml:2: training.epochs: found a list, but a sweep cannot vary this key"},
      {"data:\n  path: [a, b]\n", "f.yaml:2: data.path: found a list, but a sweep cannot vary this key"},
      {"training:\n  seed: []\n", "f.yaml:2: training.seed: the list is empty"},
      {"training:\n  seed: [1,\n  x]\n", "f.yaml:3: training.seed: found \"x\", which is not an integer"},
      {"training:\n  seed: [1, [2]]\n", "f.yaml:2: training.seed: found a list where one value must stand"},
      {"training:\n  seed: [1, {a: 2}]\n", "f.yaml:2: training.seed: found a section where one value must stand"},
      {"training:\n  seed: [&a 1, *a]\n", "f.yaml:2: training.seed: found the anchor \"a\""},
      {"training:\n  seed: [1, ]\n  sead: [2]\n", "f.yaml:3: training: unknown key \"training.sead\""},
      {"training:\n  optimizer:\n    name: [adam, lion]\n", "found \"lion\", which is none of the choices"},
      {"training:\n  optimizer:\n    learning_rate: [1, ]\n    learning_rate: [2]\n", "named twice"},
      {"training:\n  seed: [1,\n  2\n", "f.yaml:4: not valid YAML"},
      {"training: [seed]\n", "f.yaml:1: training: found a list where a section must stand"},
      {"sweep:\n  zip: {a: b}\n",
       "f.yaml:2: sweep.zip: found a section where one value must stand; allowed: [] or [[KEY"},
      {"sweep:\n  zip: [{a: b}]\n", "f.yaml:2: sweep.zip: found a section where a group of keys must stand"},
      {"sweep:\n  zip: [[]]\n", "f.yaml:2: sweep.zip: a group has 0 keys; it needs two or more"},
      {"sweep:\n  zip:\n    - [chip.seed]\n", "f.yaml:3: sweep.zip: a group has 1 key; it needs two or more"},
      {"sweep:\n  zip: [[chip.seed, [training.seed]]]\n", "f.yaml:2: sweep.zip: found a list or section where a key"},
      {"sweep:\n  zip: [[chip.seed, training.epochs]]\n",
       "f.yaml:2: sweep.zip: training.epochs is no key that a sweep can vary"},
      {"sweep:\n  zip: [[chip.seed, chip]]\n", "f.yaml:2: sweep.zip: unknown key \"chip\""},
      {"sweep:\n  zip: [[chip.seed, training.seed], [chip.scale, chip.seed]]\n",
       "f.yaml:2: sweep.zip: chip.seed is twice in the groups: remove one"},
      {"training:\n  optimizer:\n    sgd_learning_rate: 0.1\n",
       "the key \"training.optimizer.sgd_learning_rate\" is no more"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cuonn_grid grid;
    cuonn_grid_init(&grid);
    REFUSED(read_file(&grid, cases[i].text), CUONN_E_CONFIG, cases[i].message);
    cuonn_grid_free(&grid);
  }
}

static void assignments_are_refused(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"training.epochs=[1, 2]", "training.epochs: found a list, but a sweep cannot vary this key"},
      {"training.seed=[]", "training.seed: the list is empty"},
      {"sweep.zip=chip.seed", "sweep.zip: found \"chip.seed\", which is no list of groups"},
      {"sweep.zip=[chip.seed]", "sweep.zip: found a value where a group of keys must stand, such as [[training.seed"},
      {"sweep.zip=[[chip.seed, chip.sead]]", "sweep.zip: unknown key \"chip.sead\"; did you mean chip.seed?"},
      {"training.seed=[1, 2", "training.seed:2: not valid YAML"},
      {"training.seed=[1, 2] 3", "training.seed:1: not valid YAML"},
      {"training.seed=[1, 2]\n---\n3", "training.seed: found a second document"},
      {"training.sede=[1, 2]", "unknown key \"training.sede\"; did you mean training.seed?"},
      {"training=[1, 2]", "training: is a section, which takes no value"},
      {"=[1, 2]", "found \"=[1, 2]\" where \"key=value\" must stand"},
      {"training.seed", "found \"training.seed\" where \"key=value\" must stand"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cuonn_grid grid;
    cuonn_grid_init(&grid);
    REFUSED(cuonn_grid_set(&grid, cases[i][0]), CUONN_E_CONFIG, cases[i][1]);
    cuonn_grid_free(&grid);
  }
}

static void points_that_do_not_fit_are_refused(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"training:\n  seed: [1, 2]\nsweep:\n  repeats: 2\n", "sweep.repeats is 2, but training.seed has a list"},
      {"training:\n  seed: 18446744073709551615\nsweep:\n  repeats: 2\n", "leaves no 2 seeds from there on"},
      {"network:\n  phase_style: [top, symmetric]\n  start: [haar-phases, haar]\n",
       "phase_style symmetric, start haar: network.phase_style symmetric cannot start from network.start haar"},
      {"network:\n  modes: 17\n", "the configuration: network.modes is 17"},
      {"training:\n  seed: [1, 2, 1]\n", "training.seed: 1 is twice in the list: remove one"},
      {"training:\n  optimizer:\n    learning_rate: [0.001, 1e-3]\n",
       "training.optimizer.learning_rate: 0.001 is twice in the list: remove one"},
      {"training:\n  seed: [1, 2]\nsweep:\n  zip: [[training.seed, chip.seed]]\n",
       "sweep.zip names chip.seed, which has no list: give it one, or take it out of its group"},
      {"training:\n  seed: [1, 2]\nchip:\n  seed: [1, 2, 3]\nsweep:\n  zip: [[chip.seed, training.seed]]\n",
       "sweep.zip: training.seed has 2 values, but chip.seed has 3"},
      {"training:\n  seed: [1, 2, 1]\nchip:\n  seed: [3, 4, 3]\nsweep:\n  zip: [[chip.seed, training.seed]]\n",
       "training.seed: 1 is twice in the list, with the same values of its group: remove one"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cuonn_grid grid;
    cuonn_grid_init(&grid);
    OK(read_text(&grid, cases[i][0]));
    REFUSED(cuonn_grid_complete(&grid), CUONN_E_CONFIG, cases[i][1]);
    cuonn_grid_free(&grid);
  }
}

/* 10000 x 10000 points are more than any file of results holds; the product must not wrap round. */
static void too_many_points_are_refused(void **state) {
  (void)state;
  cuonn_grid grid;
  cuonn_grid_init(&grid);
  OK(cuonn_grid_set(&grid, "sweep.repeats=10000"));
  char list[8192] = "training.batch_size=[1";
  size_t n = strlen(list);
  for (int i = 2; i <= 101; i++) n += (size_t)snprintf(list + n, sizeof list - n, ", %d", i);
  snprintf(list + n, sizeof list - n, "]");
  OK(cuonn_grid_set(&grid, list));
  REFUSED(cuonn_grid_complete(&grid), CUONN_E_CONFIG, "the lists make more than 1000000 combinations");
  cuonn_grid_free(&grid);
}

/* What reads one run says which command reads several. */
static void one_run_takes_no_lists(void **state) {
  (void)state;
  static const char list[] = "training:\n  seed: [1, 2]\n";
  cuonn_config config;
  cuonn_config_init(&config);
  REFUSED(
      cuonn_config_read_text(&config, list, strlen(list), "f.yaml"), CUONN_E_CONFIG,
      "f.yaml:2: training.seed: found a list where one value must stand; allowed: 0 to 18446744073709551615; several "
      "are for cuonn sweep");
  REFUSED(cuonn_config_set(&config, "training.seed=[1, 2]"), CUONN_E_CONFIG,
          "training.seed: found a list, but several values of a key are for cuonn sweep");
  OK(cuonn_config_set(&config, "sweep.repeats=2"));
  REFUSED(cuonn_config_check(&config), CUONN_E_CONFIG, "sweep.repeats is 2, but several runs");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(axes_stand_in_the_order_of_the_table),
      cmocka_unit_test(points_are_all_combinations),
      cmocka_unit_test(settings_replace_lists_and_values),
      cmocka_unit_test(repeats_are_seeds),
      cmocka_unit_test(text_reads_back),
      cmocka_unit_test(a_file_to_start_from_is_for_those_that_read_it),
      cmocka_unit_test(reads_the_example_files),
      cmocka_unit_test(preset_and_lists),
      cmocka_unit_test(keys_of_a_group_advance_together),
      cmocka_unit_test(settings_replace_groups),
      cmocka_unit_test(groups_are_written_back),
      cmocka_unit_test(stored_rates_of_sgd_are_read),
      cmocka_unit_test(coordinates_differ),
      cmocka_unit_test(files_are_refused),
      cmocka_unit_test(assignments_are_refused),
      cmocka_unit_test(points_that_do_not_fit_are_refused),
      cmocka_unit_test(too_many_points_are_refused),
      cmocka_unit_test(one_run_takes_no_lists),
  };
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
