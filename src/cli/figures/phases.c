/* Phases: a mesh as it lies on the chip, every interferometer coloured by theta and phi. */
#include <math.h>

#include "cli/figures/figure.h"

static int write_phases(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  const char *const path = source->files[0];
  cuonn_network network = {0};
  CLI_TRY_DONE(cuonn_network_read(&network, path));
  const size_t n = network.shape.n_modes;
  if (source->layer >= network.shape.n_layers) {
    code = cli_fail(CLI_USAGE, "--layer %zu: %s has %zu layers, counted from 0", source->layer, path,
                    network.shape.n_layers);
    goto done;
  }
  if (n > CLI_FIGURE_MODES) {
    code =
        cli_fail(CLI_BAD_FILE, "%s: has %zu waveguides; a picture of a mesh has at most %d", path, n, CLI_FIGURE_MODES);
    goto done;
  }
  const cuonn_mesh *const mesh = &network.layers[source->layer];
  const cuonn_phase_periods period = cuonn_phase_style_periods(mesh->style);
  fprintf(out, "# waveguides, layer, layers, longest period of a phase (radians)\n%zu %zu %zu %.6f\n", n, source->layer,
          network.shape.n_layers, fmax(period.theta, period.phi));
  cli_figure_next_block(out);
  fputs("# a row an interferometer: column, upper waveguide, theta, phi (radians, within their periods)\n", out);
  for (size_t column = 0, node = 0; column < n; column++)
    for (size_t upper = column % 2; upper + 1 < n; upper += 2, node++)
      fprintf(out, "%zu %zu %.6f %.6f\n", column, upper, cuonn_phase_wrap(mesh->theta[node], period.theta),
              cuonn_phase_wrap(mesh->phi[node], period.phi));
done:
  cuonn_network_free(&network);
  return code;
}

const cli_figure cli_figure_phases = {
    .name = "phases",
    .files = "a mesh or a network",
    .reads = CLI_FIND_NETWORK,
    .reads_layer = true,
    .sentence = "the phases of one layer, as a picture of its mesh",
    .write = write_phases,
};
