/* Fields of every example go through the nodes, and cotangents back: exact gradients, of the chip or of one without
 * errors.
 *
 * A batch is cut into chunks, a function of its size alone. A chunk is summed by one thread, tile by tile, and the
 * chunks are added in a fixed tree, so that results depend neither on the number of threads nor on that of processes.
 */
#include <omp.h>
#include <string.h>

#include "cpu/sums.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
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
  d.share = cpu_share_of_loss(shape, batch->count);
  return d;
}

/* Loss of one chunk, and its sums and flows unless NULL; predictions by example unless NULL. */
static double run_chunk(node_sums *sums, double *flows, uint32_t *predictions, cpu_space *space, const cpu_state *s,
                        const cpu_model *model, const cpu_layer *layers, const division *d, size_t chunk) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const cpu_batch *const b = d->batch;
  double loss = 0;
  if (sums) memset(sums, 0, cpu_nodes_of(s) * sizeof *sums);
  if (flows) memset(flows, 0, cpu_flows_of(s) * sizeof *flows);
  for (size_t tile = chunk * d->n_tiles / d->n_chunks; tile < (chunk + 1) * d->n_tiles / d->n_chunks; tile++) {
    const size_t first = tile * d->lanes, left = b->count - first, count = left < d->lanes ? left : d->lanes;
    const size_t lanes = (count + 15) / 16 * 16;
    for (size_t i = 0; i < count; i++) space->index[i] = cpu_example_at(model, b, first + i);
    cpu_tile_load(space->fields, b->set, space->index, count, shape->n_modes, lanes);
    cpu_network_forward(space, layers, shape, lanes, s->kernels);
    loss += cpu_network_loss(predictions, space, layers, shape, b->set, count, lanes, s->kernels);
    if (sums) cpu_network_backward(sums, flows, space, layers, shape, b->set, d->share, count, lanes, s->kernels);
  }
  return loss;
}

static void gradient(double *losses, const cpu_group *group, const cpu_batch *batch) {
  const cpu_state *const s = group->state;
  const size_t layers = s->problem.shape.n_layers;
  const division d = divide(s, batch);
  const cpu_chunks own = cpu_own_chunks(&s->processes, d.n_chunks);
  const size_t n_own = own.end - own.first;
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < group->n_models * n_own; i++) {
    const size_t m = group->first + i / n_own, chunk = own.first + i % n_own;
    const cpu_model *const model = s->models + m;
    s->losses[m * kMostChunks + chunk] =
        run_chunk(cpu_chunk_sums(s, m, chunk), cpu_chunk_flows(s, m, chunk), NULL, group->spaces + omp_get_thread_num(),
                  s, model, cpu_layers_of(model, cpu_which(group, m)), &d, chunk);
  }
  cpu_team_meet(group->team);
  const size_t n_left = cpu_share_sums(group, d.n_chunks);
#pragma omp for schedule(static, 1) nowait
  for (size_t i = 0; i < group->n_models * layers; i++) {
    const size_t m = group->first + i / layers, l = i % layers;
    if (l == 0) losses[m - group->first] = cpu_total_loss(s, m, d.n_chunks, d.share);
    cpu_finish_layer(s, m, cpu_layers_of(s->models + m, cpu_which(group, m)) + l, l, n_left);
  }
}

static void evaluate(double *loss, uint32_t *predictions, const cpu_group *group, const cpu_batch *batch) {
  const cpu_state *const s = group->state;
  const cpu_model *const model = s->models + group->first;
  double *const losses = s->losses + group->first * kMostChunks;
  const division d = divide(s, batch);
  const cpu_chunks own = cpu_own_chunks(&s->processes, d.n_chunks);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t chunk = own.first; chunk < own.end; chunk++) {
    losses[chunk] =
        run_chunk(NULL, NULL, predictions, group->spaces + omp_get_thread_num(), s, model, model->layers, &d, chunk);
  }
  cpu_team_meet(group->team);
  cpu_share_losses(group, d.n_chunks);
#pragma omp master
  *loss = cpu_total_loss(s, group->first, d.n_chunks, d.share);
}

const cpu_method cpu_columns = {"columns", supports, cpu_prepare_nodes, gradient, evaluate};
