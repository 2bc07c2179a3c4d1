/** @file fields.h
 *  Batches of complex amplitudes, as they enter or leave a mesh.
 */
#ifndef CUONN_FIELDS_H
#define CUONN_FIELDS_H

#include <stddef.h>

#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A batch of fields.  |amplitude|^2 is optical power in any unit, the same for all.  A complex number is two
 *  neighbouring doubles, real part first, which is also the layout of C's double complex and C++'s complex<double>. */
typedef struct cuonn_fields {
  size_t n_examples; /**< number of examples */
  size_t n_modes;    /**< waveguides, N */
  double *values;    /**< [example][waveguide][2] */
} cuonn_fields;

/** Makes a batch of zero fields.
 *  @param[out] out  release with cuonn_fields_free(); zeroed on failure
 *  @return CUONN_OK; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_fields_create(cuonn_fields *out, size_t n_examples, size_t n_modes);

/** Releases the values and zeroes the struct.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_fields_free(cuonn_fields *fields);

#ifdef __cplusplus
}
#endif
#endif
