/* A variable as it must stand in a netCDF file. */
#ifndef CUONN_RESULTS_VARIABLE_H
#define CUONN_RESULTS_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/grid.h"

/* Most dimensions: all axes of a sweep, and the epoch with the layer, or the length of a text. */
enum { RESULTS_RANK = CUONN_GRID_AXES_MAX + 2 };

typedef struct {
  const char *name; /* of our own files; a foreign file may name it otherwise */
  size_t length;
} results_dimension;

typedef struct {
  const char *name;
  results_dimension dimensions[RESULTS_RANK + 1]; /* the first without a name ends the list */
  const char *unit;                               /* NULL: a pure number */
  const char *long_name;
  const char *coordinates; /* names of variables that are coordinates besides the dimensions'; NULL: none */
  double period;           /* of an angle, in `unit`; 0: none */
  bool integers;           /* stored in 16 bits each, in place of doubles */
  bool characters;         /* texts, the last dimension their length; written with results_put_characters() alone */
  bool gaps;               /* RESULTS_MISSING marks values that there are not; readers show them as NaN */
} results_variable;

#endif
