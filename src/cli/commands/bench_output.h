/* What `cuonn bench` measured, as a table on standard output and as JSON. */
#ifndef CUONN_CLI_BENCH_OUTPUT_H
#define CUONN_CLI_BENCH_OUTPUT_H

#include "cli/commands/bench_row.h"

void bench_print_head(const bench_run *run);
void bench_print_row(const bench_row *row);
void bench_print_end(const bench_run *run); /* a warning if the machine was busy */

/* Everything that was measured, as JSON; NULL if there is no memory. */
json_t *bench_json(const bench_run *run);

/* Replaces the file, if one is wanted, as a whole by all that there is so far. */
int bench_write_json(const bench_run *run);

/* Refuses a file that could not be written later, and makes the folders above it. NULL is fine. */
int bench_check_writable(const char *path);

#endif
