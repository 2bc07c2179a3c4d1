/* A batch on chips: layer after layer, because a measurement is scaled to the whole batch. */
#ifndef CUONN_REFERENCE_BATCH_H
#define CUONN_REFERENCE_BATCH_H

#include "reference/in_situ.h"
#include "reference/network.h"

/* A labelled batch, and the chip that it goes through. */
typedef struct {
  size_t count;
  const complex_t *x;    /* [example][N] */
  const uint8_t *labels; /* [example] */
  const cuonn_chip_options *chip;
  uint32_t step; /* that noise is drawn for */
} reference_batch;

/* Mean loss as the chip gives it in a test, and predictions [example]. */
cuonn_status reference_batch_evaluate(double *loss, size_t *predictions, const reference_network *network,
                                      const reference_batch *batch);

/* Loss, and gradients [layer] as the chip measures them. */
cuonn_status reference_batch_gradient(double *loss, cuonn_mesh_gradient *gradients, const reference_network *network,
                                      const reference_batch *batch, cuonn_gradient_method method);

#endif
