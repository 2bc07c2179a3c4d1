/* Whole files: read into memory, and written so that the target is always the old file or the new one. */
#ifndef CUONN_RESULTS_STORE_H
#define CUONN_RESULTS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "cuonn/status.h"

/* Largest file that is read: what a machine of today holds in memory. */
#define RESULTS_FILE_MAX ((size_t)8 << 30)

/* Refuses names that libnetcdf or a user could take for an address on the network. */
cuonn_status results_check_name(const char *path);

/* Zero bytes that stand behind the bytes of a file that was read. libnetcdf takes a header in pieces that are as long
 * as the longest attribute so far, and refuses when the last of them ends behind the memory that it was given. */
enum { RESULTS_SLACK = 1 << 16 };

/* Reads a regular file. *size does not count the slack; release *bytes with free(). */
cuonn_status results_read_bytes(unsigned char **bytes, size_t *size, const char *path);

/* Writes the parts, one after the other, as the file `path`: temporary file beside it, sync, rename, sync of the
 * folder. Folders above it are made where they are missing. On failure the temporary file is gone and the old file is
 * as it was. CUONN_E_IO gives the reason. */
cuonn_status results_write_bytes(const char *path, const struct iovec *parts, size_t count);

/* The same for a file that several programs may make: the first stays. *first: whether this is it. The temporary file
 * becomes it by link(), which no two can do; CUONN_E_IO where the file system has no links. */
cuonn_status results_publish_bytes(bool *first, const char *path, const struct iovec *parts, size_t count);

/* Makes a folder, and those above it, where they are not there, each synced into the one that holds it. CUONN_E_IO
 * names the one that cannot be made. */
cuonn_status results_folders_make(const char *folder);

/* Syncs the folder that holds what was just made there, `path`, so that its name outlives a power cut. */
cuonn_status results_sync_folder(const char *folder, const char *path);

/* Removes temporary files that a write left in a folder when its program was killed; those of a write under way
 * stay. */
void results_remove_temporaries(const char *folder);

#endif
