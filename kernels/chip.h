/* Errors of a chip's phases and readings (docs/physics.md, section 8). */
#ifndef CUONN_KERNELS_CHIP_H
#define CUONN_KERNELS_CHIP_H

#include <cuda_runtime.h>
#include <stdint.h>

#include "network.h"
#include "reader.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fields [model][layer][example][stride] of layers first_layer .. first_layer + n_layers - 1, to be read at the first
 * n_read waveguides. */
typedef struct {
  float2 *fields;
  float *moduli;              /* of what is read, where fields stand; NULL: not wanted */
  const chip_reader *readers; /* [model] */
  reading_use use;
  bool
      of_matrices; /* in tests: `fields` are matrices; models that read examples are skipped, and the other way round */
  const network_batch *batch; /* its number is the step */
  int n_models, n_modes, first_layer, n_layers, first_example, n_examples, n_read, stride;
} reading_task;

/* Multiplies every field by the error of its reading: the same numbers as chip_read_factor() of src/chip/noise.c. */
cudaError_t launch_read(const reading_task *task, cudaStream_t stream);

/* Draws the factors of readers that have frozen ones. readers: [model]. */
cudaError_t launch_freeze(const chip_reader *readers, int n_modes, int n_layers, int n_models, cudaStream_t stream);

/* half pitches: of arms, and of nodes that have two */
enum { CUONN_CROSSTALK_REACH = 6, CUONN_CROSSTALK_ROWS = CUONN_CROSSTALK_REACH + 1 };

/* Errors of one model's phases. */
typedef struct {
  unsigned bits; /* 0: not rounded */
  double theta_period, phi_period;
  bool mixes;
  /* by kind (theta, phi) of the receiving and of the giving phase, rows and columns between them (src/chip/phases.h) */
  double weight[2][2][2 * CUONN_CROSSTALK_ROWS + 1][CUONN_CROSSTALK_REACH + 1];
} phase_errors;

/* A sparse matrix between the shifters of each layer, by rows: theta of the node at a place is shifter 2 place, its phi
 * the next one. Arrays are on the device, and models of one chip have the same. */
typedef struct {
  const size_t *first;   /* [layer][shifter] of its entries, and behind all of them their end; NULL: no matrix */
  const uint32_t *other; /* [entry] shifter of the same layer */
  const double *share;   /* [entry] */
} crosstalk_rows;

/* What was measured of a fabricated chip's shifters (cuonn/fabricated.h), in place of a law. */
typedef struct {
  double least, most;            /* V: range of the driver */
  unsigned bits;                 /* it has 2^bits voltages; 0: any */
  const double2 *offset, *slope; /* [layer][place] of theta, phi; NULL: no curves */
  crosstalk_rows gets, gives;    /* what a shifter gets of others, and the transpose */
} shifter_curves;

/* What chips make of the phases of models, layers first_layer .. first_layer + n_layers - 1 of each. */
typedef struct {
  mesh_layout layout;
  const phase_errors *errors;   /* [model] */
  const shifter_curves *curves; /* [model]; read only where the next but one say so */
  bool by_law;                  /* some model mixes phases by its weights */
  bool by_curves, by_rows;      /* some model has curves; gets shares of crosstalk of its own */
  int first_layer, n_layers, n_models;
} phases_task;

/* applied, phases, added: [mesh][place] theta, phi; of all layers. As chip_phases_apply() of src/chip/phases.c; added:
 * errors and, where phases mix, the offsets of their curves. set: scratch as large, of phases as drivers set them, or
 * of what is driven of them; NULL if no model mixes them. */
cudaError_t launch_program(double2 *applied, double2 *set, const double2 *phases, const double2 *added,
                           const phases_task *task, cudaStream_t stream);

/* Turns the gradient with respect to applied phases into that with respect to programmed phases; out is not in. */
cudaError_t launch_pull_back(float2 *out, const float2 *in, const phases_task *task, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
