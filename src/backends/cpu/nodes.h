/* Node coefficients from phases, and phase gradients from sums. */
#ifndef CPU_NODES_H
#define CPU_NODES_H

#include "cpu/layer.h"

/* Coefficients of the nodes of a layer. */
void layer_fill(cpu_layer *layer, const double *theta, const double *phi, const cpu_kernels *kernels);
/* Gradients from the sums of layer_backward(). flow: [n_modes] Im(x g) summed over examples at the outputs; used up. */
void layer_gradient(double *d_theta, double *d_phi, double *flow, const cpu_layer *layer, const node_sums *sums);

#endif
