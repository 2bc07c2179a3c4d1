/* The report of a run: its numbers, its figures, and how to repeat it. */
#include <stdlib.h>

#include "cli/output.h"
#include "cli/report/html.h"
#include "cli/report/page.h"
#include "cli/report/run.h"

/* ------------------------------------------------------------------------------------------------------- the run */

/* A run as its files tell it. */
typedef struct {
  const char *directory;
  char *name;                           /* of the directory */
  char *metrics, *best, *last, *report; /* paths */
  cuonn_epoch_record *records;          /* [count] */
  size_t count, best_record;
  cuonn_origin origin; /* of last.nc: what the run was told last */
  cuonn_network_shape shape;
  size_t n_nodes, n_columns; /* of each layer */
} run_files;

static int read_run(run_files *run) {
  int code = CLI_DONE;
  cuonn_training_state state = {0};
  size_t epoch;
  CLI_PASS_DONE(cli_report_name(&run->name, run->directory));
  CLI_PASS_DONE(cli_report_join(&run->metrics, run->directory, "metrics.csv"));
  CLI_PASS_DONE(cli_report_join(&run->best, run->directory, "best.nc"));
  CLI_PASS_DONE(cli_report_join(&run->last, run->directory, "last.nc"));
  CLI_PASS_DONE(cli_report_join(&run->report, run->directory, "report.html"));
  CLI_TRY_DONE(cuonn_metrics_read(&run->records, &run->count, run->metrics));
  if (run->count == 0) {
    code = cli_fail(CLI_BAD_FILE, "%s: has no finished epoch to report", run->metrics);
    goto done;
  }
  for (size_t i = 1; i < run->count; i++)
    if (run->records[i].test_accuracy > run->records[run->best_record].test_accuracy) run->best_record = i;
  CLI_TRY_DONE(cuonn_checkpoint_read(&state, &epoch, &run->origin, run->last));
  run->shape = state.network.shape;
  run->shape.mesh = NULL; /* it goes with the state */
  run->n_columns = cuonn_mesh_shape_columns(state.network.shape.mesh) - 1;
  run->n_nodes = cuonn_network_nodes(&state.network.shape);
done:
  cuonn_training_state_free(&state);
  return code;
}

static void free_run(run_files *run) {
  cuonn_origin_free(&run->origin);
  free(run->records);
  free(run->report);
  free(run->last);
  free(run->best);
  free(run->metrics);
  free(run->name);
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

static void write_start(FILE *out, const run_files *run) {
  const cuonn_network_shape *const s = &run->shape;
  fputs("<h1>", out);
  cli_page_text(out, run->name);
  fprintf(out,
          "</h1>\n<p>An optical neural network of %zu mesh%s of N = %zu waveguides, layers %s, nonlinearity %s, phase "
          "style %s, %zu classes. Best test accuracy: <strong>%.2f %%</strong>, after epoch %zu of %zu.</p>\n",
          s->n_layers, s->n_layers == 1 ? "" : "es", s->n_modes, cuonn_layer_kind_name(s->layer),
          cuonn_nonlinearity_name(s->nonlinearity.kind), cuonn_phase_style_name(s->style), s->n_classes,
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
          2 * run->shape.n_layers * run->n_nodes, run->n_nodes, seconds, head);
  for (size_t i = 0; i < run->count; i++) write_row(out, "", &run->records[i]);
  fputs("</tbody></table>\n</details>\n", out);
}

/* ---------------------------------------------------------------------------------------------------------- figures */

static int write_figures(cli_report_page *page, const run_files *run, const char *data, const char *chip,
                         cuonn_dataset *loaded, const cli_options *common) {
  int code = CLI_DONE;
  cli_figure_source of_run = {.files = (const char *const[]){run->metrics}, .n_files = 1};
  cli_figure_source of_best = {.files = (const char *const[]){run->best},
                               .n_files = 1,
                               .data = data,
                               .chip = chip,
                               .loaded = loaded,
                               .common = *common};
  const bool pictures = run->shape.n_modes <= CLI_FIGURE_MODES && run->n_columns <= (size_t)2 * CLI_FIGURE_MODES;
  fputs("<h2>Figures</h2>\n", page->out);
  CLI_PASS_DONE(cli_report_figure(page, &cli_figure_curves, &of_run, "loss and test accuracy over the epochs"));
  if (page->missing) goto done;
  fputs("<p>All that follows is of the phases with the best test accuracy, <code>best.nc</code>.</p>\n", page->out);
  CLI_PASS_DONE(cli_report_figure(page, &cli_figure_confusion, &of_best,
                                  "how often test examples of each label were taken for which class"));
  CLI_PASS_DONE(cli_report_figure(
      page, &cli_figure_examples, &of_best,
      "the first test examples, the moduli that enter the chip, and the probabilities that come out"));
  if (pictures)
    CLI_PASS_DONE(cli_report_figure(page, &cli_figure_power, &of_best,
                                    "light of the first test example on its way through the chip"));
  for (of_best.layer = 0; pictures && of_best.layer < run->shape.n_layers; of_best.layer++)
    CLI_PASS_DONE(cli_report_figure(page, &cli_figure_phases, &of_best,
                                    "a mesh as it lies on the chip, light entering at the left"));
  if (!pictures)
    fprintf(page->out, "<p>Meshes of more than %d waveguides or %d columns have no picture.</p>\n", CLI_FIGURE_MODES,
            2 * CLI_FIGURE_MODES);
done:
  cli_figure_source_free(&of_best);
  return code;
}

/* --------------------------------------------------------------------------------------------------------- the page */

static void write_repeat(FILE *out) {
  fputs(
      "<h2>How to repeat it</h2>\n<p><code>config.yaml</code> beside this file holds every key, as below. "
      "The command makes the same run again:</p>\n"
      "<pre>cuonn train config.yaml --output again</pre>\n"
      "<p>The same build, backend and processor type give the same bits, for any number of threads. ",
      out);
}

int cli_report_run(char **written, const char *directory, const char *data, const char *chip, cuonn_dataset *loaded,
                   const cli_options *common) {
  int code = CLI_DONE;
  run_files run = {.directory = directory};
  cli_report_page page = {0};
  *written = NULL;
  CLI_PASS_DONE(read_run(&run));
  CLI_TRY_DONE(cuonn_directory_check(directory, "report.html"));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(run.report, directory, data, chip));
  CLI_PASS_DONE(cli_report_begin(&page, run.name));
  write_start(page.out, &run);
  write_numbers(page.out, &run);
  CLI_PASS_DONE(write_figures(&page, &run, data, chip, loaded, common));
  write_repeat(page.out);
  cli_report_end(&page, run.origin.config_text);
  CLI_PASS_DONE(cli_report_save(&page, run.report));
  if (page.missing) goto done;
  *written = run.report;
  run.report = NULL;
done:
  cli_report_free(&page);
  free_run(&run);
  return code;
}
