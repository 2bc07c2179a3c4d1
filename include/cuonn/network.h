/** @file network.h
 *  Optical neural networks: meshes one after the other, a nonlinearity between them, powers read at the end.
 *
 *  x -> f(U1 x) -> f(U2 .) -> ... -> |.|^2 -> first C outputs -> loss.  In the source study f is the modulus, and the
 *  loss the cross entropy of the softmax: Pai et al., Science 380, 398 (2023), "Experimentally realized in situ
 * backpropagation for deep learning in photonic neural networks".
 */
#ifndef CUONN_NETWORK_H
#define CUONN_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/mesh.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Kind of a nonlinearity f: what a field y of power P = |y|^2 becomes between two meshes.  The first two detect
 *  light, and give a real field; the others let it pass, f(y) = t(P) y, and keep its phase. */
typedef enum cuonn_nonlinearity_kind {
  CUONN_NONLINEARITY_MODULUS,   /**< |y| */
  CUONN_NONLINEARITY_SQUARE,    /**< P: a detector drives a modulator */
  CUONN_NONLINEARITY_SATURABLE, /**< t = exp(-d/2 / (1 + P / P_s)), an absorber of optical depth d: Guo, Barrett, Wang,
                                     Lvovsky, Photonics Research 9, B71 (2021) */
  CUONN_NONLINEARITY_ELECTRO_OPTIC /**< t = i sqrt(1 - a) exp(-i psi) cos psi, psi = pi (g P + b) / 2: a share a of the
                                        power drives an interferometer that the rest passes: Williamson et al., IEEE
                                        JSTQE 26, 7700412 (2020); its g_phi is pi g, its phi_b is pi b */
} cuonn_nonlinearity_kind;

/** A nonlinearity and the numbers of its law.  Start from CUONN_NONLINEARITY_INIT. */
typedef struct cuonn_nonlinearity {
  cuonn_nonlinearity_kind kind;
  double optical_depth;    /**< saturable: d, that of little light, at least 0 */
  double saturation_power; /**< saturable: P_s, above 0, in the unit of P */
  double tap;              /**< electro-optic: a, 0 up to but not 1 */
  double gain;             /**< electro-optic: g, in pi rad per unit of P */
  double bias;             /**< electro-optic: b, in pi rad */
} cuonn_nonlinearity;

/** The modulus, and numbers of the papers for the others. */
#define CUONN_NONLINEARITY_INIT \
  { CUONN_NONLINEARITY_MODULUS, 5, 1, 0.1, 0.05, 1 }

/** Name of a kind, as in files and configurations: "modulus", "square", "saturable", "electro-optic".
 *  @return a constant string, NULL if unknown */
CUONN_API const char *cuonn_nonlinearity_name(cuonn_nonlinearity_kind kind);

/** The kind of a name.  @return CUONN_OK; CUONN_E_ARGUMENT for another name */
CUONN_API cuonn_status cuonn_nonlinearity_parse(cuonn_nonlinearity_kind *out, const char *name);

/** Checks kind and numbers.  @return CUONN_OK; CUONN_E_ARGUMENT naming what is out of range */
CUONN_API cuonn_status cuonn_nonlinearity_check(const cuonn_nonlinearity *f);

/** Whether two are one function: kinds, and the numbers that these have. */
CUONN_API bool cuonn_nonlinearity_equal(const cuonn_nonlinearity *a, const cuonn_nonlinearity *b);

/** Whether the field keeps its phase, so that the phases gamma in front of it are seen behind it. */
CUONN_API bool cuonn_nonlinearity_keeps_phase(cuonn_nonlinearity_kind kind);

/** h = f(y), complex. */
CUONN_API void cuonn_nonlinearity_apply(double h[2], const cuonn_nonlinearity *f, const double y[2]);

/** Cotangent of y, dL = Re(g dy), from that of h = f(y), dL = Re(of_h dh); 0 where y is 0 and f has no derivative.
 *  @param[out] g  may be of_h */
CUONN_API void cuonn_nonlinearity_pull_back(double g[2], const cuonn_nonlinearity *f, const double y[2],
                                            const double of_h[2]);

/** The loss of an example with the powers z_k at its C outputs. */
typedef enum cuonn_loss {
  CUONN_LOSS_CROSS_ENTROPY, /**< -log p of the label, p the softmax of z */
  CUONN_LOSS_SQUARED_ERROR  /**< sum over k of (z_k - t_k)^2, t = 1 at the label and 0 elsewhere */
} cuonn_loss;

/** Name of a loss, as in files and configurations: "cross-entropy", "squared-error".
 *  @return a constant string, NULL if unknown */
CUONN_API const char *cuonn_loss_name(cuonn_loss loss);

/** The loss of a name.  @return CUONN_OK; CUONN_E_ARGUMENT for another name */
CUONN_API cuonn_status cuonn_loss_parse(cuonn_loss *out, const char *name);

/** What the meshes of a network make up, and where it has an amplitude for each waveguide: an attenuator, or with
 *  amplitudes above 1 an amplifier, by whose signed real number s_k the field there is multiplied. */
typedef enum cuonn_layer_kind {
  CUONN_LAYER_UNITARY, /**< a layer is one mesh */
  CUONN_LAYER_SVD, /**< a layer is two meshes with amplitudes between them, y = U S V x: up to a factor, any matrix */
  CUONN_LAYER_DIAGONAL /**< a layer is one mesh with amplitudes behind it, y = S U x */
} cuonn_layer_kind;

/** Name of a kind, as in files and configurations: "unitary", "svd", "diagonal".
 *  @return a constant string, NULL if unknown */
CUONN_API const char *cuonn_layer_kind_name(cuonn_layer_kind kind);

/** The kind of a name.  @return CUONN_OK; CUONN_E_ARGUMENT for another name */
CUONN_API cuonn_status cuonn_layer_kind_parse(cuonn_layer_kind *out, const char *name);

/** Size and kind of a network. */
typedef struct cuonn_network_shape {
  size_t n_modes;                  /**< waveguides of every mesh, N */
  size_t n_layers;                 /**< meshes, at least 1; of svd layers two each */
  size_t n_classes;                /**< outputs that are read, C: 2..N */
  cuonn_phase_style style;         /**< phase style of every mesh */
  bool loss_per_class;             /**< true: the loss is divided by the class count, as in the source study */
  const cuonn_mesh_shape *mesh;    /**< shape of every mesh, of n_modes waveguides; NULL: rectangular, N columns */
  cuonn_nonlinearity nonlinearity; /**< between two layers */
  cuonn_loss loss;
  cuonn_layer_kind layer;
  double amplitude_limit; /**< largest modulus of an amplitude, above 0; 1: attenuators alone */
} cuonn_network_shape;

/** Unitary layers with a modulus between them, and the cross entropy. */
#define CUONN_NETWORK_SHAPE_OF(n_modes, n_layers, n_classes, style, loss_per_class, mesh)                         \
  {                                                                                                               \
    n_modes, n_layers, n_classes, style, loss_per_class, mesh, CUONN_NONLINEARITY_INIT, CUONN_LOSS_CROSS_ENTROPY, \
        CUONN_LAYER_UNITARY, 1                                                                                    \
  }

/** The source study's network: N 64, 3 layers, 10 classes. */
#define CUONN_NETWORK_SHAPE_INIT CUONN_NETWORK_SHAPE_OF(64, 3, 10, CUONN_STYLE_TOP, true, NULL)

/** Fills in what CUONN_NETWORK_SHAPE_INIT holds, for callers that have no macros. */
CUONN_API void cuonn_network_shape_init(cuonn_network_shape *out);

/** Most layers that a network may have. */
#define CUONN_LAYERS_MAX 1024

/** Whether there are amplitudes behind a mesh, counted from 0. */
CUONN_API bool cuonn_network_has_amplitudes(const cuonn_network_shape *shape, size_t mesh);

/** Whether there is the nonlinearity behind a mesh: not behind the last, nor between the two of an svd layer. */
CUONN_API bool cuonn_network_has_nonlinearity(const cuonn_network_shape *shape, size_t mesh);

/** A network: its shape and its meshes. */
typedef struct cuonn_network {
  cuonn_network_shape shape; /**< mesh is there, and lives as long as the network */
  cuonn_mesh *layers;        /**< [mesh], all of shape.n_modes waveguides and shape.style */
  double *amplitudes;        /**< [mesh][N]; 1 behind meshes that have none; NULL with unitary layers */
} cuonn_network;

/** Nodes of each mesh of a network of this shape. */
CUONN_API size_t cuonn_network_nodes(const cuonn_network_shape *shape);

/** Numbers of one mesh that training may move: theta, phi, gamma and, unless layers are unitary, amplitudes. */
CUONN_API size_t cuonn_network_parameters(const cuonn_network_shape *shape);

/** Makes a network with all phases, errors and losses zero, and amplitudes of 1, or of amplitude_limit if that is less.
 *  @param[out] out  release with cuonn_network_free(); zeroed on failure
 *  @return CUONN_OK; CUONN_E_SHAPE naming the number that is out of range; as cuonn_nonlinearity_check();
 *          CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_network_create(cuonn_network *out, const cuonn_network_shape *shape);

/** Checks every mesh, as cuonn_mesh_check(), and amplitudes; the message names the mesh.
 *  @return as cuonn_mesh_check(); CUONN_E_ARGUMENT for an amplitude beyond amplitude_limit */
CUONN_API cuonn_status cuonn_network_check(const cuonn_network *network);

/** Copies phases, errors, losses and amplitudes of a network of the same shape.  @return as cuonn_mesh_copy() */
CUONN_API cuonn_status cuonn_network_copy(cuonn_network *to, const cuonn_network *from);

/** What the fields y behind a mesh become in front of the next, or of the detectors: amplitudes, and the nonlinearity,
 *  where there are such.
 *  @param[out] h  [N][2], may be y */
CUONN_API void cuonn_network_pass(double *h, const cuonn_network *network, size_t mesh, const double *y);

/** Releases the meshes and zeroes the struct.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_network_free(cuonn_network *network);

/** Where a network's phases start. */
typedef enum cuonn_network_start {
  CUONN_START_HAAR,        /**< decompositions of Haar-random unitaries, one per layer; not for the symmetric style */
  CUONN_START_HAAR_PHASES, /**< phases drawn from the law that Haar-random unitaries have; any style */
  CUONN_START_FILE         /**< read from a file; the caller does that */
} cuonn_network_start;

/** Gives a network its starting phases from a seed.
 *  @param[in] start  CUONN_START_HAAR or CUONN_START_HAAR_PHASES
 *  @return CUONN_OK; CUONN_E_ARGUMENT if the style is symmetric and start is CUONN_START_HAAR; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_network_initialize(cuonn_network *network, cuonn_network_start start, uint64_t seed);

/** Finds the svd layer that has a matrix up to a factor, A = scale U S V, by its singular values: the largest becomes
 * the amplitude 1, or amplitude_limit if that is less.  Where the layer has more waveguides than the matrix rows or
 * columns, the last inputs stay dark and the last outputs unread.
 *  @param[in,out] layer  of 2 meshes and svd layers, whose meshes can have every unitary; its phases and amplitudes are
 *                        written
 *  @param[out] scale     1 for a matrix of zeros
 *  @param[in] matrix     [row][column][2], out = matrix x in
 *  @return CUONN_OK; CUONN_E_SHAPE if the layer is another or too small; CUONN_E_NONFINITE; as cuonn_mesh_decompose();
 *          CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_network_decompose(cuonn_network *layer, double *scale, const double *matrix, size_t n_rows,
                                               size_t n_columns);

#ifdef __cplusplus
}
#endif
#endif
