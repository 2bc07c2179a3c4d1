/** @file buffer.h
 *  Arrays of a caller's that a backend uses in place, in the memory where it computes.
 */
#ifndef CUONN_BUFFER_H
#define CUONN_BUFFER_H

#include <stddef.h>

#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What the numbers of a buffer are. */
typedef enum cuonn_number {
  CUONN_FLOAT32,
  CUONN_FLOAT64,
  CUONN_COMPLEX64, /**< two neighbouring float32, real part first */
  CUONN_COMPLEX128 /**< two neighbouring float64, real part first */
} cuonn_number;

/** Where a buffer lies. */
typedef enum cuonn_memory {
  CUONN_HOST,  /**< any memory of the process */
  CUONN_DEVICE /**< memory of the GPU that the context or handle computes on */
} cuonn_memory;

/** A contiguous array of the caller's, in C order. */
typedef struct cuonn_buffer {
  void *data; /**< at a multiple of 4 or 8 bytes, the size of its real numbers; NULL where a call says that it may be */
  cuonn_number type;
  cuonn_memory memory;
  size_t count; /**< numbers; a complex one is one */
} cuonn_buffer;

#ifdef __cplusplus
}
#endif
#endif
