/* Variables of an open netCDF file, to and from doubles. */
#ifndef CUONN_RESULTS_VARIABLES_H
#define CUONN_RESULTS_VARIABLES_H

#include <stdint.h>

#include "results/container.h"

/* All of a variable, in place of one index of its first dimension. */
#define RESULTS_WHOLE SIZE_MAX

/* Most numbers in one variable: the 4 GiB that the 64-bit-offset format gives it. */
#define RESULTS_VALUES_MAX ((size_t)1 << 29)

/* The mark of netCDF itself for a double that is missing. */
#define RESULTS_MISSING 9.9692099683868690e+36

/* ---- writing: attributes first, then results_define() once, then values ---- */

/* Defines the variables. CUONN_E_SHAPE if two of them disagree on a dimension, or one is too large. */
cuonn_status results_define(const results_file *file, const results_variable *variables, size_t count);

/* Writes a variable, or the index `part` of its first dimension. CUONN_E_NONFINITE names the first such value. */
cuonn_status results_put(const results_file *file, const results_variable *variable, size_t part, const double *values);

/* Writes a whole variable of texts: UTF-8, filled with zero bytes to the length of its last dimension. */
cuonn_status results_put_characters(const results_file *file, const results_variable *variable, const char *characters);

/* ---- reading ---- */

/* Whether there is such a variable. */
bool results_has(const results_file *file, const char *name);

/* Finds which of `forms`, which differ in rank and share a name, a variable of numbers has, and its lengths in the
 * order of that form. CUONN_E_DATA if it is missing, of text, packed, of a rank or with names of dimensions that no
 * form has, or larger than RESULTS_VALUES_MAX. */
cuonn_status results_shape(size_t *rank, size_t lengths[RESULTS_RANK], const results_file *file,
                           const results_variable *forms, size_t n_forms);

/* Reads a variable of any numeric type whose lengths must be those of `variable`, or the index `part` of its first
 * dimension. Its dimensions may stand in another order by their names (results/names.h), its values in another unit
 * (results/units.h). CUONN_E_NONFINITE names the first value that is not finite, or that marks a missing one; a
 * variable with gaps has NaN there. */
cuonn_status results_get(double *values, const results_file *file, const results_variable *variable, size_t part);

/* Reads a variable of texts whose lengths but the last must be those of `variable`: `length` bytes a text, zeros behind
 * it. *texts is NULL where there is none, or one of another type; release with free(). */
cuonn_status results_get_characters(char **texts, size_t *length, const results_file *file,
                                    const results_variable *variable);

#endif
