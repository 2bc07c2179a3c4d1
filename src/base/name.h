/* Words by which users choose one of several things. */
#ifndef CUONN_BASE_NAME_H
#define CUONN_BASE_NAME_H

#include <stddef.h>

#include "cuonn/status.h"

/* *out: which of the names [n] it is. CUONN_E_ARGUMENT lists them; what: of what kind they are. */
cuonn_status name_find(size_t *out, const char *what, const char *const *names, size_t n, const char *name);

#endif
