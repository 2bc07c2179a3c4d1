/* New directories of results: the folder above is synced, so that the name outlives a power cut. fsync of the C library
 * gives way to this program's, which keeps a list of what was synced. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cuonn/files.h"
#include "results/directory.h"
#include "results/store.h"
#include "support/close.h"
#include "support/folder.h"

enum { kMost = 64 };
static ino_t synced[kMost];
static size_t n_synced;

int fsync(int file) {
  struct stat info;
  if (fstat(file, &info) == 0 && n_synced < kMost) synced[n_synced++] = info.st_ino;
  return 0;
}

static bool was_synced(const char *path) {
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  for (size_t i = 0; i < n_synced; i++) {
    if (synced[i] == info.st_ino) return true;
  }
  return false;
}

static void test_directory__syncs_what_holds_a_new_one(void **s) {
  (void)s;
  static const char *const names[] = {"plain", "slash/", "plain/below", "./plain/again//"};
  static const char *const parents[] = {".", ".", "plain", "plain"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    n_synced = 0;
    OK(results_directory_make(names[i]));
    assert_true(was_synced(parents[i]));
    n_synced = 0;
    OK(results_directory_make(names[i])); /* it is there: nothing new to keep */
    assert_int_equal(n_synced, 0);
  }
  cuonn_run *run;
  const cuonn_origin origin = {"", 0, NULL};
  n_synced = 0;
  OK(cuonn_run_open(&run, "run", &origin, 0, 0, 0));
  assert_true(was_synced("."));
  assert_true(was_synced("run"));
  cuonn_run_close(run);
}

static void test_directory__makes_those_above(void **s) {
  (void)s;
  static const char *const made[] = {"deep", "deep/er", "deep/er/still"};
  n_synced = 0;
  OK(results_directory_make("./deep//er/still/"));
  assert_true(was_synced("."));
  assert_true(was_synced("deep"));
  assert_true(was_synced("deep/er"));
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) assert_int_equal(access(made[i], X_OK | W_OK), 0);
  OK(results_directory_make("up/../beside/."));
  assert_int_equal(access("beside", F_OK), 0);
  OK(cuonn_bytes_write("files/of/mine.txt", "x", 1));
  assert_int_equal(access("files/of/mine.txt", F_OK), 0);
  OK(cuonn_parents_make("files/with/no.name"));
  assert_int_equal(access("files/with", F_OK), 0);
  assert_int_equal(access("files/with/no.name", F_OK), -1);

  assert_int_equal(file_put("a-file", "x", 1), 0);
  assert_int_equal(symlink("nowhere", "a-link"), 0);
  REFUSED(results_directory_make("a-file"), CUONN_E_IO, "a-file: is a file, not a directory");
  REFUSED(results_directory_make("a-file/below/it"), CUONN_E_IO, "a-file: is a file, not a directory");
  REFUSED(cuonn_parents_make("a-file/x.nc"), CUONN_E_IO, "a-file/x.nc: a-file: is a file, not a directory");
  REFUSED(cuonn_bytes_write("a-link/x.nc", "x", 1), CUONN_E_IO,
          "a-link: cannot be made: it is a link that leads nowhere");
  REFUSED(cuonn_bytes_write("/proc/none/x.nc", "x", 1), CUONN_E_IO, "/proc/none/x.nc: /proc/none: cannot be made");
  REFUSED(cuonn_parents_make("file://a/b"), CUONN_E_IO, "\"://\"");
}

/* A write that is under way holds its temporary file; what no program holds was left behind. */
static void test_directory__removes_only_what_was_left(void **s) {
  (void)s;
  static const char left[] = "litter/.cuonn-0123456789abcdef.tmp", other[] = "litter/.cuonn-0123456789abcde.tmp";
  OK(results_directory_make("litter"));
  assert_int_equal(file_put(left, "x", 1), 0);
  assert_int_equal(file_put(other, "x", 1), 0);
  assert_int_equal(symlink("../run", "litter/.cuonn-ffffffffffffffff.tmp"), 0);
  results_remove_temporaries("litter");
  assert_int_not_equal(access(left, F_OK), 0);
  assert_int_equal(access(other, F_OK), 0);
  assert_int_equal(access("run", F_OK), 0);
  results_remove_temporaries("nowhere"); /* is no harm */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_directory__syncs_what_holds_a_new_one),
      cmocka_unit_test(test_directory__makes_those_above),
      cmocka_unit_test(test_directory__removes_only_what_was_left),
  };
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
