/* Making and releasing a state, models and sets in and out. */
#include "cpu/state.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "network/shape.h"

int cpu_own_threads(void) { return omp_get_max_threads(); }

int cpu_threads(int threads) {
  const int own = cpu_own_threads();
  return threads > 0 ? threads : own < CUONN_THREADS_MAX ? own : CUONN_THREADS_MAX;
}

static void free_layers(cpu_model *model, size_t n_layers) {
  for (size_t l = 0; model->layers && l < n_layers; l++) layer_free(model->layers + l);
  for (size_t l = 0; model->ideal && l < n_layers; l++) layer_free(model->ideal + l);
  for (size_t l = 0; model->phases && l < n_layers; l++) chip_phases_free(model->phases + l);
  cpu_chip_free(&model->chip);
}

static void free_spaces(cpu_state *s) {
  for (int t = 0; s->spaces && t < s->threads; t++) cpu_space_free(s->spaces + t);
}

void cpu_destroy(void *state) {
  cpu_state *const s = state;
  if (!s) return;
  for (size_t m = 0; s->models && m < s->problem.n_models; m++) {
    cpu_model *const model = s->models + m;
    free_layers(model, s->problem.shape.n_layers);
    free(model->layers);
    free(model->ideal);
    free(model->phases);
    free(model->gradients);
    cuonn_network_free(&model->applied);
    free(model->moments);
    cuonn_network_free(&model->network);
  }
  free(s->models);
  for (int i = 0; i < BACKEND_SPLITS; i++) {
    free(s->sets[i].values);
    free(s->sets[i].labels);
  }
  free_spaces(s);
  free(s->spaces);
  free(s->sums);
  free(s->losses);
  free(s->d_theta);
  free(s->d_phi);
  free(s->flow);
  network_shape_disown(&s->problem.shape);
  free(s);
}

static cuonn_status point_at_gradients(cpu_state *s, size_t m) {
  const size_t n = s->problem.shape.n_modes, layers = s->problem.shape.n_layers;
  const size_t nodes = s->problem.shape.mesh->n_nodes;
  CUONN_TRY(cuonn_allocate(&s->models[m].gradients, layers, sizeof(cuonn_mesh_gradient)));
  for (size_t l = 0; l < layers; l++) {
    const size_t at = m * layers + l;
    s->models[m].gradients[l] = (cuonn_mesh_gradient){s->d_theta + at * nodes, s->d_phi + at * nodes, s->flow + at * n};
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
  CUONN_TRY_DONE(network_shape_own(&s->problem.shape));
  const cuonn_network_shape *const shape = &s->problem.shape;
  s->kernels = cpu_kernels_choose();
  s->threads = cpu_threads(problem->threads);
  /* every chunk has sums of its own: fewer where they would take more than 256 MiB */
  s->most_chunks = kMostChunks;
  while (s->most_chunks > 4 && s->most_chunks * phases * sizeof(node_sums) > (size_t)256 << 20) s->most_chunks /= 2;
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
  for (int t = 0; t < s->threads; t++) CUONN_TRY_DONE(cpu_space_create(s->spaces + t, shape, 0));
  CUONN_TRY_DONE(cuonn_allocate(&s->losses, models * kMostChunks, sizeof(double)));
  CUONN_TRY_DONE(cuonn_allocate(&s->flow, models * shape->n_layers * shape->n_modes, sizeof(double)));
  if (problem->batch_size > 0) {
    CUONN_TRY_DONE(cuonn_allocate(&s->sums, models * s->most_chunks * phases, sizeof(node_sums)));
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

/* The spaces, so large that fields at segments can be kept. */
static cuonn_status widen_spaces(cpu_state *s, const cpu_layer *layer) {
  const size_t size = layer_kept_size(layer, cpu_tile_lanes(UINT32_MAX, layer->n_modes));
  if (size <= s->kept_size) return CUONN_OK;
  free_spaces(s);
  for (int t = 0; t < s->threads; t++) CUONN_TRY(cpu_space_create(s->spaces + t, &s->problem.shape, size));
  s->kept_size = size;
  return CUONN_OK;
}

void cpu_program_layer(cpu_model *model, size_t layer, const cpu_kernels *kernels) {
  const cuonn_mesh *const from = model->network.layers + layer, *const to = model->applied.layers + layer;
  chip_phases_apply(to->theta, to->phi, model->phases + layer, from->theta, from->phi);
  memcpy(to->gamma, from->gamma, from->n_modes * sizeof(double));
  layer_fill(model->layers + layer, to->theta, to->phi, kernels);
  if (model->gradient == CUONN_GRADIENT_IDEAL) layer_fill(model->ideal + layer, from->theta, from->phi, kernels);
  if (model->chip.meshes) cpu_tap_mesh_set(model->chip.meshes + layer, to);
}

/* The mesh without its errors. */
static cuonn_status create_ideal(cpu_layer *out, const cuonn_mesh *mesh, size_t n_read) {
  cuonn_mesh bare;
  CUONN_TRY(cuonn_mesh_create_shaped(&bare, mesh->shape, mesh->style));
  memcpy(bare.gamma, mesh->gamma, mesh->n_modes * sizeof(double));
  const cuonn_status status = layer_create(out, &bare, n_read);
  cuonn_mesh_free(&bare);
  return status;
}

cuonn_status cpu_set_model(void *state, size_t model, const backend_model *from) {
  static const cuonn_chip_options ideal = CUONN_CHIP_OPTIONS_INIT;
  cpu_state *const s = state;
  cpu_model *const to = s->models + model;
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t n_moments = cuonn_training_moments_count(shape);
  free_layers(to, shape->n_layers);
  to->gradient = from->gradient;
  to->train_gamma = from->train_gamma;
  to->options = from->chip ? *from->chip : ideal;
  const bool measured = cuonn_gradient_is_measured(to->gradient);
  if (measured || !chip_reads_exactly(&to->options)) {
    CUONN_TRY(cpu_chip_create(&to->chip, shape, measured ? s->problem.batch_size : 0, s->threads));
  }
  for (size_t l = 0; l < shape->n_layers; l++) {
    cuonn_mesh *const mesh = to->network.layers + l;
    const size_t n_read = l + 1 < shape->n_layers ? shape->n_modes : shape->n_classes;
    CUONN_TRY(cuonn_mesh_copy(mesh, from->network->layers + l));
    CUONN_TRY(layer_create(to->layers + l, mesh, n_read));
    CUONN_TRY(widen_spaces(s, to->layers + l));
    if (to->gradient == CUONN_GRADIENT_IDEAL) {
      CUONN_TRY(create_ideal(to->ideal + l, mesh, n_read));
      CUONN_TRY(widen_spaces(s, to->ideal + l));
    }
    CUONN_TRY(cuonn_mesh_copy(to->applied.layers + l, mesh));
    CUONN_TRY(chip_phases_create(to->phases + l, &to->options, (uint32_t)l, shape->mesh, shape->style));
    cpu_program_layer(to, l, s->kernels);
  }
  if (from->moments) {
    memcpy(to->moments, from->moments, n_moments * sizeof(double));
  } else {
    memset(to->moments, 0, n_moments * sizeof(double));
  }
  if (from->optimizer) to->optimizer = *from->optimizer;
  to->seed = from->seed;
  return CUONN_OK;
}

cuonn_status cpu_get_model(const backend_model *to, void *state, size_t model) {
  cpu_state *const s = state;
  const cpu_model *const from = s->models + model;
  const size_t size = s->problem.shape.mesh->n_nodes * sizeof(double);
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    memcpy(to->network->layers[l].theta, from->network.layers[l].theta, size);
    memcpy(to->network->layers[l].phi, from->network.layers[l].phi, size);
    memcpy(to->network->layers[l].gamma, from->network.layers[l].gamma, s->problem.shape.n_modes * sizeof(double));
  }
  if (to->moments) memcpy(to->moments, from->moments, cuonn_training_moments_count(&s->problem.shape) * sizeof(double));
  return CUONN_OK;
}

static cuonn_status make_set(cpu_set *out, size_t n_examples, size_t n_modes, const uint8_t *labels) {
  free(out->values);
  free(out->labels);
  memset(out, 0, sizeof *out);
  CUONN_TRY(cuonn_allocate(&out->values, n_examples * 2 * n_modes, sizeof *out->values));
  CUONN_TRY(cuonn_allocate(&out->labels, n_examples, sizeof *out->labels));
  memcpy(out->labels, labels, n_examples);
  out->n_examples = n_examples;
  return CUONN_OK;
}

cuonn_status cpu_set_images(void *state, backend_split split, const cuonn_examples *images,
                            const cuonn_features_options *options) {
  cpu_state *const s = state;
  CUONN_TRY(make_set(s->sets + split, images->n_examples, s->problem.shape.n_modes, images->labels));
  return cpu_features(s->sets[split].values, images, options, s->threads);
}

cuonn_status cpu_set_fields(void *state, backend_split split, const cuonn_fields *fields, const uint8_t *labels) {
  cpu_state *const s = state;
  const size_t n = fields->n_modes;
  CUONN_TRY(make_set(s->sets + split, fields->n_examples, n, labels));
  for (size_t e = 0; e < fields->n_examples; e++) {
    float *const to = s->sets[split].values + e * 2 * n;
    for (size_t w = 0; w < n; w++) {
      to[w] = (float)fields->values[2 * (e * n + w)];
      to[n + w] = (float)fields->values[2 * (e * n + w) + 1];
    }
  }
  return CUONN_OK;
}

cuonn_status cpu_get_features(double *out, void *state, backend_split split) {
  const cpu_state *const s = state;
  const size_t n = s->problem.shape.n_modes;
  for (size_t e = 0; e < s->sets[split].n_examples; e++) {
    const float *const from = s->sets[split].values + e * 2 * n;
    for (size_t w = 0; w < n; w++) {
      out[2 * (e * n + w)] = (double)from[w];
      out[2 * (e * n + w) + 1] = (double)from[n + w];
    }
  }
  return CUONN_OK;
}
