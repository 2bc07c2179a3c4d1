/* How long a classic netCDF file must be by its own header. */
#ifndef CUONN_RESULTS_CLASSIC_H
#define CUONN_RESULTS_CLASSIC_H

#include <stddef.h>

#include "cuonn/status.h"

/* Walks the header of a classic file (CDF-1, CDF-2, CDF-5) and finds where its data ends. libnetcdf itself takes a cut
 * file: a value that is not there is an error only when it is read, or reads as zero.
 * @param[out] end  bytes of the file, with the padding of its last variable
 * @return CUONN_OK; CUONN_E_DATA if the header is damaged or data would lie outside the `size` bytes */
cuonn_status results_classic_end(size_t *end, const unsigned char *bytes, size_t size, const char *path);

#endif
