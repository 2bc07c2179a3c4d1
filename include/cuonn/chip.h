/** @file chip.h
 *  What a real chip adds to a mesh: the errors that it was made with, the noise of every reading, and gradients that
 *  are measured on the chip itself.
 *
 *  Pai et al., Science 380, 398 (2023): in situ backpropagation, its noise and its errors.  Formulas: docs/physics.md,
 *  section 8.
 */
#ifndef CUONN_CHIP_H
#define CUONN_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/mesh.h"
#include "cuonn/network.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where a gradient comes from. */
typedef enum cuonn_gradient_method {
  CUONN_GRADIENT_EXACT,   /**< computed; without noise */
  CUONN_GRADIENT_ANALOG,  /**< measured: the backward field is read and sent in with the input, as sum and difference */
  CUONN_GRADIENT_DIGITAL, /**< measured: powers of the sum, of the forward and of the backward field */
  CUONN_GRADIENT_IDEAL, /**< computed for a chip without errors and noise, as if nothing were known of the real one's */
  CUONN_GRADIENT_SPSA,  /**< from losses alone: all phases moved at once, up and down, by random signs */
  CUONN_GRADIENT_FINITE_DIFFERENCE /**< from losses alone: one phase after the other moved, up and down */
} cuonn_gradient_method;

/** Name of a method, as in a configuration: "exact", "finite-difference".  @return a constant string; NULL if there is
 *  no such method */
CUONN_API const char *cuonn_gradient_name(cuonn_gradient_method method);

/** Whether a chip measures the gradient on itself. */
CUONN_API bool cuonn_gradient_is_measured(cuonn_gradient_method method);

/** Whether a gradient comes from losses alone, which a chip gives with moved phases: CUONN_GRADIENT_SPSA and
 *  CUONN_GRADIENT_FINITE_DIFFERENCE.  Nothing is read but outputs, with the noise of forward passes. */
CUONN_API bool cuonn_gradient_is_perturbed(cuonn_gradient_method method);

/** What is sent through the chip. */
typedef enum cuonn_measurement {
  CUONN_MEASUREMENT_EXAMPLE, /**< every example; the layer before receives the field that returns */
  CUONN_MEASUREMENT_MATRIX   /**< unit vectors, once per step; examples are multiplied digitally by this matrix */
} cuonn_measurement;

/** What limits the power that is sent in.  Only shot noise depends on it. */
typedef enum cuonn_measurement_scale {
  CUONN_SCALE_EXAMPLE, /**< the largest norm of an example is 1 */
  CUONN_SCALE_STUDY    /**< the largest norm of a waveguide over all examples is 1, as in the study's program */
} cuonn_measurement_scale;

/** When noise is drawn. */
typedef enum cuonn_noise_draw {
  CUONN_NOISE_FRESH,          /**< at every reading */
  CUONN_NOISE_FROZEN,         /**< once for each layer and place: a calibration error; tests have the same */
  CUONN_NOISE_FROZEN_PER_USE, /**< the same, but forward pass, measurement and tests have each their own */
  CUONN_NOISE_FROZEN_SHARED   /**< once for each place, for all layers, training, its measurement and tests together */
} cuonn_noise_draw;

/** How losses of phase shifters vary. */
typedef enum cuonn_loss_law {
  CUONN_LOSS_TRUNCATED, /**< normal, cut off at 0: a shifter has no gain */
  CUONN_LOSS_STUDY      /**< normal: gain is allowed, as in the study's program */
} cuonn_loss_law;

/** A chip.  Start from CUONN_CHIP_OPTIONS_INIT: no error, no noise. */
typedef struct cuonn_chip_options {
  uint64_t seed; /**< of errors and noise */

  cuonn_measurement measurement;
  cuonn_measurement_scale scale;
  cuonn_noise_draw noise_draw;
  double tap_shot;     /**< standard deviation of a tap's power over the amplitude there; input norms are at most 1 */
  double io_amplitude; /**< relative standard deviation of an amplitude that is read */
  double io_phase;     /**< standard deviation of a phase that is read, over pi: .05 are 9 degrees */

  double coupler_mean, coupler_std; /**< errors of couplers, radians */
  bool coupler_equal;               /**< true: left and right coupler of a node have the same error */
  double loss_mean, loss_std;       /**< of each phase shifter, dB of power */
  cuonn_loss_law loss_law;

  size_t phase_bits;      /**< phases are the nearest of 2^bits levels of their period; 0: any phase */
  double crosstalk;       /**< share of a neighbouring arm's phase at no distance */
  double crosstalk_decay; /**< distance over which it falls to 1/e, in pitches of nodes; beyond 3 pitches it is 0 */
  double phase_error;     /**< standard deviation of an error added to every phase, radians */

  double perturbation; /**< spsa, finite-difference: by how much phases are moved up and down, radians */
  size_t estimates;    /**< spsa: gradients, each of its own signs, whose mean is taken */

  /** A fabricated chip (cuonn/fabricated.h), which outlives all that is computed with it, in place of errors that are
   *  drawn; NULL: none. With one, coupler_* and loss_* are 0, phase_bits if it has drive curves, and crosstalk if it
   * has that. */
  const struct cuonn_fabricated *fabricated;
} cuonn_chip_options;

/** A chip without errors and noise. */
#define CUONN_CHIP_OPTIONS_INIT                                                                       \
  {                                                                                                   \
    0, CUONN_MEASUREMENT_EXAMPLE, CUONN_SCALE_EXAMPLE, CUONN_NOISE_FRESH, 0, 0, 0, 0, 0, false, 0, 0, \
        CUONN_LOSS_TRUNCATED, 0, 0, 1, 0, .1, 1, NULL                                                 \
  }

/** Fills in what CUONN_CHIP_OPTIONS_INIT holds, for callers that have no macros. */
CUONN_API void cuonn_chip_options_init(cuonn_chip_options *out);

/** Most levels of a phase, as bits. */
#define CUONN_PHASE_BITS_MAX 24

/** Most gradients whose mean is taken. */
#define CUONN_ESTIMATES_MAX 1000000

/** Checks a chip, and whether a gradient can be measured on meshes of a style.
 *  @return CUONN_OK; CUONN_E_ARGUMENT naming the number that is out of range or that a fabricated chip has already, or
 * a style whose shifters do not stand in one arm if the gradient is measured */
CUONN_API cuonn_status cuonn_chip_check(const cuonn_chip_options *chip, cuonn_gradient_method method,
                                        cuonn_phase_style style);

/** Checks whether a chip's errors are known of meshes of a shape.
 *  @param[in] shape  NULL: rectangular
 *  @return CUONN_OK; CUONN_E_ARGUMENT for crosstalk where a node couples waveguides that are not neighbours */
CUONN_API cuonn_status cuonn_chip_check_shape(const cuonn_chip_options *chip, const cuonn_mesh_shape *shape);

/** Draws the coupler errors and losses that a chip was made with, from its seed, in place of what the meshes had, or
 *  takes those of its fabricated chip.  A chip without any (their means and deviations are 0) leaves those, which may
 *  have come from a file.
 *  @return CUONN_OK; as cuonn_chip_check(); CUONN_E_SHAPE for a fabricated chip that has other meshes */
CUONN_API cuonn_status cuonn_chip_draw_errors(cuonn_network *network, const cuonn_chip_options *chip);

#ifdef __cplusplus
}
#endif
#endif
