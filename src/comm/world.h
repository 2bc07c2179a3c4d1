/* Processes of MPI, in builds with it. */
#ifndef CUONN_COMM_WORLD_H
#define CUONN_COMM_WORLD_H

#include "comm/way.h"

comm *comm_open_world(void);

#endif
