/* Where powers overflow, and what to do about it. */
#ifndef CUONN_MODEL_OVERFLOW_H
#define CUONN_MODEL_OVERFLOW_H

#include "backends/backend.h"

enum { MODEL_WHERE = 96 };
#define MODEL_OVERFLOW_ADVICE \
  "scale the fields down, or give the shifters less gain (chip.loss_std with loss_law study, negative loss_db)"

/* Sends fields through a network layer by layer; *found: a power is more than a float holds, where: "in layer 2". */
cuonn_status model_find_overflow(bool *found, char where[MODEL_WHERE], const cuonn_backend *backend,
                                 backend_place place, const cuonn_network *network, const cuonn_fields *input);

/* Whether gradients [layer] that belong to a finite loss are not finite. */
bool model_gradient_overflows(char where[MODEL_WHERE], const cuonn_mesh_gradient *gradients,
                              const cuonn_network_shape *shape);

#endif
