/* Node coefficients from phases, and phase gradients from sums. */
#ifndef CPU_NODES_H
#define CPU_NODES_H

#include "cpu/layer.h"

/* Cosines and sines of w theta and w phi, w of node_turn_weight(): [n_nodes] each; angle is room. */
typedef struct {
  double *angle, *s_theta, *c_theta, *s_phi, *c_phi;
} nodes_turns;

enum { kTurnsRoom = 5 }; /* doubles a node */

/* Room for so many nodes, of a caller who keeps it. */
nodes_turns nodes_turns_in(double *room, size_t n_nodes);
void nodes_turns_fill(const nodes_turns *turns, const node_arms *arms, const double *theta, const double *phi,
                      size_t n_nodes, const cpu_kernels *kernels);

/* Coefficients of the nodes of a layer. */
void layer_fill(cpu_layer *layer, const double *theta, const double *phi, const cpu_kernels *kernels);
/* Gradients from the sums of layer_backward(). flow: [n_modes] Im(x g) summed over examples at the outputs; used up. */
void layer_gradient(double *d_theta, double *d_phi, double *flow, const cpu_layer *layer, const node_sums *sums);

#endif
