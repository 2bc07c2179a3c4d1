/* Training steps, evaluation and gradient: chunks of a batch over threads. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "cpu/state.h"

/* Examples to go through, and how the work is divided. */
typedef struct {
  const cpu_set *set;
  bool shuffled;
  uint32_t epoch;
  size_t first, count;
  size_t lanes, n_tiles, n_chunks;
  double share; /* of one example in the loss */
} batch;

static batch plan_batch(const cpu_state *s, backend_split split, size_t first, size_t count) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  batch b = {.set = s->sets + split, .first = first, .count = count};
  b.lanes = cpu_tile_lanes(count, shape->n_modes);
  b.n_tiles = (count + b.lanes - 1) / b.lanes;
  b.n_chunks = b.n_tiles < s->most_chunks ? b.n_tiles : s->most_chunks;
  b.share = 1.0 / ((double)count * (shape->loss_per_class ? (double)shape->n_classes : 1));
  return b;
}

static size_t phases_of(const cpu_state *s) { return s->problem.shape.n_layers * s->problem.shape.mesh->n_nodes; }

static uint32_t example_at(const cpu_model *model, const batch *b, size_t i) {
  const uint32_t at = (uint32_t)(b->first + i);
  return b->shuffled ? random_permute(at, (uint32_t)b->set->n_examples, model->seed, b->epoch) : at;
}

/* Loss of one chunk, and its sums unless NULL; predictions by example unless NULL. */
static double run_chunk(node_sums *sums, uint32_t *predictions, cpu_space *space, const cpu_state *s,
                        const cpu_model *model, cuonn_gradient_method method, const batch *b, size_t chunk) {
  const cpu_layer *const layers = cpu_layers_of(model, method);
  const cuonn_network_shape *const shape = &s->problem.shape;
  double loss = 0;
  if (sums) memset(sums, 0, phases_of(s) * sizeof *sums);
  for (size_t tile = chunk * b->n_tiles / b->n_chunks; tile < (chunk + 1) * b->n_tiles / b->n_chunks; tile++) {
    const size_t first = tile * b->lanes, left = b->count - first, count = left < b->lanes ? left : b->lanes;
    const size_t lanes = (count + 15) / 16 * 16;
    for (size_t i = 0; i < count; i++) {
      space->index[i] = example_at(model, b, first + i);
    }
    cpu_tile_load(space->fields, b->set, space->index, count, shape->n_modes, lanes);
    cpu_network_forward(space, layers, shape, lanes, s->kernels);
    loss += cpu_network_loss(predictions, space, layers, shape, b->set, count, lanes);
    if (sums) cpu_network_backward(sums, space, layers, shape, b->set, b->share, count, lanes, s->kernels);
  }
  return loss;
}

static node_sums *chunk_sums(const cpu_state *s, size_t model, size_t chunk) {
  return s->sums + (model * s->most_chunks + chunk) * phases_of(s);
}

/* Gradients of one layer from the sums of all chunks, which are added up in the first. */
static void finish_layer(const cpu_state *s, size_t model, cuonn_gradient_method method, size_t l, size_t n_chunks) {
  const cpu_layer *const layer = cpu_layers_of(s->models + model, method) + l;
  const size_t nodes = s->problem.shape.mesh->n_nodes, at = (model * s->problem.shape.n_layers + l);
  node_sums *const total = chunk_sums(s, model, 0) + l * nodes;
  for (size_t chunk = 1; chunk < n_chunks; chunk++) {
    const node_sums *const part = chunk_sums(s, model, chunk) + l * nodes;
    for (size_t i = 0; i < layer->n_nodes; i++) {
      total[i].through += part[i].through;
      total[i].across += part[i].across;
    }
  }
  /* only moduli are read: at the outputs g is a real multiple of conj(y), and Im(y g) is exactly 0 */
  double *const flow = s->flow + at * s->problem.shape.n_modes;
  memset(flow, 0, s->problem.shape.n_modes * sizeof *flow);
  layer_gradient(s->d_theta + at * nodes, s->d_phi + at * nodes, flow, layer, total);
  memset(flow, 0, s->problem.shape.n_modes * sizeof *flow); /* it was used up, and is the gradient of gamma */
  if (method == CUONN_GRADIENT_IDEAL) return;               /* what is programmed is what such a chip applies */
  chip_phases_pull_back(s->d_theta + at * nodes, s->d_phi + at * nodes, s->models[model].phases + l);
}

static void update_layer(const cpu_state *s, size_t m, size_t l, const backend_step *step) {
  cpu_model *const model = s->models + m;
  const size_t n = s->problem.shape.n_modes, nodes = s->problem.shape.mesh->n_nodes, phases = 2 * nodes + n;
  const size_t layers = s->problem.shape.n_layers, at = (m * layers + l) * nodes;
  cuonn_mesh *const mesh = model->network.layers + l;
  double *const first = model->moments + l * phases, *const second = first + layers * phases;
  cpu_optimizer_update(mesh->theta, first, second, s->d_theta + at, nodes, &model->optimizer, step->rate_factor,
                       step->adam_index, s->kernels);
  cpu_optimizer_update(mesh->phi, first + nodes, second + nodes, s->d_phi + at, nodes, &model->optimizer,
                       step->rate_factor, step->adam_index, s->kernels);
  if (model->train_gamma) {
    cpu_optimizer_update(mesh->gamma, first + 2 * nodes, second + 2 * nodes, s->flow + (m * layers + l) * n, n,
                         &model->optimizer, step->rate_factor, step->adam_index, s->kernels);
  }
  cpu_program_layer(model, l, s->kernels);
}

static double total_loss(const double *losses, const batch *b) {
  double sum = 0;
  for (size_t chunk = 0; chunk < b->n_chunks; chunk++) sum += losses[chunk];
  return sum * b->share;
}

static double run_batch(bool with_sums, uint32_t *predictions, cpu_state *s, size_t m, cuonn_gradient_method method,
                        const batch *b) {
  double *const losses = s->losses + m * kMostChunks;
#pragma omp parallel for schedule(dynamic, 1) num_threads(s->threads)
  for (size_t chunk = 0; chunk < b->n_chunks; chunk++) {
    losses[chunk] = run_chunk(with_sums ? chunk_sums(s, m, chunk) : NULL, predictions, s->spaces + omp_get_thread_num(),
                              s, s->models + m, method, b, chunk);
  }
  return total_loss(losses, b);
}

static batch plan_step(const cpu_state *s, backend_split split, const backend_step *step) {
  batch b = plan_batch(s, split, step->first, step->count);
  b.shuffled = split == BACKEND_TRAIN && s->problem.order == CUONN_ORDER_SHUFFLED;
  b.epoch = step->epoch;
  return b;
}

/* Loss, and gradients as the model's chip measures them at a step, in the state's arrays; called by all threads of a
 * parallel region. */
static void measure_batch(double *loss, const cpu_state *s, size_t m, const batch *b, uint32_t number,
                          cuonn_gradient_method method, cpu_team *team) {
  const cpu_model *const model = s->models + m;
  const cpu_chip_batch on_chip = {b->set, b->count, &model->options, number};
#pragma omp for schedule(static) nowait
  for (size_t i = 0; i < b->count; i++) model->chip.index[i] = example_at(model, b, i);
  cpu_team_meet(team);
  cpu_chip_gradient(loss, model->gradients, &model->chip, &on_chip, method, s->kernels, team);
#pragma omp for schedule(static) nowait
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    chip_phases_pull_back(model->gradients[l].d_theta, model->gradients[l].d_phi, model->phases + l);
  }
  cpu_team_meet(team);
}

static double computed_gradient(cpu_state *s, size_t m, cuonn_gradient_method method, const batch *b) {
  const double loss = run_batch(true, NULL, s, m, method, b);
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) finish_layer(s, m, method, l, b->n_chunks);
  return loss;
}

static double step_gradient(cpu_state *s, size_t m, const batch *b, uint32_t number, cuonn_gradient_method method) {
  double loss = 0;
  if (!cuonn_gradient_is_measured(method)) return computed_gradient(s, m, method, b);
  cpu_team_create(&s->team);
#pragma omp parallel num_threads(s->threads)
  {
#pragma omp single
    s->team.size = omp_get_num_threads();
    measure_batch(&loss, s, m, b, number, method, &s->team);
  }
  cpu_team_destroy(&s->team);
  return loss;
}

static bool any_measured(const cpu_state *s) {
  for (size_t m = 0; m < s->problem.n_models; m++) {
    if (cuonn_gradient_is_measured(s->models[m].gradient)) return true;
  }
  return false;
}

static void train_on_chip(double *losses, const cpu_state *s, size_t m, const backend_step *steps, size_t n_steps,
                          int threads) {
  cpu_team team;
  cpu_team_create(&team);
#pragma omp parallel num_threads(threads)
  {
#pragma omp single
    team.size = omp_get_num_threads();
    for (size_t k = 0; k < n_steps; k++) {
      const batch b = plan_step(s, BACKEND_TRAIN, steps + k);
      measure_batch(losses + k * s->problem.n_models + m, s, m, &b, steps[k].number, s->models[m].gradient, &team);
#pragma omp for schedule(dynamic, 1) nowait
      for (size_t l = 0; l < s->problem.shape.n_layers; l++) update_layer(s, m, l, steps + k);
      cpu_team_meet(&team);
    }
  }
  cpu_team_destroy(&team);
}

static void train_by_computing(double *losses, cpu_state *s, size_t m, const backend_step *steps, size_t n_steps) {
  for (size_t k = 0; k < n_steps; k++) {
    const batch b = plan_step(s, BACKEND_TRAIN, steps + k);
    losses[k * s->problem.n_models + m] = computed_gradient(s, m, s->models[m].gradient, &b);
    for (size_t l = 0; l < s->problem.shape.n_layers; l++) update_layer(s, m, l, steps + k);
  }
}

/* A measurement needs the whole batch between two layers, so that threads wait for each other; with as many models as
 * threads each has one for itself. */
static void train_each(double *losses, cpu_state *s, const backend_step *steps, size_t n_steps) {
  const size_t models = s->problem.n_models;
  const bool one_each = models >= (size_t)s->threads;
#pragma omp parallel for schedule(dynamic, 1) num_threads(one_each ? s->threads : 1)
  for (size_t m = 0; m < models; m++) {
    if (cuonn_gradient_is_measured(s->models[m].gradient)) {
      train_on_chip(losses, s, m, steps, n_steps, one_each ? 1 : s->threads);
    }
  }
  for (size_t m = 0; m < models; m++) {
    if (!cuonn_gradient_is_measured(s->models[m].gradient)) train_by_computing(losses, s, m, steps, n_steps);
  }
}

cuonn_status cpu_train_steps(double *losses, void *state, const backend_step *steps, size_t n_steps) {
  cpu_state *const s = state;
  const size_t models = s->problem.n_models, layers = s->problem.shape.n_layers;
  if (n_steps > 0) s->steps_done = steps[n_steps - 1].number + 1;
  if (any_measured(s)) {
    train_each(losses, s, steps, n_steps);
    return CUONN_OK;
  }
  cpu_team_create(&s->team);
#pragma omp parallel num_threads(s->threads)
  {
#pragma omp single
    s->team.size = omp_get_num_threads();
    for (size_t k = 0; k < n_steps; k++) {
      const batch b = plan_step(s, BACKEND_TRAIN, steps + k);
#pragma omp for schedule(dynamic, 1) nowait
      for (size_t i = 0; i < models * b.n_chunks; i++) {
        const size_t m = i / b.n_chunks, chunk = i % b.n_chunks;
        s->losses[m * kMostChunks + chunk] = run_chunk(chunk_sums(s, m, chunk), NULL, s->spaces + omp_get_thread_num(),
                                                       s, s->models + m, s->models[m].gradient, &b, chunk);
      }
      cpu_team_meet(&s->team);
#pragma omp for schedule(dynamic, 1) nowait
      for (size_t i = 0; i < models * layers; i++) {
        const size_t m = i / layers, l = i % layers;
        if (l == 0) losses[k * models + m] = total_loss(s->losses + m * kMostChunks, &b);
        finish_layer(s, m, s->models[m].gradient, l, b.n_chunks);
        update_layer(s, m, l, steps + k);
      }
      cpu_team_meet(&s->team);
    }
  }
  cpu_team_destroy(&s->team);
  return CUONN_OK;
}

cuonn_status cpu_evaluate(cuonn_evaluation *out, void *state, size_t model, backend_split split) {
  cpu_state *const s = state;
  const size_t n = s->sets[split].n_examples, classes = s->problem.shape.n_classes;
  const batch b = plan_batch(s, split, 0, n);
  uint32_t *predictions;
  CUONN_TRY(cuonn_allocate(&predictions, n, sizeof *predictions));
  if (chip_reads_exactly(&s->models[model].options)) {
    out->loss = run_batch(false, predictions, s, model, CUONN_GRADIENT_EXACT, &b);
  } else {
    const cpu_chip_batch set = {b.set, n, &s->models[model].options, s->steps_done};
    cpu_team_create(&s->team);
#pragma omp parallel num_threads(s->threads)
    {
#pragma omp single
      s->team.size = omp_get_num_threads();
      cpu_chip_evaluate(&out->loss, predictions, &s->models[model].chip, &set, s->kernels, &s->team);
    }
    cpu_team_destroy(&s->team);
  }
  out->n_examples = n;
  out->n_correct = 0;
  if (out->confusion) memset(out->confusion, 0, classes * classes * sizeof *out->confusion);
  for (size_t e = 0; e < n; e++) {
    const uint8_t label = s->sets[split].labels[e];
    out->n_correct += predictions[e] == label;
    if (out->confusion) out->confusion[label * classes + predictions[e]]++;
  }
  free(predictions);
  return CUONN_OK;
}

static void copy_gradients(cuonn_mesh_gradient *to, const cpu_state *s, size_t model) {
  const size_t n = s->problem.shape.n_modes, nodes = s->problem.shape.mesh->n_nodes;
  const cuonn_mesh_gradient *const from = s->models[model].gradients;
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    memcpy(to[l].d_theta, from[l].d_theta, nodes * sizeof(double));
    memcpy(to[l].d_phi, from[l].d_phi, nodes * sizeof(double));
    memcpy(to[l].d_gamma, from[l].d_gamma, n * sizeof(double));
  }
}

cuonn_status cpu_gradient(double *loss, cuonn_mesh_gradient *gradients, void *state, size_t model, backend_split split,
                          const backend_step *step, cuonn_gradient_method method) {
  cpu_state *const s = state;
  const batch b = plan_step(s, split, step);
  *loss = step_gradient(s, model, &b, step->number, method);
  copy_gradients(gradients, s, model);
  return CUONN_OK;
}
