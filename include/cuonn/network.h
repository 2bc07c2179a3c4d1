/** @file network.h
 *  Optical neural networks: meshes one after the other, a modulus between them, powers read at the end.
 *
 *  x -> |U1 x| -> |U2 .| -> ... -> |.|^2 -> first C outputs -> log-softmax -> cross entropy.
 *  Pai et al., Science 380, 398 (2023), "Experimentally realized in situ backpropagation for deep learning in
 *  photonic neural networks".
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

/** Size and kind of a network. */
typedef struct cuonn_network_shape {
  size_t n_modes;               /**< waveguides of every mesh, N */
  size_t n_layers;              /**< meshes, at least 1 */
  size_t n_classes;             /**< outputs that are read, C: 2..N */
  cuonn_phase_style style;      /**< phase style of every mesh */
  bool loss_per_class;          /**< true: the cross entropy is divided by the class count, as in the source study */
  const cuonn_mesh_shape *mesh; /**< shape of every mesh, of n_modes waveguides; NULL: rectangular, N columns */
} cuonn_network_shape;

/** The source study's network: N 64, 3 layers, 10 classes. */
#define CUONN_NETWORK_SHAPE_INIT \
  { 64, 3, 10, CUONN_STYLE_TOP, true, NULL }

/** Fills in what CUONN_NETWORK_SHAPE_INIT holds, for callers that have no macros. */
CUONN_API void cuonn_network_shape_init(cuonn_network_shape *out);

/** Most layers that a network may have. */
#define CUONN_LAYERS_MAX 1024

/** A network: its shape and its meshes. */
typedef struct cuonn_network {
  cuonn_network_shape shape; /**< mesh is there, and lives as long as the network */
  cuonn_mesh *layers;        /**< [layer], all of shape.n_modes waveguides and shape.style */
} cuonn_network;

/** Nodes of each mesh of a network of this shape. */
CUONN_API size_t cuonn_network_nodes(const cuonn_network_shape *shape);

/** Makes a network with all phases, errors and losses zero.
 *  @param[out] out  release with cuonn_network_free(); zeroed on failure
 *  @return CUONN_OK; CUONN_E_SHAPE naming the number that is out of range; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_network_create(cuonn_network *out, const cuonn_network_shape *shape);

/** Checks every mesh, as cuonn_mesh_check(); the message names the layer. */
CUONN_API cuonn_status cuonn_network_check(const cuonn_network *network);

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

#ifdef __cplusplus
}
#endif
#endif
