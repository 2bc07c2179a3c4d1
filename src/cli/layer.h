/* What a layer of a network does to light. */
#ifndef CUONN_CLI_LAYER_H
#define CUONN_CLI_LAYER_H

#include "cli/common.h"

/* Layers of a network, of which each `svd` layer has two meshes. */
size_t cli_layers(const cuonn_network_shape *shape);

/* The matrix of a layer, [row][column][2]: of its mesh, or of the two of an svd layer, with the amplitudes behind, and
 * without the nonlinearity; release with free(). path: where the network came from, for messages. */
int cli_layer_matrix(double **out, cuonn_context *context, const cuonn_network *network, size_t layer,
                     const char *path);

#endif
