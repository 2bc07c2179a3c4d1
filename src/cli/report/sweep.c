/* The report of a sweep: its grid, its best, worst and failed runs, its figures, and how to repeat it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/data.h"
#include "cli/output.h"
#include "cli/report/html.h"
#include "cli/report/page.h"
#include "cli/report/sweep.h"

/* Rows that are seen at once, and in all; sweep.nc has the others. */
enum { kBest = 5, kFailed = 20, kRuns = 2000 };

/* A sweep, and its points from the least test error to failed ones and those that are not done. */
typedef struct {
  const char *path;
  char *directory, *name, *report, *config_text;
  cuonn_sweep_record record;
  size_t *order; /* [n_points] */
  size_t n_finished, n_failed;
} sweep_files;

/* -------------------------------------------------------------------------------------------------------- the sweep */

/* Finished runs by their error, then failed ones, then the others, each by their number. */
typedef struct {
  int kind; /* 0: finished; 1: failed; 2: not done */
  double error;
  size_t point;
} ranked;

static int compare(const void *a, const void *b) {
  const ranked *const x = a, *const y = b;
  if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
  if (x->kind == 0 && x->error != y->error) return x->error < y->error ? -1 : 1;
  return x->point < y->point ? -1 : x->point > y->point;
}

static int rank_runs(sweep_files *s) {
  const cuonn_sweep_record *const r = &s->record;
  ranked *const all = calloc(r->n_points, sizeof *all);
  s->order = calloc(r->n_points, sizeof *s->order);
  if (!all || !s->order) {
    free(all);
    return cli_fail(CLI_RESOURCES, "not enough memory for %zu runs", r->n_points);
  }
  for (size_t p = 0; p < r->n_points; p++) {
    const cuonn_sweep_result *const result = &r->results[p];
    const bool finished = r->done[p] && result->status == CUONN_OK && result->n_epochs > 0;
    all[p] = (ranked){finished     ? 0
                      : r->done[p] ? 1
                                   : 2,
                      finished ? result->epochs[result->n_epochs - 1].test_error : 0, p};
    s->n_finished += finished;
    s->n_failed += r->done[p] && !finished;
  }
  qsort(all, r->n_points, sizeof *all, compare);
  for (size_t i = 0; i < r->n_points; i++) s->order[i] = all[i].point;
  free(all);
  return CLI_DONE;
}

static int read_sweep(sweep_files *s) {
  int code = CLI_DONE;
  struct stat info;
  CLI_TRY_DONE(cuonn_sweep_read(&s->record, s->path));
  const char *const slash = strrchr(s->path, '/');
  if (stat(s->path, &info) != 0) {
    code = cli_fail(CLI_BAD_FILE, "%s: cannot be read: %s", s->path, strerror(errno));
    goto done;
  }
  if (S_ISDIR(info.st_mode))
    s->directory = strdup(s->path);
  else
    s->directory = slash ? strndup(s->path, (size_t)(slash - s->path) + 1) : strdup(".");
  s->config_text = cuonn_grid_text(&s->record.grid);
  if (!s->directory || !s->config_text) {
    code = cli_fail(CLI_RESOURCES, "not enough memory");
    goto done;
  }
  CLI_PASS_DONE(cli_report_name(&s->name, s->directory));
  CLI_PASS_DONE(cli_report_join(&s->report, s->directory, "report.html"));
  code = rank_runs(s);
done:
  return code;
}

static void free_sweep(sweep_files *s) {
  cuonn_sweep_record_free(&s->record);
  free(s->order);
  free(s->config_text);
  free(s->report);
  free(s->name);
  free(s->directory);
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

static void write_start(FILE *out, const sweep_files *s) {
  const cuonn_config *const base = &s->record.grid.base;
  const cuonn_network_shape *const shape = &base->network;
  const size_t missing = s->record.n_points - s->record.n_done;
  fputs("<h1>", out);
  cli_page_text(out, s->name);
  fprintf(out,
          "</h1>\n<p>A sweep of %zu runs: optical neural networks of %zu mesh%s of N = %zu waveguides, each trained "
          "for %zu epochs on the %s in ",
          s->record.n_points, shape->n_layers, shape->n_layers == 1 ? "" : "es", shape->n_modes, base->training.epochs,
          cli_data_kind(base));
  fputs("<code>", out);
  cli_page_text(out, cli_data_name(base));
  fprintf(out, "</code>. %zu runs finished, %zu failed", s->n_finished, s->n_failed);
  if (missing > 0) fprintf(out, ", <strong>%zu are not done</strong>", missing);
  fputs(".", out);
  if (s->n_finished > 0) {
    const cuonn_sweep_result *const best = &s->record.results[s->order[0]];
    fprintf(out, " Least test error: <strong>%.2f %%</strong>, of run %06zu.",
            100 * best->epochs[best->n_epochs - 1].test_error, s->order[0]);
  }
  fputs("</p>\n", out);
  if (missing > 0) {
    fputs("<p>What is not done is done by</p>\n<pre>cuonn sweep --resume ", out);
    cli_page_text(out, s->directory);
    fputs("</pre>\n", out);
  }
}

static void write_grid(FILE *out, const cuonn_grid *grid) {
  fputs("<h2>Grid</h2>\n", out);
  if (grid->n_axes == 0) fputs("<p>No key has a list: the sweep is one run.</p>\n", out);
  if (grid->n_axes == 0) return;
  fputs("<table><thead><tr><th>key</th><th>meaning</th><th>unit</th><th>values</th></tr></thead><tbody>\n", out);
  for (size_t a = 0; a < grid->n_axes; a++) {
    const cuonn_grid_axis *const axis = &grid->axes[a];
    fprintf(out, "<tr><th><code>%s</code></th><td>", axis->key);
    cli_page_text(out, axis->sentence);
    fputs("</td><td>", out);
    cli_page_text(out, axis->unit);
    fputs("</td><td>", out);
    for (size_t i = 0; i < axis->count; i++) {
      fputs(i ? ", " : "", out);
      cli_page_text(out, axis->values[i]);
    }
    if (axis->zipped) fputs("; together with those above", out);
    fputs("</td></tr>\n", out);
  }
  fputs("</tbody></table>\n", out);
}

static void write_head(FILE *out, const cuonn_grid *grid) {
  fputs(
      "<table><thead><tr><th>run</th><th>test error / %</th><th>train error / %</th><th>test loss</th>"
      "<th>training / s</th>",
      out);
  for (size_t a = 0; a < grid->n_axes; a++) {
    fputs("<th><code>", out);
    for (const char *c = grid->axes[a].coordinate; *c; c++) fprintf(out, *c == '_' ? "%c<wbr/>" : "%c", *c);
    fputs("</code>", out);
    if (*grid->axes[a].unit) fputs(" / ", out);
    cli_page_text(out, grid->axes[a].unit);
    fputs("</th>", out);
  }
  fputs("</tr></thead><tbody>\n", out);
}

static void write_run(FILE *out, const sweep_files *s, size_t point) {
  const cuonn_grid *const grid = &s->record.grid;
  const cuonn_sweep_result *const result = &s->record.results[point];
  fprintf(out, "<tr><th>%06zu</th>", point);
  if (!s->record.done[point]) {
    fputs("<td colspan=\"4\">not done</td>", out);
  } else if (result->status != CUONN_OK || result->n_epochs == 0) {
    fputs("<td colspan=\"4\">", out);
    cli_page_text(out, result->reason);
    fputs("</td>", out);
  } else {
    const cuonn_sweep_epoch *const last = &result->epochs[result->n_epochs - 1];
    double seconds = 0;
    for (size_t e = 0; e < result->n_epochs; e++) seconds += result->epochs[e].seconds;
    fprintf(out, "<td>%.2f</td><td>%.2f</td><td>%.5f</td><td>%.2f</td>", 100 * last->test_error,
            100 * last->train_error, last->test_loss, seconds);
  }
  for (size_t a = 0; a < grid->n_axes; a++) {
    fputs("<td>", out);
    cli_page_text(out, cuonn_grid_value(grid, a, point));
    fputs("</td>", out);
  }
  fputs("</tr>\n", out);
}

/* Runs `from` to `to` in their order. */
static void write_runs(FILE *out, const sweep_files *s, const char *heading, size_t from, size_t to) {
  if (from >= to) return;
  fprintf(out, "<h3>%s</h3>\n", heading);
  write_head(out, &s->record.grid);
  for (size_t i = from; i < to; i++) write_run(out, s, s->order[i]);
  fputs("</tbody></table>\n", out);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void write_numbers(FILE *out, const sweep_files *s) {
  const size_t n = s->n_finished, points = s->record.n_points, shown = least(points, kRuns);
  const size_t failed = least(s->n_failed, kFailed);
  fputs("<h2>Results</h2>\n<p>Errors are shares of test examples taken for another class, after the last epoch.</p>\n",
        out);
  write_runs(out, s, "Best runs", 0, least(n, kBest));
  write_runs(out, s, "Worst run", n > kBest ? n - 1 : n, n);
  write_runs(out, s, "Failed runs", n, n + failed);
  if (s->n_failed > failed) fprintf(out, "<p>And %zu more that failed.</p>\n", s->n_failed - failed);
  fprintf(out, "<details><summary>%s by test error</summary>\n", shown < points ? "The first 2000 runs" : "Every run");
  write_head(out, &s->record.grid);
  for (size_t i = 0; i < shown; i++) write_run(out, s, s->order[i]);
  fputs("</tbody></table>\n</details>\n", out);
}

/* ---------------------------------------------------------------------------------------------------------- figures */

static int write_figures(cli_report_page *page, const sweep_files *s) {
  static const struct {
    const cli_figure *figure;
    const char *caption;
  } all[] = {
      {&cli_figure_sweep_map, "test error over the grid, mean over the seeds"},
      {&cli_figure_sweep_bars, "test error against each key by itself, over all that varies besides"},
      {&cli_figure_tolerance, "test accuracy against the error of the couplers"},
      {&cli_figure_tradeoff,
       "what accuracy costs: efficiency and laser power of chips with this noise, by the components of the section "
       "energy"},
  };
  int code = CLI_DONE;
  cli_sweep_view view;
  cli_figure_source source = {.files = (const char *const[]){s->path}, .n_files = 1};
  fputs("<h2>Figures</h2>\n", page->out);
  CLI_PASS_DONE(cli_sweep_view_read(&view, s->path));
  for (size_t i = 0; i < sizeof all / sizeof *all && !page->missing; i++)
    if (all[i].figure->fits(&view)) CLI_PASS_DONE(cli_report_figure(page, all[i].figure, &source, all[i].caption));
  if (page->n_figures == 0 && !page->missing)
    fputs("<p>Nothing but seeds varies: there is nothing to draw.</p>\n", page->out);
done:
  cli_sweep_view_free(&view);
  return code;
}

/* --------------------------------------------------------------------------------------------------------- the page */

static void write_repeat(FILE *out) {
  fputs(
      "<h2>How to repeat it</h2>\n<p>The configuration below, which the directory of the sweep holds as "
      "<code>sweep.yaml</code>, has every key. The command makes the same sweep again:</p>\n"
      "<pre>cuonn sweep sweep.yaml --output again</pre>\n"
      "<p>The same build, backend and processor type give the same bits, for any number of threads. ",
      out);
}

static int check_output(const sweep_files *s) {
  int code = CLI_DONE;
  CLI_TRY_DONE(cuonn_directory_check(s->directory, "report.html"));
  code = CLI_CHECK_OUTPUT(s->report, s->path, s->directory);
done:
  return code;
}

int cli_report_sweep(char **written, const char *path) {
  int code = CLI_DONE;
  sweep_files sweep = {.path = path};
  cli_report_page page = {0};
  *written = NULL;
  CLI_PASS_DONE(read_sweep(&sweep));
  CLI_PASS_DONE(check_output(&sweep));
  CLI_PASS_DONE(cli_report_begin(&page, sweep.name));
  write_start(page.out, &sweep);
  write_grid(page.out, &sweep.record.grid);
  write_numbers(page.out, &sweep);
  if (sweep.n_finished > 0) CLI_PASS_DONE(write_figures(&page, &sweep));
  write_repeat(page.out);
  cli_report_end(&page, sweep.config_text);
  CLI_PASS_DONE(cli_report_save(&page, sweep.report));
  if (page.missing) goto done;
  *written = sweep.report;
  sweep.report = NULL;
done:
  cli_report_free(&page);
  free_sweep(&sweep);
  return code;
}
