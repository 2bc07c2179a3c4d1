#include "cli/commands/bench_output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void bench_print_end(const bench_run *run) {
  size_t doubtful = 0, measured = 0;
  for (size_t i = 0; i < run->n_rows; i++) {
    measured += !*run->rows[i].skipped;
    doubtful += bench_doubt(&run->rows[i]) != NULL;
  }
  if (doubtful > 0)
    printf("\nThe machine was busy: %zu of %zu rows are not to be relied on; measure again when nothing else runs\n",
           doubtful, measured);
  for (size_t i = 0; i < run->n_rows; i++) {
    const bench_row *const row = run->rows + i, *const better = bench_better(run, row);
    if (!better) continue;
    printf("\nauto takes %s for %s of N %zu, batch %zu, %zu layers on %s, where %s was %.2f times faster\n",
           bench_method(row), cuonn_benchmark_case_name(row->options.what), row->options.n_modes, row->work.n_examples,
           row->options.n_layers, row->backend, bench_method(better), row->median / better->median);
  }
  cli_flush();
}

void bench_print_head(const bench_run *run) {
  for (size_t i = 0; i < run->n_backends; i++) {
    const cuonn_machine *const m = &run->backends[i].machine;
    printf("%-10s %s", run->backends[i].name, m->name);
    if (m->clock_hz > 0) printf(", %.2f GHz", 1e-9 * m->clock_hz);
    printf(": %.4g GB/s, %.4g GFLOP/s\n", 1e-9 * m->bytes_per_second, 1e-9 * m->flops_per_second);
  }
  printf("\n%-16s %5s %6s %6s  %-10s %-8s %11s  %-23s %12s %9s %8s %8s\n", "case", "N", "batch", "layers", "backend",
         "method", "median_us", "p10..p90", "examples/s", "of_limit", "vs_cpu", "samples");
  cli_flush();
}

void bench_print_row(const bench_row *row) {
  char layers[24] = "-", spread[64], ratio[24] = "-";
  const cuonn_benchmark_options *const o = &row->options;
  if (bench_uses_layers(o->what)) snprintf(layers, sizeof layers, "%zu", o->n_layers);
  printf("%-16s %5zu %6zu %6s  %-10s %-8s ", cuonn_benchmark_case_name(o->what), o->n_modes,
         cuonn_benchmark_count(o).n_examples, layers, row->backend, bench_method(row) ? bench_method(row) : "-");
  if (*row->skipped) {
    printf("skipped: %s\n", row->skipped);
  } else {
    snprintf(spread, sizeof spread, "%.1f..%.1f", 1e6 * row->p10, 1e6 * row->p90);
    if (isfinite(row->vs_cpu)) snprintf(ratio, sizeof ratio, "%.3g", row->vs_cpu);
    const char *const doubt = bench_doubt(row);
    printf("%11.1f  %-23s %12.0f %9.3f %8s %8zu%s%s\n", 1e6 * row->median, spread,
           (double)row->work.n_examples / row->median, bench_of_limit(row), ratio, row->n_samples, doubt ? "  " : "",
           doubt ? doubt : "");
  }
  cli_flush();
}

/* ------------------------------------------------------------------------------------------------------------ JSON */

static json_t *list(const bench_list *numbers) {
  json_t *const all = json_array();
  for (size_t i = 0; i < numbers->count; i++) {
    json_array_append_new(all, json_integer((json_int_t)numbers->values[i]));
  }
  return all;
}

static json_t *case_names(const bench_list *cases) {
  json_t *const all = json_array();
  for (size_t i = 0; i < cases->count; i++) {
    json_array_append_new(all, json_string(cuonn_benchmark_case_name((cuonn_benchmark_case)cases->values[i])));
  }
  return all;
}

static json_t *machines(const bench_run *run) {
  json_t *const all = json_array();
  for (size_t i = 0; i < run->n_backends; i++) {
    const cuonn_machine *const m = &run->backends[i].machine;
    json_array_append_new(all, json_pack("{s:s, s:o, s:f, s:f, s:f}", "backend", run->backends[i].name, "name",
                                         cli_json_text(m->name), "clock_hz", m->clock_hz, "bytes_per_second",
                                         m->bytes_per_second, "flops_per_second", m->flops_per_second));
  }
  return all;
}

static json_t *row_json(const bench_row *row) {
  const cuonn_benchmark_options *const o = &row->options;
  json_t *const what =
      json_pack("{s:s, s:I, s:I, s:o, s:s, s:o, s:b}", "case", cuonn_benchmark_case_name(o->what), "modes",
                (json_int_t)o->n_modes, "batch", (json_int_t)cuonn_benchmark_count(o).n_examples, "layers",
                bench_uses_layers(o->what) ? json_integer((json_int_t)o->n_layers) : json_null(), "backend",
                row->backend, "method", cli_json_text(bench_method(row)), "auto", row->by_auto);
  json_t *const found =
      *row->skipped
          ? json_pack("{s:o}", "skipped", cli_json_text(row->skipped))
          : json_pack("{s:f, s:f, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "median_s", row->median,
                      "p10_s", row->p10, "p90_s", row->p90, "samples", (json_int_t)row->n_samples, "steps_per_sample",
                      (json_int_t)row->n_steps, "examples_per_second", (double)row->work.n_examples / row->median,
                      "flops", row->work.flops, "bytes", row->work.bytes, "limit_flops_s", row->limit_flops,
                      "limit_bytes_s", row->limit_bytes, "of_limit", bench_of_limit(row), "vs_cpu",
                      cli_json_number(row->vs_cpu), "busy", cli_json_text(bench_doubt(row)));
  json_object_update_missing(what, found);
  json_decref(found);
  return what;
}

/* Rows whose method auto takes although the other was faster. */
static json_t *slower(const bench_run *run) {
  json_t *const all = json_array();
  for (size_t i = 0; i < run->n_rows; i++) {
    const bench_row *const row = run->rows + i, *const better = bench_better(run, row);
    if (!better) continue;
    json_array_append_new(
        all, json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:f}", "case", cuonn_benchmark_case_name(row->options.what),
                       "modes", (json_int_t)row->options.n_modes, "batch", (json_int_t)row->work.n_examples, "layers",
                       (json_int_t)row->options.n_layers, "backend", row->backend, "taken", bench_method(row), "better",
                       bench_method(better), "ratio", row->median / better->median));
  }
  return all;
}

json_t *bench_json(const bench_run *run) {
  const bench_settings *const s = &run->settings;
  char date[32];
  const time_t now = time(NULL);
  struct tm utc;
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  json_t *const results = json_array();
  for (size_t i = 0; i < run->n_rows; i++) json_array_append_new(results, row_json(&run->rows[i]));
  return json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:{s:o, s:o, s:o, s:o, s:I, s:f, s:i}, s:o, s:o}", "date", date,
                   "commit", cli_json_text(s->commit), "version", cuonn_version(), "build", cuonn_build(), "processor",
                   cuonn_processor(), "machines", machines(run), "options", "cases", case_names(&s->cases), "modes",
                   list(&s->modes), "batch", list(&s->batches), "layers", list(&s->layers), "samples",
                   (json_int_t)s->n_samples, "seconds", s->seconds, "threads", s->threads, "results", results,
                   "auto_slower", slower(run));
}

int bench_write_json(const bench_run *run) {
  int code = CLI_DONE;
  if (!run->settings.json) return CLI_DONE;
  json_t *const all = bench_json(run);
  char *const text = all ? json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
  char *line = NULL; /* with its end */
  const int length = text ? asprintf(&line, "%s\n", text) : -1;
  if (length < 0) {
    line = NULL;
    code = cli_fail(CLI_RESOURCES, "not enough memory for the JSON output");
    goto done;
  }
  CLI_TRY_DONE(cuonn_bytes_write(run->settings.json, line, (size_t)length));
done:
  free(line);
  free(text);
  json_decref(all);
  return code;
}

/* Whether a file may be made at `path`; none is, so that nobody reads an empty one. */
static int check_folder(const char *path) {
  char *const copy = strdup(path); /* dirname() writes into it */
  if (!copy) return cli_fail(CLI_RESOURCES, "not enough memory");
  const int reason = faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
  free(copy);
  return reason == 0 ? CLI_DONE : cli_fail(CLI_BAD_FILE, "%s: cannot be written: %s", path, strerror(reason));
}

int bench_check_writable(const char *path) {
  int code = CLI_DONE;
  if (!path) return CLI_DONE;
  CLI_TRY_DONE(cuonn_parents_make(path));
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return check_folder(path);
  if (file < 0) return cli_fail(CLI_BAD_FILE, "%s: cannot be written: %s", path, strerror(errno));
  close(file);
done:
  return code;
}
