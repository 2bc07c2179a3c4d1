/* Measured derivatives against exact ones, layer by layer. */
#include "cli/figures/figure.h"

/* Of more layers the panels are too small. */
enum { kLayersMost = 12 };

static void write_derivatives(FILE *out, const double *measured, const double *exact, size_t count) {
  cli_figure_next_block(out);
  for (size_t k = 0; k < count; k++) fprintf(out, "%.6g %.6g\n", exact[k], measured[k]);
}

static int write_gradients(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  const char *const path = source->files[0];
  cuonn_mesh_gradient *measured = NULL, *exact = NULL;
  size_t n_layers, n_nodes, n_modes;
  CLI_TRY_DONE(cuonn_gradient_read(&measured, &exact, &n_layers, &n_nodes, &n_modes, path));
  if (!exact) {
    code =
        cli_fail(CLI_BAD_FILE,
                 "%s: has no exact derivatives beside measured ones; cuonn gradient --method analog writes both", path);
    goto done;
  }
  if (n_layers > kLayersMost) {
    code = cli_fail(CLI_BAD_FILE, "%s: has %zu layers; a page holds at most %d", path, n_layers, kLayersMost);
    goto done;
  }
  fputs(
      "# a row a layer: cosine between measured and exact derivatives, norm of their difference over that of the exact "
      "ones; then of each layer a block for theta and one for phi: exact, measured\n",
      out);
  for (size_t l = 0; l < n_layers; l++)
    fprintf(out, "%.6g %.6g\n", 1 - cuonn_gradient_error(measured + l, exact + l, 1, n_nodes),
            cuonn_gradient_relative_error(measured + l, exact + l, 1, n_nodes));
  for (size_t l = 0; l < n_layers; l++) {
    write_derivatives(out, measured[l].d_theta, exact[l].d_theta, n_nodes);
    write_derivatives(out, measured[l].d_phi, exact[l].d_phi, n_nodes);
  }
done:
  cuonn_gradients_free(measured);
  cuonn_gradients_free(exact);
  return code;
}

const cli_figure cli_figure_gradients = {
    .name = "gradients",
    .files = "a file of cuonn gradient --method",
    .sentence = "measured derivatives against exact ones, layer by layer",
    .write = write_gradients,
};
