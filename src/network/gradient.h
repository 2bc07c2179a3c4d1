/* Gradients of several meshes. */
#ifndef CUONN_NETWORK_GRADIENT_H
#define CUONN_NETWORK_GRADIENT_H

#include "cuonn/compute.h"

/* cuonn_gradients_create() by numbers; amplitudes: with d_amplitude. */
cuonn_status gradients_create(cuonn_mesh_gradient **out, size_t n_layers, size_t n_nodes, size_t n_modes,
                              bool amplitudes);

#endif
