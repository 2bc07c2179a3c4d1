/* A configuration's bytes, from a file or a pipe. */
#ifndef CUONN_CONFIG_STREAM_H
#define CUONN_CONFIG_STREAM_H

#include <stddef.h>

#include "cuonn/status.h"

/* Reads at most `most` bytes of a file, or of a pipe, whose writer is waited for. *text is allocated; release with
 * free().
 * @return CUONN_OK; CUONN_E_IO, also for a pipe into which nobody writes; CUONN_E_INTERRUPTED after
 * cuonn_request_stop(); CUONN_E_MEMORY */
cuonn_status config_read_stream(char **text, size_t *length, size_t most, const char *path);

#endif
