/* One process alone. */
#ifndef CUONN_COMM_ONE_H
#define CUONN_COMM_ONE_H

#include "comm/way.h"

comm *comm_open_one(void);

#endif
