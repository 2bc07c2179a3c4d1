/* The directory of a sweep: what the merged file holds, seen by netCDF's own reader; going on; refusals. */
#include <math.h>
#include <netcdf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cuonn/files.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/foreign.h"

enum { kEpochs = 3, kPoints = 12, kFailed = 5, kLate = 7, kLayers = 2 };

/* Two optimizers, three rates, two seeds; point 5 fails at once, point 7 after an epoch. */
static cuonn_grid some_grid(void) {
  cuonn_grid grid;
  cuonn_grid_init(&grid);
  OK(cuonn_grid_set(&grid, "training.epochs=3"));
  OK(cuonn_grid_set(&grid, "training.seed=[3, 1]"));
  OK(cuonn_grid_set(&grid, "training.optimizer.name=[sgd, adam]"));
  OK(cuonn_grid_set(&grid, "training.optimizer.learning_rate=[0.1, 0.001, 0.01]"));
  OK(cuonn_grid_set(&grid, "network.modes=16"));
  OK(cuonn_grid_set(&grid, "data.radius=2"));
  OK(cuonn_grid_set(&grid, "network.layers=2"));
  OK(cuonn_grid_complete(&grid));
  return grid;
}

static double value_of(size_t point, size_t epoch, size_t number) {
  return (double)(100 * point + 10 * epoch + number) / 7;
}

static cuonn_sweep_epoch some_epoch(size_t point, size_t epoch, bool measured) {
  const double error = measured ? value_of(point, epoch, 5) : NAN;
  return (cuonn_sweep_epoch){.train_error = value_of(point, epoch, 0),
                             .test_error = value_of(point, epoch, 1),
                             .train_loss = value_of(point, epoch, 2),
                             .test_loss = value_of(point, epoch, 3),
                             .gradient_error_batch = error,
                             .gradient_error_small = error,
                             .seconds = value_of(point, epoch, 4)};
}

/* Error i of [epoch][small, batch][layer]. */
static double layer_value(size_t point, size_t i) { return (double)(100 * point + i) / 11; }

static void record_point(cuonn_sweep_files *files, size_t point, bool measured) {
  cuonn_sweep_epoch epochs[kEpochs];
  double errors[kEpochs * 2 * kLayers];
  cuonn_training_state state;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(16, kLayers, 10, CUONN_STYLE_TOP, true, NULL);
  for (size_t e = 0; e < kEpochs; e++) epochs[e] = some_epoch(point, e, measured);
  OK(cuonn_training_state_create(&state, &shape));
  state.network.layers[0].theta[3] = (double)point;
  for (size_t i = 0; i < kEpochs * 2 * kLayers; i++) errors[i] = layer_value(point, i);
  const double *const layers = measured ? errors : NULL;
  cuonn_sweep_result result = {CUONN_OK, "", kEpochs, epochs, kLayers, layers, &state};
  if (point == kFailed) {
    result = (cuonn_sweep_result){CUONN_E_IO, "start.nc: cannot be opened", 0, epochs, kLayers, layers, NULL};
  }
  if (point == kLate) {
    result = (cuonn_sweep_result){CUONN_E_DIVERGED, "the loss is nan", 1, epochs, kLayers, layers, NULL};
  }
  OK(cuonn_sweep_files_record(files, point, &result));
  cuonn_training_state_free(&state);
}

static cuonn_sweep_files *open_files(const char *directory, const cuonn_grid *grid, bool resume) {
  cuonn_sweep_files *files;
  OK(cuonn_sweep_files_open(&files, directory, grid, NULL, resume));
  return files;
}

/* --- the merged file --- */

static void check_dimensions(int file, const char *variable, size_t count, const char *const *names) {
  int id, n, dimensions[NC_MAX_VAR_DIMS];
  NC(nc_inq_varid(file, variable, &id));
  NC(nc_inq_varndims(file, id, &n));
  NC(nc_inq_vardimid(file, id, dimensions));
  assert_int_equal(n, count);
  for (int d = 0; d < n; d++) {
    char name[NC_MAX_NAME + 1];
    NC(nc_inq_dimname(file, dimensions[d], name));
    assert_string_equal(name, names[d]);
  }
}

static void check_numbers(int file, const char *variable, const double *want, size_t count) {
  double got[kPoints * kEpochs * kLayers];
  int id;
  size_t length = 1, n;
  int rank, dimensions[NC_MAX_VAR_DIMS];
  NC(nc_inq_varid(file, variable, &id));
  NC(nc_inq_varndims(file, id, &rank));
  NC(nc_inq_vardimid(file, id, dimensions));
  for (int d = 0; d < rank; d++) {
    NC(nc_inq_dimlen(file, dimensions[d], &n));
    length *= n;
  }
  assert_int_equal(length, count);
  NC(nc_get_var_double(file, id, got));
  for (size_t i = 0; i < count; i++) assert_true(got[i] == want[i]);
}

static void check_over_grid(int file, const char *variable, size_t number) {
  static const char *const names[] = {"seed", "optimizer", "learning_rate", "epoch"};
  double want[kPoints * kEpochs];
  check_dimensions(file, variable, 4, names);
  for (size_t p = 0; p < kPoints; p++) {
    const size_t n_epochs = p == kFailed ? 0 : p == kLate ? 1 : kEpochs;
    for (size_t e = 0; e < kEpochs; e++) want[p * kEpochs + e] = e < n_epochs ? value_of(p, e, number) : NC_FILL_DOUBLE;
  }
  check_numbers(file, variable, want, kPoints * kEpochs);
}

static void check_layers_over_grid(int file, const char *variable, size_t which) {
  static const char *const names[] = {"seed", "optimizer", "learning_rate", "epoch", "layer"};
  double want[kPoints * kEpochs * kLayers];
  check_dimensions(file, variable, 5, names);
  for (size_t i = 0; i < kPoints * kEpochs * kLayers; i++) {
    const size_t p = i / kLayers / kEpochs, e = i / kLayers % kEpochs, l = i % kLayers;
    const size_t n_epochs = p == kFailed ? 0 : p == kLate ? 1 : kEpochs;
    want[i] = e < n_epochs ? layer_value(p, (2 * e + which) * kLayers + l) : NC_FILL_DOUBLE;
  }
  check_numbers(file, variable, want, kPoints * kEpochs * kLayers);
}

static void check_texts(int file) {
  static const char *const names[] = {"seed", "optimizer", "learning_rate", "reason_length"};
  static const char *const words[] = {"optimizer", "optimizer_length"};
  char reasons[kPoints][26], optimizers[2][4];
  int id;
  check_dimensions(file, "reason", 4, names);
  check_dimensions(file, "optimizer", 2, words);
  NC(nc_inq_varid(file, "optimizer", &id));
  NC(nc_get_var_text(file, id, optimizers[0]));
  assert_memory_equal(optimizers, "sgd\0adam", 8);
  NC(nc_inq_varid(file, "reason", &id));
  NC(nc_get_var_text(file, id, reasons[0]));
  for (size_t p = 0; p < kPoints; p++) {
    const char *const want = p == kFailed ? "start.nc: cannot be opened" : p == kLate ? "the loss is nan" : "";
    assert_int_equal(strncmp(reasons[p], want, 26), 0);
  }
}

static void the_merged_file_has_the_grid_as_coordinates(void **unused) {
  (void)unused;
  static const double seeds[] = {3, 1}, rates[] = {0.1, 0.001, 0.01}, epochs[] = {1, 2, 3};
  double codes[kPoints] = {0};
  int file, id;
  cuonn_grid grid = some_grid();
  cuonn_sweep_files *const files = open_files("merged", &grid, false);
  for (size_t p = kPoints; p-- > 0;) record_point(files, p, false); /* in any order */
  OK(cuonn_sweep_files_merge(files));
  cuonn_sweep_files_close(files);

  NC(nc_open("merged/sweep.nc", NC_NOWRITE, &file));
  check_numbers(file, "seed", seeds, 2);
  check_numbers(file, "learning_rate", rates, 3);
  check_numbers(file, "epoch", epochs, 3);
  check_over_grid(file, "train_error", 0);
  check_over_grid(file, "test_error", 1);
  check_over_grid(file, "train_loss", 2);
  check_over_grid(file, "test_loss", 3);
  check_over_grid(file, "seconds", 4);
  codes[kFailed] = CUONN_E_IO;
  codes[kLate] = CUONN_E_DIVERGED;
  check_numbers(file, "status", codes, kPoints);
  check_texts(file);
  assert_int_equal(nc_inq_varid(file, "gradient_error_batch", &id), NC_ENOTVAR);
  assert_int_equal(nc_inq_varid(file, "gradient_error_batch_layer", &id), NC_ENOTVAR);
  NC(nc_close(file));
  cuonn_grid_free(&grid);
}

static void measured_gradients_have_their_errors(void **unused) {
  (void)unused;
  int file;
  cuonn_grid grid = some_grid();
  cuonn_sweep_files *files = open_files("measured", &grid, false);
  for (size_t p = 0; p < kPoints; p++) record_point(files, p, true);
  cuonn_sweep_files_close(files);
  files = open_files("measured", &grid, true); /* from the files of the runs */
  OK(cuonn_sweep_files_merge(files));
  NC(nc_open("measured/sweep.nc", NC_NOWRITE, &file));
  check_over_grid(file, "gradient_error_batch", 5);
  check_over_grid(file, "gradient_error_small", 5);
  check_layers_over_grid(file, "gradient_error_small_layer", 0);
  check_layers_over_grid(file, "gradient_error_batch_layer", 1);
  NC(nc_close(file));
  cuonn_sweep_files_close(files);
  cuonn_grid_free(&grid);
}

/* Errors after the last epoch alone: the others are missing, in the merged file too. */
static void gradients_may_be_compared_seldom(void **unused) {
  (void)unused;
  double errors[kEpochs * 2 * kLayers];
  cuonn_sweep_epoch epochs[kEpochs];
  cuonn_training_state state;
  cuonn_sweep_record record;
  cuonn_grid grid;
  int file;
  cuonn_grid_init(&grid);
  OK(cuonn_grid_set(&grid, "training.epochs=3"));
  OK(cuonn_grid_set(&grid, "network.layers=2"));
  OK(cuonn_grid_complete(&grid));
  OK(cuonn_training_state_create(&state, &grid.base.network));
  for (size_t e = 0; e < kEpochs; e++) epochs[e] = some_epoch(0, e, e + 1 == kEpochs);
  for (size_t i = 0; i < kEpochs * 2 * kLayers; i++)
    errors[i] = i / (2 * kLayers) + 1 == kEpochs ? layer_value(0, i) : NAN;
  const cuonn_sweep_result result = {CUONN_OK, "", kEpochs, epochs, kLayers, errors, &state};
  cuonn_sweep_files *files = open_files("seldom", &grid, false);
  OK(cuonn_sweep_files_record(files, 0, &result));
  cuonn_sweep_files_close(files);
  files = open_files("seldom", &grid, true); /* from the file of the run */
  const cuonn_sweep_result *const got = cuonn_sweep_files_result(files, 0);
  for (size_t e = 0; e < kEpochs; e++) {
    const bool there = e + 1 == kEpochs;
    assert_true(there ? got->epochs[e].gradient_error_batch == epochs[e].gradient_error_batch
                      : isnan(got->epochs[e].gradient_error_batch));
  }
  for (size_t i = 0; i < kEpochs * 2 * kLayers; i++)
    assert_true(isnan(errors[i]) ? isnan(got->gradient_errors[i]) : got->gradient_errors[i] == errors[i]);
  OK(cuonn_sweep_files_merge(files));
  cuonn_sweep_files_close(files);
  NC(nc_open("seldom/sweep.nc", NC_NOWRITE, &file));
  check_numbers(file, "gradient_error_small", (const double[]){NC_FILL_DOUBLE, NC_FILL_DOUBLE, value_of(0, 2, 5)}, 3);
  check_numbers(
      file, "gradient_error_batch_layer",
      (const double[]){NC_FILL_DOUBLE, NC_FILL_DOUBLE, NC_FILL_DOUBLE, NC_FILL_DOUBLE, errors[10], errors[11]}, 6);
  NC(nc_close(file));
  OK(cuonn_sweep_read(&record, "seldom/sweep.nc"));
  assert_int_equal(record.results[0].n_epochs, kEpochs);
  assert_true(isnan(record.results[0].epochs[0].gradient_error_batch));
  assert_true(record.results[0].epochs[2].gradient_error_batch == epochs[2].gradient_error_batch);
  cuonn_sweep_record_free(&record);
  cuonn_training_state_free(&state);
  cuonn_grid_free(&grid);
}

/* A sweep without lists is one run. */
static void a_grid_of_one_point(void **unused) {
  (void)unused;
  static const char *const names[] = {"epoch"};
  cuonn_grid grid;
  int file;
  double want[kEpochs];
  cuonn_grid_init(&grid);
  OK(cuonn_grid_set(&grid, "training.epochs=3"));
  OK(cuonn_grid_complete(&grid));
  cuonn_sweep_files *const files = open_files("point", &grid, false);
  record_point(files, 0, false);
  OK(cuonn_sweep_files_merge(files));
  NC(nc_open("point/sweep.nc", NC_NOWRITE, &file));
  check_dimensions(file, "test_error", 1, names);
  for (size_t e = 0; e < kEpochs; e++) want[e] = value_of(0, e, 1);
  check_numbers(file, "test_error", want, kEpochs);
  check_numbers(file, "status", (const double[]){0}, 1);
  NC(nc_close(file));
  cuonn_sweep_files_close(files);
  cuonn_grid_free(&grid);
}

/* --- going on --- */

static void runs_are_found_again(void **unused) {
  (void)unused;
  cuonn_grid grid = some_grid();
  cuonn_training_state state;
  cuonn_origin origin;
  size_t epoch;
  int file;
  double codes[kPoints] = {0};
  cuonn_sweep_files *files = open_files("again", &grid, false);
  for (size_t p = 0; p < kPoints; p += 2) record_point(files, p, false);
  record_point(files, kFailed, false);
  record_point(files, kLate, false);
  cuonn_sweep_files_close(files);

  files = open_files("again", &grid, true);
  for (size_t p = 0; p < kPoints; p++) {
    const cuonn_sweep_result *const got = cuonn_sweep_files_result(files, p);
    codes[p] = 1;
    assert_true((got != NULL) == (p % 2 == 0 || p == kFailed || p == kLate));
    if (!got) continue;
    codes[p] = got->status;
    assert_int_equal(got->n_epochs, p == kFailed ? 0 : p == kLate ? 1 : kEpochs);
    for (size_t e = 0; e < got->n_epochs; e++) {
      const cuonn_sweep_epoch want = some_epoch(p, e, false);
      assert_true(got->epochs[e].train_error == want.train_error && got->epochs[e].seconds == want.seconds);
      assert_true(isnan(got->epochs[e].gradient_error_small));
    }
  }
  assert_int_equal(cuonn_sweep_files_result(files, kFailed)->status, CUONN_E_IO);
  assert_string_equal(cuonn_sweep_files_result(files, kLate)->reason, "the loss is nan");
  OK(cuonn_sweep_files_merge(files)); /* of what there is */
  NC(nc_open("again/sweep.nc", NC_NOWRITE, &file));
  check_numbers(file, "status", codes, kPoints);
  NC(nc_close(file));
  cuonn_sweep_files_close(files);

  OK(cuonn_checkpoint_read(&state, &epoch, &origin, "again/networks/000004.nc"));
  assert_true(state.network.layers[0].theta[3] == 4);
  assert_non_null(strstr(origin.config_text, "  seed: 3\n"));
  assert_non_null(strstr(origin.config_text, "    name: adam\n    learning_rate: 0.001\n"));
  cuonn_origin_free(&origin);
  cuonn_training_state_free(&state);
  struct stat info;
  assert_int_not_equal(stat("again/networks/000005.nc", &info), 0);
  cuonn_grid_free(&grid);
}

/* --- parts --- */

static cuonn_sweep_files *open_part(const char *directory, const cuonn_grid *grid, size_t part) {
  cuonn_sweep_files *files;
  OK(cuonn_sweep_files_open_part(&files, directory, grid, NULL, false, part, 2));
  return files;
}

/* Both have the directory open; each sees what the other recorded when it looks. */
static void parts_share_a_directory(void **unused) {
  (void)unused;
  cuonn_grid grid = some_grid();
  cuonn_sweep_files *other;
  size_t missing;
  cuonn_sweep_files *const one = open_part("parts", &grid, 1), *const two = open_part("parts", &grid, 2);
  REFUSED(cuonn_sweep_files_open_part(&other, "parts", &grid, NULL, false, 2, 2), CUONN_E_ARGUMENT, "part 2/2 runs");
  REFUSED(cuonn_sweep_files_open_part(&other, "parts", &grid, NULL, true, 1, 3), CUONN_E_ARGUMENT, "cut into 2 parts");
  REFUSED(cuonn_sweep_files_open(&other, "parts", &grid, NULL, true), CUONN_E_ARGUMENT, "another run is writing");
  for (size_t p = 0; p < kPoints; p++) record_point(p % 2 ? two : one, p, false);
  OK(cuonn_sweep_files_missing(&missing, one));
  assert_int_equal(missing, 0);
  assert_null(cuonn_sweep_files_result(one, 3));
  OK(cuonn_sweep_files_take(one, 3));
  assert_non_null(cuonn_sweep_files_result(one, 3));
  cuonn_sweep_files_close(two);
  cuonn_sweep_files_close(one);
  cuonn_sweep_files_close(open_part("parts", &grid, 2)); /* the lock is gone */
  REFUSED(cuonn_sweep_files_open(&other, "parts", &grid, NULL, true), CUONN_E_ARGUMENT, "cut into 2 parts");
  cuonn_grid_free(&grid);
}

/* A run that is done twice, which locks that do not reach another machine let happen, has the first numbers. */
static void the_first_of_two_results_stays(void **unused) {
  (void)unused;
  cuonn_grid grid = some_grid();
  cuonn_sweep_files *late;
  const cuonn_sweep_epoch epochs[kEpochs] = {{.train_loss = 7}, {.train_loss = 7}, {.train_loss = 7}};
  const cuonn_sweep_result result = {CUONN_OK, "", kEpochs, epochs, kLayers, NULL, NULL};
  cuonn_sweep_files *const one = open_part("twice", &grid, 1);
  OK(cuonn_sweep_files_attach(&late, "twice", &grid, NULL));
  record_point(one, 3, false);
  OK(cuonn_sweep_files_record(late, 3, &result));
  assert_true(cuonn_sweep_files_result(late, 3)->epochs[0].train_loss == value_of(3, 0, 2));
  cuonn_sweep_files_close(late);
  cuonn_sweep_files_close(one);
  cuonn_grid_free(&grid);
}

/* Half a file of a killed process goes when nobody has the directory open. */
static void what_is_left_behind_is_removed(void **unused) {
  (void)unused;
  static const char left[] = "left/runs/.cuonn-0123456789abcdef.tmp";
  cuonn_grid grid = some_grid();
  cuonn_sweep_files *joins;
  cuonn_sweep_files *const one = open_part("left", &grid, 1);
  OK(cuonn_bytes_write(left, "half", 4));
  OK(cuonn_sweep_files_attach(&joins, "left", &grid, NULL));
  cuonn_sweep_files_tidy(joins);
  struct stat info;
  assert_int_equal(stat(left, &info), 0);
  cuonn_sweep_files_close(one);
  cuonn_sweep_files_close(joins);
  OK(cuonn_sweep_files_attach(&joins, "left", &grid, NULL));
  cuonn_sweep_files_tidy(joins);
  assert_int_not_equal(stat(left, &info), 0);
  cuonn_sweep_files_close(joins);
  cuonn_grid_free(&grid);
}

/* --- reading --- */

static void check_record(const char *path, size_t n_done) {
  cuonn_sweep_record record;
  OK(cuonn_sweep_read(&record, path));
  assert_int_equal(record.n_points, kPoints);
  assert_int_equal(record.n_done, n_done);
  assert_int_equal(record.grid.n_axes, 3);
  assert_string_equal(record.grid.axes[1].values[1], "adam");
  for (size_t p = 0; p < kPoints; p++) {
    const cuonn_sweep_result *const got = &record.results[p];
    const bool done = n_done == kPoints || p < n_done;
    assert_true(record.done[p] == done);
    if (!done) continue;
    assert_int_equal(got->status, p == kFailed ? CUONN_E_IO : p == kLate ? CUONN_E_DIVERGED : CUONN_OK);
    assert_string_equal(got->reason, p == kFailed ? "start.nc: cannot be opened" : p == kLate ? "the loss is nan" : "");
    assert_int_equal(got->n_epochs, p == kFailed ? 0 : p == kLate ? 1 : kEpochs);
    for (size_t e = 0; e < got->n_epochs; e++) {
      const cuonn_sweep_epoch want = some_epoch(p, e, false), *const epoch = &got->epochs[e];
      assert_true(epoch->train_error == want.train_error && epoch->test_error == want.test_error);
      assert_true(epoch->test_loss == want.test_loss && epoch->seconds == want.seconds);
      assert_true(isnan(epoch->gradient_error_small));
    }
  }
  cuonn_sweep_record_free(&record);
}

/* The directory and the merged file say the same, of a whole sweep and of one that was stopped. */
static void sweeps_are_read_back(void **unused) {
  (void)unused;
  cuonn_grid grid = some_grid();
  cuonn_sweep_files *const files = open_files("read", &grid, false);
  for (size_t p = 0; p < kPoints; p++) {
    record_point(files, p, false);
    if (p + 1 != kLate && p + 1 != kPoints) continue;
    OK(cuonn_sweep_files_merge(files));
    check_record("read", p + 1);
    check_record("read/sweep.nc", p + 1);
    foreign_turn("turned.nc", "read/sweep.nc", p % 2 ? NC_NETCDF4 : 0); /* all axes in another order, texts with them */
    check_record("turned.nc", p + 1);
  }
  cuonn_sweep_files_close(files);
  cuonn_grid_free(&grid);
}

static void other_files_are_no_sweeps(void **unused) {
  (void)unused;
  cuonn_grid grid = some_grid();
  cuonn_sweep_record record;
  cuonn_sweep_files *const files = open_files("kinds", &grid, false);
  record_point(files, 2, false);
  cuonn_sweep_files_close(files);
  REFUSED(cuonn_sweep_read(&record, "kinds/runs/000002.nc"), CUONN_E_DATA, "is no sweep.nc of cuonn sweep");
  REFUSED(cuonn_sweep_read(&record, "kinds/sweep.yaml"), CUONN_E_DATA, "is not a netCDF file");
  REFUSED(cuonn_sweep_read(&record, "kinds/runs"), CUONN_E_IO, "kinds/runs/sweep.yaml");
  REFUSED(cuonn_sweep_read(&record, "nowhere"), CUONN_E_IO, "nowhere");
  FILE *const file = fopen("kinds/runs/000002.nc", "r+b");
  assert_non_null(file);
  fseek(file, 300, SEEK_SET);
  fputc(170, file);
  fclose(file);
  REFUSED(cuonn_sweep_read(&record, "kinds"), CUONN_E_DATA, "000002.nc: is damaged");
  cuonn_grid_free(&grid);
}

/* --- refusals --- */

static void other_directories_are_refused(void **unused) {
  (void)unused;
  cuonn_grid grid = some_grid(), other = some_grid();
  cuonn_sweep_files *files = open_files("first", &grid, false), *second;
  REFUSED(cuonn_sweep_files_open(&second, "first", &grid, NULL, true), CUONN_E_ARGUMENT,
          "first: another run is writing there");
  record_point(files, 2, false);
  cuonn_sweep_files_close(files);
  REFUSED(cuonn_sweep_files_open(&second, "first", &grid, NULL, false), CUONN_E_ARGUMENT,
          "first: already holds sweep.yaml of another sweep");
  REFUSED(cuonn_sweep_files_open(&second, "first/sweep.yaml/below", &grid, NULL, false), CUONN_E_IO,
          "first/sweep.yaml: is a file, not a directory");
  OK(cuonn_grid_set(&other, "training.optimizer.learning_rate=[0.1, 0.001, 0.02]"));
  OK(cuonn_grid_complete(&other));
  REFUSED(cuonn_sweep_files_open(&second, "first", &other, NULL, true), CUONN_E_DATA,
          "first/runs/000002.nc: was trained with another training.optimizer.learning_rate");
  OK(cuonn_grid_set(&other, "training.optimizer.learning_rate=[0.1, 0.001, 0.01]"));
  OK(cuonn_grid_set(&other, "training.epochs=2"));
  REFUSED(cuonn_sweep_files_open(&second, "first", &other, NULL, true), CUONN_E_DATA,
          "attribute epochs must be a whole number from 0 to 2");
  OK(cuonn_grid_set(&other, "training.epochs=4"));
  REFUSED(cuonn_sweep_files_open(&second, "first", &other, NULL, true), CUONN_E_DATA, "another training.epochs");
  assert_null(second);
  cuonn_grid_free(&other);
  cuonn_grid_free(&grid);
}

static void damaged_runs_are_refused(void **unused) {
  (void)unused;
  cuonn_grid grid = some_grid();
  cuonn_sweep_files *files = open_files("damaged", &grid, false);
  record_point(files, 2, false);
  cuonn_sweep_files_close(files);
  FILE *const file = fopen("damaged/runs/000002.nc", "r+b");
  assert_non_null(file);
  fseek(file, 300, SEEK_SET);
  fputc(170, file);
  fclose(file);
  REFUSED(cuonn_sweep_files_open(&files, "damaged", &grid, NULL, true), CUONN_E_DATA,
          "damaged/runs/000002.nc: is damaged");
  cuonn_grid_free(&grid);
}

/* A status has two bytes, and the format counts in fours: what stands behind it is netCDF's fill value, not what was in
 * memory. Before the trailer of 32 bytes it is the last variable. */
static void test_run__pads_with_fill_values(void **state) {
  (void)state;
  static const unsigned char end[] = {0, 0, 0x80, 0x01};
  cuonn_grid grid = some_grid();
  cuonn_sweep_files *const files = open_files("padded", &grid, false);
  record_point(files, 0, false);
  size_t size;
  unsigned char *const bytes = file_bytes(&size, "padded/runs/000000.nc");
  assert_non_null(bytes);
  assert_memory_equal(bytes + size - 32 - sizeof end, end, sizeof end);
  free(bytes);
  cuonn_sweep_files_close(files);
  cuonn_grid_free(&grid);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_run__pads_with_fill_values),
      cmocka_unit_test(the_merged_file_has_the_grid_as_coordinates),
      cmocka_unit_test(measured_gradients_have_their_errors),
      cmocka_unit_test(gradients_may_be_compared_seldom),
      cmocka_unit_test(a_grid_of_one_point),
      cmocka_unit_test(runs_are_found_again),
      cmocka_unit_test(parts_share_a_directory),
      cmocka_unit_test(the_first_of_two_results_stays),
      cmocka_unit_test(what_is_left_behind_is_removed),
      cmocka_unit_test(sweeps_are_read_back),
      cmocka_unit_test(other_files_are_no_sweeps),
      cmocka_unit_test(other_directories_are_refused),
      cmocka_unit_test(damaged_runs_are_refused),
  };
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
