/* Processes of MPI, in builds with it. */
#ifndef CUONN_COMM_WORLD_H
#define CUONN_COMM_WORLD_H

#include "comm/way.h"

/* NULL if MPI is for one thread alone. */
comm *comm_open_world(void);

#endif
