/* Phases that a chip applies, from those that were programmed: set by a driver within one period, quantized, then mixed
 * by crosstalk, then off by an error. eq. 32, 32b and 33 of docs/physics.md. */
#ifndef CUONN_CHIP_PHASES_H
#define CUONN_CHIP_PHASES_H

#include "cuonn/chip.h"
#include "cuonn/fabricated.h"

enum { kCrosstalkReach = 6, kCrosstalkRows = kCrosstalkReach + 1 }; /* half pitches: of arms, of nodes with two arms */

typedef struct chip_phases {
  cuonn_mesh_shape *shape;
  size_t bits;
  cuonn_phase_periods period;
  bool mixes;
  /* what theta (0) or phi (1) of a node gets of another node's theta or phi: [getting][giving][kCrosstalkRows + rows
   * from the giving node down to the getting one][columns between their shifters]; half pitches */
  double weight[2][2][2 * kCrosstalkRows + 1][kCrosstalkReach + 1];
  /* of a fabricated chip, which has them: curves of theta and phi, [2][node], and measured crosstalk in place of
   * `weight`; NULL: none */
  const cuonn_driver *driver;
  const double *offset, *slope;
  const cuonn_crosstalk *shares;
  size_t n_shares;
  double *error;   /* [2][node] radians; theta, phi */
  double *scratch; /* [2][node] */
} chip_phases;

/* Of one layer. Release with chip_phases_free(); zeroed on failure. A fabricated chip fits the shape, and outlives
 * this. CUONN_E_ARGUMENT for crosstalk by the law on a shape whose nodes couple other than neighbouring waveguides:
 * where its shifters stand is not known. */
cuonn_status chip_phases_create(chip_phases *out, const cuonn_chip_options *chip, uint32_t layer,
                                const cuonn_mesh_shape *shape, cuonn_phase_style style);
void chip_phases_free(chip_phases *phases);

/* The crosstalk by a law as shares, X - 1; release *out with free(). */
cuonn_status chip_phases_shares(cuonn_crosstalk **out, size_t *count, const chip_phases *phases);

/* What the chip applies; theta, phi: [node] as programmed, which may be the same arrays. */
void chip_phases_apply(double *applied_theta, double *applied_phi, const chip_phases *phases, const double *theta,
                       const double *phi);

/* Whether a gradient comes by the applied phases, not by the programmed ones. */
bool chip_phases_are_between(cuonn_gradient_method which);

/* Gradient with respect to the applied phases to that with respect to the programmed ones, in place: straight through
 * the quantization. */
void chip_phases_pull_back(double *d_theta, double *d_phi, const chip_phases *phases);

#endif
