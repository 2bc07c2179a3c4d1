/* A mesh on a chip: its matrix as it is read, and gradients that the chip measures on itself. */
#ifndef CUONN_REFERENCE_IN_SITU_H
#define CUONN_REFERENCE_IN_SITU_H

#include "chip/noise.h"
#include "reference/mesh.h"

/* What is read of a field [N] at the ends of the mesh, in place. example: its number in the batch. */
void reference_read(complex_t *field, const chip_reading *reading, size_t example, size_t n_modes);

/* matrix [row][column]: unit vectors are sent through, and the outputs are read. */
void reference_read_matrix(complex_t *matrix, const reference_mesh *mesh, const chip_reading *reading);

/* Gradient of a batch, x and the cotangent g [example][N]; style top or bottom. method: analog or digital.
 * returned [example][N]: the field that comes out at the inputs, in units of g, as the layer before receives it; NULL
 * if it is not wanted. */
cuonn_status reference_measure(cuonn_mesh_gradient *gradient, complex_t *returned, const reference_mesh *mesh,
                               const complex_t *x, const complex_t *g, size_t n_examples, cuonn_gradient_method method,
                               const chip_reading *reading);

#endif
