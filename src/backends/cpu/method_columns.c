/* Fields of every example go through the nodes, and cotangents back: exact gradients, of the chip or of one without
 * errors.
 *
 * A batch is cut into chunks, a function of its size alone. A chunk is summed by one thread, tile by tile, and the
 * chunks are added in their order, so that results do not depend on the number of threads. */
#include <omp.h>
#include <string.h>

#include "cpu/method.h"
#include "cpu/nodes.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
}

static cpu_layer *layers_of(const cpu_model *model, cuonn_gradient_method which) {
  return which == CUONN_GRADIENT_IDEAL ? model->ideal : model->layers;
}

static void prepare(cpu_model *model, size_t layer, cuonn_gradient_method which, const cpu_kernels *kernels) {
  const cuonn_network *const from = which == CUONN_GRADIENT_IDEAL ? &model->network : &model->applied;
  layer_fill(layers_of(model, which) + layer, from->layers[layer].theta, from->layers[layer].phi, kernels);
}

/* How the work of a batch is divided. */
typedef struct {
  const cpu_batch *batch;
  size_t lanes, n_tiles, n_chunks;
  double share; /* of one example in the loss */
} division;

static division divide(const cpu_state *s, const cpu_batch *batch) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  division d = {.batch = batch, .lanes = cpu_tile_lanes(batch->count, shape->n_modes)};
  d.n_tiles = (batch->count + d.lanes - 1) / d.lanes;
  d.n_chunks = d.n_tiles < s->most_chunks ? d.n_tiles : s->most_chunks;
  d.share = 1.0 / ((double)batch->count * (shape->loss_per_class ? (double)shape->n_classes : 1));
  return d;
}

static size_t nodes_of(const cpu_state *s) { return s->problem.shape.n_layers * s->problem.shape.mesh->n_nodes; }

/* Loss of one chunk, and its sums unless NULL; predictions by example unless NULL. */
static double run_chunk(node_sums *sums, uint32_t *predictions, cpu_space *space, const cpu_state *s,
                        const cpu_model *model, const cpu_layer *layers, const division *d, size_t chunk) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const cpu_batch *const b = d->batch;
  double loss = 0;
  if (sums) memset(sums, 0, nodes_of(s) * sizeof *sums);
  for (size_t tile = chunk * d->n_tiles / d->n_chunks; tile < (chunk + 1) * d->n_tiles / d->n_chunks; tile++) {
    const size_t first = tile * d->lanes, left = b->count - first, count = left < d->lanes ? left : d->lanes;
    const size_t lanes = (count + 15) / 16 * 16;
    for (size_t i = 0; i < count; i++) space->index[i] = cpu_example_at(model, b, first + i);
    cpu_tile_load(space->fields, b->set, space->index, count, shape->n_modes, lanes);
    cpu_network_forward(space, layers, shape, lanes, s->kernels);
    loss += cpu_network_loss(predictions, space, layers, shape, b->set, count, lanes);
    if (sums) cpu_network_backward(sums, space, layers, shape, b->set, d->share, count, lanes, s->kernels);
  }
  return loss;
}

static node_sums *chunk_sums(const cpu_state *s, size_t model, size_t chunk) {
  return s->sums + (model * s->most_chunks + chunk) * nodes_of(s);
}

static double total_loss(const double *losses, const division *d) {
  double sum = 0;
  for (size_t chunk = 0; chunk < d->n_chunks; chunk++) sum += losses[chunk];
  return sum * d->share;
}

/* Gradients of one layer from the sums of all chunks, which are added up in the first. */
static void finish_layer(const cpu_state *s, size_t model, const cpu_layer *layer, size_t l, size_t n_chunks) {
  const size_t nodes = s->problem.shape.mesh->n_nodes, n = s->problem.shape.n_modes;
  const cuonn_mesh_gradient *const to = s->models[model].gradients + l;
  node_sums *const total = chunk_sums(s, model, 0) + l * nodes;
  for (size_t chunk = 1; chunk < n_chunks; chunk++) {
    const node_sums *const part = chunk_sums(s, model, chunk) + l * nodes;
    for (size_t i = 0; i < layer->n_nodes; i++) {
      total[i].through += part[i].through;
      total[i].across += part[i].across;
    }
  }
  /* only moduli are read: at the outputs g is a real multiple of conj(y), and Im(y g) is exactly 0 */
  memset(to->d_gamma, 0, n * sizeof *to->d_gamma);
  layer_gradient(to->d_theta, to->d_phi, to->d_gamma, layer, total);
  memset(to->d_gamma, 0, n * sizeof *to->d_gamma); /* flows were kept in it */
}

static void gradient(double *losses, const cpu_group *group, const cpu_batch *batch) {
  const cpu_state *const s = group->state;
  const size_t layers = s->problem.shape.n_layers;
  const division d = divide(s, batch);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < group->n_models * d.n_chunks; i++) {
    const size_t m = group->first + i / d.n_chunks, chunk = i % d.n_chunks;
    const cpu_model *const model = s->models + m;
    s->losses[m * kMostChunks + chunk] = run_chunk(chunk_sums(s, m, chunk), NULL, group->spaces + omp_get_thread_num(),
                                                   s, model, layers_of(model, cpu_which(group, m)), &d, chunk);
  }
  cpu_team_meet(group->team);
#pragma omp for schedule(static, 1) nowait
  for (size_t i = 0; i < group->n_models * layers; i++) {
    const size_t m = group->first + i / layers, l = i % layers;
    if (l == 0) losses[m - group->first] = total_loss(s->losses + m * kMostChunks, &d);
    finish_layer(s, m, layers_of(s->models + m, cpu_which(group, m)) + l, l, d.n_chunks);
  }
}

static void evaluate(double *loss, uint32_t *predictions, const cpu_group *group, const cpu_batch *batch) {
  const cpu_state *const s = group->state;
  const cpu_model *const model = s->models + group->first;
  double *const losses = s->losses + group->first * kMostChunks;
  const division d = divide(s, batch);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t chunk = 0; chunk < d.n_chunks; chunk++) {
    losses[chunk] =
        run_chunk(NULL, predictions, group->spaces + omp_get_thread_num(), s, model, model->layers, &d, chunk);
  }
  cpu_team_meet(group->team);
#pragma omp master
  *loss = total_loss(losses, &d);
}

const cpu_method cpu_columns = {"columns", supports, prepare, gradient, evaluate};
