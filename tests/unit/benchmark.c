/* Benchmarks: the work that is counted, the summary of samples, backends that disagree, refusals. No time is
 * asserted. */
#include <string.h>

#include "backends/backend.h"
#include "cuonn/benchmark.h"
#include "support/close.h"

static cuonn_context *reference, *cpu;

static int setup(void **unused) {
  (void)unused;
  OK(cuonn_context_create(&reference, "reference", 0));
  OK(cuonn_context_create(&cpu, "cpu", 2));
  return 0;
}

static int teardown(void **unused) {
  (void)unused;
  cuonn_context_free(cpu);
  cuonn_context_free(reference);
  return 0;
}

static cuonn_benchmark_options small(cuonn_benchmark_case what) {
  cuonn_benchmark_options o = CUONN_BENCHMARK_OPTIONS_INIT;
  o.what = what;
  o.n_modes = 16;
  o.n_layers = 2;
  o.batch_size = 5;
  o.n_samples = 12;
  return o;
}

static void counts(cuonn_benchmark_case what, size_t n_modes, size_t n_layers, size_t batch, double flops,
                   double bytes) {
  cuonn_benchmark_options o = small(what);
  o.n_modes = n_modes;
  o.n_layers = n_layers;
  o.batch_size = batch;
  const cuonn_benchmark_work work = cuonn_benchmark_count(&o);
  const double got[] = {work.flops, work.bytes}, want[] = {flops, bytes};
  CLOSE(got, want, 2, .rel = 1e-15);
}

/* By hand, from the table in benchmark.h. N 8: 28 nodes, all at work. N 13: 78, of which two, with column + waveguide =
 * 22 = N - 1 + C, are idle in the last mesh. N 64: 2016, and 702 idle. */
static void test_count__small_cases(void **unused) {
  (void)unused;
  counts(CUONN_BENCHMARK_PROPAGATE, 8, 1, 2, 14 * 28 * 2, 16 * 8 * 2 + 8 * 28 + 4 * 8);
  counts(CUONN_BENCHMARK_PROPAGATE_STAGES, 8, 1, 2, 28 * 28 * 2, 2 * 8 * 2 * 8 + 5 * 8 * 8 * 2 * 8 + 8 * 28 + 4 * 8);
  counts(CUONN_BENCHMARK_FORWARD, 8, 2, 3, 14 * 56 * 3, 65 * 3 + 8 * 56);
  counts(CUONN_BENCHMARK_FORWARD, 13, 1, 1, 14 * 76, 105 + 8 * 78);
  counts(CUONN_BENCHMARK_FORWARD, 64, 3, 512, 14. * 5346 * 512, 513 * 512 + 8 * 6048);
  counts(CUONN_BENCHMARK_TRAIN_STEP, 64, 3, 512, 153280512. + 149688, 513 * 512 + 48 * 6048);
  counts(CUONN_BENCHMARK_FEATURES, 1024, 1, 7, 2 * 32 * 33 * (32 + 33) * 7, (1024 + 8192) * 7);
}

/* A test set has its own size, whatever the batch. */
static void test_count__test_set(void **unused) {
  (void)unused;
  for (size_t batch = 1; batch < 1000; batch *= 10) {
    counts(CUONN_BENCHMARK_EVALUATE, 8, 1, batch, 14. * 28 * 10000, 65 * 10000 + 8 * 28);
  }
}

/* Outputs that light reaches from the nodes, column by column through a mesh, and those of `read` among them. */
static double pairs(size_t n, size_t read) {
  double count = 0;
  for (size_t column = 0; column < n; column++) {
    for (size_t top = column % 2; top + 1 < n; top += 2) {
      bool lit[64] = {false};
      lit[top] = lit[top + 1] = true;
      for (size_t c = column + 1; c < n; c++) {
        for (size_t t = c % 2; t + 1 < n; t += 2) lit[t] = lit[t + 1] = lit[t] || lit[t + 1];
      }
      for (size_t o = 0; o < read; o++) count += lit[o];
    }
  }
  return count;
}

/* By hand, from the table in benchmark.h: the bytes are those of columns. */
static void test_count__dense(void **unused) {
  (void)unused;
  static const struct {
    size_t n_modes, n_layers, batch, classes;
    double idle; /* nodes of the last mesh */
  } cases[] = {{8, 1, 3, 8, 0}, {8, 2, 3, 8, 0}, {13, 1, 5, 10, 2}, {13, 3, 5, 10, 2}, {64, 3, 512, 10, 702}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const size_t n = cases[i].n_modes, layers = cases[i].n_layers, c = cases[i].classes;
    cuonn_benchmark_options o = small(CUONN_BENCHMARK_TRAIN_STEP);
    o.n_modes = n;
    o.n_layers = layers;
    o.batch_size = cases[i].batch;
    const double bytes = cuonn_benchmark_count(&o).bytes, nb = (double)(n * cases[i].batch);
    const double k = (double)(layers - 1) * pairs(n, n) + pairs(n, c);
    const double p = (double)(layers * n * (n - 1)) / 2 - cases[i].idle;
    const double first = (double)(layers > 1 ? n : c), rest = (double)((layers - 1) * n + c) - first;
    o.method = CUONN_METHOD_DENSE;
    cuonn_benchmark_work work = cuonn_benchmark_count(&o);
    const double want[] = {12 * (first + rest) * nb + 56 * k + 28 * p, bytes};
    CLOSE(((double[]){work.flops, work.bytes}), want, 2, .rel = 1e-15);
    o.what = CUONN_BENCHMARK_FORWARD;
    work = cuonn_benchmark_count(&o);
    const double forward = (6 * first + 4 * rest) * nb + 14 * k;
    CLOSE(&work.flops, &forward, 1, .rel = 1e-15);
  }
}

static void test_methods__are_those_of_the_backend(void **unused) {
  (void)unused;
  for (size_t what = 0; what < CUONN_BENCHMARK_CASES; what++) {
    cuonn_benchmark_options o = small((cuonn_benchmark_case)what);
    assert_true(cuonn_benchmark_has_method(cpu, &o) && cuonn_benchmark_has_method(reference, &o));
    assert_int_equal(cuonn_benchmark_auto(reference, &o), CUONN_METHOD_COLUMNS);
    o.method = CUONN_METHOD_DENSE;
    assert_false(cuonn_benchmark_has_method(reference, &o));
    assert_int_equal(cuonn_benchmark_has_method(cpu, &o), cuonn_benchmark_has_methods(o.what));
    o.n_modes = 64;
    o.batch_size = 4096;
    const bool dense = cuonn_benchmark_auto(cpu, &o) == CUONN_METHOD_DENSE;
    assert_int_equal(dense, cuonn_benchmark_has_methods(o.what));
  }
}

static void test_measure__summarizes_samples(void **unused) {
  (void)unused;
  for (size_t what = 0; what < CUONN_BENCHMARK_CASES; what++) {
    for (int i = 0; i < 2; i++) {
      cuonn_benchmark_options o = small((cuonn_benchmark_case)what);
      cuonn_benchmark b;
      o.most_seconds = 60;
      OK(cuonn_benchmark_measure(&b, i ? cpu : reference, &o));
      assert_int_equal(b.n_samples, 12);
      for (size_t k = 0; k < b.n_samples; k++)
        assert_true(b.seconds[k] > 0 && (k == 0 || b.seconds[k - 1] <= b.seconds[k]));
      /* ranks 1.1, 5.5 and 9.9 of 0..11 */
      assert_true(b.p10 == b.seconds[1] && b.median == b.seconds[6] && b.p90 == b.seconds[10]);
      const bool propagates = what == CUONN_BENCHMARK_PROPAGATE || what == CUONN_BENCHMARK_PROPAGATE_STAGES;
      if (what == CUONN_BENCHMARK_TRAIN_STEP || propagates) {
        assert_int_equal(b.n_steps, i == 1 && !propagates ? 16 : 1);
      } else {
        assert_true(b.n_steps >= 1 && b.n_steps <= 64);
      }
      cuonn_benchmark_free(&b);
    }
  }
}

/* Fewer samples where there is no time for all, and each training step by itself. */
static void test_measure__keeps_to_its_time(void **unused) {
  (void)unused;
  for (size_t what = 0; what < CUONN_BENCHMARK_CASES; what++) {
    cuonn_benchmark_options o = small((cuonn_benchmark_case)what);
    cuonn_benchmark b;
    o.most_seconds = 1e-9;
    OK(cuonn_benchmark_measure(&b, cpu, &o));
    assert_int_equal(b.n_samples, 3);
    assert_int_equal(b.n_steps, 1);
    cuonn_benchmark_free(&b);
    o.n_samples = 2;
    OK(cuonn_benchmark_measure(&b, cpu, &o));
    assert_int_equal(b.n_samples, 2);
    cuonn_benchmark_free(&b);
  }
}

static void test_predict__tries_smaller_batches(void **unused) {
  (void)unused;
  cuonn_benchmark_options o = small(CUONN_BENCHMARK_TRAIN_STEP);
  double seconds;
  o.batch_size = 64;
  OK(cuonn_benchmark_predict(&seconds, reference, &o, 1e-12));
  assert_true(seconds > 1e-12);
  o.batch_size = 1;
  OK(cuonn_benchmark_predict(&seconds, reference, &o, 1e-12));
  assert_true(seconds == 0);
}

static void test_check__backends_agree(void **unused) {
  (void)unused;
  cuonn_context *const contexts[] = {cpu, reference};
  for (size_t what = 0; what < CUONN_BENCHMARK_CASES; what++) {
    const cuonn_benchmark_options o = small((cuonn_benchmark_case)what);
    OK(cuonn_benchmark_check(contexts, 2, &o));
  }
}

/* A backend that is right by columns and wrong by dense. */
static bool by_dense;
static cuonn_status create_noting(void **state, const backend_problem *problem) {
  by_dense = problem->method == CUONN_METHOD_DENSE;
  return cuonn_backend_reference.create(state, problem);
}
static cuonn_status wrong_by_dense(double *losses, void *state, const cuonn_step *steps, size_t n_steps) {
  const cuonn_status status = cuonn_backend_reference.train_steps(losses, state, steps, n_steps);
  if (by_dense) losses[1] *= 1 + 5e-4;
  return status;
}

static void test_check__covers_both_methods(void **unused) {
  (void)unused;
  cuonn_backend wrong = cuonn_backend_reference;
  cuonn_context context = {.backend = &wrong};
  cuonn_context *const contexts[] = {&context, reference};
  const cuonn_benchmark_options o = small(CUONN_BENCHMARK_TRAIN_STEP);
  wrong.create = create_noting;
  wrong.train_steps = wrong_by_dense;
  OK(cuonn_benchmark_check(contexts, 2, &o));
  wrong.auto_method = cuonn_backend_cpu.auto_method; /* it has dense */
  REFUSED(cuonn_benchmark_check(contexts, 2, &o), CUONN_E_INTERNAL, "train_step of 16 modes by dense");
}

/* A backend that is wrong in one number of each of its results, by a factor. */
static double factor;
static cuonn_status wrong_features(double *out, void *state, cuonn_split split) {
  const cuonn_status status = cuonn_backend_reference.get_features(out, state, split);
  out[33] += factor - 1; /* features are about 1 */
  return status;
}
static cuonn_status wrong_evaluation(cuonn_evaluation *out, void *state, size_t first, size_t n_models,
                                     cuonn_split split) {
  const cuonn_status status = cuonn_backend_reference.evaluate(out, state, first, n_models, split);
  out->loss *= factor;
  return status;
}
static cuonn_status wrong_steps(double *losses, void *state, const cuonn_step *steps, size_t n_steps) {
  const cuonn_status status = cuonn_backend_reference.train_steps(losses, state, steps, n_steps);
  losses[2] *= factor;
  return status;
}
static cuonn_status wrong_fields(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                                 const cuonn_buffer *in, bool backward, backend_place place) {
  const cuonn_status status = cuonn_backend_reference.propagate(out, taps, mesh, in, backward, place);
  double *const last =
      taps ? taps->after_coupler + 2 * mesh->n_modes * in->count - 1 : (double *)out->data + 2 * in->count - 1;
  *last += factor - 1;
  return status;
}

static void test_check__refuses_a_wrong_backend(void **unused) {
  (void)unused;
  cuonn_backend wrong = cuonn_backend_reference;
  cuonn_context context = {.backend = &wrong};
  cuonn_context *const contexts[] = {&context, reference};
  wrong.name = "wrong";
  wrong.get_features = wrong_features;
  wrong.evaluate = wrong_evaluation;
  wrong.train_steps = wrong_steps;
  wrong.propagate = wrong_fields;
  for (size_t what = 0; what < CUONN_BENCHMARK_CASES; what++) {
    const cuonn_benchmark_options o = small((cuonn_benchmark_case)what);
    factor = 1 + 1e-6;
    OK(cuonn_benchmark_check(contexts, 2, &o));
    factor = 1 + 5e-4; /* fields and features: of the largest, which is less than 10 */
    REFUSED(cuonn_benchmark_check(contexts, 2, &o), CUONN_E_INTERNAL, "in backend wrong");
    factor = NAN;
    REFUSED(cuonn_benchmark_check(contexts, 2, &o), CUONN_E_INTERNAL, "nan in backend wrong");
  }
}

static void refused(cuonn_benchmark_options o, cuonn_status status, const char *text) {
  cuonn_benchmark b;
  double seconds;
  REFUSED(cuonn_benchmark_options_check(&o), status, text);
  REFUSED(cuonn_benchmark_measure(&b, reference, &o), status, text);
  REFUSED(cuonn_benchmark_predict(&seconds, reference, &o, 1), status, text);
  REFUSED(cuonn_benchmark_check(&reference, 1, &o), status, text);
}

#define REFUSED_WITH(member, value, status, text)                  \
  do {                                                             \
    cuonn_benchmark_options o = small(CUONN_BENCHMARK_TRAIN_STEP); \
    o.member = (value);                                            \
    refused(o, (status), (text));                                  \
  } while (0)

static void test_measure__refuses_bad_options(void **unused) {
  (void)unused;
  REFUSED_WITH(n_modes, 7, CUONN_E_ARGUMENT, "modes is 7; allowed: 8 to 1024");
  REFUSED_WITH(n_modes, 1025, CUONN_E_ARGUMENT, "modes is 1025");
  REFUSED_WITH(batch_size, 0, CUONN_E_ARGUMENT, "batch size is 0; allowed: 1 to 65536");
  REFUSED_WITH(batch_size, 65537, CUONN_E_ARGUMENT, "65537");
  REFUSED_WITH(n_layers, 0, CUONN_E_ARGUMENT, "layers is 0");
  REFUSED_WITH(n_samples, 0, CUONN_E_ARGUMENT, "samples is 0");
  REFUSED_WITH(n_warm_up, 1000001, CUONN_E_ARGUMENT, "1000001");
  REFUSED_WITH(most_seconds, 0, CUONN_E_ARGUMENT, "must be positive");
  REFUSED_WITH(method, CUONN_METHOD_AUTO, CUONN_E_ARGUMENT, "columns or dense");
  REFUSED_WITH(what, (cuonn_benchmark_case)6, CUONN_E_ARGUMENT, "case 6");
  cuonn_benchmark_options o = small(CUONN_BENCHMARK_FEATURES);
  o.method = CUONN_METHOD_DENSE;
  refused(o, CUONN_E_ARGUMENT, "case features has no method dense");
  o.method = CUONN_METHOD_COLUMNS;
  o.n_modes = 17;
  refused(o, CUONN_E_SHAPE, "not 17");
}

static void test_case__names(void **unused) {
  (void)unused;
  cuonn_benchmark_case what;
  for (size_t i = 0; i < CUONN_BENCHMARK_CASES; i++) {
    OK(cuonn_benchmark_case_parse(&what, cuonn_benchmark_case_name((cuonn_benchmark_case)i)));
    assert_int_equal(what, i);
  }
  assert_null(cuonn_benchmark_case_name((cuonn_benchmark_case)CUONN_BENCHMARK_CASES));
  REFUSED(cuonn_benchmark_case_parse(&what, "train"), CUONN_E_ARGUMENT, "train_step");
}

static void test_machine__says_what_it_is(void **unused) {
  (void)unused;
  cuonn_machine machine;
  OK(cuonn_machine_measure(&machine, cpu));
  assert_non_null(strstr(machine.name, "2 threads"));
  assert_true(machine.bytes_per_second > 0 && machine.flops_per_second > 0 && machine.clock_hz >= 0);
  OK(cuonn_machine_measure(&machine, reference));
  assert_non_null(strstr(machine.name, "double"));
  assert_true(machine.bytes_per_second > 0 && machine.flops_per_second > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_count__small_cases),
      cmocka_unit_test(test_count__test_set),
      cmocka_unit_test(test_count__dense),
      cmocka_unit_test(test_methods__are_those_of_the_backend),
      cmocka_unit_test(test_measure__summarizes_samples),
      cmocka_unit_test(test_measure__keeps_to_its_time),
      cmocka_unit_test(test_predict__tries_smaller_batches),
      cmocka_unit_test(test_check__backends_agree),
      cmocka_unit_test(test_check__refuses_a_wrong_backend),
      cmocka_unit_test(test_check__covers_both_methods),
      cmocka_unit_test(test_measure__refuses_bad_options),
      cmocka_unit_test(test_case__names),
      cmocka_unit_test(test_machine__says_what_it_is),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
