#include "cpu/models.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/methods.h"

/* The spaces, so large that fields at the segments of a layer can be kept. */
static cuonn_status widen_spaces(cpu_state *s, const cpu_layer *layer) {
  return cpu_widen_spaces(s, layer_kept_size(layer, cpu_tile_lanes(UINT32_MAX, layer->n_modes)), s->dense);
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
  const cpu_method *const method = cpu_method_of(s, from->gradient, s->problem.batch_size);
  CUONN_CHECK(method->supports(shape->mesh), CUONN_E_SHAPE,
              "method %s of backend cpu does not take meshes of this shape", method->name);
  cpu_free_layers(to, shape->n_layers);
  to->ready = 0;
  to->gradient = from->gradient;
  to->train_gamma = from->train_gamma;
  to->options = from->chip ? *from->chip : ideal;
  const bool measured = cuonn_gradient_is_measured(to->gradient), noisy = !chip_reads_exactly(&to->options);
  const bool reads_matrices = (measured || noisy) && to->options.measurement == CUONN_MEASUREMENT_MATRIX;
  if (measured || noisy) {
    const size_t most = measured || cuonn_gradient_is_perturbed(to->gradient) ? s->problem.batch_size : 0;
    CUONN_TRY(cpu_chip_create(&to->chip, shape, to->options.measurement, most, s->threads));
    to->chip.amplitudes = to->network.amplitudes;
    to->chip.processes = &s->processes;
  }
  if (s->problem.method != CUONN_METHOD_COLUMNS || reads_matrices) {
    const size_t batch = s->problem.batch_size;
    const bool gradients =
        batch > 0 && ((measured && reads_matrices) || cpu_exact_method(s, batch, true) == &cpu_dense);
    CUONN_TRY(dense_model_create(&to->dense, shape, gradients ? s->dense_chunks : 0));
    CUONN_TRY(cpu_widen_spaces(s, 0, true));
  }
  CUONN_TRY(cuonn_network_copy(&to->network, from->network));
  for (size_t l = 0; l < shape->n_layers; l++) {
    cuonn_mesh *const mesh = to->network.layers + l;
    const size_t n_read = l + 1 < shape->n_layers ? shape->n_modes : shape->n_classes;
    CUONN_TRY(layer_create(to->layers + l, mesh, n_read));
    CUONN_TRY(widen_spaces(s, to->layers + l));
    if (cuonn_network_has_amplitudes(shape, l)) to->layers[l].amplitudes = to->network.amplitudes + l * shape->n_modes;
    if (to->gradient == CUONN_GRADIENT_IDEAL) {
      CUONN_TRY(create_ideal(to->ideal + l, mesh, n_read));
      CUONN_TRY(widen_spaces(s, to->ideal + l));
      to->ideal[l].amplitudes = to->layers[l].amplitudes;
    }
    CUONN_TRY(cuonn_mesh_copy(to->applied.layers + l, mesh));
    CUONN_TRY(chip_phases_create(to->phases + l, &to->options, (uint32_t)l, shape->mesh, shape->style));
    cpu_apply_layer(to, l);
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
  if (from->network.amplitudes) {
    const size_t amplitudes = s->problem.shape.n_layers * s->problem.shape.n_modes;
    memcpy(to->network->amplitudes, from->network.amplitudes, amplitudes * sizeof(double));
  }
  if (to->moments) memcpy(to->moments, from->moments, cuonn_training_moments_count(&s->problem.shape) * sizeof(double));
  return CUONN_OK;
}

cuonn_status cpu_set_phases(void *state, size_t model, size_t layer, const double *theta, const double *phi,
                            const double *gamma) {
  cpu_state *const s = state;
  const cuonn_mesh *const to = s->models[model].network.layers + layer;
  const size_t n = to->n_modes, nodes = to->n_nodes;
  if (theta) memcpy(to->theta, theta, nodes * sizeof *theta);
  if (phi) memcpy(to->phi, phi, nodes * sizeof *phi);
  if (gamma) memcpy(to->gamma, gamma, n * sizeof *gamma);
  cpu_apply_layer(s->models + model, layer);
  s->models[model].ready = 0;
  return CUONN_OK;
}

backend_layer cpu_layer_of(void *state, size_t model, size_t layer) {
  const cpu_model *const of = ((cpu_state *)state)->models + model;
  return (backend_layer){of->applied.layers + layer, of->phases + layer};
}
