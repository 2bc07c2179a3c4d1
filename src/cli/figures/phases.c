/* Phases: a mesh as it lies on the chip, every interferometer coloured by theta and phi. */
#include <math.h>
#include <stdlib.h>

#include "cli/figures/figure.h"

/* Nodes of a column whose waveguides are apart stand side by side where they would cover each other. tracks: [node of
 * the column], filled; free_from: [N] room. Returns how many stand side by side, at least 1. */
static size_t set_tracks(size_t *tracks, size_t *free_from, const cuonn_mesh_column *column) {
  size_t count = 1;
  free_from[0] = 0;
  for (size_t j = 0; j < column->count; j++) {
    size_t track = 0;
    while (track < count && free_from[track] > column->pairs[j][0]) track++;
    if (track == count) count++;
    free_from[track] = column->pairs[j][1] + 1;
    tracks[j] = track;
  }
  return count;
}

/* Rows of the nodes, then rows of the columns. */
static void write_mesh(FILE *out, const cuonn_mesh *mesh, size_t *room) {
  const cuonn_phase_periods period = cuonn_phase_style_periods(mesh->style);
  const size_t n_columns = cuonn_mesh_shape_columns(mesh->shape) - 1;
  size_t *const tracks = room, *const free_from = room + mesh->n_modes, *const widths = free_from + mesh->n_modes;
  fputs(
      "# a row an interferometer: column, upper waveguide, theta, phi (radians, within their periods), lower "
      "waveguide, "
      "place from left to right\n",
      out);
  for (size_t c = 0, place = 0; c < n_columns; place += widths[c++]) {
    const cuonn_mesh_column column = cuonn_mesh_shape_column(mesh->shape, c);
    widths[c] = set_tracks(tracks, free_from, &column);
    for (size_t j = 0; j < column.count; j++) {
      const size_t k = column.first + j;
      fprintf(out, "%zu %u %.6f %.6f %u %zu\n", c, column.pairs[j][0], cuonn_phase_wrap(mesh->theta[k], period.theta),
              cuonn_phase_wrap(mesh->phi[k], period.phi), column.pairs[j][1], place + tracks[j]);
    }
  }
  cli_figure_next_block(out);
  fputs("# a row a column: its first place, number of places\n", out);
  for (size_t c = 0, place = 0; c < n_columns; place += widths[c++]) fprintf(out, "%zu %zu\n", place, widths[c]);
}

static int write_phases(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  const char *const path = source->files[0];
  cuonn_network network = {0};
  size_t *room = NULL;
  CLI_TRY_DONE(cuonn_network_read(&network, path));
  const size_t n = network.shape.n_modes, n_columns = cuonn_mesh_shape_columns(network.shape.mesh) - 1;
  if (source->layer >= network.shape.n_layers) {
    code = cli_fail(CLI_USAGE, "--layer %zu: %s has %zu layers, counted from 0", source->layer, path,
                    network.shape.n_layers);
    goto done;
  }
  CLI_PASS_DONE(cli_figure_check_mesh(&network.shape, path));
  const cuonn_mesh *const mesh = &network.layers[source->layer];
  const cuonn_phase_periods period = cuonn_phase_style_periods(mesh->style);
  room = malloc((2 * n + n_columns) * sizeof *room);
  if (!room) {
    code = cli_fail(CLI_RESOURCES, "not enough memory");
    goto done;
  }
  fprintf(out, "# waveguides, layer, layers, longest period of a phase (radians), columns\n%zu %zu %zu %.6f %zu\n", n,
          source->layer, network.shape.n_layers, fmax(period.theta, period.phi), n_columns);
  cli_figure_next_block(out);
  write_mesh(out, mesh, room);
done:
  free(room);
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
