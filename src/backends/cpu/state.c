/* Making and releasing a state. */
#include "cpu/state.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/level.h"
#include "network/layer.h"
#include "network/shape.h"

int cpu_own_threads(void) { return omp_get_max_threads(); }

int cpu_threads(int threads) {
  const int own = cpu_own_threads();
  return threads > 0 ? threads : own < CUONN_THREADS_MAX ? own : CUONN_THREADS_MAX;
}

void cpu_free_layers(cpu_model *model, size_t n_layers) {
  for (size_t l = 0; model->layers && l < n_layers; l++) layer_free(model->layers + l);
  for (size_t l = 0; model->ideal && l < n_layers; l++) layer_free(model->ideal + l);
  for (size_t l = 0; model->phases && l < n_layers; l++) chip_phases_free(model->phases + l);
  cpu_chip_free(&model->chip);
  dense_model_free(&model->dense);
}

static void free_spaces(cpu_state *s) {
  for (int t = 0; s->spaces && t < s->threads; t++) cpu_space_free(s->spaces + t);
}

void cpu_destroy(void *state) {
  cpu_state *const s = state;
  if (!s) return;
  for (size_t m = 0; s->models && m < s->problem.n_models; m++) {
    cpu_model *const model = s->models + m;
    cpu_free_layers(model, s->problem.shape.n_layers);
    free(model->layers);
    free(model->ideal);
    free(model->phases);
    free(model->gradients);
    cuonn_network_free(&model->applied);
    free(model->moments);
    cuonn_network_free(&model->network);
  }
  free(s->models);
  for (int i = 0; i < CUONN_SPLITS; i++) {
    free(s->sets[i].values);
    free(s->sets[i].labels);
  }
  free_spaces(s);
  free(s->spaces);
  free(s->sums);
  free(s->flows);
  free(s->products);
  free(s->losses);
  free(s->d_theta);
  free(s->d_phi);
  free(s->flow);
  free(s->d_amplitude);
  cpu_processes_free(&s->processes);
  network_shape_disown(&s->problem.shape);
  free(s);
}

static cuonn_status point_at_gradients(cpu_state *s, size_t m) {
  const size_t n = s->problem.shape.n_modes, layers = s->problem.shape.n_layers;
  const size_t nodes = s->problem.shape.mesh->n_nodes;
  CUONN_TRY(cuonn_allocate(&s->models[m].gradients, layers, sizeof(cuonn_mesh_gradient)));
  for (size_t l = 0; l < layers; l++) {
    const size_t at = m * layers + l;
    s->models[m].gradients[l] = (cuonn_mesh_gradient){s->d_theta + at * nodes, s->d_phi + at * nodes, s->flow + at * n,
                                                      s->d_amplitude ? s->d_amplitude + at * n : NULL};
  }
  return CUONN_OK;
}

cuonn_status cpu_create(void **out, const backend_problem *problem) {
  const size_t models = problem->n_models, phases = problem->shape.n_layers * cuonn_network_nodes(&problem->shape);
  cuonn_status status = CUONN_OK;
  cpu_state *s = NULL;
  *out = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&s, 1, sizeof *s));
  s->problem = *problem;
  s->problem.processes = NULL; /* the caller's; kept as a copy */
  CUONN_TRY_DONE(network_shape_own(&s->problem.shape));
  CUONN_TRY_DONE(cpu_processes_create(&s->processes, problem->processes));
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t sums = shape->n_layers * layer_walked_nodes(shape->mesh);
  s->kernels = cpu_kernels_choose();
  s->threads = cpu_threads(problem->place.threads);
  /* every chunk has sums of its own: fewer where they would take more than 256 MiB */
  s->most_chunks = kMostChunks;
  while (s->most_chunks > 4 && s->most_chunks * sums * sizeof(node_sums) > (size_t)256 << 20) s->most_chunks /= 2;
  s->dense_chunks = kMostChunks;
  while (s->dense_chunks > 4 && s->dense_chunks * dense_size(shape) * sizeof(float) > (size_t)64 << 20) {
    s->dense_chunks /= 2;
  }
  CUONN_TRY_DONE(cuonn_allocate(&s->models, models, sizeof *s->models));
  for (size_t m = 0; m < models; m++) {
    CUONN_TRY_DONE(cuonn_network_create(&s->models[m].network, shape));
    CUONN_TRY_DONE(cuonn_allocate(&s->models[m].moments, cuonn_training_moments_count(shape), sizeof(double)));
    CUONN_TRY_DONE(cuonn_allocate(&s->models[m].layers, shape->n_layers, sizeof(cpu_layer)));
    CUONN_TRY_DONE(cuonn_allocate(&s->models[m].ideal, shape->n_layers, sizeof(cpu_layer)));
    CUONN_TRY_DONE(cuonn_allocate(&s->models[m].phases, shape->n_layers, sizeof(chip_phases)));
    CUONN_TRY_DONE(cuonn_network_create(&s->models[m].applied, shape));
  }
  CUONN_TRY_DONE(cuonn_allocate(&s->spaces, (size_t)s->threads, sizeof *s->spaces));
  for (int t = 0; t < s->threads; t++) CUONN_TRY_DONE(cpu_space_create(s->spaces + t, shape, 0, false));
  CUONN_TRY_DONE(cuonn_allocate(&s->losses, models * kMostChunks, sizeof(double)));
  CUONN_TRY_DONE(cuonn_allocate(&s->flow, models * shape->n_layers * shape->n_modes, sizeof(double)));
  if (problem->batch_size > 0) {
    CUONN_TRY_DONE(cuonn_allocate(&s->sums, models * s->most_chunks * sums, sizeof(node_sums)));
    const size_t outputs = shape->n_layers * shape->n_modes;
    const bool amplitudes = shape->layer != CUONN_LAYER_UNITARY;
    if (network_keeps_phases(shape) || amplitudes) {
      CUONN_TRY_DONE(cuonn_allocate(&s->flows, models * s->most_chunks * 2 * outputs, sizeof(double)));
    }
    if (amplitudes) CUONN_TRY_DONE(cuonn_allocate(&s->d_amplitude, models * outputs, sizeof(double)));
    CUONN_TRY_DONE(cuonn_allocate(&s->d_theta, models * phases, sizeof(double)));
    CUONN_TRY_DONE(cuonn_allocate(&s->d_phi, models * phases, sizeof(double)));
    for (size_t m = 0; m < models; m++) CUONN_TRY_DONE(point_at_gradients(s, m));
  }
done:
  if (status == CUONN_OK) {
    *out = s;
  } else {
    cpu_destroy(s);
  }
  return status;
}

cuonn_status cpu_widen_spaces(cpu_state *s, size_t kept_size, bool dense) {
  if (kept_size <= s->kept_size && dense <= s->dense) return CUONN_OK;
  kept_size = kept_size > s->kept_size ? kept_size : s->kept_size;
  dense = dense || s->dense;
  if (dense && !s->products) {
    CUONN_TRY(cuonn_allocate(&s->products, s->problem.shape.n_layers * kDenseBlocks, sizeof *s->products));
    dense_products_prepare(s->products, &s->problem.shape);
  }
  free_spaces(s);
  for (int t = 0; t < s->threads; t++) CUONN_TRY(cpu_space_create(s->spaces + t, &s->problem.shape, kept_size, dense));
  s->kept_size = kept_size;
  s->dense = dense;
  return CUONN_OK;
}

void cpu_apply_layer(cpu_model *model, size_t layer) {
  const cuonn_mesh *const from = model->network.layers + layer, *const to = model->applied.layers + layer;
  chip_phases_apply(to->theta, to->phi, model->phases + layer, from->theta, from->phi);
  memcpy(to->gamma, from->gamma, from->n_modes * sizeof(double));
}
