/* A network's shape that is kept: it owns its mesh shape. */
#ifndef CUONN_NETWORK_SHAPE_H
#define CUONN_NETWORK_SHAPE_H

#include "cuonn/network.h"

/* Makes *shape one of the owners of its mesh shape, which is made if it is NULL. */
cuonn_status network_shape_own(cuonn_network_shape *shape);
void network_shape_disown(cuonn_network_shape *shape);

#endif
