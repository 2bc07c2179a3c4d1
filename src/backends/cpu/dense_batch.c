#include "cpu/dense_batch.h"

#include <omp.h>
#include <string.h>

#include "cpu/sums.h"

dense_division dense_divide(const cpu_state *s, const cpu_batch *batch) {
  dense_division d = {.batch = batch, .examples = dense_block(batch->count)};
  d.n_blocks = (batch->count + d.examples - 1) / d.examples;
  d.n_chunks = d.n_blocks < s->dense_chunks ? d.n_blocks : s->dense_chunks;
  d.share = cpu_share_of_loss(&s->problem.shape, batch->count);
  return d;
}

/* Examples `first` on of a block, those that are missing zero. */
static void load(dense_space *space, const cpu_model *model, const cpu_batch *b, size_t first, size_t count,
                 size_t n_examples) {
  const size_t n = model->layers->n_modes;
  for (size_t e = 0; e < n_examples; e++) {
    float *const x = space->x + e * 2 * n, *const sum = space->sum + e * n;
    memset(x, 0, 2 * n * sizeof *x);
    if (e < count) {
      space->index[e] = cpu_example_at(model, b, first + e);
      memcpy(x, b->set->values + (size_t)space->index[e] * 2 * n, 2 * n * sizeof *x);
    }
    for (size_t w = 0; w < n; w++) sum[w] = x[w] + x[n + w];
  }
}

/* Outputs [example][2][lanes] as the read-out has them, [class][2][example]. */
static void turn(float *to, const float *outputs, size_t classes, size_t lanes, size_t n_examples) {
  for (size_t i = 0; i < 2 * classes; i++, to += n_examples) {
    const float *const from = outputs + i % 2 * lanes + i / 2;
    for (size_t e = 0; e < n_examples; e++) to[e] = from[2 * e * lanes];
  }
}

/* And back; lanes that are no class stay 0. */
static void turn_back(float *to, const float *g, size_t classes, size_t lanes, size_t n_examples) {
  for (size_t e = 0; e < n_examples; e++, to += 2 * lanes) {
    for (size_t c = 0; c < classes; c++) {
      to[c] = g[2 * c * n_examples + e];
      to[lanes + c] = g[(2 * c + 1) * n_examples + e];
    }
  }
}

/* Loss of one chunk, and its sums unless NULL; predictions by example unless NULL. */
static double run_chunk(float *sums, uint32_t *predictions, dense_space *space, const cpu_state *s,
                        const cpu_model *model, const dense_division *d, size_t chunk) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t last = shape->n_layers - 1, lanes = dense_lanes(shape, last);
  double loss = 0;
  const size_t from = chunk * d->n_blocks / d->n_chunks;
  for (size_t k = from; k < (chunk + 1) * d->n_blocks / d->n_chunks; k++) {
    const size_t first = k * d->examples, left = d->batch->count - first;
    const size_t count = left < d->examples ? left : d->examples, n_examples = dense_filled(count);
    load(space, model, d->batch, first, count, n_examples);
    dense_forward(space, &model->dense, s->products, shape, n_examples, s->kernels);
    turn(space->y_read, dense_outputs(space, shape), shape->n_classes, lanes, n_examples);
    const cpu_read_out r = {shape->loss,  space->power,     space->y_read, space->ones, d->batch->set->labels,
                            space->index, shape->n_classes, count,         n_examples};
    loss += cpu_read_out_loss(&r, predictions, s->kernels);
    if (!sums) continue;
    cpu_read_out_backward(space->back, &r, d->share, s->kernels);
    turn_back(space->g_read, space->back, shape->n_classes, lanes, n_examples);
    dense_backward(sums, k > from, space, &model->dense, s->products, shape, n_examples, s->kernels);
  }
  return loss;
}

void dense_run(const cpu_group *group, const dense_division *d, uint32_t *predictions, bool sums) {
  const cpu_state *const s = group->state;
  const size_t size = dense_size(&s->problem.shape);
  const cpu_chunks own = cpu_own_chunks(&s->processes, d->n_chunks);
  const size_t n_own = own.end - own.first;
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < group->n_models * n_own; i++) {
    const size_t m = group->first + i / n_own, chunk = own.first + i % n_own;
    const cpu_model *const model = s->models + m;
    s->losses[m * kMostChunks + chunk] = run_chunk(sums ? model->dense.sums + chunk * size : NULL, predictions,
                                                   &group->spaces[omp_get_thread_num()].dense, s, model, d, chunk);
  }
  cpu_team_meet(group->team);
}

size_t dense_share_sums(const cpu_group *group, size_t n_chunks) {
  cpu_state *const s = group->state;
  const size_t size = dense_size(&s->problem.shape);
  if (cpu_is_alone(&s->processes)) return n_chunks;
  cpu_share_losses(group, n_chunks);
  for (size_t m = group->first; m < group->first + group->n_models; m++) {
    float *const sums = s->models[m].dense.sums;
    const cpu_terms terms = {(char *)sums, size * sizeof *sums, size, sizeof *sums};
    cpu_processes_add(&s->processes, group->team, &terms, n_chunks);
  }
  return 1;
}
