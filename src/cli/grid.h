/* Axes of a grid over configuration keys, from the command line. */
#ifndef CUONN_CLI_GRID_H
#define CUONN_CLI_GRID_H

#include "cli/common.h"

/* Most points of a grid: with half a kilobyte each, what a small machine holds. */
enum { CLI_GRID_POINTS = 1000000 };

/* One key and its values. */
typedef struct {
  const char *path, *unit, *sentence; /* of the key; constant */
  double *values;                     /* [count], rising */
  size_t count;
} cli_axis;

/* Reads "KEY=A,B,C" or "KEY=FROM:TO:STEP" (TO belongs to it) for a key of numbers in the section `section`; every value
 * is one that the key allows. Release with cli_axis_free(). */
int cli_axis_parse(cli_axis *out, const char *text, const char *section);
void cli_axis_free(cli_axis *axis);

/* Sets the axis's key to its i-th value. */
int cli_axis_set(cuonn_config *config, const cli_axis *axis, size_t i);

#endif
