/* Memory that is zeroed, aligned for SIMD, and checked for overflow and for NULL. */
#ifndef CUONN_BASE_MEMORY_H
#define CUONN_BASE_MEMORY_H

#include <stddef.h>

#include "cuonn/status.h"

/* Allocates count x size zeroed bytes, aligned to 64, and stores the address in *out (a pointer to any pointer).
 * CUONN_E_MEMORY, also for more than the
 * system has to give at present, says how much was asked for. Release with free(). */
cuonn_status cuonn_allocate(void *out, size_t count, size_t size);

#endif
