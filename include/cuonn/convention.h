/** @file convention.h
 *  Conventions: how programs count the phases of a mesh.
 *
 *  A mesh of the same chip has other numbers in other programs: theta may be a rotation angle or a phase, phi may stand
 *  in the other arm or behind the node, and the phases of single waveguides, gamma, at the outputs or the inputs.  A
 *  convention says what theta, phi and gamma do; the order of nodes, and coupler_error and loss_db, are ours (mesh.h)
 *  in all of them.  docs/conventions.md has the matrix of each, with its source.
 */
#ifndef CUONN_CONVENTION_H
#define CUONN_CONVENTION_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/mesh.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A convention, one row of a table.  Constant. */
typedef struct cuonn_convention cuonn_convention;

/** The conventions in the order of docs/conventions.md; our four phase styles come first.  @return NULL past the last
 */
CUONN_API const cuonn_convention *cuonn_convention_at(size_t index);

/** Name of a convention, as it stands in files: "cuonn-top", "interferometer", ... */
CUONN_API const char *cuonn_convention_name(const cuonn_convention *convention);

/** Convention of a name.  @return CUONN_OK; CUONN_E_ARGUMENT naming all of them */
CUONN_API cuonn_status cuonn_convention_parse(const cuonn_convention **out, const char *name);

/** The convention that is one of our phase styles.  @return NULL for none of the four */
CUONN_API const cuonn_convention *cuonn_convention_of_style(cuonn_phase_style style);

/** Whether a convention is one of our phase styles, and which.  @param[out] style  may be NULL; set if it is */
CUONN_API bool cuonn_convention_is_style(cuonn_phase_style *style, const cuonn_convention *convention);

/** Whether its nodes have phi behind the couplers and gamma at the inputs; else phi is in front, gamma at the outputs.
 */
CUONN_API bool cuonn_convention_phi_is_behind(const cuonn_convention *convention);

/** How far theta, phi and gamma go until a node is the same again, radians: 2 pi, or 4 pi where one enters halved. The
 *  joint periods are those of one phase alone. */
CUONN_API cuonn_phase_periods cuonn_convention_periods(const cuonn_convention *convention);

/** Replaces phases counted by one convention by those of another that have the same matrix (docs/physics.md, eq. 6b).
 *  theta of nodes without coupler errors comes into [0, pi] (rotations: [0, pi/2], and [-pi/2, pi/2] where there is no
 *  phi), other phases into [0, 2 pi).  Between conventions of the same node the numbers stay, wrapped as
 *  cuonn_mesh_wrap() does, errors and losses included.  Coupler errors stay where both nodes consist of two couplers;
 *  losses only where the nodes are the same.
 *  @param[in,out] mesh  of any shape; its style is not looked at, and set if `to` is one of our styles
 *  @return CUONN_OK; CUONN_E_NONFINITE; CUONN_E_ARGUMENT if the mesh cannot be counted by `to`: coupler errors or
 * losses that have no place, a shape that it does not have, phases that its nodes cannot express (the message says
 *          which); CUONN_E_MEMORY.  On failure the mesh is as it was. */
CUONN_API cuonn_status cuonn_mesh_convert(cuonn_mesh *mesh, const cuonn_convention *from, const cuonn_convention *to);

/** Matrix of a mesh whose phases are counted by a convention: the product of its nodes, in double.  Losses count where
 *  the node is that of one of our phase styles.
 *  @param[out] matrix  [row][column][2], out = matrix x in; the caller's */
CUONN_API void cuonn_convention_matrix(double *matrix, const cuonn_mesh *mesh, const cuonn_convention *convention);

#ifdef __cplusplus
}
#endif
#endif
