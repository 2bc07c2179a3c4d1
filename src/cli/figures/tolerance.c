/* Tolerance: test accuracy against the error of the couplers, a line for every combination of the other keys. */
#include <stdlib.h>

#include "cli/figures/figure.h"

enum { kLinesMost = 14 };

static void write_line(FILE *out, const cli_sweep_view *view, size_t couplers, const size_t *order,
                       cli_sweep_part part) {
  const cuonn_grid_axis *const axis = &view->record.grid.axes[couplers];
  for (size_t i = 0; i < axis->count; i++) {
    part.at[couplers] = order[i];
    const cli_sweep_statistics s = cli_sweep_statistics_of(view, &part);
    fprintf(out, "%.9g", cuonn_grid_number(axis, order[i]));
    cli_sweep_write_number(out, 100 * (1 - s.mean));
    cli_sweep_write_number(out, 100 * s.deviation);
    fprintf(out, " %zu %zu %zu\n", s.n, s.failed, s.missing);
  }
}

/* Lines of the figure: 0 without the axis. */
static size_t count_lines(const cli_sweep_view *view) {
  size_t lines = cli_sweep_axis_of(view, "chip.coupler_std") != CLI_SWEEP_ANY;
  for (size_t i = 0; i < view->n_axes; i++)
    if (view->axes[i] != cli_sweep_axis_of(view, "chip.coupler_std"))
      lines *= view->record.grid.axes[view->axes[i]].count;
  return lines;
}

static bool fits(const cli_sweep_view *view) {
  const size_t lines = count_lines(view);
  return lines > 0 && lines <= kLinesMost;
}

static int write_tolerance(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  cli_sweep_view view;
  size_t others[CUONN_GRID_AXES_MAX], n_others = 0, *order = NULL;
  CLI_PASS_DONE(cli_sweep_view_read(&view, source->files[0]));
  const size_t couplers = cli_sweep_axis_of(&view, "chip.coupler_std");
  if (couplers == CLI_SWEEP_ANY) {
    code = cli_fail(CLI_BAD_FILE, "%s: chip.coupler_std does not vary by itself in this sweep; give it a list",
                    source->files[0]);
    goto done;
  }
  const cuonn_grid *const grid = &view.record.grid;
  const size_t lines = count_lines(&view);
  for (size_t i = 0; i < view.n_axes; i++)
    if (view.axes[i] != couplers) others[n_others++] = view.axes[i];
  if (lines > kLinesMost) {
    code = cli_fail(CLI_BAD_FILE, "%s: the other keys make %zu lines; at most %d can be told apart", source->files[0],
                    lines, kLinesMost);
    goto done;
  }
  CLI_PASS_DONE(cli_sweep_rising(&order, &grid->axes[couplers]));
  const cli_sweep_part all = cli_sweep_everything();
  const cli_sweep_statistics s = cli_sweep_statistics_of(&view, &all);
  fputs(
      "# axis, lines, epochs, repeats, runs failed, runs not done; then a block a line: its name; then error of the "
      "couplers, mean test accuracy and its deviation over the repeats in percent, runs finished, failed, not done\n",
      out);
  cli_sweep_write_label(out, &view, couplers);
  fprintf(out, " %zu %zu %zu %zu %zu\n", lines, grid->base.training.epochs, view.repeats, s.failed, s.missing);
  cli_sweep_part part = cli_sweep_everything();
  for (size_t i = 0; i < n_others; i++) part.at[others[i]] = 0;
  do {
    cli_figure_next_block(out);
    cli_sweep_write_values(out, &view, others, n_others, &part);
    fputc('\n', out);
    write_line(out, &view, couplers, order, part);
  } while (cli_sweep_next(&part, &view, others, n_others));
done:
  free(order);
  cli_sweep_view_free(&view);
  return code;
}

const cli_figure cli_figure_tolerance = {
    .name = "tolerance",
    .files = "a sweep over chip.coupler_std: its directory or sweep.nc",
    .reads = CLI_FIND_RESULTS,
    .sentence = "test accuracy against the error of the couplers, a line for every other key's value",
    .write = write_tolerance,
    .fits = fits,
};
