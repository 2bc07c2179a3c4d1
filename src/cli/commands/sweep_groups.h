/* How the processes of MPI share the runs of a sweep. */
#ifndef CUONN_CLI_SWEEP_GROUPS_H
#define CUONN_CLI_SWEEP_GROUPS_H

#include "cli/common.h"

/* Groups of networks, each for the process that asks next: large ones first, so that none waits long for the last. */
typedef struct {
  size_t *order; /* [n_models] */
  size_t *first; /* [n_groups + 1] places in it */
  size_t n_groups;
} cli_sweep_groups;

/* Release with cli_sweep_groups_free(), also on failure. */
int cli_sweep_groups_make(cli_sweep_groups *out, const cuonn_sweep_model *models, size_t n_models, size_t n_processes);
void cli_sweep_groups_free(cli_sweep_groups *groups);

#endif
