/* Light through a whole network, as the formulas of docs/physics.md say: mesh, nonlinearity, mesh, ..., powers and
 * what the loss makes of them. */
#ifndef CUONN_CLI_LIGHT_H
#define CUONN_CLI_LIGHT_H

#include "cli/trained.h"

/* What becomes of one test example. */
typedef struct {
  double *input;         /* [N][2] features, as they enter the first mesh */
  double *power;         /* [layer][column, 0 to all][N] before every column and after the last */
  double *probabilities; /* [class] softmax of the powers; with squared error their shares */
  size_t prediction;     /* the class of the largest output */
} cli_light;

/* Sends a test example through the network. Release with cli_light_free(), also on failure. */
int cli_light_send(cli_light *out, const cli_trained *trained, size_t example);
void cli_light_free(cli_light *light);

#endif
