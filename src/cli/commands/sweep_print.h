/* What cuonn sweep prints: how it starts, a run as JSON, the end as a table or as JSON. */
#ifndef CUONN_CLI_SWEEP_PRINT_H
#define CUONN_CLI_SWEEP_PRINT_H

#include "cli/commands/sweep_part.h"
#include "cli/context.h"

/* n_processes: that do it together; n_runs: of the part; devices: of this process. */
void cli_sweep_print_start(const cuonn_grid *grid, const cli_sweep_part *part, int n_processes, size_t n_runs,
                           size_t n_to_do, const cuonn_dataset *data, const char *backend, const cli_devices *devices);

/* A run that is finished or has failed, as one line of JSON. */
int cli_sweep_print_run(const cuonn_grid *grid, size_t point, const cuonn_sweep_result *result);

/* How the sweep ended: "done" or "interrupted". */
int cli_sweep_print_end(const cuonn_grid *grid, const cuonn_sweep_files *files, const char *outcome, double seconds,
                        bool json);

/* How a part of it ended. mine: [point] whether it is of this part; missing: runs of all parts. */
int cli_sweep_print_part_end(const cuonn_grid *grid, const cuonn_sweep_files *files, const cli_sweep_part *part,
                             const bool *mine, size_t missing, bool done, double seconds, bool json);

#endif
