/** @file programming.h
 *  Setting a real chip, whose couplers are off and whose shifters lose light, to a wanted matrix.
 *
 *  Methods, formulas and their sources: docs/programming.md.
 */
#ifndef CUONN_PROGRAMMING_H
#define CUONN_PROGRAMMING_H

#include <stddef.h>
#include <stdint.h>

#include "cuonn/compute.h"
#include "cuonn/fabricated.h"
#include "cuonn/mesh.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How the phases of a chip are found. */
typedef enum cuonn_programming_method {
  CUONN_PROGRAMMING_DECOMPOSE, /**< those of a chip without errors (cuonn_mesh_decompose()) */
  CUONN_PROGRAMMING_LOCAL,   /**< errors are known, and corrected node by node (Bandyopadhyay, Hamerly, Englund, Optica
                                  8, 1247 (2021)) */
  CUONN_PROGRAMMING_NULLING, /**< errors are unknown: node by node, a power behind the node is made 0 (Miller, Opt.
                                  Express 25, 29233 (2017)) */
  CUONN_PROGRAMMING_GRADIENT /**< errors are known: from the phases of LOCAL down the gradient of the matrix error */
} cuonn_programming_method;

/** Name of a method, as commands have it.  @return a constant string, NULL if unknown */
CUONN_API const char *cuonn_programming_method_name(cuonn_programming_method method);

/** Method of a name.  @return CUONN_OK; CUONN_E_ARGUMENT naming the four methods */
CUONN_API cuonn_status cuonn_programming_method_parse(cuonn_programming_method *out, const char *name);

/** How a chip is programmed.  Start from CUONN_PROGRAMMING_OPTIONS_INIT or cuonn_programming_options_init(). */
typedef struct cuonn_programming_options {
  cuonn_programming_method method;
  double tap_shot;   /**< nulling: standard deviation of a power that is read over the amplitude there, 0 to 100; the
                          light sent in has power 1 */
  uint64_t seed;     /**< nulling: of that noise */
  size_t iterations; /**< gradient: most steps, at least 1 */
} cuonn_programming_options;

/** Local correction; where they matter, readings without noise and at most 1000 steps. */
#define CUONN_PROGRAMMING_OPTIONS_INIT \
  { CUONN_PROGRAMMING_LOCAL, 0, 0, 1000 }

/** Fills in what CUONN_PROGRAMMING_OPTIONS_INIT holds, for callers that have no macros. */
CUONN_API void cuonn_programming_options_init(cuonn_programming_options *out);

/** How far a matrix U' is from a unitary target U of N x N.  Common and output phases count. */
typedef struct cuonn_matrix_distance {
  double error;      /**< ||U' - U||_F / sqrt(N) */
  double normalised; /**< the same of U' sqrt(N) / ||U'||_F: what lost light takes from all elements alike is left out;
                          NaN for a matrix of zeros */
} cuonn_matrix_distance;

/** Measures it.
 *  @param[in] matrix, target  [row][column][2] */
CUONN_API cuonn_matrix_distance cuonn_matrix_distance_of(const double *matrix, const double *target, size_t n_modes);

/** What programming a chip came to. */
typedef struct cuonn_programming_result {
  cuonn_matrix_distance before; /**< with the phases of a chip without errors, those of DECOMPOSE */
  cuonn_matrix_distance after;  /**< with the phases that were found */
  size_t out_of_reach; /**< local, gradient: nodes whose couplers do not allow the wanted splitting, at its nearest */
  size_t readings;     /**< nulling: powers that were read */
  size_t iterations;   /**< gradient: steps that were taken */
} cuonn_programming_result;

/** Finds phases with which a chip comes near to a unitary matrix.
 *  @param[in,out] chip  of a universal shape (cuonn_mesh_shape_is_universal()); its coupler errors and losses are the
 *                       chip's own and stay, its phases are written: theta, phi and gamma in [0, 2 pi), as they were on
 *                       failure
 *  @param[out] out      zeroed on failure
 *  @param[in] context   computes matrices and gradients
 *  @param[in] unitary   [row][column][2], N x N, the wanted matrix, out = unitary x in
 *  @return CUONN_OK; as cuonn_mesh_decompose() for a matrix or mesh that it refuses; CUONN_E_NONFINITE for a number of
 *          the chip that is not finite; CUONN_E_ARGUMENT for an option that is out of range; CUONN_E_MEMORY;
 *          CUONN_E_DEVICE */
CUONN_API cuonn_status cuonn_chip_program(cuonn_mesh *chip, cuonn_programming_result *out, cuonn_context *context,
                                          const double *unitary, const cuonn_programming_options *options);

/** How nodes configure themselves to light.  Start from CUONN_SELF_CONFIGURATION_OPTIONS_INIT or
 *  cuonn_self_configuration_options_init(). */
typedef struct cuonn_self_configuration_options {
  size_t turns;    /**< how often each node moves phi and then theta, at least 1 */
  double tap_shot; /**< as in cuonn_programming_options */
  uint64_t seed;   /**< of that noise */

  /** A fabricated chip of one mesh like the given one, whose errors and losses are in place of the mesh's, and whose
   *  drivers and crosstalk make of each phase that is set what light sees; NULL: none. */
  const cuonn_fabricated *fabricated;
} cuonn_self_configuration_options;

/** Three turns, readings without noise. */
#define CUONN_SELF_CONFIGURATION_OPTIONS_INIT \
  { 3, 0, 0, NULL }

/** Fills in what CUONN_SELF_CONFIGURATION_OPTIONS_INIT holds, for callers that have no macros. */
CUONN_API void cuonn_self_configuration_options_init(cuonn_self_configuration_options *out);

/** What self-configuration came to.  Powers are shares of that of the light. */
typedef struct cuonn_self_configuration {
  size_t output;   /**< the waveguide by which the light leaves */
  size_t n_nodes;  /**< that moved: N - 1 */
  size_t readings; /**< 6 a turn of a node */
  double power;    /**< at the output */
  double dropped;  /**< at the drop detectors of the nodes, together */
} cuonn_self_configuration;

/** Lets the nodes of a chip configure themselves to light, until all that they can bring there leaves by one output
 *  (Miller, Photonics Research 1, 1 (2013); docs/programming.md).  The chip's errors are unknown: node after node reads
 *  the power that it drops.  Those nodes take part that are a tree, each keeping one of its outputs, from all inputs to
 *  the lowest output for which there is one: the whole of `tree`, one line of `triangular`.
 *  @param[in,out] chip  its coupler errors and losses are the chip's own, or become those of options->fabricated; theta
 *                       and phi of the nodes that take part are written, in [0, 2 pi), as they are set, those of others
 *                       and gamma stay; all as they were on failure
 *  @param[out] out      zeroed on failure
 *  @param[out] powers   [turns (N - 1) + 1] power at the output before the first turn and after each, NULL if not
 * wanted
 *  @param[in] light     [waveguide][2] amplitudes at the inputs; only their ratios count
 *  @return CUONN_OK; CUONN_E_SHAPE for a mesh without such a tree, or a fabricated chip of another mesh;
 * CUONN_E_NONFINITE for a number of the chip or the light that is not finite; CUONN_E_DATA for light without power;
 * CUONN_E_ARGUMENT for an option that is out of range, or the style `symmetric`, whose phi acts on both arms alike;
 * CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_chip_self_configure(cuonn_mesh *chip, cuonn_self_configuration *out, double *powers,
                                                 const double *light, const cuonn_self_configuration_options *options);

#ifdef __cplusplus
}
#endif
#endif
