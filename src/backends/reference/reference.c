/* The reference backend: double, one thread, one example after the other, as plain as the formulas. Everything else is
 * tested against it. This file holds its state and its table; train.c the one training loop, method_columns.c and
 * method_in_situ.c what a step computes; mesh.c, network.c, in_situ.c and features.c the formulas. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "network/shape.h"
#include "reference/features.h"
#include "reference/machine.h"
#include "reference/methods.h"
#include "reference/program.h"
#include "reference/state.h"
#include "reference/train.h"

static void destroy(void *of) {
  reference_state *const s = of;
  if (!s) return;
  for (size_t m = 0; s->models && m < s->problem.n_models; m++) {
    reference_model *const own = &s->models[m];
    for (size_t l = 0; own->phases && l < s->problem.shape.n_layers; l++) chip_phases_free(&own->phases[l]);
    free(own->phases);
    cuonn_network_free(&own->network);
    cuonn_network_free(&own->applied);
    cuonn_network_free(&own->ideal);
    free(own->moments);
  }
  free(s->models);
  for (size_t l = 0; s->gradients && l < s->problem.shape.n_layers; l++) {
    free(s->gradients[l].d_theta);
    free(s->gradients[l].d_phi);
    free(s->gradients[l].d_gamma);
    free(s->gradients[l].d_amplitude);
  }
  free(s->gradients);
  reference_network_free(&s->network);
  for (int split = 0; split < CUONN_SPLITS; split++) {
    cuonn_fields_free(&s->fields[split]);
    free(s->labels[split]);
  }
  network_shape_disown(&s->problem.shape);
  free(s);
}

static cuonn_status create(void **out, const backend_problem *problem) {
  const size_t nodes = cuonn_network_nodes(&problem->shape);
  reference_state *s = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&s, 1, sizeof *s));
  s->problem = *problem;
  CUONN_TRY_DONE(network_shape_own(&s->problem.shape));
  const cuonn_network_shape *const shape = &s->problem.shape;
  CUONN_TRY_DONE(reference_network_create(&s->network, shape));
  CUONN_TRY_DONE(cuonn_allocate(&s->gradients, shape->n_layers, sizeof *s->gradients));
  for (size_t l = 0; l < shape->n_layers; l++) {
    CUONN_TRY_DONE(cuonn_allocate(&s->gradients[l].d_theta, nodes, sizeof(double)));
    CUONN_TRY_DONE(cuonn_allocate(&s->gradients[l].d_phi, nodes, sizeof(double)));
    CUONN_TRY_DONE(cuonn_allocate(&s->gradients[l].d_gamma, shape->n_modes, sizeof(double)));
    if (shape->layer == CUONN_LAYER_UNITARY) continue;
    CUONN_TRY_DONE(cuonn_allocate(&s->gradients[l].d_amplitude, shape->n_modes, sizeof(double)));
  }
  CUONN_TRY_DONE(cuonn_allocate(&s->models, problem->n_models, sizeof *s->models));
  for (size_t m = 0; m < problem->n_models; m++) {
    CUONN_TRY_DONE(cuonn_network_create(&s->models[m].network, shape));
    CUONN_TRY_DONE(cuonn_network_create(&s->models[m].applied, shape));
    CUONN_TRY_DONE(cuonn_network_create(&s->models[m].ideal, shape));
    CUONN_TRY_DONE(cuonn_allocate(&s->models[m].phases, shape->n_layers, sizeof(chip_phases)));
    CUONN_TRY_DONE(cuonn_allocate(&s->models[m].moments, cuonn_training_moments_count(shape), sizeof(double)));
  }
done:
  if (status != CUONN_OK) {
    destroy(s);
    s = NULL;
  }
  *out = s;
  return status;
}

static cuonn_status set_model(void *of, size_t index, const backend_model *from) {
  static const cuonn_chip_options ideal = CUONN_CHIP_OPTIONS_INIT;
  reference_state *const s = of;
  reference_model *const to = &s->models[index];
  const size_t bytes = cuonn_training_moments_count(&s->problem.shape) * sizeof(double);
  CUONN_CHECK(reference_method_of(from->gradient)->supports(s->problem.shape.mesh), CUONN_E_SHAPE,
              "method %s of backend reference does not take meshes of this shape",
              reference_method_of(from->gradient)->name);
  to->gradient = from->gradient;
  to->train_gamma = from->train_gamma;
  to->chip = from->chip ? *from->chip : ideal;
  CUONN_TRY(cuonn_network_copy(&to->network, from->network));
  CUONN_TRY(cuonn_network_copy(&to->applied, from->network));
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    chip_phases_free(&to->phases[l]);
    CUONN_TRY(
        chip_phases_create(&to->phases[l], &to->chip, (uint32_t)l, s->problem.shape.mesh, s->problem.shape.style));
  }
  if (from->moments) {
    memcpy(to->moments, from->moments, bytes);
  } else {
    memset(to->moments, 0, bytes);
  }
  if (from->optimizer) to->optimizer = *from->optimizer;
  to->seed = from->seed;
  return CUONN_OK;
}

static cuonn_status get_model(const backend_model *to, void *of, size_t index) {
  reference_state *const s = of;
  const reference_model *const from = &s->models[index];
  CUONN_TRY(cuonn_network_copy(to->network, &from->network));
  if (to->moments) {
    memcpy(to->moments, from->moments, cuonn_training_moments_count(&s->problem.shape) * sizeof(double));
  }
  return CUONN_OK;
}

/* Takes over the values of *fields. */
static cuonn_status set_split(reference_state *s, cuonn_split split, cuonn_fields *fields, const uint8_t *labels) {
  uint8_t *copy = NULL;
  CUONN_TRY(cuonn_allocate(&copy, fields->n_examples, 1));
  memcpy(copy, labels, fields->n_examples);
  cuonn_fields_free(&s->fields[split]);
  free(s->labels[split]);
  s->fields[split] = *fields;
  s->labels[split] = copy;
  memset(fields, 0, sizeof *fields);
  return CUONN_OK;
}

static cuonn_status set_images(void *of, cuonn_split split, const cuonn_examples *images,
                               const cuonn_features_options *options) {
  cuonn_fields fields = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_fields_create(&fields, images->n_examples, cuonn_features_modes(options)));
  CUONN_TRY_DONE(reference_features(fields.values, images, options));
  CUONN_TRY_DONE(set_split(of, split, &fields, images->labels));
done:
  cuonn_fields_free(&fields);
  return status;
}

static cuonn_status set_fields(void *of, cuonn_split split, const cuonn_fields *from, const uint8_t *labels) {
  cuonn_fields fields = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_fields_create(&fields, from->n_examples, from->n_modes));
  memcpy(fields.values, from->values, 2 * from->n_examples * from->n_modes * sizeof(double));
  CUONN_TRY_DONE(set_split(of, split, &fields, labels));
done:
  cuonn_fields_free(&fields);
  return status;
}

static cuonn_status get_features(double *out, void *of, cuonn_split split) {
  const cuonn_fields *const fields = &((reference_state *)of)->fields[split];
  memcpy(out, fields->values, 2 * fields->n_examples * fields->n_modes * sizeof(double));
  return CUONN_OK;
}

static cuonn_status set_phases(void *of, size_t index, size_t layer, const double *theta, const double *phi,
                               const double *gamma) {
  const cuonn_mesh *const to = &((reference_state *)of)->models[index].network.layers[layer];
  const size_t n = to->n_modes, nodes = to->n_nodes;
  if (theta) memcpy(to->theta, theta, nodes * sizeof *theta);
  if (phi) memcpy(to->phi, phi, nodes * sizeof *phi);
  if (gamma) memcpy(to->gamma, gamma, n * sizeof *gamma);
  return CUONN_OK;
}

static backend_layer layer_of(void *of, size_t index, size_t layer) {
  const reference_model *const m = &((reference_state *)of)->models[index];
  reference_apply(m, layer);
  return (backend_layer){&m->applied.layers[layer], &m->phases[layer]};
}

static cuonn_status probe(char *line, size_t size, int device) {
  (void)device;
  if (size > 0) *line = 0;
  return CUONN_OK;
}

const cuonn_backend cuonn_backend_reference = {
    .name = "reference",
    .steps_per_call = 1,
    .models_per_state = 1,
    .probe = probe,
    .create = create,
    .destroy = destroy,
    .set_model = set_model,
    .get_model = get_model,
    .set_images = set_images,
    .set_fields = set_fields,
    .get_features = get_features,
    .train_steps = reference_train_steps,
    .evaluate = reference_evaluate,
    .gradient = reference_gradient,
    .propagate = reference_propagate,
    .vjp = reference_vjp,
    .set_phases = set_phases,
    .layer = layer_of,
    .measure_machine = reference_measure_machine,
    .time_propagation = reference_time_propagation,
};
