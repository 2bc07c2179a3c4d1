/* What the backend keeps between calls. */
#ifndef CPU_STATE_H
#define CPU_STATE_H

#include "backends/backend.h"
#include "chip/phases.h"
#include "cpu/chip.h"
#include "cpu/network.h"
#include "cpu/processes.h"
#include "cpu/team.h"

/* Phases and moments are kept, and updated, in double: that costs some hundredths of a step, and a checkpoint, which
 * holds doubles, is then exactly the state. */
typedef struct {
  cuonn_network network;
  double *moments; /* as in cuonn_training_state */
  cuonn_optimizer_options optimizer;
  uint64_t seed;
  cpu_layer *layers; /* [layer]; zeroed before the model is set */
  cpu_layer *ideal;  /* [layer] without the chip's errors; zeroed unless gradients are those of an ideal chip */

  cuonn_gradient_method gradient;
  bool train_gamma;
  cuonn_chip_options options;
  chip_phases *phases;   /* [layer]; zeroed before the model is set */
  cuonn_network applied; /* phases as the chip applies them */
  cpu_chip chip;         /* zeroed unless gradients are measured or fields are read with noise */
  dense_model dense;     /* zeroed unless something may be computed by matrices */
  unsigned ready;        /* cpu_coefficients_of() those that belong to the present phases */

  cuonn_mesh_gradient *gradients; /* [layer] this model's part of the state's d_theta, d_phi, flow */
} cpu_model;

typedef struct {
  backend_problem problem;
  const cpu_kernels *kernels;
  int threads;
  size_t most_chunks, dense_chunks; /* of a batch, at most kMostChunks */
  cpu_model *models;                /* [model] */
  dense_products *products;         /* [layer][kDenseBlocks]; NULL unless something may be computed by matrices */
  cpu_processes processes;
  cpu_set sets[CUONN_SPLITS];
  cpu_space *spaces;       /* [thread] */
  size_t kept_size;        /* of the spaces */
  bool dense;              /* the spaces serve matrices, too */
  node_sums *sums;         /* [model][chunk][layer][node] */
  double *flows;           /* [model][chunk][2][layer][n_modes] (sums.h); NULL unless fields go on with their phases or
                              there are amplitudes */
  double *losses;          /* [model][chunk] */
  double *d_theta, *d_phi; /* [model][layer][node] */
  double *flow;            /* [model][layer][n_modes] */
  double *d_amplitude;     /* the same; NULL unless there are amplitudes */
  uint32_t steps_done;     /* what tests are counted by, for noise */
} cpu_state;

/* The coefficients that a gradient needs: layers, ideal, or chip.meshes; one bit each. Those of moved phases are made
 * for every pass. */
static inline unsigned cpu_coefficients_of(cuonn_gradient_method which) {
  if (cuonn_gradient_is_perturbed(which)) return 0;
  return cuonn_gradient_is_measured(which) ? 4 : which == CUONN_GRADIENT_IDEAL ? 2 : 1;
}

/* What the chip makes of a layer's phases; coefficients are then made by a method. */
void cpu_apply_layer(cpu_model *model, size_t layer);

cuonn_status cpu_create(void **out, const backend_problem *problem);
void cpu_destroy(void *state);

/* Releases what cpu_set_model() makes. */
void cpu_free_layers(cpu_model *model, size_t n_layers);
/* Room for so many floats of fields at segments in each space, and for matrices. */
cuonn_status cpu_widen_spaces(cpu_state *s, size_t kept_size, bool dense);

/* Threads that OpenMP would take. */
int cpu_own_threads(void);

/* Threads to use: `threads`, or OpenMP's choice if 0, with its bound. */
int cpu_threads(int threads);

#endif
