/* A fabricated chip, for those who compute with it. */
#ifndef CUONN_CHIP_FABRICATED_H
#define CUONN_CHIP_FABRICATED_H

#include "cuonn/fabricated.h"

/* Whether a mesh is what a layer of the chip is made as. CUONN_E_SHAPE says what both have. */
cuonn_status fabricated_check_mesh(const cuonn_fabricated *chip, size_t layer, const cuonn_mesh *mesh);

#endif
