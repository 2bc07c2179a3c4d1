/* Which rows of a benchmark say that the machine was busy: made-up times, none measured. */
#include "cli/commands/bench_row.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static bench_row quiet(void) {
  return (bench_row){.median = 1, .p10 = 0.9, .p90 = 1.2, .limit_bytes = 0.7, .limit_flops = 0.5};
}

static void believes_what_a_quiet_machine_gives(void **state) {
  (void)state;
  bench_row row = quiet();
  assert_null(bench_doubt(&row));
  row.p90 = 1.7;
  assert_null(bench_doubt(&row));
  row = quiet();
  row.limit_bytes = 1.17; /* from a cache */
  assert_null(bench_doubt(&row));
  row = quiet();
  row.limit_flops = 1.02;
  assert_null(bench_doubt(&row));
  row = (bench_row){.skipped = "too slow", .p90 = 1};
  assert_null(bench_doubt(&row));
}

static void doubts_what_beats_the_machine(void **state) {
  (void)state;
  static const double beyond[] = {1.2, 2, 11.6};
  for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
    bench_row row = quiet();
    row.limit_flops = beyond[i];
    assert_string_equal(bench_doubt(&row), "busy: faster than the limit, which was measured too low");
    row = quiet();
    row.limit_bytes = beyond[i] + 0.4;
    assert_string_equal(bench_doubt(&row), "busy: faster than the limit, which was measured too low");
  }
}

static void doubts_times_that_differ(void **state) {
  (void)state;
  bench_row row = quiet();
  row.p90 = 1.9;
  assert_string_equal(bench_doubt(&row), "busy: its times differ more than twofold");
}

/* Two rows of one size; auto takes the first. */
static bench_row *pair(bench_run *run, double taken, double other) {
  static bench_row rows[3];
  rows[0] = (bench_row){.backend = "cpu", .median = taken, .by_auto = true};
  rows[1] = (bench_row){.backend = "cpu", .median = other};
  rows[2] = (bench_row){.backend = "cpu", .median = other / 9}; /* of another size */
  rows[2].options.n_modes = 16;
  *run = (bench_run){.rows = rows, .n_rows = 3};
  return rows;
}

static void knows_where_auto_was_wrong(void **state) {
  (void)state;
  bench_run run;
  const bench_row *rows = pair(&run, 1.05, 1);
  for (size_t i = 0; i < 3; i++) assert_null(bench_better(&run, rows + i));
  rows = pair(&run, 1.15, 1);
  assert_ptr_equal(bench_better(&run, rows), rows + 1);
  assert_null(bench_better(&run, rows + 1));
  run.rows[1].backend = "cuda";
  assert_null(bench_better(&run, rows));
  pair(&run, 1.15, 1);
  snprintf(run.rows[1].skipped, sizeof run.rows[1].skipped, "too slow");
  assert_null(bench_better(&run, rows));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(believes_what_a_quiet_machine_gives),
      cmocka_unit_test(doubts_what_beats_the_machine),
      cmocka_unit_test(doubts_times_that_differ),
      cmocka_unit_test(knows_where_auto_was_wrong),
  };
  return cmocka_run_group_tests_name("bench_doubt", tests, NULL, NULL);
}
