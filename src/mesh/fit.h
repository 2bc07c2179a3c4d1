/* Phases with which nodes do what other nodes would do: those of a chip with errors, or of another kind. */
#ifndef CUONN_MESH_FIT_H
#define CUONN_MESH_FIT_H

#include "cuonn/mesh.h"

/* mesh: holds the phases of one without errors and gets those with which it comes nearest to it, node by node: eq. 44
 * to 46 of docs/programming.md. out_of_reach: nodes whose splitting is not reached. For all styles but symmetric. */
cuonn_status mesh_correct(cuonn_mesh *mesh, size_t *out_of_reach);

/* mesh: holds the phases of one of the kind mzi, and gets those that give its own nodes the same matrix, all without
 * errors. For all styles but symmetric. */
cuonn_status mesh_from_mzi(cuonn_mesh *mesh);

#endif
