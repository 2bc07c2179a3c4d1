/** @file layout.h
 *  Where the fields of public structs lie: for bindings that declare the structs anew, to be compared with theirs.
 */
#ifndef CUONN_LAYOUT_H
#define CUONN_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One field of a struct, or a struct as a whole. */
typedef struct cuonn_layout {
  const char *type;  /**< name of the struct, such as "cuonn_buffer" */
  const char *field; /**< its name; "" for the struct as a whole */
  size_t offset;     /**< bytes from the struct's begin */
  size_t size;       /**< bytes */
} cuonn_layout;

/** The i-th of all fields, those of a struct in their order behind the struct itself.
 *  @return true and *out filled, its texts constant; false past the last */
CUONN_API bool cuonn_layout_at(cuonn_layout *out, size_t i);

#ifdef __cplusplus
}
#endif
#endif
