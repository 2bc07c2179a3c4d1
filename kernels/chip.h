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

/* applied, phases, added: [mesh][place] theta, phi. As chip_phases_apply() of src/chip/phases.c. errors: [model].
 * set: scratch as large, of phases as drivers set them; NULL if no model mixes them. */
cudaError_t launch_program(double2 *applied, double2 *set, const double2 *phases, const double2 *added,
                           const phase_errors *errors, mesh_layout layout, int n_layers, int n_models,
                           cudaStream_t stream);

/* Turns the gradient with respect to applied phases into that with respect to programmed phases; out is not in. */
cudaError_t launch_pull_back(float2 *out, const float2 *in, const phase_errors *errors, mesh_layout layout,
                             int n_layers, int n_models, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
