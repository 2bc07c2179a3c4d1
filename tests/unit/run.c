/* The directory of a run: its files, going on, and refusals before training starts. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cuonn/files.h"
#include "support/close.h"
#include "support/folder.h"

static const char kConfig[] = "training:\n  epochs: 3\n";
static const cuonn_origin kOrigin = {(char *)(uintptr_t)kConfig, 7, NULL};
static const char kHeader[] = "epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second\n";

static cuonn_training_state some_state(double theta) {
  cuonn_training_state state;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(4, 2, 3, CUONN_STYLE_TOP, true, NULL);
  OK(cuonn_training_state_create(&state, &shape));
  state.network.layers[1].theta[5] = theta;
  return state;
}

static cuonn_epoch_record some_record(size_t epoch) {
  static const double errors[] = {1.0 / 11, 1.0 / 13, 1.0 / 17, 1.0 / 19};
  return (cuonn_epoch_record){
      epoch, 1.0 / (double)(epoch + 2), 0.5, 0.1 * (double)epoch, 2.5, 1e4 / 3, 1.0 / 7, 1.0 / 9, 2, errors};
}

/* Runs an epoch whose phases are its number. */
static void record_epoch(cuonn_run *run, size_t epoch, bool improved) {
  cuonn_training_state state = some_state((double)epoch);
  const cuonn_epoch_record record = some_record(epoch);
  OK(cuonn_run_record(run, &record, &state, improved));
  cuonn_training_state_free(&state);
}

static double theta_of(const char *path) {
  cuonn_training_state state;
  cuonn_origin origin;
  size_t epoch;
  OK(cuonn_checkpoint_read(&state, &epoch, &origin, path));
  assert_string_equal(origin.config_text, kConfig);
  const double theta = state.network.layers[1].theta[5];
  cuonn_origin_free(&origin);
  cuonn_training_state_free(&state);
  return theta;
}

static void check_text(const char *path, const char *want) {
  size_t size;
  unsigned char *const bytes = file_bytes(&size, path);
  assert_non_null(bytes);
  assert_string_equal((char *)bytes, want);
  free(bytes);
}

/* Checks metrics.csv against the records first..last, every number to its last bit. */
static void check_metrics(const char *path, size_t last) {
  FILE *const file = fopen(path, "r");
  char line[512];
  assert_non_null(file);
  assert_non_null(fgets(line, sizeof line, file));
  assert_string_equal(line, kHeader);
  for (size_t epoch = 1; epoch <= last; epoch++) {
    const cuonn_epoch_record want = some_record(epoch);
    double v[6];
    assert_non_null(fgets(line, sizeof line, file));
    assert_int_equal(sscanf(line, "%lf,%lf,%lf,%lf,%lf,%lf", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]), 6);
    assert_true(v[0] == (double)epoch && v[1] == want.train_loss && v[2] == want.test_loss &&
                v[3] == want.test_accuracy && v[4] == want.seconds && v[5] == want.examples_per_second);
  }
  assert_null(fgets(line, sizeof line, file));
  fclose(file);
}

/* Rows of a run in situ have more numbers, and are taken over by a resumed one. */
static void test_run__records_gradient_errors(void **s) {
  (void)s;
  cuonn_run *run;
  char line[512], want[512];
  OK(cuonn_run_open(&run, "measured", &kOrigin, 2, 0, 0));
  record_epoch(run, 1, true);
  cuonn_run_close(run);
  OK(cuonn_run_open(&run, "measured", &kOrigin, 2, 1, 0));
  cuonn_run_close(run);
  FILE *const file = fopen("measured/metrics.csv", "r");
  assert_non_null(file);
  assert_non_null(fgets(line, sizeof line, file));
  snprintf(want, sizeof want,
           "%.*s,gradient_error_small,gradient_error_batch,gradient_error_small_layer_0,gradient_error_small_layer_1,"
           "gradient_error_batch_layer_0,gradient_error_batch_layer_1\n",
           (int)strlen(kHeader) - 1, kHeader);
  assert_string_equal(line, want);
  static const double errors[] = {7, 9, 11, 13, 17, 19};
  double v[6];
  assert_non_null(fgets(line, sizeof line, file));
  assert_int_equal(sscanf(line, "%*[^,],%*[^,],%*[^,],%*[^,],%*[^,],%*[^,],%lf,%lf,%lf,%lf,%lf,%lf", &v[0], &v[1],
                          &v[2], &v[3], &v[4], &v[5]),
                   6);
  for (size_t i = 0; i < 6; i++) assert_true(v[i] == 1.0 / errors[i]);
  fclose(file);
  REFUSED(cuonn_run_open(&run, "measured", &kOrigin, 0, 1, 0), CUONN_E_DATA, "line 1 must be");
  REFUSED(cuonn_run_open(&run, "measured", &kOrigin, 3, 1, 0), CUONN_E_DATA, "line 1 must be");
}

static void test_run__records(void **s) {
  (void)s;
  cuonn_run *run;
  cuonn_training_state state;
  OK(cuonn_run_open(&run, "first", &kOrigin, 0, 0, 0));
  check_text("first/config.yaml", kConfig);
  check_text("first/metrics.csv", kHeader);
  assert_int_equal(folder_count("first"), 2);
  record_epoch(run, 1, true);
  record_epoch(run, 2, false);
  check_metrics("first/metrics.csv", 2);
  assert_true(theta_of("first/best.nc") == 1);
  assert_true(theta_of("first/last.nc") == 2);
  state = some_state(2.5);
  OK(cuonn_run_save(run, &state, 2));
  assert_true(theta_of("first/last.nc") == 2.5);
  assert_true(theta_of("first/best.nc") == 1);
  check_metrics("first/metrics.csv", 2);
  assert_int_equal(folder_count("first"), 4);
  cuonn_training_state_free(&state);
  cuonn_run_close(run);
  cuonn_run_close(NULL);

  REFUSED(cuonn_run_open(&run, "first", &(cuonn_origin){"other", 7, NULL}, false, 0, 0), CUONN_E_ARGUMENT,
          "first: already holds last.nc");
  assert_null(run);
  check_text("first/config.yaml", kConfig);
  check_metrics("first/metrics.csv", 2);
}

/* Between two writings, epochs are kept in memory: 1e9 s have never passed. */
static void test_run__keeps_epochs_until_the_interval_has_passed(void **s) {
  (void)s;
  cuonn_run *run;
  cuonn_training_state state;
  OK(cuonn_run_open(&run, "kept", &kOrigin, 0, 0, 1e9));
  record_epoch(run, 1, true); /* the first is written at once */
  for (size_t epoch = 2; epoch <= 4; epoch++) {
    record_epoch(run, epoch, epoch == 3);
    check_metrics("kept/metrics.csv", 1);
    assert_true(theta_of("kept/last.nc") == 1);
    assert_true(theta_of("kept/best.nc") == 1);
  }
  OK(cuonn_run_flush(run));
  check_metrics("kept/metrics.csv", 4);
  assert_true(theta_of("kept/last.nc") == 4);
  assert_true(theta_of("kept/best.nc") == 3);

  remove("kept/last.nc");
  OK(cuonn_run_flush(run)); /* nothing is left to write */
  assert_int_equal(folder_count("kept"), 3);
  record_epoch(run, 5, true);
  record_epoch(run, 6, false);
  state = some_state(6.5);
  OK(cuonn_run_save(run, &state, 6));
  check_metrics("kept/metrics.csv", 6);
  assert_true(theta_of("kept/last.nc") == 6.5);
  assert_true(theta_of("kept/best.nc") == 5);
  record_epoch(run, 7, true); /* as a killed program does */
  cuonn_training_state_free(&state);
  cuonn_run_close(run);
  check_metrics("kept/metrics.csv", 6);
  assert_true(theta_of("kept/last.nc") == 6.5);
}

static void test_run__resumes(void **s) {
  (void)s;
  cuonn_run *run;
  OK(cuonn_run_open(&run, "again", &kOrigin, 0, 0, 0));
  for (size_t epoch = 1; epoch <= 3; epoch++) record_epoch(run, epoch, true);
  cuonn_run_close(run);

  OK(cuonn_run_open(&run, "again/", &kOrigin, 0, 2, 0)); /* row 3 was written, its last.nc was not */
  check_metrics("again/metrics.csv", 2);
  record_epoch(run, 3, false);
  check_metrics("again/metrics.csv", 3);
  cuonn_run_close(run);
  OK(cuonn_run_open(&run, "again", &kOrigin, 0, 9, 0));
  check_metrics("again/metrics.csv", 3);
  cuonn_run_close(run);
  OK(cuonn_run_open(&run, "again", &kOrigin, 0, SIZE_MAX, 0)); /* stopped within the first epoch */
  check_text("again/metrics.csv", kHeader);
  cuonn_run_close(run);
  OK(cuonn_run_open(&run, "elsewhere", &kOrigin, 0, 2, 0)); /* going on in another directory */
  check_text("elsewhere/metrics.csv", kHeader);
  cuonn_run_close(run);
}

static void test_run__refuses_damaged_metrics(void **s) {
  (void)s;
  static const struct {
    const char *rows, *text;
  } cases[] = {
      {"1,2,3,4,5\n", "line 2"},
      {"1,2,3,4,5,6,7\n", "line 2"},
      {"1,2,3,4,5,6\n2,2,x,4,5,6\n", "line 3, \"2,2,x,4,5,6\""},
      {"2,2,3,4,5,6\n2,2,3,4,5,6\n", "line 3"},
      {"0,2,3,4,5,6\n", "line 2"},
      {"1,2,3,4,5,6 \n", "line 2"},
      {"1,2,3,4,5,6\n\n", "line 3"},
      {"-1,2,3,4,5,6\n", "line 2"},
      {"99999999999999999999,2,3,4,5,6\n", "line 2"},
  };
  cuonn_run *run;
  char text[512];
  assert_int_equal(mkdir("damaged", 0755), 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int length = snprintf(text, sizeof text, "%s%s", kHeader, cases[i].rows);
    assert_int_equal(file_put("damaged/metrics.csv", text, (size_t)length), 0);
    REFUSED(cuonn_run_open(&run, "damaged", &kOrigin, 0, 5, 0), CUONN_E_DATA, cases[i].text);
    assert_non_null(strstr(cuonn_last_error(), "damaged/metrics.csv"));
    check_text("damaged/metrics.csv", text);
    assert_int_equal(folder_count("damaged"), 1);
  }
  assert_int_equal(file_put("damaged/metrics.csv", "epoch\n", 6), 0);
  REFUSED(cuonn_run_open(&run, "damaged", &kOrigin, 0, 5, 0), CUONN_E_DATA, "line 1 must be");
  const int length =
      snprintf(text, sizeof text, "%s1,2,3,4,5,6", kHeader); /* without an end of line: whole all the same */
  assert_int_equal(file_put("damaged/metrics.csv", text, (size_t)length), 0);
  OK(cuonn_run_open(&run, "damaged", &kOrigin, 0, 5, 0));
  cuonn_run_close(run);
  text[length] = '\n';
  text[length + 1] = 0;
  check_text("damaged/metrics.csv", text);
}

static void test_run__refuses_directories(void **s) {
  (void)s;
  cuonn_run *run;
  REFUSED(cuonn_run_open(&run, "s3://bucket/run", &kOrigin, 0, 0, 0), CUONN_E_IO, "\"://\"");
  REFUSED(cuonn_run_open(&run, "", &kOrigin, 0, 0, 0), CUONN_E_IO, "empty");
  assert_int_equal(file_put("file", "", 0), 0);
  REFUSED(cuonn_run_open(&run, "file", &kOrigin, 0, 0, 0), CUONN_E_IO, "file: is a file, not a directory");
}

/* Lives in a child, where a failure of cmocka would go on with the parent's tests: ends with a code instead. */
static void in_child(int (*life)(cuonn_run *), cuonn_run *run) {
  int how;
  const pid_t child = fork();
  if (child == 0) _exit(life(run));
  assert_int_equal(waitpid(child, &how, 0), child);
  if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) fail_msg("the child ended with %#x", (unsigned)how);
}

enum { kNobody = 65534 };

static int open_without_permission(cuonn_run *run) {
  if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) return 2;
  if (cuonn_run_open(&run, "denied", &kOrigin, 0, 0, 0) != CUONN_E_IO) return 3;
  if (!strstr(cuonn_last_error(), "denied") || !strstr(cuonn_last_error(), "Permission denied")) return 4;
  return cuonn_run_open(&run, "denied/run", &kOrigin, 0, 0, 0) == CUONN_E_IO ? 0 : 5;
}

static void test_run__without_permission(void **s) {
  (void)s;
  assert_int_equal(mkdir("denied", 0755), 0);
  assert_int_equal(chmod("denied", 0555), 0);
  in_child(open_without_permission, NULL);
  assert_int_equal(folder_count("denied"), 0);
}

/* First no room for a checkpoint, then none for a row either. */
static int record_past_limit(cuonn_run *run) {
  const cuonn_epoch_record record = some_record(2);
  const struct rlimit for_a_row = {500, RLIM_INFINITY}, for_nothing = {100, RLIM_INFINITY};
  cuonn_training_state state = some_state(2);
  setrlimit(RLIMIT_FSIZE, &for_a_row);
  if (cuonn_run_save(run, &state, 2) != CUONN_E_IO || !strstr(cuonn_last_error(), "full/last.nc")) return 2;
  setrlimit(RLIMIT_FSIZE, &for_nothing);
  if (cuonn_run_record(run, &record, &state, true) != CUONN_E_IO) return 3;
  if (!strstr(cuonn_last_error(), "full/metrics.csv") || !strstr(cuonn_last_error(), "File too large")) return 4;
  cuonn_training_state_free(&state);
  return 0;
}

static void test_run__no_room_leaves_every_file(void **s) {
  (void)s;
  cuonn_run *run;
  OK(cuonn_run_open(&run, "full", &kOrigin, 0, 0, 0));
  record_epoch(run, 1, true);
  in_child(record_past_limit, run);
  check_metrics("full/metrics.csv", 1);
  assert_true(theta_of("full/last.nc") == 1);
  assert_true(theta_of("full/best.nc") == 1);
  assert_int_equal(folder_count("full"), 4);
  cuonn_run_close(run);
}

static void test_run__refuses_a_second_writer(void **state) {
  (void)state;
  cuonn_run *first, *second;
  OK(cuonn_run_open(&first, "shared", &kOrigin, false, 0, 0));
  REFUSED(cuonn_run_open(&second, "shared", &kOrigin, false, 0, 0), CUONN_E_ARGUMENT,
          "shared: another run is writing there");
  assert_null(second);
  record_epoch(first, 1, true);
  REFUSED(cuonn_run_open(&second, "shared", &kOrigin, false, 1, 0), CUONN_E_ARGUMENT, "another run");
  cuonn_run_close(first);
  OK(cuonn_run_open(&second, "shared", &kOrigin, false, 1, 0));
  cuonn_run_close(second);
}

static void put_text(const char *path, const char *text) { assert_int_equal(file_put(path, text, strlen(text)), 0); }

static void test_metrics__are_read_back(void **state) {
  (void)state;
  cuonn_run *run;
  cuonn_epoch_record *records;
  size_t count;
  for (int in_situ = 0; in_situ < 2; in_situ++) {
    const char *const path = in_situ ? "metrics-in-situ/metrics.csv" : "metrics/metrics.csv";
    OK(cuonn_run_open(&run, in_situ ? "metrics-in-situ" : "metrics", &kOrigin, in_situ ? 2 : 0, 0, 0));
    OK(cuonn_metrics_read(&records, &count, path));
    assert_int_equal(count, 0);
    free(records);
    for (size_t epoch = 1; epoch <= 3; epoch++) record_epoch(run, epoch, true);
    cuonn_run_close(run);
    OK(cuonn_metrics_read(&records, &count, path));
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
      cuonn_epoch_record want = some_record(i + 1);
      if (in_situ) {
        assert_memory_equal(records[i].gradient_errors, want.gradient_errors, 4 * sizeof(double));
      } else {
        want.gradient_error_small = want.gradient_error_batch = 0;
        want.n_layers = 0;
      }
      records[i].gradient_errors = want.gradient_errors = NULL;
      assert_memory_equal(&records[i], &want, sizeof want);
    }
    free(records);
  }
}

/* Errors that were not measured are empty, and NaN when they are read; other numbers have to be there. */
static void test_metrics__may_lack_errors(void **state) {
  (void)state;
  static const double none[] = {NAN, NAN, NAN, NAN};
  cuonn_run *run;
  cuonn_epoch_record *records, record = some_record(1);
  cuonn_training_state trained = some_state(1);
  size_t count;
  char line[512];
  record.gradient_error_small = record.gradient_error_batch = NAN;
  record.gradient_errors = none;
  OK(cuonn_run_open(&run, "lacking", &kOrigin, 2, 0, 0));
  OK(cuonn_run_record(run, &record, &trained, true));
  record_epoch(run, 2, true);
  cuonn_run_close(run);
  cuonn_training_state_free(&trained);
  OK(cuonn_run_open(&run, "lacking", &kOrigin, 2, 2, 0)); /* rows are taken over */
  cuonn_run_close(run);
  FILE *const file = fopen("lacking/metrics.csv", "r");
  assert_non_null(file);
  for (int i = 0; i < 2; i++) assert_non_null(fgets(line, sizeof line, file));
  fclose(file);
  assert_string_equal(line + strlen(line) - 7, ",,,,,,\n");
  assert_true(line[strlen(line) - 8] != ',');
  OK(cuonn_metrics_read(&records, &count, "lacking/metrics.csv"));
  assert_int_equal(count, 2);
  assert_true(isnan(records[0].gradient_error_small) && isnan(records[0].gradient_error_batch));
  for (size_t i = 0; i < 4; i++) assert_true(isnan(records[0].gradient_errors[i]));
  assert_true(records[1].gradient_error_small == 1.0 / 7 && records[1].gradient_errors[3] == 1.0 / 19);
  free(records);
  snprintf(line, sizeof line, "%s1,.5,,.5,1,1\n", kHeader);
  put_text("lacking/metrics.csv", line);
  REFUSED(cuonn_metrics_read(&records, &count, "lacking/metrics.csv"), CUONN_E_DATA, "line 2");
}

/* Without columns of single layers; a run that goes on keeps its columns. */
static void test_metrics__of_older_versions(void **state) {
  (void)state;
  cuonn_run *run;
  cuonn_epoch_record *records;
  size_t count;
  char text[512];
  OK(cuonn_run_open(&run, "older", &kOrigin, 2, 0, 0));
  record_epoch(run, 1, true);
  cuonn_run_close(run);
  snprintf(text, sizeof text, "%.*s,gradient_error_small,gradient_error_batch\n1,1,1,1,1,1,.5,.25\n",
           (int)strlen(kHeader) - 1, kHeader);
  put_text("older/metrics.csv", text);
  OK(cuonn_run_open(&run, "older", &kOrigin, 2, 1, 0));
  record_epoch(run, 2, true);
  cuonn_run_close(run);
  OK(cuonn_metrics_read(&records, &count, "older/metrics.csv"));
  assert_int_equal(count, 2);
  assert_true(records[0].gradient_error_batch == .25 && records[1].gradient_error_batch == 1.0 / 9);
  assert_true(records[1].n_layers == 0 && !records[1].gradient_errors);
  free(records);
}

static void test_metrics__refuses_what_is_none(void **state) {
  (void)state;
  cuonn_epoch_record *records;
  size_t count;
  char text[512];
  REFUSED(cuonn_metrics_read(&records, &count, "none.csv"), CUONN_E_IO, "none.csv: cannot be opened");
  put_text("other.csv", "epoch,loss\n1,2\n");
  REFUSED(cuonn_metrics_read(&records, &count, "other.csv"), CUONN_E_DATA, "other.csv: line 1 must be \"epoch,");
  snprintf(text, sizeof text, "%s1,1,1,1,1,1\n1,1,1,1,1,1\n", kHeader);
  put_text("twice.csv", text);
  REFUSED(cuonn_metrics_read(&records, &count, "twice.csv"), CUONN_E_DATA, "twice.csv: line 3, \"1,1,1,1,1,1\"");
  assert_null(records);
  assert_int_equal(count, 0);
}

static void test_bytes__replace_a_file_or_leave_it(void **state) {
  (void)state;
  OK(cuonn_bytes_write("bytes", "old", 3));
  OK(cuonn_bytes_write("bytes", "a\0b", 3));
  size_t size;
  unsigned char *const bytes = file_bytes(&size, "bytes");
  assert_int_equal(size, 3);
  assert_memory_equal(bytes, "a\0b", 3);
  free(bytes);
  REFUSED(cuonn_bytes_write("bytes/below", "new", 3), CUONN_E_IO, "bytes/below: cannot be written: Not a directory");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_run__records),
      cmocka_unit_test(test_run__records_gradient_errors),
      cmocka_unit_test(test_run__keeps_epochs_until_the_interval_has_passed),
      cmocka_unit_test(test_run__resumes),
      cmocka_unit_test(test_run__refuses_damaged_metrics),
      cmocka_unit_test(test_run__refuses_directories),
      cmocka_unit_test(test_run__refuses_a_second_writer),
      cmocka_unit_test(test_run__without_permission),
      cmocka_unit_test(test_run__no_room_leaves_every_file),
      cmocka_unit_test(test_metrics__are_read_back),
      cmocka_unit_test(test_metrics__may_lack_errors),
      cmocka_unit_test(test_metrics__of_older_versions),
      cmocka_unit_test(test_metrics__refuses_what_is_none),
      cmocka_unit_test(test_bytes__replace_a_file_or_leave_it),
  };
  return cmocka_run_group_tests_name("run", tests, folder_enter, folder_leave);
}
