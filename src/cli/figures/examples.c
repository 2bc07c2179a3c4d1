/* Examples: test images, the features that enter the chip, and the probabilities that come out. */
#include <math.h>

#include "cli/figures/figures.h"
#include "cli/light.h"

enum { kExamples = 6 }; /* what fits a page */

/* Features stand in a square: frequencies or pixels, row by row. */
static void write_features(FILE *out, const double *input, size_t n_modes) {
  const size_t side = (size_t)lround(sqrt((double)n_modes));
  for (size_t i = 0; i < n_modes; i++)
    fprintf(out, "%.6g%c", hypot(input[2 * i], input[2 * i + 1]), (i + 1) % side ? ' ' : '\n');
}

static int write_one(FILE *out, const cli_trained *trained, size_t example) {
  int code = CLI_DONE;
  const cuonn_images *const test = &trained->data.test;
  cli_light light = {0};
  CLI_PASS_DONE(cli_light_send(&light, trained, example));
  const size_t label = test->labels[example], n_pixels = test->height * test->width;
  const uint8_t *const pixels = test->pixels + example * n_pixels;

  cli_figure_next_block(out);
  fprintf(out, "# test image, label, prediction\n%zu %zu %zu\n", example, label, light.prediction);
  cli_figure_next_block(out);
  fputs("# pixels\n", out);
  for (size_t i = 0; i < n_pixels; i++) fprintf(out, "%d%c", pixels[i], (i + 1) % test->width ? ' ' : '\n');
  cli_figure_next_block(out);
  fputs("# moduli of the features\n", out);
  write_features(out, light.input, trained->network.shape.n_modes);
  cli_figure_next_block(out);
  fputs("# class, probability, 0: neither, 1: the label, 2: predicted and wrong\n", out);
  for (size_t c = 0; c < trained->network.shape.n_classes; c++)
    fprintf(out, "%zu %.6g %d\n", c, light.probabilities[c], c == label ? 1 : (c == light.prediction ? 2 : 0));
done:
  cli_light_free(&light);
  return code;
}

static int write_examples(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  const cli_trained *const trained = cli_figure_trained(&code, source);
  if (!trained) return code;
  const size_t there = trained->data.test.n_examples;
  const size_t left = source->example < there ? there - source->example : 1; /* sending says what is wrong */
  const size_t count = left < kExamples ? left : kExamples;
  fprintf(out, "# number of examples\n%zu\n", count);
  for (size_t i = 0; i < count; i++) CLI_PASS_DONE(write_one(out, trained, source->example + i));
done:
  return code;
}

const cli_figure cli_figure_examples = {
    .name = "examples",
    .files = "a checkpoint",
    .reads_images = true,
    .reads_example = true,
    .sentence = "test images, their features and the predicted probabilities",
    .write = write_examples,
};
