/* Files that a command writes, held against those that it reads. */
#ifndef CUONN_CLI_OUTPUT_H
#define CUONN_CLI_OUTPUT_H

#include <stddef.h>

/* Refuses an output that is the same file as an input, by whatever name or link: it would be replaced. Before anything
 * is computed.
 *  output  NULL: none
 *  inputs  [n_inputs] files, or folders of runs, sweeps and data, of which the files that are read in them count; NULL:
 *          not given */
int cli_check_output(const char *output, const char *const *inputs, size_t n_inputs);

/* The same for an output and its inputs, one after the other. */
#define CLI_CHECK_OUTPUT(output, ...)                          \
  cli_check_output(output, (const char *const[]){__VA_ARGS__}, \
                   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

#endif
