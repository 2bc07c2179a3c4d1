/* cuonn bench: how long every backend takes, beside each other and beside what their machines could do. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands/bench_output.h"
#include "cli/commands/bench_plot.h"
#include "cli/context.h"

static const cuonn_method methods[] = {CUONN_METHOD_COLUMNS, CUONN_METHOD_DENSE};
enum { kMethods = sizeof methods / sizeof *methods };

typedef struct {
  const char *cases, *modes, *batches, *layers, *samples, *seconds, *threads, *method, *commit, *json, *plot;
  bool print_json;
} arguments;

/* An optional value is only joined to its option by '='; here the next word may be it, too. */
static error_t take_json(arguments *a, const char *value, struct argp_state *state) {
  if (!value && state->next < state->argc && state->argv[state->next][0] != '-') value = state->argv[state->next++];
  a->json = value;
  a->print_json = value == NULL;
  return 0;
}

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'c': a->cases = value; return 0;
    case 'n': a->modes = value; return 0;
    case 'b': a->batches = value; return 0;
    case 'l': a->layers = value; return 0;
    case 's': a->samples = value; return 0;
    case 'm': a->seconds = value; return 0;
    case 't': a->threads = value; return 0;
    case 'x': a->method = value; return 0;
    case 'r': a->commit = value; return 0;
    case 'j': return take_json(a, value, state);
    case 'p': a->plot = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&(const char *){""}, value);
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"case", 'c', "CASE,...", 0, "features, forward, propagate, propagate_stages, train_step, evaluate (all of them)",
     0},
    {"modes", 'n', "N,...", 0, "Modes N, 8 to 1024 (8,64,256)", 0},
    {"batch", 'b', "COUNT,...", 0, "Examples of a batch, 1 to 65536 (512)", 0},
    {"layers", 'l', "COUNT,...", 0, "Layers of the network (3)", 0},
    {"samples", 's', "COUNT", 0, "Samples of each row (20)", 0},
    {"seconds", 'm', "SECONDS", 0,
     "Longest time for a row's samples (6): fewer are taken of a slow operation, and one that would take more than a "
     "quarter of it is skipped",
     0},
    {"threads", 't', "COUNT", 0, "Threads of the cpu backend, 0 = one a processor (0)", 0},
    {"method", 'x', "NAME", 0,
     "Only rows by this method, where a case has several (train_step, forward, evaluate): columns, dense, or that "
     "which "
     "auto takes",
     0},
    {"json", 'j', "FILE.json", OPTION_ARG_OPTIONAL,
     "File to write everything that was measured into, anew after every row, so that a run that is stopped leaves what "
     "it had; without a name it is printed, in place of the table",
     0},
    {"plot", 'p', "FILE.svg", 0, "File to draw into, as cuonn plot throughput does; needs gnuplot", 0},
    {"commit", 'r', "TEXT", 0, "What was built, for the JSON file", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .doc =
        "Measures every backend that can compute here, and prints median, spread and limits.\v"
        "Backends are compared with each other before they are timed; if one is wrong, nothing is timed. Data are "
        "noise, and lie where the backend computes. of_limit is the share of the median that the machine would need at "
        "least: to move the bytes, or for the floating-point operations, whichever takes longer, at rates that are "
        "measured first. vs_cpu is how many times faster than the fastest row of cpu it is. Where auto takes a method "
        "that was more than 10 % "
        "slower than the other, a line at the end says so. A row whose numbers say that the "
        "machine was busy ends with the reason.\n\n"
        "Reads no file. cuonn plot throughput draws what --json writes.\n\n"
        "Example:\n"
        "  cuonn bench --case train_step --modes 16,64,256,1024 --json bench.json --plot bench.svg",
};

/* ------------------------------------------------------------------------------------------------------ arguments */

static int parse_number(size_t *out, const char *option, const char *text) {
  char *end;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (errno || *end || *text < '0' || *text > '9') {
    return cli_fail(CLI_USAGE, "--%s: '%s' is not a whole number", option, text);
  }
  *out = (size_t)value;
  return CLI_DONE;
}

static int parse_case(size_t *out, const char *option, const char *text) {
  (void)option;
  cuonn_benchmark_case what;
  const cuonn_status status = cuonn_benchmark_case_parse(&what, text);
  *out = (size_t)what;
  return status == CUONN_OK ? CLI_DONE : cli_fail_library(status);
}

/* "a,b,c" to values. */
static int parse_list(bench_list *out, const char *option, const char *text,
                      int (*element)(size_t *, const char *, const char *)) {
  int code = CLI_DONE;
  char *const copy = strdup(text), *rest = copy;
  out->values = calloc(strlen(text) + 1, sizeof *out->values);
  if (!copy || !out->values) {
    code = cli_fail(CLI_RESOURCES, "not enough memory");
    goto done;
  }
  if (!*text) code = cli_fail(CLI_USAGE, "--%s: the list is empty", option);
  for (char *part; code == CLI_DONE && (part = strsep(&rest, ","));) {
    code = element(&out->values[out->count++], option, part);
  }
done:
  free(copy);
  return code;
}

static int parse_seconds(double *out, const char *text) {
  char *end;
  *out = strtod(text, &end);
  if (*end || end == text || !(*out > 0) || !isfinite(*out)) {
    return cli_fail(CLI_USAGE, "--seconds: '%s' is not a positive number", text);
  }
  return CLI_DONE;
}

static int check_method(const char *name) {
  if (!name) return CLI_DONE;
  for (int i = 0; cuonn_method_name((cuonn_method)i); i++) {
    if (strcmp(name, cuonn_method_name((cuonn_method)i)) == 0) return CLI_DONE;
  }
  return cli_fail(CLI_USAGE, "--method: '%s' is none; it is columns, dense or auto", name);
}

static int take_settings(bench_settings *s, const arguments *a) {
  int code = CLI_DONE;
  size_t threads = 0;
  static const char *const all = "features,forward,propagate,propagate_stages,train_step,evaluate";
  CLI_PASS_DONE(parse_list(&s->cases, "case", a->cases ? a->cases : all, parse_case));
  CLI_PASS_DONE(parse_list(&s->modes, "modes", a->modes ? a->modes : "8,64,256", parse_number));
  CLI_PASS_DONE(parse_list(&s->batches, "batch", a->batches ? a->batches : "512", parse_number));
  CLI_PASS_DONE(parse_list(&s->layers, "layers", a->layers ? a->layers : "3", parse_number));
  CLI_PASS_DONE(parse_number(&s->n_samples, "samples", a->samples ? a->samples : "20"));
  CLI_PASS_DONE(parse_seconds(&s->seconds, a->seconds ? a->seconds : "6"));
  CLI_PASS_DONE(parse_number(&threads, "threads", a->threads ? a->threads : "0"));
  s->threads = threads > CUONN_THREADS_MAX ? CUONN_THREADS_MAX + 1
                                           : (int)threads; /* one too many: refused by the library, in its words */
  s->method = a->method;
  CLI_PASS_DONE(check_method(s->method));
  s->commit = a->commit ? a->commit : "";
  s->json = a->json;
  s->print_json = a->print_json;
  s->plot = a->plot;
  if (s->json && s->plot && strcmp(s->json, s->plot) == 0)
    return cli_fail(CLI_USAGE, "--json and --plot name the same file, %s", s->json);
  CLI_PASS_DONE(bench_check_writable(s->json));
  CLI_PASS_DONE(bench_check_writable(s->plot));
done:
  return code;
}

/* ----------------------------------------------------------------------------------------------------------- rows */

/* Calls `each` for every case and size; numbers that a case does not use are not varied, and layers are then 1. */
static int for_each_size(bench_run *run, int (*each)(bench_run *, const cuonn_benchmark_options *)) {
  const bench_settings *const s = &run->settings;
  for (size_t i = 0; i < s->cases.count; i++) {
    const cuonn_benchmark_case what = (cuonn_benchmark_case)s->cases.values[i];
    const size_t n_batches = bench_uses_batch(what) ? s->batches.count : 1;
    const size_t n_layers = bench_uses_layers(what) ? s->layers.count : 1;
    for (size_t k = 0; k < s->modes.count * n_batches * n_layers; k++) {
      cuonn_benchmark_options o = CUONN_BENCHMARK_OPTIONS_INIT;
      o.what = what;
      o.n_modes = s->modes.values[k / n_layers / n_batches];
      o.batch_size = s->batches.values[k / n_layers % n_batches];
      o.n_layers = bench_uses_layers(what) ? s->layers.values[k % n_layers] : 1;
      o.n_samples = s->n_samples;
      o.most_seconds = s->seconds;
      const int code = each(run, &o);
      if (code != CLI_DONE) return code;
    }
  }
  return CLI_DONE;
}

/* A number that is out of range is refused before anything is measured; one that only does not fit a case is not. */
static int check_size(bench_run *run, const cuonn_benchmark_options *o) {
  const cuonn_status status = cuonn_benchmark_options_check(o);
  run->n_rows += kMethods * run->n_backends;
  return status == CUONN_OK || status == CUONN_E_SHAPE ? CLI_DONE : cli_fail_library(status);
}

/* What one backend cannot do, or not in time or memory, is no reason to stop; a wrong number is. */
static int skip(bench_row *row, cuonn_status status) {
  if (status != CUONN_E_SHAPE && status != CUONN_E_MEMORY) return cli_fail_library(status);
  snprintf(row->skipped, sizeof row->skipped, "%s", cuonn_last_error());
  return CLI_DONE;
}

static int measure_row(bench_row *row) {
  const bench_backend *const b = row->of;
  cuonn_benchmark result = {0};
  double predicted = 0;
  const double enough = row->options.most_seconds / 4;
  row->work = cuonn_benchmark_count(&row->options);
  cuonn_status status = cuonn_benchmark_predict(&predicted, b->context, &row->options, enough);
  if (status == CUONN_OK && predicted > enough) {
    snprintf(row->skipped, sizeof row->skipped, "one operation would take about %.2g s; --seconds %g allows %g",
             predicted, row->options.most_seconds, enough);
    return CLI_DONE;
  }
  if (status == CUONN_OK) status = cuonn_benchmark_measure(&result, b->context, &row->options);
  if (status != CUONN_OK) return skip(row, status);
  row->n_samples = result.n_samples;
  row->n_steps = result.n_steps;
  row->median = result.median;
  row->p10 = result.p10;
  row->p90 = result.p90;
  row->limit_bytes = row->work.bytes / b->machine.bytes_per_second;
  row->limit_flops = row->work.flops / b->machine.flops_per_second;
  cuonn_benchmark_free(&result);
  return CLI_DONE;
}

/* Rows of one case and size, the same backend's beside each other: by every method that is wanted. */
static size_t make_rows(bench_row *rows, const bench_run *run, const cuonn_benchmark_options *o) {
  const char *const wanted = run->settings.method;
  size_t count = 0;
  for (size_t i = 0; i < kMethods * run->n_backends; i++) {
    const bench_backend *const b = run->backends + i / kMethods;
    cuonn_benchmark_options by = *o;
    by.method = methods[i % kMethods];
    if (!cuonn_benchmark_has_method(b->context, &by)) continue;
    const bool taken = by.method == cuonn_benchmark_auto(b->context, o);
    const bool named =
        !wanted || (strcmp(wanted, "auto") == 0 ? taken : strcmp(wanted, cuonn_method_name(by.method)) == 0);
    if (cuonn_benchmark_has_methods(o->what) && !named) continue;
    rows[count++] = (bench_row){.options = by, .backend = b->name, .of = b, .by_auto = taken};
  }
  return count;
}

static int measure_size(bench_run *run, const cuonn_benchmark_options *o) {
  int code = CLI_DONE;
  bench_row *const rows = run->rows + run->n_rows;
  const size_t count = make_rows(rows, run, o);
  double cpu = NAN;
  cuonn_context **const contexts = calloc(run->n_backends, sizeof(cuonn_context *));
  if (!contexts) return cli_fail(CLI_RESOURCES, "not enough memory");
  for (size_t i = 0; i < run->n_backends; i++) contexts[i] = run->backends[i].context;
  const cuonn_status status = cuonn_benchmark_check(contexts, run->n_backends, o);
  for (size_t i = 0; i < count; i++) {
    CLI_PASS_DONE(status == CUONN_OK ? measure_row(&rows[i]) : skip(&rows[i], status));
    if (strcmp(rows[i].backend, "cpu") == 0 && !*rows[i].skipped) cpu = fmin(cpu, rows[i].median);
    for (size_t k = 0; k <= i; k++) rows[k].vs_cpu = cpu / rows[k].median;
    run->n_rows++;
    CLI_PASS_DONE(bench_write_json(run)); /* so that nothing is lost if the run is killed */
  }
  for (size_t i = 0; i < count && !run->settings.print_json; i++) bench_print_row(&rows[i]);
done:
  free(contexts);
  return code;
}

/* ------------------------------------------------------------------------------------------------------- backends */

static int open_backends(bench_run *run) {
  size_t count = 0;
  while (cuonn_backend_name(count)) count++;
  run->backends = calloc(count + 1, sizeof *run->backends);
  if (!run->backends) return cli_fail(CLI_RESOURCES, "not enough memory");
  for (size_t i = 0; i < count; i++) {
    bench_backend *const b = &run->backends[run->n_backends];
    b->name = cuonn_backend_name(i);
    const cuonn_status status = cuonn_context_create(&b->context, b->name, run->settings.threads);
    if (status == CUONN_E_DEVICE) {
      fprintf(stderr, "cuonn bench: backend %s is left out: %s\n", b->name, cuonn_last_error());
      continue;
    }
    if (status != CUONN_OK) return cli_fail_library(status);
    run->n_backends++;
    cli_tell_backend(b->context);
  }
  return CLI_DONE;
}

static int measure_machines(bench_run *run) {
  int code = CLI_DONE;
  for (size_t i = 0; i < run->n_backends; i++) {
    CLI_TRY_DONE(cuonn_machine_measure(&run->backends[i].machine, run->backends[i].context));
  }
done:
  return code;
}

static int run_command(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  bench_run run = {0};
  CLI_PASS_DONE(cli_parse(&args, NULL, &argp, argc, argv));
  CLI_PASS_DONE(take_settings(&run.settings, &args));
  CLI_PASS_DONE(open_backends(&run));
  CLI_PASS_DONE(for_each_size(&run, check_size));
  run.rows = calloc(run.n_rows + 1, sizeof *run.rows);
  if (!run.rows) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for %zu rows", run.n_rows);
    goto done;
  }
  run.n_rows = 0;
  CLI_PASS_DONE(measure_machines(&run));
  CLI_PASS_DONE(bench_write_json(&run));
  if (!run.settings.print_json) bench_print_head(&run);
  CLI_PASS_DONE(for_each_size(&run, measure_size));
  if (run.settings.print_json)
    CLI_PASS_DONE(cli_print_json(bench_json(&run)));
  else
    bench_print_end(&run);
  if (run.settings.json) printf("all numbers in %s\n", run.settings.json);
  if (run.settings.plot) CLI_PASS_DONE(bench_draw(&run));
done:
  for (size_t i = 0; i < run.n_backends; i++) cuonn_context_free(run.backends[i].context);
  free(run.backends);
  free(run.rows);
  free(run.settings.cases.values);
  free(run.settings.modes.values);
  free(run.settings.batches.values);
  free(run.settings.layers.values);
  return code;
}

const cli_command cli_bench = {"bench", "time of every backend beside what its machine can do", &argp, run_command};
