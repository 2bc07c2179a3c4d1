/* What cuonn sweep prints: how it starts, a run as JSON, the end as a table or as JSON. */
#ifndef CUONN_CLI_SWEEP_PRINT_H
#define CUONN_CLI_SWEEP_PRINT_H

#include "cli/common.h"

void cli_sweep_print_start(const cuonn_grid *grid, size_t n_to_do, const cuonn_dataset *data, const char *backend);

/* A run that is finished or has failed, as one line of JSON. */
int cli_sweep_print_run(const cuonn_grid *grid, size_t point, const cuonn_sweep_result *result);

/* How the sweep ended: "done" or "interrupted". */
int cli_sweep_print_end(const cuonn_grid *grid, const cuonn_sweep_files *files, const char *outcome, double seconds,
                        bool json);

#endif
