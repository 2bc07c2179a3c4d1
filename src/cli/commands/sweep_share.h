/* What the processes of MPI have to agree on, and how they share the runs of a sweep. */
#ifndef CUONN_CLI_SWEEP_SHARE_H
#define CUONN_CLI_SWEEP_SHARE_H

#include "cli/common.h"
#include "comm/comm.h"

/* The processes with room for what each of them says; one alone after cli_sweep_share_open() with `alone`. */
typedef struct {
  comm *processes;
  uint64_t *words; /* [size] */
} cli_sweep_share;

/* From here on rank 0 alone speaks, until cli_sweep_agree(). */
int cli_sweep_share_open(cli_sweep_share *out, bool alone);
void cli_sweep_share_close(cli_sweep_share *share);

/* The exit code of the first that failed, of which one line is printed; CLI_DONE if none did. */
int cli_sweep_agree(cli_sweep_share *share, int code);

/* Ends all processes after a failure of this one alone, which was printed. Returns the code if it is the only one. */
int cli_sweep_give_up(const cli_sweep_share *share, int code);

/* Refuses processes that read another grid or other data than rank 0. Says so where they compute on other processors or
 * backends: then numbers differ by rounding. */
int cli_sweep_compare(cli_sweep_share *share, const cuonn_grid *grid, const char *data, const char *backend);

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
