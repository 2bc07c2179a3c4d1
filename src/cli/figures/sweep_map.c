/* Heat maps of a sweep: the two axes with the most values span a map; every combination of the others is one. */
#include "cli/figures/figure.h"

/* Most maps beside each other and in all, and most cells along a side, of which a page is still readable. */
enum { kColumnsMost = 4, kMapsMost = 48, kCellsMost = 40 };

/* What runs where; CLI_SWEEP_ANY: nothing does. */
typedef struct {
  size_t x, y, column;
  size_t rows[CUONN_GRID_AXES_MAX], n_rows; /* axes whose combinations are rows of maps */
  size_t n_columns, n_row_values, maps;
} layout;

static size_t count_of(const cli_sweep_view *view, size_t axis) {
  return axis == CLI_SWEEP_ANY ? 1 : view->record.grid.axes[axis].count;
}

static void lay_out(layout *out, const cli_sweep_view *view) {
  size_t n = view->n_axes;
  *out = (layout){.maps = 1};
  for (size_t i = 0; i < n; i++) out->rows[i] = view->axes[i];
  out->x = cli_sweep_take_longest(view, out->rows, &n, SIZE_MAX);
  out->y = cli_sweep_take_longest(view, out->rows, &n, SIZE_MAX);
  for (size_t i = 0; i < n; i++) out->maps *= count_of(view, out->rows[i]);
  out->column = cli_sweep_take_longest(view, out->rows, &n, kColumnsMost);
  out->n_columns = count_of(view, out->column);
  out->n_row_values = out->maps / out->n_columns;
  out->n_rows = n;
}

static int check(const layout *l, const cli_sweep_view *view, const char *path) {
  if (l->x == CLI_SWEEP_ANY)
    return cli_fail(CLI_BAD_FILE, "%s: only seeds vary in this sweep; a map needs another key with a list", path);
  if (count_of(view, l->x) > kCellsMost)
    return cli_fail(CLI_BAD_FILE, "%s: %s has %zu values; a map has at most %d on a side", path,
                    view->record.grid.axes[l->x].coordinate, count_of(view, l->x), kCellsMost);
  if (l->maps > kMapsMost)
    return cli_fail(CLI_BAD_FILE, "%s: the grid makes %zu maps, but a page holds at most %d; sweep-bars draws it", path,
                    l->maps, kMapsMost);
  return CLI_DONE;
}

static bool fits(const cli_sweep_view *view) {
  layout l;
  lay_out(&l, view);
  return l.x != CLI_SWEEP_ANY && count_of(view, l.x) <= kCellsMost && l.maps <= kMapsMost;
}

static void write_ticks(FILE *out, const cli_sweep_view *view, size_t axis) {
  cli_figure_next_block(out);
  if (axis == CLI_SWEEP_ANY) fputs("0 \"\"\n", out);
  for (size_t i = 0; axis != CLI_SWEEP_ANY && i < count_of(view, axis); i++) {
    fprintf(out, "%zu ", i);
    cli_sweep_write_value(out, view, axis, i);
    fputc('\n', out);
  }
}

static void write_headings(FILE *out, const cli_sweep_view *view, const size_t *axes, size_t n_axes) {
  cli_sweep_part part = cli_sweep_everything();
  for (size_t i = 0; i < n_axes; i++) part.at[axes[i]] = 0;
  cli_figure_next_block(out);
  size_t number = 0;
  do {
    fprintf(out, "%zu ", number++);
    cli_sweep_write_values(out, view, axes, n_axes, &part);
    fputc('\n', out);
  } while (cli_sweep_next(&part, view, axes, n_axes));
}

static void write_map(FILE *out, const cli_sweep_view *view, const layout *l, cli_sweep_part part) {
  cli_figure_next_block(out);
  for (size_t y = 0; y < count_of(view, l->y); y++)
    for (size_t x = 0; x < count_of(view, l->x); x++) {
      part.at[l->x] = x;
      if (l->y != CLI_SWEEP_ANY) part.at[l->y] = y;
      const cli_sweep_statistics s = cli_sweep_statistics_of(view, &part);
      fprintf(out, "%zu %zu", x, y);
      cli_sweep_write_number(out, 100 * s.mean);
      cli_sweep_write_number(out, 100 * s.deviation);
      fprintf(out, " %zu %zu %zu\n", s.n, s.failed, s.missing);
    }
}

static int write_sweep_map(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  cli_sweep_view view;
  layout l;
  CLI_PASS_DONE(cli_sweep_view_read(&view, source->files[0]));
  lay_out(&l, &view);
  CLI_PASS_DONE(check(&l, &view, source->files[0]));
  const cuonn_grid *const grid = &view.record.grid;
  const cli_sweep_part all = cli_sweep_everything();
  const cli_sweep_statistics s = cli_sweep_statistics_of(&view, &all);
  fputs(
      "# x axis, y axis, their counts, columns and rows of maps, epochs, repeats, runs failed, runs not done; then the "
      "values of x, of y, headings of columns, of rows; then a block a map, row by row: x, y, mean test error and its "
      "deviation over the repeats in percent, runs finished, failed, not done\n",
      out);
  cli_sweep_write_label(out, &view, l.x);
  fputc(' ', out);
  if (l.y == CLI_SWEEP_ANY)
    fputs("\"\"", out);
  else
    cli_sweep_write_label(out, &view, l.y);
  fprintf(out, " %zu %zu %zu %zu %zu %zu %zu %zu\n", count_of(&view, l.x), count_of(&view, l.y), l.n_columns,
          l.n_row_values, grid->base.training.epochs, view.repeats, s.failed, s.missing);
  write_ticks(out, &view, l.x);
  write_ticks(out, &view, l.y);
  write_headings(out, &view, &l.column, l.column != CLI_SWEEP_ANY);
  write_headings(out, &view, l.rows, l.n_rows);
  cli_sweep_part part = cli_sweep_everything();
  for (size_t i = 0; i < l.n_rows; i++) part.at[l.rows[i]] = 0;
  do {
    for (size_t c = 0; c < l.n_columns; c++) {
      if (l.column != CLI_SWEEP_ANY) part.at[l.column] = c;
      write_map(out, &view, &l, part);
    }
  } while (cli_sweep_next(&part, &view, l.rows, l.n_rows));
done:
  cli_sweep_view_free(&view);
  return code;
}

const cli_figure cli_figure_sweep_map = {
    .name = "sweep-map",
    .files = "a sweep: its directory or sweep.nc",
    .reads = CLI_FIND_RESULTS,
    .sentence = "final test error over the grid of a sweep, as heat maps",
    .write = write_sweep_map,
    .fits = fits,
};
