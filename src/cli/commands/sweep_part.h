/* Which part of a sweep this process does, when several share its directory. */
#ifndef CUONN_CLI_SWEEP_PART_H
#define CUONN_CLI_SWEEP_PART_H

#include "cli/common.h"

/* Part `number` of `of`, 1 of 1 for all of it; `slurm`: as a Slurm array says. */
typedef struct {
  size_t number, of;
  bool slurm;
} cli_sweep_part;

/* Reads "K/N" (NULL: not given) and the variables that Slurm sets in a job array; refuses bad ones, and two that
 * contradict each other. */
int cli_sweep_part_find(cli_sweep_part *out, const char *text);

#endif
