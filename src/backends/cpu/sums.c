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

/* Adds up row l of the flows of chunks: at the outputs of a layer Im(y g), which the gradient of gamma is minus. */
static void total_flow(double *flow, const cpu_state *s, size_t model, size_t l, size_t n_chunks) {
  const size_t n = s->problem.shape.n_modes;
  memset(flow, 0, n * sizeof *flow);
  for (size_t chunk = 0; chunk < n_chunks; chunk++) {
    const double *const part = cpu_chunk_flows(s, model, chunk) + l * n;
    for (size_t w = 0; w < n; w++) flow[w] += part[w];
  }
}

void cpu_finish_layer(const cpu_state *s, size_t model, const cpu_layer *layer, size_t l, size_t n_chunks) {
  const size_t nodes = layer_walked_nodes(s->problem.shape.mesh), n = s->problem.shape.n_modes;
  const cuonn_mesh_gradient *const to = s->models[model].gradients + l;
  node_sums *const total = cpu_chunk_sums(s, model, 0) + l * nodes;
  for (size_t chunk = 1; chunk < n_chunks; chunk++) {
    const node_sums *const part = cpu_chunk_sums(s, model, chunk) + l * nodes;
    for (size_t i = 0; i < layer->n_nodes; i++) {
      total[i].through += part[i].through;
      total[i].across += part[i].across;
    }
  }
  /* where only moduli are read g is a real multiple of conj(y) at the outputs, and Im(y g) is exactly 0 */
  double *const flow = network_keeps_phase(&s->problem.shape, l) ? cpu_chunk_flows(s, model, 0) + l * n : NULL;
  memset(to->d_gamma, 0, n * sizeof *to->d_gamma);
  if (flow) total_flow(to->d_gamma, s, model, l, n_chunks);
  if (flow) memcpy(flow, to->d_gamma, n * sizeof *flow);
  if (to->d_amplitude) total_flow(to->d_amplitude, s, model, s->problem.shape.n_layers + l, n_chunks);
  layer_gradient(to->d_theta, to->d_phi, to->d_gamma, layer, total); /* uses flows up */
  for (size_t w = 0; w < n; w++) to->d_gamma[w] = flow ? -flow[w] : 0;
}

double cpu_total_loss(const cpu_state *s, size_t model, size_t n_chunks, double share) {
  double sum = 0;
  for (size_t chunk = 0; chunk < n_chunks; chunk++) sum += s->losses[model * kMostChunks + chunk];
  return sum * share;
}

double cpu_share_of_loss(const cuonn_network_shape *shape, size_t count) {
  return 1.0 / ((double)count * (shape->loss_per_class ? (double)shape->n_classes : 1));
}
