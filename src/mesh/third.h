/* Nodes with a third coupler as two nodes of the kind mzi, for backends that know those. */
#ifndef CUONN_MESH_THIRD_H
#define CUONN_MESH_THIRD_H

#include "cuonn/mesh.h"

/* A mesh of mzi3 as one of mzi in twice the columns: column 2c holds what column c has for third couplers, MZIs without
 * phases of which one coupler does nothing; column 2c + 1 the rest of its nodes. Column 2c starts at node 2k where
 * column c starts at node k. Release with cuonn_mesh_free(); zeroed on failure. */
cuonn_status mesh_split_third(cuonn_mesh *out, const cuonn_mesh *mesh);

#endif
