/* A sweep as its figures see it: the axes that say something, and statistics of the final test error over parts of the
 * grid. */
#ifndef CUONN_CLI_SWEEP_VIEW_H
#define CUONN_CLI_SWEEP_VIEW_H

#include <stdio.h>

#include "cli/common.h"

/* A sweep and its axes of more than one value, but for those of seeds, whose runs are repeats of one another. Of axes
 * that advance together one stands for all. */
typedef struct {
  cuonn_sweep_record record;
  size_t axes[CUONN_GRID_AXES_MAX]; /* [n_axes] axes of the grid, in its order */
  size_t n_axes;
  size_t repeats; /* runs that differ by their seeds alone */
} cli_sweep_view;

/* Reads a sweep of which at least one run has finished; free it in any case. */
int cli_sweep_view_read(cli_sweep_view *out, const char *path);
void cli_sweep_view_free(cli_sweep_view *view);

/* One value of each axis of the grid, CLI_SWEEP_ANY for all of them; of axes that advance together only one is set. */
#define CLI_SWEEP_ANY SIZE_MAX
typedef struct {
  size_t at[CUONN_GRID_AXES_MAX]; /* [axis of the grid] */
} cli_sweep_part;

cli_sweep_part cli_sweep_everything(void);

/* Test error after the last epoch, 0 to 1, over the finished runs of a part. */
typedef struct {
  size_t n, failed, missing; /* runs: finished, failed, not done */
  double mean, deviation;    /* NaN without runs; the deviation is 0 for one run */
  double low, high;          /* NaN without runs */
} cli_sweep_statistics;

cli_sweep_statistics cli_sweep_statistics_of(const cli_sweep_view *view, const cli_sweep_part *part);
/* The same after an epoch, 1 the first. */
cli_sweep_statistics cli_sweep_statistics_after(const cli_sweep_view *view, const cli_sweep_part *part, size_t epoch);

/* The point of the grid at which all axes that a part leaves open have their first value. */
size_t cli_sweep_point(const cli_sweep_view *view, const cli_sweep_part *part);

/* Whether an axis, or one that advances with it, is that of a key. */
bool cli_sweep_has_key(const cli_sweep_view *view, size_t axis, const char *key);

/* The axis of a key, an index of the grid; CLI_SWEEP_ANY if it has but one value, or another stands for it. */
size_t cli_sweep_axis_of(const cli_sweep_view *view, const char *key);

/* The axis with the most values of those in `among`, numbers before words; *among is left without it. */
size_t cli_sweep_take_longest(const cli_sweep_view *view, size_t *among, size_t *n_among, size_t most);

/* Whose values are apart from one another, as rows of panels: the optimizer, else the first axis of words;
 * CLI_SWEEP_ANY if that would leave no axis of numbers. */
size_t cli_sweep_choose_rows(const cli_sweep_view *view);

/* Numbers of an axis's values as they rise, words as they are listed; release with free(). */
int cli_sweep_rising(size_t **out, const cuonn_grid_axis *axis);

/* Whether an axis is one of numbers, and no other advances with it. */
bool cli_sweep_is_numeric(const cli_sweep_view *view, size_t axis);

/* Writes "learning rate / radians", "0.1" or "learning rate 0.1 radians", quoted as gnuplot reads it, for an axis and
 * those that advance with it. */
void cli_sweep_write_label(FILE *out, const cli_sweep_view *view, size_t axis);
void cli_sweep_write_value(FILE *out, const cli_sweep_view *view, size_t axis, size_t i);
void cli_sweep_write_values(FILE *out, const cli_sweep_view *view, const size_t *axes, size_t n_axes,
                            const cli_sweep_part *part);
/* A block of the headings of rows of panels: number, values of the axis that rows are apart in (CLI_SWEEP_ANY: one
 * row). */
void cli_sweep_write_rows(FILE *out, const cli_sweep_view *view, size_t rows);

/* A number, or NaN, which gnuplot leaves out. */
void cli_sweep_write_number(FILE *out, double number);

/* Goes to the next combination of the values of some axes, the last fastest. false after the last, which is the first
 * again. */
bool cli_sweep_next(cli_sweep_part *part, const cli_sweep_view *view, const size_t *axes, size_t n_axes);

#endif
