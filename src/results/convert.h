/* Files that are no netCDF: what they are, and what converts them. */
#ifndef CUONN_RESULTS_CONVERT_H
#define CUONN_RESULTS_CONVERT_H

#include "cuonn/status.h"
#include "results/variable.h"

/* Fails with what the bytes of a file are and, where they hold arrays, with the lines of Python that make netCDF of
 * them.
 * @param forms  [n_forms] the variables that would have been read; 0: only cuonn makes such files */
cuonn_status results_refuse_format(const char *path, const unsigned char *bytes, size_t size,
                                   const results_variable *forms, size_t n_forms);

#endif
