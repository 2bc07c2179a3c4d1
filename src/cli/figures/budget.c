/* What an accuracy costs on a chip: test accuracy against what training has asked of the chip until then, a line for
 * every way of training. */
#include <math.h>

#include "cli/data.h"
#include "cli/figures/figure.h"

enum { kLinesMost = 14 };

/* Axes of the grid that a line's name does not say by its gradient. */
static size_t other_axes(size_t out[CUONN_GRID_AXES_MAX], const cli_sweep_view *view) {
  size_t n = 0;
  for (size_t i = 0; i < view->n_axes; i++) {
    if (!cli_sweep_has_key(view, view->axes[i], "training.gradient")) out[n++] = view->axes[i];
  }
  return n;
}

/* Name of the gradient, values of other keys, 1 if the chip takes part in it. */
static void write_name(FILE *out, const cli_sweep_view *view, const cli_sweep_part *part, const cuonn_config *config) {
  const cuonn_gradient_method method = config->training.gradient;
  const size_t n = config->training.chip.estimates;
  size_t others[CUONN_GRID_AXES_MAX];
  const size_t n_others = other_axes(others, view);
  fprintf(out, "\"%s", cuonn_gradient_name(method));
  if (method == CUONN_GRADIENT_SPSA) fprintf(out, ", %zu estimate%s", n, n == 1 ? "" : "s");
  fputs("\" ", out);
  cli_sweep_write_values(out, view, others, n_others, part);
  fprintf(out, " %d\n", cuonn_gradient_is_measured(method) || cuonn_gradient_is_perturbed(method));
}

/* What the training of a point asks of its chip. */
static int cost_of(cuonn_energy_training *out, cuonn_config *config, size_t n_examples) {
  int code = CLI_DONE;
  cuonn_mesh_shape *mesh = NULL;
  CLI_TRY_DONE(cuonn_config_mesh_shape(&mesh, config));
  config->network.mesh = mesh;
  CLI_TRY_DONE(cuonn_energy_training_cost(out, &config->energy, &config->network, &config->training, n_examples));
done:
  cuonn_mesh_shape_free(mesh);
  config->network.mesh = NULL;
  return code;
}

static int write_line(FILE *out, const cli_sweep_view *view, const cli_sweep_part *part, size_t n_examples) {
  int code = CLI_DONE;
  cuonn_config config;
  cuonn_energy_training cost;
  cuonn_grid_config(&config, &view->record.grid, cli_sweep_point(view, part));
  CLI_PASS_DONE(cost_of(&cost, &config, n_examples));
  cli_figure_next_block(out);
  write_name(out, view, part, &config);
  for (size_t epoch = 1; epoch <= config.training.epochs; epoch++) {
    const cuonn_energy_demand d = cuonn_energy_training_until(&cost, epoch);
    const cli_sweep_statistics s = cli_sweep_statistics_after(view, part, epoch);
    fprintf(out, "%zu %.9g %.9g %.9g %.9g %.9g", epoch, d.passes, d.outputs + d.taps, d.writes, d.joules, d.seconds);
    cli_sweep_write_number(out, 100 * (1 - s.mean));
    cli_sweep_write_number(out, 100 * s.deviation);
    fputc('\n', out);
  }
done:
  return code;
}

static int write_budget(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  cli_sweep_view view = {0};
  cuonn_dataset data = {0};
  size_t lines = 1;
  CLI_PASS_DONE(cli_sweep_view_read(&view, source->files[0]));
  cuonn_config base = view.record.grid.base;
  for (size_t i = 0; i < view.n_axes; i++) lines *= view.record.grid.axes[view.axes[i]].count;
  if (lines > kLinesMost) {
    code = cli_fail(CLI_BAD_FILE, "%s: its keys make %zu lines; at most %d can be told apart", source->files[0], lines,
                    kLinesMost);
    goto done;
  }
  CLI_PASS_DONE(cli_data_configure(&base, source->data, &source->common));
  CLI_PASS_DONE(cli_data_read(&data, &base, source->files[0], true)); /* for the number of its examples */
  const cli_sweep_part all = cli_sweep_everything();
  const cli_sweep_statistics s = cli_sweep_statistics_of(&view, &all);
  fputs(
      "# lines, epochs, repeats, runs failed, runs not done, waveguides, layers, training examples; then a block a "
      "line: gradient, values of other keys, 1 if the chip takes part in it (0: it is computed); then epoch, optical "
      "passes, detector readings, phases written, J and s until then, mean test accuracy and its deviation over the "
      "repeats in percent\n",
      out);
  fprintf(out, "%zu %zu %zu %zu %zu %zu %zu %zu\n", lines, base.training.epochs, view.repeats, s.failed, s.missing,
          base.network.n_modes, base.network.n_layers, data.train.n_examples);
  cli_sweep_part part = cli_sweep_everything();
  for (size_t i = 0; i < view.n_axes; i++) part.at[view.axes[i]] = 0;
  do CLI_PASS_DONE(write_line(out, &view, &part, data.train.n_examples));
  while (cli_sweep_next(&part, &view, view.axes, view.n_axes));
done:
  cuonn_dataset_free(&data);
  cli_sweep_view_free(&view);
  return code;
}

const cli_figure cli_figure_budget = {
    .name = "budget",
    .files = "a sweep over training.gradient: its directory or sweep.nc",
    .reads = CLI_FIND_RESULTS,
    .reads_images = true,
    .sentence = "test accuracy against optical passes, detector readings, phase writes, joules and seconds on the chip",
    .write = write_budget,
};
