/* Into how many parts the runs of a sweep's directory are cut, and which of them run. */
#ifndef CUONN_RESULTS_SWEEP_PARTS_H
#define CUONN_RESULTS_SWEEP_PARTS_H

#include <stddef.h>

#include "cuonn/status.h"

/* Refuses a directory, `path` its file `parts`, that is cut into another number of parts; one without that file
 * is not cut, which is 1 part. */
cuonn_status sweep_parts_check(const char *directory, const char *path, size_t n_parts);

/* Makes that file, which the first process does, and checks it. */
cuonn_status sweep_parts_cut(const char *directory, const char *path, size_t n_parts);

/* Refuses a part, 1 .. n_parts, that another process holds. *lock is a file descriptor to close; the lock goes with the
 * process that holds it, and a file system that has none is taken as it is. */
cuonn_status sweep_parts_lock(int *lock, const char *directory, const char *path, size_t part, size_t n_parts);

#endif
