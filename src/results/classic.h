/* The header of a classic netCDF file, walked before libnetcdf sees it. */
#ifndef CUONN_RESULTS_CLASSIC_H
#define CUONN_RESULTS_CLASSIC_H

#include <stddef.h>

#include "cuonn/status.h"

/* Walks the header of a classic file (CDF-1, CDF-2, CDF-5) from end to end: counts, names, types, dimensions, sizes and
 * offsets, and finds where its data ends. libnetcdf itself crashes on some wrong ones, and takes a cut file: a value
 * that is not there is an error only when it is read, or reads as zero.
 * @param[out] end  bytes of the file, with the padding of its last variable
 * @return CUONN_OK; CUONN_E_DATA if the header is damaged or data would lie outside the `size` bytes */
cuonn_status results_classic_end(size_t *end, const unsigned char *bytes, size_t size, const char *path);

#endif
