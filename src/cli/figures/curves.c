/* Learning curves: loss and test accuracy over the epochs of one or many runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/figures/figure.h"

/* Folders of the runs' metrics.csv, as absolute paths: runs are called after them. */
static int find_folders(char **folders, const cli_figure_source *source) {
  for (size_t f = 0; f < source->n_files; f++) {
    folders[f] = realpath(source->files[f], NULL);
    if (!folders[f]) return cli_fail(CLI_BAD_FILE, "%s: cannot be read: %s", source->files[f], strerror(errno));
    *strrchr(folders[f], '/') = 0;
  }
  return CLI_DONE;
}

static int write_curves(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  cuonn_epoch_record *records = NULL;
  char **const folders = calloc(source->n_files, sizeof *folders);
  if (!folders) return cli_fail(CLI_RESOURCES, "not enough memory for %zu runs", source->n_files);
  CLI_PASS_DONE(find_folders(folders, source));
  fputs("# a block a run, its name first: epoch, train loss, test loss, test accuracy\n", out);
  for (size_t f = 0; f < source->n_files; f++) {
    size_t count;
    CLI_TRY_DONE(cuonn_metrics_read(&records, &count, source->files[f]));
    if (count == 0) {
      code = cli_fail(CLI_BAD_FILE, "%s: has no finished epoch to draw", source->files[f]);
      goto done;
    }
    if (f > 0) cli_figure_next_block(out);
    cli_figure_write_text(out, cli_figure_name_among((const char *const *)folders, source->n_files, f));
    fputc('\n', out);
    for (size_t i = 0; i < count; i++)
      fprintf(out, "%zu %.9g %.9g %.9g\n", records[i].epoch, records[i].train_loss, records[i].test_loss,
              records[i].test_accuracy);
    free(records);
    records = NULL;
  }
done:
  free(records);
  for (size_t f = 0; f < source->n_files; f++) free(folders[f]);
  free(folders);
  return code;
}

const cli_figure cli_figure_curves = {
    .name = "curves",
    .files = "metrics.csv of runs",
    .reads = CLI_FIND_METRICS,
    .many = true,
    .sentence = "loss and test accuracy over the epochs of one or many runs",
    .write = write_curves,
};
