/* From sums over a batch to the gradients of a model's phases; what methods share that send fields through nodes. */
#ifndef CPU_SUMS_H
#define CPU_SUMS_H

#include "cpu/method.h"

/* Layers whose coefficients a gradient needs. */
static inline cpu_layer *cpu_layers_of(const cpu_model *model, cuonn_gradient_method which) {
  return which == CUONN_GRADIENT_IDEAL ? model->ideal : model->layers;
}

/* Makes the coefficients of one of them: a method's prepare(). */
void cpu_prepare_nodes(cpu_model *model, size_t layer, cuonn_gradient_method which, const cpu_kernels *kernels);

/* Nodes of all layers, and the sums of one chunk of a model, [layer][node]. */
size_t cpu_nodes_of(const cpu_state *s);
node_sums *cpu_chunk_sums(const cpu_state *s, size_t model, size_t chunk);

/* The same of flows at the layers' outputs, [layer][n_modes], with derivatives by amplitudes behind them, [layer]
 * [n_modes]; NULL where all are 0. */
size_t cpu_flows_of(const cpu_state *s);
double *cpu_chunk_flows(const cpu_state *s, size_t model, size_t chunk);

/* Gradients of one layer from the sums of the first n_chunks chunks, which are added up in the first. */
void cpu_finish_layer(const cpu_state *s, size_t model, const cpu_layer *layer, size_t l, size_t n_chunks);

/* Sum of a model's losses by chunk, times the share of an example. */
double cpu_total_loss(const cpu_state *s, size_t model, size_t n_chunks, double share);
/* Share of one example in the loss of `count`. */
double cpu_share_of_loss(const cuonn_network_shape *shape, size_t count);

#endif
