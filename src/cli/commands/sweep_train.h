/* The training of a sweep's runs: on one device, or on several with a thread and a context for each. */
#ifndef CUONN_CLI_SWEEP_TRAIN_H
#define CUONN_CLI_SWEEP_TRAIN_H

#include "cli/context.h"
#include "cli/progress.h"
#include "comm/comm.h"

/* What is to be done, and with what. */
typedef struct {
  const cuonn_grid *grid;
  cuonn_sweep_files *files; /* that takes the results */
  const cuonn_dataset *data;
  const size_t *to_do;             /* [n_to_do] points */
  const cuonn_sweep_model *models; /* [n_to_do] */
  size_t n_to_do;
  comm *processes;  /* that do it together */
  bool alone;       /* this is the only one */
  size_t n_workers; /* devices of all processes */
  const cli_devices *devices;
  cuonn_context *const *contexts; /* [devices->count] */
  cli_bar *bar;
  bool json;
} cli_sweep_work;

/* Trains what falls to this process. *done: none was interrupted. If a device fails, the others end after their present
 * steps. */
int cli_sweep_train(const cli_sweep_work *work, bool *done);

#endif
