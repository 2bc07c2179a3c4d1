/** @file fabricated.h
 *  A fabricated chip: what was measured of it, or drawn at random, node by node.  Formulas: docs/physics.md, section 8.
 */
#ifndef CUONN_FABRICATED_H
#define CUONN_FABRICATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/chip.h"
#include "cuonn/mesh.h"
#include "cuonn/network.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What drives a phase shifter. */
typedef struct cuonn_driver {
  double least, most; /**< range of its voltage, V; 0 <= least < most */
  size_t bits;        /**< it has 2^bits voltages, from least to most at equal distances; 0: any voltage between */
} cuonn_driver;

/** A share of crosstalk: shifter `to` gets `share` times the driven phase of shifter `from`, besides its own.  The
 *  theta of node k is shifter k of its mesh, its phi is shifter n_nodes + k. */
typedef struct cuonn_crosstalk {
  uint32_t to, from;
  double share;
} cuonn_crosstalk;

/** A fabricated chip.  Plain data.  Of the drive curves, phase = offset + slope V^2, all are there or none. */
typedef struct cuonn_fabricated {
  size_t n_layers;         /**< meshes, one after the other */
  cuonn_mesh_shape *shape; /**< of every mesh, its kind of nodes included; the chip is one of its owners */
  cuonn_phase_style style; /**< of every mesh */
  double wavelength;       /**< in vacuum, at which this holds, nm; 0: not known */
  double *coupler_error;   /**< [layer][node][coupler] radians on pi/4, as in cuonn_mesh */
  double *loss_db;         /**< [layer][node][2] dB of power, as in cuonn_mesh */
  cuonn_driver driver;     /**< of every shifter; zero where there are no curves */
  double *drive_offset;    /**< [layer][shifter] radians: theta of every node, phi of every node, gamma; NULL: none */
  double *drive_slope;     /**< [layer][shifter] radians / V^2, not 0; NULL: none */
  size_t *crosstalk_first; /**< [layer + 1] number of the first share of each layer; the last is their number */
  cuonn_crosstalk *crosstalk; /**< [crosstalk_first[n_layers]] of a layer in the order of (to, from); NULL: none */
} cuonn_fabricated;

/** Shifters of each mesh of a chip: 2 n_nodes + N. */
CUONN_API size_t cuonn_fabricated_shifters(const cuonn_fabricated *chip);

/** Makes a chip without errors, losses, curves and crosstalk.
 *  @param[out] out  release with cuonn_fabricated_free(); zeroed on failure
 *  @return CUONN_OK; CUONN_E_SHAPE if n_layers is not in 1..CUONN_LAYERS_MAX; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_fabricated_create(cuonn_fabricated *out, const cuonn_mesh_shape *shape,
                                               cuonn_phase_style style, size_t n_layers);

/** Gives a chip curves, phase = V^2, and a driver; to be filled.
 *  @return CUONN_OK; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_fabricated_add_drive(cuonn_fabricated *chip, const cuonn_driver *driver);

/** Releases the arrays and zeroes the struct.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_fabricated_free(cuonn_fabricated *chip);

/** Checks that all numbers are finite and in range, and shares of crosstalk are of shifters that there are, in order.
 *  @return CUONN_OK; CUONN_E_NONFINITE, CUONN_E_DATA naming the array and the place */
CUONN_API cuonn_status cuonn_fabricated_check(const cuonn_fabricated *chip);

/** Checks that a chip has the meshes of a network: their number, shape, kind of nodes and phase style.
 *  @return CUONN_OK; CUONN_E_SHAPE saying what both have */
CUONN_API cuonn_status cuonn_fabricated_fits(const cuonn_fabricated *chip, const cuonn_network_shape *network);

/** Drive curves to draw: normal numbers of these means and deviations. */
typedef struct cuonn_drive_law {
  double slope, slope_std;   /**< of all slopes, radians / V^2, and their relative deviation, 0 to 0.5; a slope whose
                                  sign is not that of `slope` is drawn again */
  double offset, offset_std; /**< of all offsets, radians */
} cuonn_drive_law;

/** Draws a chip: errors of couplers and losses as cuonn_chip_draw_errors() does from the same options, crosstalk by the
 *  options' law, and curves.
 *  @param[in,out] chip  as cuonn_fabricated_create() made it; its driver, if there is one, from
 *                       cuonn_fabricated_add_drive()
 *  @param[in] law       NULL where the chip has no curves
 *  @return CUONN_OK; as cuonn_chip_check(), cuonn_chip_check_shape(); CUONN_E_ARGUMENT for a law out of range, and for
 *          options that no chip is fabricated with (phase_bits, phase_error); CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_fabricated_draw(cuonn_fabricated *chip, const cuonn_chip_options *options,
                                             const cuonn_drive_law *law);

/** Gives a mesh the errors and losses of a layer of a chip that fits it.
 *  @return CUONN_OK; CUONN_E_SHAPE */
CUONN_API cuonn_status cuonn_fabricated_put_errors(cuonn_mesh *mesh, const cuonn_fabricated *chip, size_t layer);

/** Makes of a mesh what a layer of a chip is when it is programmed to the mesh's phases: errors and losses, and phases
 * as the driver sets them (the nearer end of its range where it does not reach one) and crosstalk mixes them.
 *  @return CUONN_OK; CUONN_E_SHAPE; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_fabricated_apply(cuonn_mesh *mesh, const cuonn_fabricated *chip, size_t layer);

/** Voltages for the phases of a mesh: V = sqrt((phase - offset) / slope), the phase moved by periods
 *  (cuonn_phase_style_periods()) so that V is the least in the range of the driver, then the nearest of its voltages.
 *  @param[out] volts  [shifter] theta, phi, gamma; the caller's
 *  @return CUONN_OK; CUONN_E_ARGUMENT for a chip without curves; CUONN_E_SHAPE; CUONN_E_DATA if the driver cannot set a
 *          phase, naming the node and its column */
CUONN_API cuonn_status cuonn_fabricated_volts(double *volts, const cuonn_fabricated *chip, size_t layer,
                                              const cuonn_mesh *mesh);

/** Phases of a mesh from voltages: offset + slope V^2.
 *  @param[in] volts  [shifter]
 *  @return CUONN_OK; CUONN_E_ARGUMENT for a chip without curves; CUONN_E_SHAPE */
CUONN_API cuonn_status cuonn_fabricated_phases(cuonn_mesh *mesh, const cuonn_fabricated *chip, size_t layer,
                                               const double *volts);

#ifdef __cplusplus
}
#endif
#endif
