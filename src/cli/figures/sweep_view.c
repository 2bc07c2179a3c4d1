#include "cli/figures/sweep_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The first and the last axis of those that advance with an axis, itself one of them. */
static size_t first_of(const cuonn_grid *grid, size_t axis) {
  while (grid->axes[axis].zipped) axis--;
  return axis;
}
static size_t last_of(const cuonn_grid *grid, size_t axis) {
  while (axis + 1 < grid->n_axes && grid->axes[axis + 1].zipped) axis++;
  return axis;
}

static bool is_one_of(const char *key, const char *const *names) {
  while (*names && strcmp(*names, key) != 0) names++;
  return *names != NULL;
}

/* The axis that stands for those from `first` on that advance together: one that figures ask for by its key, or the
 * first that is none of seeds; CLI_SWEEP_ANY if all are. */
static size_t representative(const cuonn_grid *grid, size_t first) {
  static const char *const seeds[] = {"training.seed", "chip.seed", NULL};
  static const char *const asked[] = {"training.optimizer.name", "chip.tap_shot", "chip.coupler_std", NULL};
  size_t found = CLI_SWEEP_ANY;
  for (size_t a = first; a <= last_of(grid, first); a++) {
    const char *const key = grid->axes[a].key;
    if (is_one_of(key, asked) || (found == CLI_SWEEP_ANY && !is_one_of(key, seeds))) found = a;
  }
  return found;
}

int cli_sweep_view_read(cli_sweep_view *out, const char *path) {
  int code = CLI_DONE;
  memset(out, 0, sizeof *out);
  CLI_TRY_DONE(cuonn_sweep_read(&out->record, path));
  out->repeats = 1;
  for (size_t a = 0; a < out->record.grid.n_axes; a++) {
    const cuonn_grid_axis *const axis = &out->record.grid.axes[a];
    if (axis->zipped) continue;
    const size_t seen = representative(&out->record.grid, a);
    if (seen == CLI_SWEEP_ANY)
      out->repeats *= axis->count;
    else if (axis->count > 1)
      out->axes[out->n_axes++] = seen;
  }
  const cli_sweep_part all = cli_sweep_everything();
  if (cli_sweep_statistics_of(out, &all).n == 0)
    code = cli_fail(CLI_BAD_FILE, "%s: none of its %zu runs has finished", path, out->record.n_points);
done:
  return code;
}

void cli_sweep_view_free(cli_sweep_view *view) { cuonn_sweep_record_free(&view->record); }

cli_sweep_part cli_sweep_everything(void) {
  cli_sweep_part all;
  for (size_t a = 0; a < CUONN_GRID_AXES_MAX; a++) all.at[a] = CLI_SWEEP_ANY;
  return all;
}

static bool is_within(const cuonn_grid *grid, size_t point, const cli_sweep_part *part) {
  for (size_t a = grid->n_axes; a-- > 0; point /= grid->axes[a].zipped ? 1 : grid->axes[a].count)
    if (part->at[a] != CLI_SWEEP_ANY && part->at[a] != point % grid->axes[a].count) return false;
  return true;
}

/* After an epoch, counted from 1; SIZE_MAX: the last. */
static cli_sweep_statistics statistics(const cli_sweep_view *view, const cli_sweep_part *part, size_t epoch) {
  const cuonn_sweep_record *const r = &view->record;
  cli_sweep_statistics s = {.mean = NAN, .deviation = NAN, .low = NAN, .high = NAN};
  double mean = 0, squares = 0; /* Welford's: of the runs so far */
  for (size_t p = 0; p < r->n_points; p++) {
    const cuonn_sweep_result *const result = &r->results[p];
    if (!is_within(&r->grid, p, part)) continue;
    if (!r->done[p]) {
      s.missing++;
    } else if (result->status != CUONN_OK || result->n_epochs == 0) {
      s.failed++;
    } else {
      const size_t last = epoch < result->n_epochs ? epoch : result->n_epochs;
      const double error = result->epochs[last - 1].test_error, off = error - mean;
      mean += off / (double)++s.n;
      squares += off * (error - mean);
      s.low = fmin(s.low, error);
      s.high = fmax(s.high, error);
    }
  }
  if (s.n == 0) return s;
  s.mean = mean;
  s.deviation = s.n > 1 ? sqrt(squares / (double)(s.n - 1)) : 0;
  return s;
}

cli_sweep_statistics cli_sweep_statistics_of(const cli_sweep_view *view, const cli_sweep_part *part) {
  return statistics(view, part, SIZE_MAX);
}

cli_sweep_statistics cli_sweep_statistics_after(const cli_sweep_view *view, const cli_sweep_part *part, size_t epoch) {
  return statistics(view, part, epoch);
}

size_t cli_sweep_point(const cli_sweep_view *view, const cli_sweep_part *part) {
  const cuonn_grid *const grid = &view->record.grid;
  size_t point = 0;
  for (size_t a = 0; a < grid->n_axes; a++)
    point = point * (grid->axes[a].zipped ? 1 : grid->axes[a].count) + (part->at[a] == CLI_SWEEP_ANY ? 0 : part->at[a]);
  return point;
}

bool cli_sweep_has_key(const cli_sweep_view *view, size_t axis, const char *key) {
  const cuonn_grid *const grid = &view->record.grid;
  for (size_t a = first_of(grid, axis); a <= last_of(grid, axis); a++)
    if (strcmp(grid->axes[a].key, key) == 0) return true;
  return false;
}

size_t cli_sweep_axis_of(const cli_sweep_view *view, const char *key) {
  for (size_t i = 0; i < view->n_axes; i++)
    if (strcmp(view->record.grid.axes[view->axes[i]].key, key) == 0) return view->axes[i];
  return CLI_SWEEP_ANY;
}

size_t cli_sweep_take_longest(const cli_sweep_view *view, size_t *among, size_t *n_among, size_t most) {
  const cuonn_grid_axis *const axes = view->record.grid.axes;
  size_t best = CLI_SWEEP_ANY;
  for (size_t i = 0; i < *n_among; i++) {
    const cuonn_grid_axis *const axis = &axes[among[i]], *const best_axis = best < *n_among ? &axes[among[best]] : NULL;
    if (axis->count > most) continue;
    if (!best_axis || axis->count > best_axis->count ||
        (axis->count == best_axis->count && axis->numeric && !best_axis->numeric))
      best = i;
  }
  if (best == CLI_SWEEP_ANY) return best;
  const size_t taken = among[best];
  memmove(among + best, among + best + 1, (--*n_among - best) * sizeof *among);
  return taken;
}

size_t cli_sweep_choose_rows(const cli_sweep_view *view) {
  const cuonn_grid_axis *const axes = view->record.grid.axes;
  size_t rows = cli_sweep_axis_of(view, "training.optimizer.name");
  for (size_t i = 0; rows == CLI_SWEEP_ANY && i < view->n_axes; i++)
    if (!axes[view->axes[i]].numeric) rows = view->axes[i];
  for (size_t i = 0; i < view->n_axes; i++)
    if (axes[view->axes[i]].numeric) return rows;
  return CLI_SWEEP_ANY;
}

int cli_sweep_rising(size_t **out, const cuonn_grid_axis *axis) {
  size_t *const order = calloc(axis->count, sizeof *order);
  *out = order;
  if (!order) return cli_fail(CLI_RESOURCES, "not enough memory for the %zu values of %s", axis->count, axis->key);
  for (size_t i = 0; i < axis->count; i++) {
    size_t place = i;
    for (; axis->numeric && place > 0 && cuonn_grid_number(axis, order[place - 1]) > cuonn_grid_number(axis, i);
         place--)
      order[place] = order[place - 1];
    order[place] = i;
  }
  return CLI_DONE;
}

static void write_name(FILE *out, const cuonn_grid_axis *axis) {
  for (const char *c = axis->label; *c; c++) fputc(*c == '_' ? ' ' : *c, out);
}

/* As figures write it. */
static const char *unit_of(const cuonn_grid_axis *axis) { return strcmp(axis->unit, "pi") == 0 ? "π" : axis->unit; }

bool cli_sweep_is_numeric(const cli_sweep_view *view, size_t axis) {
  const cuonn_grid *const grid = &view->record.grid;
  return grid->axes[axis].numeric && first_of(grid, axis) == last_of(grid, axis);
}

void cli_sweep_write_label(FILE *out, const cli_sweep_view *view, size_t axis) {
  const cuonn_grid *const grid = &view->record.grid;
  for (size_t first = first_of(grid, axis), a = first; a <= last_of(grid, axis); a++) {
    fputs(a > first ? ", " : "\"", out);
    write_name(out, &grid->axes[a]);
    fprintf(out, "%s%s", grid->axes[a].unit[0] ? " / " : "", unit_of(&grid->axes[a]));
  }
  fputc('"', out);
}

void cli_sweep_write_value(FILE *out, const cli_sweep_view *view, size_t axis, size_t i) {
  const cuonn_grid *const grid = &view->record.grid;
  for (size_t first = first_of(grid, axis), a = first; a <= last_of(grid, axis); a++)
    fprintf(out, "%s%s", a > first ? ", " : "\"", grid->axes[a].values[i]);
  fputc('"', out);
}

void cli_sweep_write_values(FILE *out, const cli_sweep_view *view, const size_t *axes, size_t n_axes,
                            const cli_sweep_part *part) {
  const cuonn_grid *const grid = &view->record.grid;
  fputc('"', out);
  for (size_t i = 0; i < n_axes; i++)
    for (size_t first = first_of(grid, axes[i]), a = first; a <= last_of(grid, axes[i]); a++) {
      const cuonn_grid_axis *const axis = &grid->axes[a];
      fputs(i || a > first ? ", " : "", out);
      write_name(out, axis);
      fprintf(out, " %s%s%s", axis->values[part->at[axes[i]]], axis->unit[0] ? " " : "", unit_of(axis));
    }
  fputc('"', out);
}

void cli_sweep_write_rows(FILE *out, const cli_sweep_view *view, size_t rows) {
  const bool one = rows == CLI_SWEEP_ANY;
  cli_sweep_part part = cli_sweep_everything();
  for (size_t r = 0; r < (one ? 1 : view->record.grid.axes[rows].count); r++) {
    if (!one) part.at[rows] = r;
    fprintf(out, "%zu ", r);
    cli_sweep_write_values(out, view, &rows, one ? 0 : 1, &part);
    fputc('\n', out);
  }
}

void cli_sweep_write_number(FILE *out, double number) {
  if (isfinite(number))
    fprintf(out, " %.6g", number);
  else
    fputs(" NaN", out);
}

bool cli_sweep_next(cli_sweep_part *part, const cli_sweep_view *view, const size_t *axes, size_t n_axes) {
  for (size_t i = n_axes; i-- > 0;) {
    if (++part->at[axes[i]] < view->record.grid.axes[axes[i]].count) return true;
    part->at[axes[i]] = 0;
  }
  return false;
}
