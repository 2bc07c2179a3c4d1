/** @file shape.h
 *  Shapes of meshes: which waveguides the nodes of each column couple, and what a node is made of.
 *
 *  Light passes the columns one after another.  A column holds nodes, each on a pair of waveguides, or single phase
 *  shifters, each on one waveguide; no waveguide is in a column twice, and waveguides that are not in it pass
 *  by.  Nodes are numbered column by column, in the order in which their column lists them.  The last column of every
 *  mesh holds one single shifter for each waveguide, 0 to N-1: the output phases, gamma.  All other columns hold pairs.
 */
#ifndef CUONN_SHAPE_H
#define CUONN_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Largest N that a mesh may have: what fits 32-bit node numbers with room to spare. */
#define CUONN_MODES_MAX 16384

/** Most columns of nodes. */
#define CUONN_COLUMNS_MAX 16384

/** What a column holds. */
typedef enum cuonn_column_kind {
  CUONN_COLUMN_PAIRS,  /**< nodes: theta and phi */
  CUONN_COLUMN_SINGLES /**< single phase shifters: gamma */
} cuonn_column_kind;

/** One column of a mesh. */
typedef struct cuonn_mesh_column {
  cuonn_column_kind kind;
  size_t first; /**< number of its first node; 0 for singles */
  size_t count; /**< of its nodes, or singles */
  const uint32_t (
      *pairs)[2];  /**< [count] top and bottom waveguide of each node; NULL for singles, whose j is waveguide j */
  bool contiguous; /**< the pairs are (t, t+1), (t+2, t+3), ... for some t */
} cuonn_mesh_column;

/** What a node is made of, light meeting the last factor first: couplers K, of pi/4 and an error each, and stages S of
 *  the phases.  All nodes of a mesh are of one kind.  Hamerly, Bandyopadhyay, Englund, Nat. Commun. 13, 6831 (2022). */
typedef enum cuonn_node_kind {
  CUONN_NODE_MZI,  /**< K(right) S_theta K(left) S_phi: the Mach-Zehnder interferometer */
  CUONN_NODE_MZI3, /**< K(right) S_theta K(left) S_phi K(third): one more coupler in front */
  CUONN_NODE_MZIX  /**< X K(right) S_theta K(left) S_phi: a crossing X behind, which exchanges the waveguides */
} cuonn_node_kind;

/** Name of a kind of node, as in files and configurations.  @return a constant string, NULL if unknown. */
CUONN_API const char *cuonn_node_kind_name(cuonn_node_kind kind);

/** Kind of a name.  @return CUONN_OK; CUONN_E_ARGUMENT naming all of them */
CUONN_API cuonn_status cuonn_node_kind_parse(cuonn_node_kind *out, const char *name);

/** Couplers of a node, each with an error of its own: 2, of mzi3 3. */
CUONN_API size_t cuonn_node_kind_couplers(cuonn_node_kind kind);

/** A shape.  It never changes, and may be shared by meshes and threads. */
typedef struct cuonn_mesh_shape cuonn_mesh_shape;

/** Shapes that have a name.  Nodes of a column stand in the order of their top waveguides. */
typedef enum cuonn_architecture {
  /** Column c couples the waveguides (2j + c mod 2, 2j + 1 + c mod 2).  With N columns, the usual number, it has
   *  N(N-1)/2 nodes and can have every unitary.  Clements, Humphreys, Metcalf, Kolthammer, Walmsley, Optica 3, 1460
   *  (2016), figure 1(a). */
  CUONN_ARCHITECTURE_RECTANGULAR,
  /** 2N - 3 columns, of which column c has the top waveguides t = c mod 2, c mod 2 + 2, ..., up to
   *  min(c, 2N - 4 - c); N(N-1)/2 nodes, every unitary.  Reck, Zeilinger, Bernstein, Bertani, Phys. Rev. Lett. 73, 58
   *  (1994). */
  CUONN_ARCHITECTURE_TRIANGULAR,
  /** N = 2^m; column c of m couples waveguides that are N / 2^(c+1) apart, as a fast Fourier transform does; N m / 2
   *  nodes.  Barak, Ben-Aryeh, J. Opt. Soc. Am. B 24, 231 (2007). */
  CUONN_ARCHITECTURE_BUTTERFLY,
  /** Binary tree: column c couples (2^(c+1) j, 2^(c+1) j + 2^c), until waveguide 0 is coupled to all others; N - 1
   *  nodes in as many columns as N - 1 has binary digits.  A self-configuring layer of Miller, Photonics Research 1, 1
   *  (2013). */
  CUONN_ARCHITECTURE_TREE,
  CUONN_ARCHITECTURE_CUSTOM /**< any list of columns: cuonn_mesh_shape_create() */
} cuonn_architecture;

/** Name of an architecture, as in files and configurations.  @return a constant string, NULL if unknown. */
CUONN_API const char *cuonn_architecture_name(cuonn_architecture architecture);

/** Architecture of a name.  @return CUONN_OK; CUONN_E_ARGUMENT naming all of them */
CUONN_API cuonn_status cuonn_architecture_parse(cuonn_architecture *out, const char *name);

/** Columns of nodes that an architecture has for N waveguides, at least 2; 0 for `custom`. */
CUONN_API size_t cuonn_architecture_columns(cuonn_architecture architecture, size_t n_modes);

/** The shape of an architecture.
 *  @param[out] out       release with cuonn_mesh_shape_free(); NULL on failure
 *  @param[in] n_columns  of nodes; 0: as many as cuonn_architecture_columns() says, others for `rectangular` alone
 *  @return CUONN_OK; CUONN_E_SHAPE if n_modes is not in 2..CUONN_MODES_MAX, if n_columns exceeds CUONN_COLUMNS_MAX or
 *          is not the architecture's, and for a butterfly of other than 2^m waveguides; CUONN_E_ARGUMENT for `custom`;
 *          CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_mesh_shape_make(cuonn_mesh_shape **out, cuonn_architecture architecture, size_t n_modes,
                                             size_t n_columns);

/** The rectangular mesh of N columns.
 *  @return as cuonn_mesh_shape_make() */
CUONN_API cuonn_status cuonn_mesh_shape_rectangular(cuonn_mesh_shape **out, size_t n_modes);

/** A shape from a list of nodes; its architecture is `custom`.
 *  @param[out] out       release with cuonn_mesh_shape_free(); NULL on failure
 *  @param[in] counts     [n_columns] number of nodes of each column; the column of gamma is not listed
 *  @param[in] pairs      [node] top and bottom waveguide, the smaller number first, column by column; copied
 *  @return CUONN_OK; CUONN_E_SHAPE for n_modes out of range, no column or too many, a waveguide that is N or more, one
 * that is twice in a column, or a pair in the other order (the message says which); CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_mesh_shape_create(cuonn_mesh_shape **out, size_t n_modes, size_t n_columns,
                                               const size_t *counts, const uint32_t (*pairs)[2]);

/** The shape with the same columns whose nodes are of another kind.  All other functions make shapes of
 *  CUONN_NODE_MZI.
 *  @param[out] out  release with cuonn_mesh_shape_free(); NULL on failure
 *  @return CUONN_OK; CUONN_E_ARGUMENT for an unknown kind; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_mesh_shape_with_node(cuonn_mesh_shape **out, const cuonn_mesh_shape *shape,
                                                  cuonn_node_kind node);

/** Another owner of the same shape; each calls cuonn_mesh_shape_free().  NULL gives NULL. */
CUONN_API cuonn_mesh_shape *cuonn_mesh_shape_share(const cuonn_mesh_shape *shape);

/** Gives up a shape; the last owner releases it.  NULL is fine. */
CUONN_API void cuonn_mesh_shape_free(cuonn_mesh_shape *shape);

/** Waveguides, N. */
CUONN_API size_t cuonn_mesh_shape_modes(const cuonn_mesh_shape *shape);

/** Nodes of all columns. */
CUONN_API size_t cuonn_mesh_shape_nodes(const cuonn_mesh_shape *shape);

/** Columns, that of gamma included. */
CUONN_API size_t cuonn_mesh_shape_columns(const cuonn_mesh_shape *shape);

/** Column c of 0 .. cuonn_mesh_shape_columns() - 1.  The arrays belong to the shape. */
CUONN_API cuonn_mesh_column cuonn_mesh_shape_column(const cuonn_mesh_shape *shape, size_t c);

/** What the shape was made as: `custom` if by cuonn_mesh_shape_create(). */
CUONN_API cuonn_architecture cuonn_mesh_shape_architecture(const cuonn_mesh_shape *shape);

/** What the nodes are made of. */
CUONN_API cuonn_node_kind cuonn_mesh_shape_node(const cuonn_mesh_shape *shape);

/** Whether meshes of this shape can be given every unitary by cuonn_mesh_decompose(): rectangular ones of N columns,
 *  and triangular ones. */
CUONN_API bool cuonn_mesh_shape_is_universal(const cuonn_mesh_shape *shape);

#ifdef __cplusplus
}
#endif
#endif
