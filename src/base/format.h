/* What a file is by its first bytes, for messages about files of another kind than expected. */
#ifndef CUONN_BASE_FORMAT_H
#define CUONN_BASE_FORMAT_H

#include <stddef.h>

typedef enum {
  FORMAT_UNKNOWN,
  FORMAT_TEXT, /* of printable characters, such as CSV */
  FORMAT_NPY,
  FORMAT_NPZ,
  FORMAT_MAT,      /* MATLAB's own, versions 5 to 7 */
  FORMAT_MAT_HDF5, /* MATLAB's version 7.3: HDF5 behind a block of its own */
  FORMAT_NETCDF,   /* classic netCDF, or HDF5, which netCDF-4 is */
  FORMAT_IDX,
  FORMAT_NAMED /* another one that has a name */
} format_kind;

/* Recognizes a file by at most its first 4096 bytes. *name is a constant text, such as "a NumPy array (.npy)", and NULL
 * if the kind is FORMAT_UNKNOWN. */
format_kind format_of(const char **name, const unsigned char *bytes, size_t size);

#endif
