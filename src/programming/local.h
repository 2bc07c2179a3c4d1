/* Known errors of couplers and losses, corrected node by node: eq. 44 to 46 of docs/programming.md. */
#ifndef CUONN_PROGRAMMING_LOCAL_H
#define CUONN_PROGRAMMING_LOCAL_H

#include "cuonn/mesh.h"

/* chip: holds the phases of a mesh without errors and gets corrected ones, as *out_of_reach nodes allow it. */
cuonn_status programming_local(cuonn_mesh *chip, size_t *out_of_reach);

#endif
