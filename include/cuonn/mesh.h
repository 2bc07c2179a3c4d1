/** @file mesh.h
 *  Meshes of Mach-Zehnder interferometers (MZIs), and phases for them.
 *
 *  shape.h says which waveguides the nodes (MZIs) of a mesh couple, and in which order they are numbered.
 *  A node is  right coupler x theta stage x left coupler x phi stage, light meeting the phi stage first, or has one
 *  thing more: cuonn_node_kind.
 *
 *  Formulas: docs/physics.md.
 */
#ifndef CUONN_MESH_H
#define CUONN_MESH_H

#include <stddef.h>
#include <stdint.h>

#include "cuonn/shape.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which arms of a node carry its phase shifters. */
typedef enum cuonn_phase_style {
  CUONN_STYLE_TOP,         /**< theta and phi in the top arm */
  CUONN_STYLE_BOTTOM,      /**< theta and phi in the bottom arm */
  CUONN_STYLE_SYMMETRIC,   /**< +theta/2 and -theta/2; phi common to both arms: not universal */
  CUONN_STYLE_DIFFERENTIAL /**< +theta/2 and -theta/2; -phi/2 in the top, +phi/2 in the bottom arm */
} cuonn_phase_style;

/** A mesh with its phases and systematic errors.  Plain data; all arrays are always there. */
typedef struct cuonn_mesh {
  cuonn_mesh_shape *shape; /**< columns of nodes; the mesh is one of its owners */
  size_t n_modes;          /**< waveguides of the shape, N */
  size_t n_nodes;          /**< nodes of the shape */
  cuonn_phase_style style; /**< phase style of every node */
  double *theta;           /**< [node] internal phase, radians */
  double *phi;             /**< [node] external phase, radians */
  double *gamma;           /**< [waveguide] output phase, radians */
  double *coupler_error;   /**< [node][2] radians on pi/4; 0 = left coupler, 1 = right coupler; nodes of the kind mzi3
                                have [node][3], 2 = the coupler in front of phi */
  double *loss_db;         /**< [node][2] dB of power, positive attenuates; 0 = theta shifter, 1 = phi shifter */
} cuonn_mesh;

/** Number of nodes of a rectangular mesh of n_modes waveguides: N(N-1)/2. */
CUONN_API size_t cuonn_mesh_nodes(size_t n_modes);

/** Makes a rectangular mesh with all phases, errors and losses zero.
 *  @param[out] out  release with cuonn_mesh_free(); zeroed on failure
 *  @return CUONN_OK; CUONN_E_SHAPE if n_modes is not in 2..CUONN_MODES_MAX; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_mesh_create(cuonn_mesh *out, size_t n_modes, cuonn_phase_style style);

/** The same of any shape, of which the mesh becomes one more owner.
 *  @return CUONN_OK; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_mesh_create_shaped(cuonn_mesh *out, const cuonn_mesh_shape *shape,
                                                cuonn_phase_style style);

/** Copies every array of one mesh into another of the same shape, and the style.
 *  @return CUONN_OK; CUONN_E_SHAPE */
CUONN_API cuonn_status cuonn_mesh_copy(cuonn_mesh *to, const cuonn_mesh *from);

/** Checks that every number of the mesh is finite and the style is one of the four.
 *  @return CUONN_OK; CUONN_E_NONFINITE naming the array and index; CUONN_E_ARGUMENT */
CUONN_API cuonn_status cuonn_mesh_check(const cuonn_mesh *mesh);

/** Releases the arrays and zeroes the struct.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_mesh_free(cuonn_mesh *mesh);

/** Name of a phase style, as it stands in files and configurations.  @return a constant string, NULL if unknown. */
CUONN_API const char *cuonn_phase_style_name(cuonn_phase_style style);

/** Phase style of a name.  @return CUONN_OK; CUONN_E_ARGUMENT naming the four styles */
CUONN_API cuonn_status cuonn_phase_style_parse(cuonn_phase_style *out, const char *name);

/** How far phases go until a node is the same again, radians; coupler errors and losses change nothing in it. */
typedef struct cuonn_phase_periods {
  double theta, phi, gamma;      /**< of one phase while the others stay: 2 pi, or 4 pi where it enters halved */
  double joint_theta, joint_phi; /**< added to theta and phi of one node together, they leave it as it was, too */
} cuonn_phase_periods;

/** Periods of a style: top, bottom: 2 pi each, joint (2 pi, 0); symmetric: theta 4 pi, phi 2 pi, joint (2 pi, pi);
 *  differential: theta and phi 4 pi, joint (2 pi, 2 pi).  gamma has 2 pi in all of them. */
CUONN_API cuonn_phase_periods cuonn_phase_style_periods(cuonn_phase_style style);

/** A phase in [0, period), never the period itself; phase must be finite. */
CUONN_API double cuonn_phase_wrap(double phase, double period);

/** Brings all phases of a mesh, which must be finite, into [0, 2 pi) and leaves its matrix, errors and losses included,
 *  as it was but for rounding.  A sign that a differential node loses moves on through phi of later nodes to gamma;
 *  phases that are there already stay, bit for bit, unless such a sign passes.  Signs do not pass the third coupler of
 *  mzi3: there phi of the differential style comes into [0, 4 pi).
 *  @return CUONN_OK; CUONN_E_MEMORY, the mesh as it was */
CUONN_API cuonn_status cuonn_mesh_wrap(cuonn_mesh *mesh);

/** How far a matrix is from being unitary.
 *  @param[in] matrix  [row][column][2], N x N
 *  @return the largest modulus of an element of U^H U - 1; NaN if the matrix holds one */
CUONN_API double cuonn_unitarity_error(const double *matrix, size_t n_modes);

/** How far a matrix was from its nearest unitary. */
typedef struct cuonn_nearest {
  double frobenius;                        /**< root of the summed squares of what the elements moved by */
  double largest;                          /**< largest modulus of it */
  double least_singular, largest_singular; /**< singular values of the matrix; a unitary one has 1 */
} cuonn_nearest;

/** The unitary nearest to a matrix, in the Frobenius norm: the unitary factor of its polar decomposition, by LAPACK's
 *  singular values (Fan and Hoffman, Proc. Am. Math. Soc. 6, 111 (1955)).
 *  @param[out] unitary  [row][column][2], the caller's; may be `matrix`
 *  @param[in] matrix    [row][column][2], n_modes x n_modes, any scale
 *  @return CUONN_OK; CUONN_E_NONFINITE; CUONN_E_DATA for a singular matrix, of which many unitaries are the nearest
 *          (least singular value at most n_modes x 2^-52 of the largest); CUONN_E_MEMORY; CUONN_E_INTERNAL if LAPACK
 *          fails */
CUONN_API cuonn_status cuonn_nearest_unitary(double *unitary, cuonn_nearest *out, const double *matrix, size_t n_modes);

/** Finds phases with which an error-free mesh has a given matrix (rectangular: Clements et al. 2016, section 3;
 *  triangular: Reck et al. 1994; atan2 takes zeros in the matrix, so that no quotient is formed).  Coupler errors and
 *  losses of the mesh are set to zero.  Its shape must be universal; theta comes out in [0, pi], phi and gamma in [0, 2
 * pi), in every style.
 *  @param[in,out] mesh  its N and style are read, its arrays are written
 *  @param[in] unitary   [row][column][2], out = unitary x in
 *  @return CUONN_OK; CUONN_E_NONFINITE; CUONN_E_DATA if the matrix is farther than 1e-6 from unitary (the message says
 *          by how much); CUONN_E_ARGUMENT for another shape and for the symmetric style, which cannot express every
 *          unitary; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_mesh_decompose(cuonn_mesh *mesh, const double *unitary);

/** Draws a unitary from the Haar measure: QR of a complex Gaussian matrix, Q's columns multiplied by the phases of R's
 *  diagonal (Mezzadri, Notices of the AMS 54, 592 (2007), section 5).  The same seed and stream give the same matrix.
 *  @param[out] unitary  [row][column][2], caller's
 *  @param[in] stream    tells apart matrices of one seed, such as the layers of a network
 *  @return CUONN_OK; CUONN_E_MEMORY; CUONN_E_INTERNAL if LAPACK refuses */
CUONN_API cuonn_status cuonn_haar_unitary(double *unitary, size_t n_modes, uint64_t seed, uint32_t stream);

/** Exponent k of a node's law in the rectangular mesh of N columns: with phases that Haar-random unitaries have, the
 * power cos^2(theta/2) that crosses to the other waveguide is distributed as Beta(k, 1), density k x^(k-1).  For the
 * node of column c whose upper waveguide is t, k = min(2c + 1, 2(N - c) - 1, 2t + 2, 2(N - t) - 2)  (Russell,
 * Chakhmakhchyan, O'Brien, Laing, New J. Phys. 19, 033007 (2017); Pai, Bartlett, Solgaard, Miller, Phys. Rev. Applied
 * 11, 064044 (2019)). */
CUONN_API size_t cuonn_mesh_haar_exponent(size_t n_modes, size_t node);

/** Draws theta from the law of cuonn_mesh_haar_exponent(), phi and gamma uniformly from [0, 2 pi): for the universal
 *  styles these are the phases that Haar-random unitaries have, without a decomposition.  In a triangular mesh, k is
 *  one more than the node's top waveguide.  Where cuonn_mesh_shape_is_universal() is false, k = 1: every node has the
 *  law of a Haar-random 2 x 2 unitary.  Nodes of another kind than mzi get the phases that give the same matrix, but
 *  in the symmetric style the same phases.  Errors and losses stay.
 *  @return CUONN_OK; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_mesh_randomize(cuonn_mesh *mesh, uint64_t seed, uint32_t stream);

#ifdef __cplusplus
}
#endif
#endif
