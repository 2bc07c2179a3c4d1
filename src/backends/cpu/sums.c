#include "cpu/sums.h"

#include <string.h>

#include "cpu/nodes.h"
#include "network/layer.h"

void cpu_prepare_nodes(cpu_model *model, size_t layer, cuonn_gradient_method which, const cpu_kernels *kernels) {
  const cuonn_network *const from = which == CUONN_GRADIENT_IDEAL ? &model->network : &model->applied;
  const cuonn_mesh *const mesh = from->layers + layer;
  cpu_layer *const to = cpu_layers_of(model, which) + layer;
  layer_fill(to, mesh->theta, mesh->phi, kernels);
  if (network_keeps_phases(&from->shape) || to->amplitudes) layer_fill_outputs(to, mesh->gamma);
}

size_t cpu_flows_of(const cpu_state *s) { return 2 * s->problem.shape.n_layers * s->problem.shape.n_modes; }

size_t cpu_nodes_of(const cpu_state *s) {
  return s->problem.shape.n_layers * layer_walked_nodes(s->problem.shape.mesh);
}

node_sums *cpu_chunk_sums(const cpu_state *s, size_t model, size_t chunk) {
  return s->sums + (model * s->most_chunks + chunk) * cpu_nodes_of(s);
}

double *cpu_chunk_flows(const cpu_state *s, size_t model, size_t chunk) {
  return s->flows ? s->flows + (model * s->most_chunks + chunk) * cpu_flows_of(s) : NULL;
}

static cpu_terms sums_of(const cpu_state *s, size_t model) {
  const size_t nodes = cpu_nodes_of(s);
  return (cpu_terms){(char *)cpu_chunk_sums(s, model, 0), nodes * sizeof(node_sums), 2 * nodes, sizeof(double)};
}

static cpu_terms flows_of(const cpu_state *s, size_t model) {
  const size_t flows = cpu_flows_of(s);
  return (cpu_terms){(char *)cpu_chunk_flows(s, model, 0), flows * sizeof(double), flows, sizeof(double)};
}

void cpu_share_losses(const cpu_group *group, size_t n_chunks) {
  cpu_state *const s = group->state;
#pragma omp master
  for (size_t m = group->first; m < group->first + group->n_models; m++)
    cpu_processes_fill(&s->processes, s->losses + m * kMostChunks, n_chunks);
}

size_t cpu_share_sums(const cpu_group *group, size_t n_chunks) {
  cpu_state *const s = group->state;
  if (cpu_is_alone(&s->processes)) return n_chunks;
  cpu_share_losses(group, n_chunks);
  for (size_t m = group->first; m < group->first + group->n_models; m++) {
    const cpu_terms sums = sums_of(s, m), flows = flows_of(s, m);
    cpu_processes_add(&s->processes, group->team, &sums, n_chunks);
    if (flows.first) cpu_processes_add(&s->processes, group->team, &flows, n_chunks);
  }
  return 1;
}

/* Row l of the flows of all chunks: at the outputs of a layer Im(y g), which the gradient of gamma is minus. */
static const double *total_flow(const cpu_state *s, size_t model, size_t l, size_t n_chunks) {
  const size_t n = s->problem.shape.n_modes;
  const cpu_terms flows = flows_of(s, model);
  cpu_tree_add(&flows, l * n, n, n_chunks, (cpu_chunks){0, n_chunks});
  return cpu_chunk_flows(s, model, 0) + l * n;
}

void cpu_finish_layer(const cpu_state *s, size_t model, const cpu_layer *layer, size_t l, size_t n_chunks) {
  const size_t nodes = layer_walked_nodes(s->problem.shape.mesh), n = s->problem.shape.n_modes;
  const cuonn_mesh_gradient *const to = s->models[model].gradients + l;
  node_sums *const total = cpu_chunk_sums(s, model, 0) + l * nodes;
  const cpu_terms sums = sums_of(s, model);
  cpu_tree_add(&sums, 2 * l * nodes, 2 * layer->n_nodes, n_chunks, (cpu_chunks){0, n_chunks});
  /* where only moduli are read g is a real multiple of conj(y) at the outputs, and Im(y g) is exactly 0 */
  double *const flow = network_keeps_phase(&s->problem.shape, l) ? cpu_chunk_flows(s, model, 0) + l * n : NULL;
  memset(to->d_gamma, 0, n * sizeof *to->d_gamma);
  if (flow) memcpy(to->d_gamma, total_flow(s, model, l, n_chunks), n * sizeof *flow);
  if (to->d_amplitude)
    memcpy(to->d_amplitude, total_flow(s, model, s->problem.shape.n_layers + l, n_chunks), n * sizeof(double));
  layer_gradient(to->d_theta, to->d_phi, to->d_gamma, layer, total); /* uses flows up */
  for (size_t w = 0; w < n; w++) to->d_gamma[w] = flow ? -flow[w] : 0;
}

double cpu_total_loss(const cpu_state *s, size_t model, size_t n_chunks, double share) {
  return cpu_tree_total(s->losses + model * kMostChunks, 1, n_chunks) * share;
}

double cpu_share_of_loss(const cuonn_network_shape *shape, size_t count) {
  return 1.0 / ((double)count * (shape->loss_per_class ? (double)shape->n_classes : 1));
}
