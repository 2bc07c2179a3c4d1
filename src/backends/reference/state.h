/* What the backend keeps between calls. */
#ifndef CUONN_REFERENCE_STATE_H
#define CUONN_REFERENCE_STATE_H

#include "backends/backend.h"
#include "chip/phases.h"
#include "reference/network.h"

typedef struct {
  cuonn_network network; /* phases as they are programmed */
  cuonn_network applied; /* phases as the chip applies them */
  cuonn_network ideal;   /* the programmed phases on meshes without errors */
  double *moments;       /* as in cuonn_training_state */
  cuonn_optimizer_options optimizer;
  uint64_t seed;
  cuonn_gradient_method gradient;
  bool train_gamma;
  cuonn_chip_options chip;
  chip_phases *phases; /* [layer]; zeroed before the model is set */
} reference_model;

typedef struct {
  backend_problem problem;
  reference_model *models;        /* [model] */
  reference_network network;      /* of the model that computes now */
  cuonn_mesh_gradient *gradients; /* [layer] */
  cuonn_fields fields[CUONN_SPLITS];
  uint8_t *labels[CUONN_SPLITS];
  uint32_t steps_done; /* what tests are counted by, for noise */
} reference_state;

#endif
