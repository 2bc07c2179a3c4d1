/* What of a network and its training decides what it costs. */
#ifndef CUONN_ENERGY_NETWORK_H
#define CUONN_ENERGY_NETWORK_H

#include "cuonn/energy.h"

/* Gives the options the mesh of a layer, which is all that light passes between two conversions (the two meshes of an
 * svd layer and its amplitudes are one), the batch and the scheme of the training; *layers: how many of them there are.
 * Fails as cuonn_energy_network_cost(). */
cuonn_status energy_follow_network(double *layers, cuonn_energy_options *o, const cuonn_network_shape *shape,
                                   const cuonn_training_options *training);

#endif
