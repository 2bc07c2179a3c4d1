/* Error bars of a sweep: the final test error against each axis by itself, over all that varies besides. */
#include <stdlib.h>

#include "cli/figures/figure.h"

/* Whether numbers are so far apart that they are told apart by their logarithms alone. */
static bool is_logarithmic(const cuonn_grid_axis *axis) {
  double low = cuonn_grid_number(axis, 0), high = low;
  for (size_t i = 1; i < axis->count; i++) {
    const double value = cuonn_grid_number(axis, i);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > 0 && high >= 50 * low;
}

static int write_panel(FILE *out, const cli_sweep_view *view, size_t axis, cli_sweep_part part) {
  const cuonn_grid_axis *const a = &view->record.grid.axes[axis];
  size_t *order;
  const int code = cli_sweep_rising(&order, a);
  if (code != CLI_DONE) return code;
  cli_figure_next_block(out);
  for (size_t i = 0; i < a->count; i++) {
    part.at[axis] = order[i];
    const cli_sweep_statistics s = cli_sweep_statistics_of(view, &part);
    fprintf(out, "%.9g ", cli_sweep_is_numeric(view, axis) ? cuonn_grid_number(a, order[i]) : (double)i);
    cli_sweep_write_value(out, view, axis, order[i]);
    cli_sweep_write_number(out, 100 * s.mean);
    cli_sweep_write_number(out, 100 * s.deviation);
    cli_sweep_write_number(out, 100 * s.low);
    cli_sweep_write_number(out, 100 * s.high);
    fprintf(out, " %zu %zu %zu\n", s.n, s.failed, s.missing);
  }
  free(order);
  return CLI_DONE;
}

static bool fits(const cli_sweep_view *view) { return view->n_axes > 0; }

static int write_sweep_bars(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  cli_sweep_view view;
  size_t along[CUONN_GRID_AXES_MAX], n_along = 0;
  CLI_PASS_DONE(cli_sweep_view_read(&view, source->files[0]));
  const cuonn_grid *const grid = &view.record.grid;
  if (!fits(&view)) {
    code = cli_fail(CLI_BAD_FILE, "%s: only seeds vary in this sweep; error bars need another key with a list",
                    source->files[0]);
    goto done;
  }
  const size_t rows = cli_sweep_choose_rows(&view), n_rows = rows == CLI_SWEEP_ANY ? 1 : grid->axes[rows].count;
  for (size_t i = 0; i < view.n_axes; i++)
    if (view.axes[i] != rows) along[n_along++] = view.axes[i];
  const cli_sweep_part all = cli_sweep_everything();
  const cli_sweep_statistics s = cli_sweep_statistics_of(&view, &all);
  fputs(
      "# rows of panels, axes, epochs, runs failed, runs not done; then headings of the rows; then the axes: name, "
      "whether of numbers, whether on a logarithmic scale; then a block a panel, row by row: value, its text, mean "
      "test error over all other axes, deviation, least and largest in percent, runs finished, failed, not done\n",
      out);
  fprintf(out, "%zu %zu %zu %zu %zu\n", n_rows, n_along, grid->base.training.epochs, s.failed, s.missing);
  cli_figure_next_block(out);
  cli_sweep_write_rows(out, &view, rows);
  cli_figure_next_block(out);
  for (size_t i = 0; i < n_along; i++) {
    const bool numeric = cli_sweep_is_numeric(&view, along[i]);
    cli_sweep_write_label(out, &view, along[i]);
    fprintf(out, " %d %d\n", numeric, numeric && is_logarithmic(&grid->axes[along[i]]));
  }
  cli_sweep_part part = cli_sweep_everything();
  for (size_t r = 0; r < n_rows; r++)
    for (size_t i = 0; i < n_along; i++) {
      if (rows != CLI_SWEEP_ANY) part.at[rows] = r;
      CLI_PASS_DONE(write_panel(out, &view, along[i], part));
    }
done:
  cli_sweep_view_free(&view);
  return code;
}

const cli_figure cli_figure_sweep_bars = {
    .name = "sweep-bars",
    .files = "a sweep: its directory or sweep.nc",
    .reads = CLI_FIND_RESULTS,
    .sentence = "final test error of a sweep against each of its axes, with error bars",
    .write = write_sweep_bars,
    .fits = fits,
};
