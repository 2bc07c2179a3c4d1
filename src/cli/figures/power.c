/* Power: the light of one test example on its way through every mesh, column by column. */
#include <math.h>

#include "cli/figures/figure.h"
#include "cli/light.h"

static int write_power(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  const cli_trained *const trained = cli_figure_trained(&code, source);
  if (!trained) return code;
  cli_light light = {0};
  const cuonn_network_shape *const shape = &trained->network.shape;
  const size_t n = shape->n_modes, places = cuonn_mesh_shape_columns(shape->mesh); /* before each, and behind all */
  CLI_PASS_DONE(cli_figure_check_mesh(shape, source->files[0]));
  CLI_PASS_DONE(cli_light_send(&light, trained, source->example));
  fputs(
      "# waveguides, layers, classes, test example, label, prediction, probability of the prediction, columns of a "
      "mesh\n",
      out);
  fprintf(out, "%zu %zu %zu %zu %d %zu %.6f %zu\n", n, shape->n_layers, shape->n_classes, source->example,
          trained->data.test.labels[source->example], light.prediction, light.probabilities[light.prediction],
          places - 1);

  double entered = 0;
  for (size_t i = 0; i < n; i++) entered += light.power[i];
  cli_figure_next_block(out);
  fputs(
      "# a row a waveguide; layer by layer the places before each column and after the last;\n"
      "# power in dB of all power that entered, no light as -400\n",
      out);
  for (size_t waveguide = 0; waveguide < n; waveguide++) {
    for (size_t place = 0; place < shape->n_layers * places; place++) {
      const double share = entered > 0 ? light.power[place * n + waveguide] / entered : 0;
      fprintf(out, "%s%.3f", place ? " " : "", share > 1e-40 ? 10 * log10(share) : -400);
    }
    fputc('\n', out);
  }
  cli_figure_next_block(out);
  fprintf(out, "# 0: images, 1: fields\n%d\n", trained->data.test.fields.values != NULL);
done:
  cli_light_free(&light);
  return code;
}

const cli_figure cli_figure_power = {
    .name = "power",
    .files = "a checkpoint",
    .reads = CLI_FIND_NETWORK,
    .reads_images = true,
    .reads_example = true,
    .sentence = "the light of a test example through every mesh, column by column",
    .write = write_power,
};
