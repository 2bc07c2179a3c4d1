/* Confusion matrix: how many test examples of each label were taken for which class. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/figures/figure.h"

static int write_confusion(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  const cli_trained *const trained = cli_figure_trained(&code, source);
  if (!trained) return code;
  cuonn_evaluation evaluation = {0};
  CLI_PASS_DONE(cli_trained_evaluate(&evaluation, trained));
  const size_t n_classes = trained->network.shape.n_classes;
  fprintf(out, "# test examples, right answers\n%zu %zu\n", evaluation.n_examples, evaluation.n_correct);
  cli_figure_next_block(out);
  fputs("# a row a pair: class taken for, label, examples, their share of the label's examples\n", out);
  for (size_t label = 0; label < n_classes; label++) {
    const uint64_t *const row = evaluation.confusion + label * n_classes;
    uint64_t all = 0;
    for (size_t c = 0; c < n_classes; c++) all += row[c];
    for (size_t c = 0; c < n_classes; c++)
      fprintf(out, "%zu %zu %" PRIu64 " %.6f\n", c, label, row[c], all ? (double)row[c] / (double)all : 0);
  }
  cli_figure_next_block(out);
  fprintf(out, "# 0: images, 1: fields\n%d\n", trained->data.test.fields.values != NULL);
done:
  free(evaluation.confusion);
  return code;
}

const cli_figure cli_figure_confusion = {
    .name = "confusion",
    .files = "a checkpoint",
    .reads = CLI_FIND_NETWORK,
    .reads_images = true,
    .sentence = "how often test examples of each label were taken for which class",
    .write = write_confusion,
};
