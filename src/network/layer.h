/* What is behind the meshes of a network. */
#ifndef CUONN_NETWORK_LAYER_H
#define CUONN_NETWORK_LAYER_H

#include "cuonn/network.h"

/* Kind of layer, its number of meshes, and the limit of amplitudes. */
cuonn_status network_check_layers(const cuonn_network_shape *shape);
cuonn_status network_check_amplitudes(const cuonn_network *network);

/* Whether fields behind a mesh go on with their phases, so that its gamma has a gradient that is not 0; and whether any
 * do. */
bool network_keeps_phase(const cuonn_network_shape *shape, size_t mesh);
bool network_keeps_phases(const cuonn_network_shape *shape);

/* An amplitude after a step of the optimizer: the nearest that the chip can have. */
static inline double network_clip_amplitude(double s, double limit) {
  return s > limit ? limit : s < -limit ? -limit : s;
}

#endif
