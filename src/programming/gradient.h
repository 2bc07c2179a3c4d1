/* Known errors, corrected down the gradient of the matrix error: eq. 51 of docs/programming.md. */
#ifndef CUONN_PROGRAMMING_GRADIENT_H
#define CUONN_PROGRAMMING_GRADIENT_H

#include "cuonn/compute.h"

/* chip: holds the phases to start from and gets better ones, in *taken steps of at most `most`.
 * unitary: [row][column][2] */
cuonn_status programming_gradient(cuonn_mesh *chip, size_t *taken, cuonn_context *context, const double *unitary,
                                  size_t most);

#endif
