/* Which rows of a benchmark say that the machine was busy: made-up times, none measured. */
#include "cli/commands/bench_row.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(believes_what_a_quiet_machine_gives),
      cmocka_unit_test(doubts_what_beats_the_machine),
      cmocka_unit_test(doubts_times_that_differ),
  };
  return cmocka_run_group_tests_name("bench_doubt", tests, NULL, NULL);
}
