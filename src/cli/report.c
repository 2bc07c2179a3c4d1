/* cuonn report: configuration, numbers and figures of a run in one HTML file, and how to repeat the run. */
#include "cli/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/figures/figures.h"
#include "cli/gnuplot.h"
#include "cli/page.h"

/* ------------------------------------------------------------------------------------------------------- the run */

/* A run as its files tell it. */
typedef struct {
  const char *directory;
  char *name;                           /* of the directory */
  char *metrics, *best, *last, *report; /* paths */
  cuonn_epoch_record *records;          /* [count] */
  size_t count, best_record;
  char *config_text; /* of last.nc: what the run was told last */
  cuonn_network_shape shape;
} run_files;

static int join(char **out, const char *directory, const char *name) {
  const size_t length = strlen(directory);
  const bool slash = length > 0 && directory[length - 1] == '/';
  if (asprintf(out, "%s%s%s", directory, slash ? "" : "/", name) >= 0) return CLI_DONE;
  *out = NULL;
  return cli_fail(CLI_RESOURCES, "not enough memory");
}

/* The last part of the directory's real path. */
static int name_run(run_files *run) {
  char *const whole = realpath(run->directory, NULL);
  if (!whole) return cli_fail(CLI_BAD_FILE, "%s: cannot be read: %s", run->directory, strerror(errno));
  const char *const slash = strrchr(whole, '/');
  run->name = strdup(slash && slash[1] ? slash + 1 : whole);
  free(whole);
  return run->name ? CLI_DONE : cli_fail(CLI_RESOURCES, "not enough memory");
}

static int read_run(run_files *run) {
  int code = CLI_DONE;
  cuonn_training_state state = {0};
  CLI_PASS_DONE(name_run(run));
  CLI_PASS_DONE(join(&run->metrics, run->directory, "metrics.csv"));
  CLI_PASS_DONE(join(&run->best, run->directory, "best.nc"));
  CLI_PASS_DONE(join(&run->last, run->directory, "last.nc"));
  CLI_PASS_DONE(join(&run->report, run->directory, "report.html"));
  CLI_TRY_DONE(cuonn_metrics_read(&run->records, &run->count, run->metrics));
  if (run->count == 0) {
    code = cli_fail(CLI_BAD_FILE, "%s: has no finished epoch to report", run->metrics);
    goto done;
  }
  for (size_t i = 1; i < run->count; i++)
    if (run->records[i].test_accuracy > run->records[run->best_record].test_accuracy) run->best_record = i;
  CLI_TRY_DONE(cuonn_checkpoint_read(&state, &run->config_text, run->last));
  run->shape = state.network.shape;
done:
  cuonn_training_state_free(&state);
  return code;
}

static void free_run(run_files *run) {
  free(run->config_text);
  free(run->records);
  free(run->report);
  free(run->last);
  free(run->best);
  free(run->metrics);
  free(run->name);
}

/* ----------------------------------------------------------------------------------------------------------- numbers */

static void write_start(FILE *out, const run_files *run) {
  const cuonn_network_shape *const s = &run->shape;
  fputs("<h1>", out);
  cli_page_text(out, run->name);
  fprintf(out,
          "</h1>\n<p>An optical neural network of %zu mesh%s of N = %zu waveguides with a modulus between them, phase "
          "style %s, %zu classes. "
          "Best test accuracy: <strong>%.2f %%</strong>, after epoch %zu of %zu.</p>\n",
          s->n_layers, s->n_layers == 1 ? "" : "es", s->n_modes, cuonn_phase_style_name(s->style), s->n_classes,
          100 * run->records[run->best_record].test_accuracy, run->records[run->best_record].epoch,
          run->records[run->count - 1].epoch);
}

static void write_row(FILE *out, const char *name, const cuonn_epoch_record *r) {
  fprintf(out, "<tr><th>%s</th><td>%zu</td><td>%.5f</td><td>%.5f</td><td>%.2f</td><td>%.2f</td><td>%.0f</td></tr>\n",
          name, r->epoch, r->train_loss, r->test_loss, 100 * r->test_accuracy, r->seconds, r->examples_per_second);
}

static void write_numbers(FILE *out, const run_files *run) {
  static const char head[] =
      "<table><thead><tr><th></th><th>epoch</th><th>train loss</th><th>test loss</th><th>test accuracy / %</th>"
      "<th>training / s</th><th>examples / s</th></tr></thead><tbody>\n";
  double seconds = 0;
  for (size_t i = 0; i < run->count; i++) seconds += run->records[i].seconds;
  fprintf(out, "<h2>Numbers</h2>\n%s", head);
  write_row(out, "first", &run->records[0]);
  write_row(out, "best", &run->records[run->best_record]);
  write_row(out, "last", &run->records[run->count - 1]);
  fprintf(out,
          "</tbody></table>\n<p>%zu phases of interferometers are trained, theta and phi of %zu nodes in each layer. "
          "Training took %.1f s in all, without the tests after the epochs. The train loss is the mean over the "
          "epoch's steps, each taken before its update.</p>\n<details><summary>Every epoch</summary>\n%s",
          2 * run->shape.n_layers * cuonn_mesh_nodes(run->shape.n_modes), cuonn_mesh_nodes(run->shape.n_modes), seconds,
          head);
  for (size_t i = 0; i < run->count; i++) write_row(out, "", &run->records[i]);
  fputs("</tbody></table>\n</details>\n", out);
}

/* ----------------------------------------------------------------------------------------------------------- figures */

/* Draws a figure into the page; *number counts them. */
static int write_figure(FILE *out, bool *missing, int *number, const cli_figure *figure, cli_figure_source *source,
                        const char *caption) {
  int code = CLI_DONE;
  char *data = NULL;
  size_t size;
  cli_drawing drawing = {0};
  CLI_PASS_DONE(cli_figure_data(&data, &size, figure, source));
  CLI_PASS_DONE(cli_gnuplot_draw(&drawing, figure->name, "svg", data, size));
  *missing |= drawing.missing;
  if (drawing.missing) goto done;
  fputs("<figure>\n", out);
  cli_page_svg(out, drawing.bytes, ++*number, caption);
  fprintf(out, "<figcaption>Figure %d: %s.</figcaption>\n</figure>\n", *number, caption);
done:
  free(drawing.bytes);
  free(data);
  return code;
}

static int write_figures(FILE *out, bool *missing, const run_files *run, const char *data, const cli_options *common) {
  int code = CLI_DONE, number = 0;
  cli_figure_source of_run = {.files = (const char *const[]){run->metrics}, .n_files = 1};
  cli_figure_source of_best = {
      .files = (const char *const[]){run->best}, .n_files = 1, .data = data, .common = *common};
  const bool pictures = run->shape.n_modes <= CLI_FIGURE_MODES;
  fputs("<h2>Figures</h2>\n", out);
  CLI_PASS_DONE(
      write_figure(out, missing, &number, &cli_figure_curves, &of_run, "loss and test accuracy over the epochs"));
  if (*missing) goto done;
  fputs("<p>All that follows is of the phases with the best test accuracy, <code>best.nc</code>.</p>\n", out);
  CLI_PASS_DONE(write_figure(out, missing, &number, &cli_figure_confusion, &of_best,
                             "how often test images of each label were taken for which class"));
  CLI_PASS_DONE(
      write_figure(out, missing, &number, &cli_figure_examples, &of_best,
                   "the first test images, the features that enter the chip, and the probabilities that come out"));
  if (pictures)
    CLI_PASS_DONE(write_figure(out, missing, &number, &cli_figure_power, &of_best,
                               "light of the first test image on its way through the chip"));
  for (of_best.layer = 0; pictures && of_best.layer < run->shape.n_layers; of_best.layer++)
    CLI_PASS_DONE(write_figure(out, missing, &number, &cli_figure_phases, &of_best,
                               "a mesh as it lies on the chip, light entering at the left"));
  if (!pictures) fprintf(out, "<p>Meshes of more than %d waveguides have no picture.</p>\n", CLI_FIGURE_MODES);
done:
  cli_figure_source_free(&of_best);
  return code;
}

/* ------------------------------------------------------------------------------------------------------------ the page */

static void write_end(FILE *out, const run_files *run) {
  fputs(
      "<h2>How to repeat it</h2>\n<p><code>config.yaml</code> beside this file holds every key, as below. "
      "The command makes the same run again:</p>\n"
      "<pre>cuonn train config.yaml --output again</pre>\n"
      "<p>The same build, backend and processor type give the same bits, for any number of threads. This page was "
      "written by cuONN ",
      out);
  cli_page_text(out, cuonn_version());
  fputs(" (", out);
  cli_page_text(out, cuonn_build());
  fputs("), with ", out);
  cli_page_text(out, cuonn_libraries());
  fputs(".</p>\n<h2>Configuration</h2>\n<pre>", out);
  cli_page_text(out, run->config_text);
  fputs("</pre>\n", out);
}

static int write_page(FILE *out, bool *missing, const run_files *run, const char *data, const cli_options *common) {
  int code = CLI_DONE;
  char *style = NULL;
  CLI_PASS_DONE(cli_plots_read(&style, "report.css"));
  fputs(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      out);
  cli_page_text(out, run->name);
  fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
  write_start(out, run);
  write_numbers(out, run);
  CLI_PASS_DONE(write_figures(out, missing, run, data, common));
  write_end(out, run);
  fputs("</main>\n</body>\n</html>\n", out);
done:
  free(style);
  return code;
}

int cli_report_write(bool *missing, const char *run, const char *data, const cli_options *common) {
  int code = CLI_DONE;
  run_files files = {.directory = run};
  char *page = NULL;
  size_t size;
  FILE *out = NULL;
  *missing = false;
  CLI_PASS_DONE(read_run(&files));
  out = open_memstream(&page, &size);
  if (!out) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for the report");
    goto done;
  }
  CLI_PASS_DONE(write_page(out, missing, &files, data, common));
  const bool whole = !ferror(out);
  if (fclose(out) != 0 || !whole) code = cli_fail(CLI_RESOURCES, "not enough memory for the report");
  out = NULL;
  if (code == CLI_DONE && !*missing) CLI_TRY_DONE(cuonn_bytes_write(files.report, page, size));
done:
  if (out) fclose(out);
  free(page);
  free_run(&files);
  return code;
}

/* --------------------------------------------------------------------------------------------------------- the command */

typedef struct {
  const char *run, *data;
  cli_options common;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case ARGP_KEY_INIT: cli_parse_init(state, &a->common, 1); return 0;
    case 'd': a->data = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->run, value);
    case ARGP_KEY_END: return cli_require(a->run, "the directory of the run");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"data", 'd', "DIR", 0, "Folder with the IDX files, in place of the one that the run names", 0}, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN",
    .doc =
        "Writes the report of a run, as cuonn train does at its end.\v"
        "Reads metrics.csv, last.nc and best.nc in the directory RUN, and the test images. Writes RUN/report.html, one "
        "file for any browser, which needs no network: numbers, figures, configuration, and how to repeat the run. "
        "gnuplot draws the figures.\n\n"
        "Example:\n"
        "  cuonn report runs/study",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {0}},
};

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  bool missing;
  arguments args = {0};
  CLI_PASS_DONE(cli_parse(&args, &argp, argc, argv));
  CLI_PASS_DONE(cli_report_write(&missing, args.run, args.data, &args.common));
  if (missing) code = cli_fail(CLI_RESOURCES, "%s; there is no report without it", CLI_GNUPLOT_ADVICE);
done:
  return code;
}

const cli_command cli_report = {"report", "the report of a run, as one HTML file", &argp, run};
