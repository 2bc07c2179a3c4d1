/* A chip as one who does not know its errors has it: phases are set, light is sent in, powers are read, and every
 * reading is counted. Behind each node there is a detector on one of its waveguides, and behind each output one where
 * the output interferes with reference light. */
#ifndef CUONN_PROGRAMMING_READINGS_H
#define CUONN_PROGRAMMING_READINGS_H

#include <complex.h>
#include <stdint.h>

#include "mesh/node.h"

typedef struct {
  double complex m[2][2];
} node_product;

/* The matrix of a node. */
node_product node_product_of(const node_fixed *fixed, const node_arms *arms, double theta, double phi);

typedef struct {
  const cuonn_mesh *mesh; /* its errors are the chip's own */
  node_arms arms;
  node_product *nodes;   /* [node] as they are set */
  double complex *light; /* [waveguide] where the last light is */
  double tap_shot;       /* eq. 35 */
  uint64_t seed;
  size_t count; /* readings so far */
} programming_readings;

/* Release with programming_readings_free(), also after a failure. */
cuonn_status programming_readings_create(programming_readings *out, const cuonn_mesh *mesh, double tap_shot,
                                         uint64_t seed);
void programming_readings_free(programming_readings *readings);

/* Sets the phases of a node. */
void programming_set(programming_readings *readings, size_t node, double theta, double phi);

/* Sends light of power 1 into the inputs; it passes the nodes before `until`. in: [waveguide] */
void programming_send(programming_readings *readings, const double complex *in, size_t until);

/* The last light passes one node more, as it is set. */
void programming_pass(programming_readings *readings, size_t node);

/* Power of the last light, which has come to a node, on its upper (arm 0) or lower waveguide behind it. */
double programming_read_node(programming_readings *readings, size_t node, size_t arm);

/* Power where a 50:50 coupler brings an output with this gamma together with reference light of power 1. */
double programming_read_output(programming_readings *readings, size_t output, double gamma);

#endif
