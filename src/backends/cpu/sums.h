/* From sums over a batch to the gradients of a model's phases; what methods share that send fields through nodes. */
#ifndef CPU_SUMS_H
#define CPU_SUMS_H

#include "cpu/method.h"
#include "cpu/tree.h"

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

/* The losses of chunks, and sums and flows, where several processes have them; nothing is done for one alone. Gives how
 * many chunks are left to add, from the first. Losses are there for the master thread. */
size_t cpu_share_sums(const cpu_group *group, size_t n_chunks);
/* Losses alone. To be called by all threads. */
void cpu_share_losses(const cpu_group *group, size_t n_chunks);

/* Gradients of one layer from the sums of n_chunks chunks, which are added up in the first (tree.h). */
void cpu_finish_layer(const cpu_state *s, size_t model, const cpu_layer *layer, size_t l, size_t n_chunks);

/* Sum of a model's losses by chunk (tree.h), times the share of an example. */
double cpu_total_loss(const cpu_state *s, size_t model, size_t n_chunks, double share);
/* Share of one example in the loss of `count`. */
double cpu_share_of_loss(const cuonn_network_shape *shape, size_t count);

#endif
