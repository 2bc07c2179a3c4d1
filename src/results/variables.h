/* Variables and attributes of an open netCDF file, to and from doubles. */
#ifndef CUONN_RESULTS_VARIABLES_H
#define CUONN_RESULTS_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/grid.h"
#include "results/container.h"

/* Most dimensions: all axes of a sweep, and the epoch with the layer, or the length of a text. */
enum { RESULTS_RANK = CUONN_GRID_AXES_MAX + 2 };

/* All of a variable, in place of one index of its first dimension. */
#define RESULTS_WHOLE SIZE_MAX

/* Most numbers in one variable: the 4 GiB that the 64-bit-offset format gives it. */
#define RESULTS_VALUES_MAX ((size_t)1 << 29)

/* The mark of netCDF itself for a double that is missing. */
#define RESULTS_MISSING 9.9692099683868690e+36

typedef struct {
  const char *name; /* of our own files; a foreign file may name it otherwise */
  size_t length;
} results_dimension;

/* A variable as it must stand in a file. */
typedef struct {
  const char *name;
  results_dimension dimensions[RESULTS_RANK + 1]; /* the first without a name ends the list */
  const char *unit;                               /* NULL: a pure number */
  const char *long_name;
  double period;   /* of an angle, in `unit`; 0: none */
  bool integers;   /* stored in 16 bits each, in place of doubles */
  bool characters; /* texts, the last dimension their length; written with results_put_characters() alone */
  bool gaps;       /* RESULTS_MISSING marks values that there are not; readers show them as NaN */
} results_variable;

/* ---- writing: attributes first, then results_define() once, then values ---- */

cuonn_status results_put_text(const results_file *file, const char *attribute, const char *text);
cuonn_status results_put_number(const results_file *file, const char *attribute, double number);
cuonn_status results_put_count(const results_file *file, const char *attribute, int count);

/* Defines the variables. CUONN_E_SHAPE if two of them disagree on a dimension, or one is too large. */
cuonn_status results_define(const results_file *file, const results_variable *variables, size_t count);

/* Writes a variable, or the index `part` of its first dimension. CUONN_E_NONFINITE names the first such value. */
cuonn_status results_put(const results_file *file, const results_variable *variable, size_t part, const double *values);

/* Writes a whole variable of texts: UTF-8, filled with zero bytes to the length of its last dimension. */
cuonn_status results_put_characters(const results_file *file, const results_variable *variable, const char *characters);

/* ---- reading ---- */

/* Copies an attribute of the file; *text is NULL where there is none. Release with free(). */
cuonn_status results_get_text(char **text, const results_file *file, const char *attribute);

/* Reads an attribute of one number; *found says whether there is one. */
cuonn_status results_get_number(double *number, bool *found, const results_file *file, const char *attribute);

/* Whether there is such a variable. */
bool results_has(const results_file *file, const char *name);

/* Rank and lengths of a variable of numbers. CUONN_E_DATA if it is missing, of text, packed, of another rank than 0 to
 * RESULTS_RANK, or larger than RESULTS_VALUES_MAX. */
cuonn_status results_shape(size_t *rank, size_t lengths[RESULTS_RANK], const results_file *file, const char *name);

/* Reads a variable of any numeric type whose lengths must be those of `variable`, or the index `part` of its first
 * dimension. CUONN_E_NONFINITE names the first value that is not finite, or that marks a missing one; a variable with
 * gaps has NaN there. */
cuonn_status results_get(double *values, const results_file *file, const results_variable *variable, size_t part);

/* Reads a variable of texts whose lengths but the last must be those of `variable`: `length` bytes a text, zeros behind it.
 * *texts is NULL where there is none, or one of another type; release with free(). */
cuonn_status results_get_characters(char **texts, size_t *length, const results_file *file,
                                    const results_variable *variable);

#endif
