/* Examples: test images or fields, the moduli that enter the chip, and the probabilities that come out. */
#include <math.h>

#include "cli/figures/figure.h"
#include "cli/light.h"

enum { kExamples = 6 }; /* what fits a page */

typedef enum { kModulus, kRealPart } part;

/* Amplitudes row by row in a square, or, if their number has no root, in the next larger one. */
static void write_square(FILE *out, const double *values, size_t n_modes, part of) {
  const size_t side = (size_t)ceil(sqrt((double)n_modes)), rows = (n_modes + side - 1) / side;
  for (size_t i = 0; i < rows * side; i++) {
    const double value = i >= n_modes ? NAN : of == kModulus ? hypot(values[2 * i], values[2 * i + 1]) : values[2 * i];
    fprintf(out, "%.6g%c", value, (i + 1) % side ? ' ' : '\n');
  }
}

/* The example itself: its pixels, or the real parts of its field. */
static void write_itself(FILE *out, const cuonn_examples *test, size_t example) {
  const cuonn_examples one = cuonn_examples_view(test, example, 1);
  if (one.fields.values) {
    write_square(out, one.fields.values, one.fields.n_modes, kRealPart);
    return;
  }
  for (size_t i = 0; i < one.height * one.width; i++)
    fprintf(out, "%.6g%c", one.pixels ? one.pixels[i] : one.grey[i], (i + 1) % one.width ? ' ' : '\n');
}

/* Least and largest value of what write_itself() shows of `count` examples; bytes have a scale of their own. */
static void range_of(double *least, double *most, const cuonn_examples *test, size_t first, size_t count) {
  const cuonn_examples shown = cuonn_examples_view(test, first, count);
  const bool fields = shown.fields.values != NULL;
  const double *const values = fields ? shown.fields.values : shown.grey;
  const size_t step = fields ? 2 : 1, each = fields ? 2 * shown.fields.n_modes : shown.height * shown.width;
  *least = 0;
  *most = 255;
  if (shown.pixels) return;
  *least = *most = values[0];
  for (size_t i = 0; i < count * each; i += step) {
    *least = fmin(*least, values[i]);
    *most = fmax(*most, values[i]);
  }
}

static int write_one(FILE *out, const cli_trained *trained, size_t example) {
  int code = CLI_DONE;
  const cuonn_examples *const test = &trained->data.test;
  cli_light light = {0};
  CLI_PASS_DONE(cli_light_send(&light, trained, example));
  const size_t label = test->labels[example];

  cli_figure_next_block(out);
  fprintf(out, "# test example, label, prediction\n%zu %zu %zu\n", example, label, light.prediction);
  cli_figure_next_block(out);
  fputs("# pixels, or real parts of the field\n", out);
  write_itself(out, test, example);
  cli_figure_next_block(out);
  fputs("# moduli of what enters\n", out);
  write_square(out, light.input, trained->network.shape.n_modes, kModulus);
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
  double least = 0, most = 0;
  fprintf(out, "# number of examples\n%zu\n", count);
  for (size_t i = 0; i < count; i++) CLI_PASS_DONE(write_one(out, trained, source->example + i));
  range_of(&least, &most, &trained->data.test, source->example, count);
  cli_figure_next_block(out);
  fprintf(out, "# 0: images, 1: fields; least and largest value of the first row\n%d %.6g %.6g\n",
          trained->data.test.fields.values != NULL, least, most);
done:
  return code;
}

const cli_figure cli_figure_examples = {
    .name = "examples",
    .files = "a checkpoint",
    .reads = CLI_FIND_NETWORK,
    .reads_images = true,
    .reads_example = true,
    .sentence = "test images or fields, the moduli that enter and the predicted probabilities",
    .write = write_examples,
};
