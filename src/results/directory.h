/* Folders that hold the files of a training run or of a sweep. */
#ifndef CUONN_RESULTS_DIRECTORY_H
#define CUONN_RESULTS_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/status.h"

/* Makes the folder, and those above it, where they are not there. */
cuonn_status results_directory_make(const char *directory);

/* Two programs in one folder would overwrite each other's files, unless both share it. *lock is a file descriptor to
 * close, -1 if there is none; the lock goes with the process that holds it, and a file system that has none is taken as
 * it is. *held: whether it has. */
cuonn_status results_directory_lock(int *lock, bool *held, const char *directory, bool shared);

/* What a run writes into its directory, and what a sweep does; both end with NULL. */
extern const char *const results_run_names[], *const results_sweep_names[];

/* Whether there is such a name, were it a broken link. */
cuonn_status results_directory_has(bool *has, const char *directory, const char *name);

/* Before a directory is written into: none of `names` is a link that leads out of it, and what the others, those of a
 * sweep for a run and the other way round, write alone is not there. */
cuonn_status results_directory_check(const char *directory, const char *const *names, const char *const *others);

/* Puts a name behind a folder's. Release *out with free(). */
cuonn_status results_join(char **out, const char *directory, const char *name);

#endif
