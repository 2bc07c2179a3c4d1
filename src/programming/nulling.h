/* Unknown errors, found by powers that are made 0 node by node: eq. 47 to 50 of docs/programming.md. */
#ifndef CUONN_PROGRAMMING_NULLING_H
#define CUONN_PROGRAMMING_NULLING_H

#include <stdint.h>

#include "cuonn/mesh.h"

/* chip: holds the phases of a mesh without errors and gets those that are found, by *readings powers.
 * unitary: [row][column][2] what the former have without errors */
cuonn_status programming_nulling(cuonn_mesh *chip, size_t *readings, const double *unitary, double tap_shot,
                                 uint64_t seed);

#endif
