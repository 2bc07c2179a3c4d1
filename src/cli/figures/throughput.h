/* Throughput of what cuonn bench measured, from its JSON. */
#ifndef CUONN_CLI_THROUGHPUT_H
#define CUONN_CLI_THROUGHPUT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* Writes the data of the figure.
 *  documents  [count] as cuonn bench --json writes them; not released
 *  names      [count] of their files, for curves and messages */
int cli_throughput_write(FILE *out, json_t *const *documents, const char *const *names, size_t count);

#endif
