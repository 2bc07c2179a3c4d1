/* What cuonn energy prints. */
#ifndef CUONN_CLI_ENERGY_PRINT_H
#define CUONN_CLI_ENERGY_PRINT_H

#include "cli/common.h"

/* Results for one configuration. */
typedef struct {
  const cuonn_config *config;
  cuonn_energy_point mesh;
  bool has_network;
  const char *network_path;
  size_t n_examples;
  cuonn_energy_network network;
  cuonn_energy_training training;
} cli_energy_result;

/* As tables, or as one JSON object; both say what the options leave out. */
void cli_energy_print_tables(const cli_energy_result *e);
int cli_energy_print_json(const cli_energy_result *e);

#endif
