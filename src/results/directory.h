/* Folders that hold the files of a training run or of a sweep. */
#ifndef CUONN_RESULTS_DIRECTORY_H
#define CUONN_RESULTS_DIRECTORY_H

#include <stddef.h>

#include "cuonn/status.h"

/* Makes the folder if it is not there; its parent must be. */
cuonn_status results_directory_make(const char *directory);

/* Two programs in one folder would overwrite each other's files. *lock is a file descriptor to close, -1 if there is none;
 * the lock goes with the process that holds it, and a file system that has none is taken as it is. */
cuonn_status results_directory_lock(int *lock, const char *directory);

/* Puts a name behind a folder's. Release *out with free(). */
cuonn_status results_join(char **out, const char *directory, const char *name);

#endif
