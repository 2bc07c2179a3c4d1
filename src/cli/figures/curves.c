/* Learning curves: loss and test accuracy over the epochs of one or many runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/figures/figures.h"

/* A run is called after the folder that holds its metrics.csv. */
static int write_name(FILE *out, const char *path) {
  char *const whole = realpath(path, NULL);
  if (!whole) return cli_fail(CLI_BAD_FILE, "%s: cannot be read: %s", path, strerror(errno));
  char *const slash = strrchr(whole, '/');
  if (slash) *slash = 0;
  const char *const folder = slash ? strrchr(whole, '/') : NULL;
  const char *const name = folder ? folder + 1 : path;
  fputc('"', out);
  for (const char *c = name; *c; c++) fputc(*c == '"' || (unsigned char)*c < ' ' ? '?' : *c, out);
  fputs("\"\n", out);
  free(whole);
  return CLI_DONE;
}

static int write_curves(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  cuonn_epoch_record *records = NULL;
  fputs("# a block a run, its name first: epoch, train loss, test loss, test accuracy\n", out);
  for (size_t f = 0; f < source->n_files; f++) {
    size_t count;
    CLI_TRY_DONE(cuonn_metrics_read(&records, &count, source->files[f]));
    if (count == 0) {
      code = cli_fail(CLI_BAD_FILE, "%s: has no finished epoch to draw", source->files[f]);
      goto done;
    }
    if (f > 0) cli_figure_next_block(out);
    CLI_PASS_DONE(write_name(out, source->files[f]));
    for (size_t i = 0; i < count; i++)
      fprintf(out, "%zu %.9g %.9g %.9g\n", records[i].epoch, records[i].train_loss, records[i].test_loss,
              records[i].test_accuracy);
    free(records);
    records = NULL;
  }
done:
  free(records);
  return code;
}

const cli_figure cli_figure_curves = {
    .name = "curves",
    .files = "metrics.csv of runs",
    .many = true,
    .sentence = "loss and test accuracy over the epochs of one or many runs",
    .write = write_curves,
};
