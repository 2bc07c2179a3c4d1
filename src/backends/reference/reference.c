/* The reference backend: double, one thread, one example after the other, as plain as the formulas. Everything else is
 * tested against it. This file holds its state and training; mesh.c, network.c and features.c hold the formulas. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "chip/phases.h"
#include "reference/batch.h"
#include "reference/features.h"
#include "reference/machine.h"
#include "reference/mesh.h"
#include "reference/network.h"

typedef struct {
  cuonn_network network; /* phases as they are programmed */
  cuonn_network applied; /* phases as the chip applies them */
  cuonn_network ideal;   /* the programmed phases on meshes without errors */
  double *moments;       /* [2][layer][N^2] */
  cuonn_optimizer_options optimizer;
  uint64_t seed;
  cuonn_gradient_method gradient;
  bool train_gamma;
  cuonn_chip_options chip;
  chip_phases *phases; /* [layer]; zeroed before the model is set */
} model;

typedef struct {
  backend_problem problem;
  model *models;                  /* [model] */
  reference_network network;      /* of the model that computes now */
  cuonn_mesh_gradient *gradients; /* [layer] */
  cuonn_fields fields[BACKEND_SPLITS];
  uint8_t *labels[BACKEND_SPLITS];
  uint32_t steps_done; /* what tests are counted by, for noise */
} state;

static void destroy(void *of) {
  state *const s = of;
  if (!s) return;
  for (size_t m = 0; s->models && m < s->problem.n_models; m++) {
    model *const own = &s->models[m];
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
  }
  free(s->gradients);
  reference_network_free(&s->network);
  for (int split = 0; split < BACKEND_SPLITS; split++) {
    cuonn_fields_free(&s->fields[split]);
    free(s->labels[split]);
  }
  free(s);
}

static cuonn_status create(void **out, const backend_problem *problem) {
  const cuonn_network_shape *const shape = &problem->shape;
  const size_t nodes = cuonn_mesh_nodes(shape->n_modes);
  state *s = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&s, 1, sizeof *s));
  s->problem = *problem;
  CUONN_TRY_DONE(reference_network_create(&s->network, shape));
  CUONN_TRY_DONE(cuonn_allocate(&s->gradients, shape->n_layers, sizeof *s->gradients));
  for (size_t l = 0; l < shape->n_layers; l++) {
    CUONN_TRY_DONE(cuonn_allocate(&s->gradients[l].d_theta, nodes, sizeof(double)));
    CUONN_TRY_DONE(cuonn_allocate(&s->gradients[l].d_phi, nodes, sizeof(double)));
    CUONN_TRY_DONE(cuonn_allocate(&s->gradients[l].d_gamma, shape->n_modes, sizeof(double)));
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
  state *const s = of;
  model *const to = &s->models[index];
  const size_t bytes = cuonn_training_moments_count(&s->problem.shape) * sizeof(double);
  to->gradient = from->gradient;
  to->train_gamma = from->train_gamma;
  to->chip = from->chip ? *from->chip : ideal;
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    CUONN_TRY(cuonn_mesh_copy(&to->network.layers[l], &from->network->layers[l]));
    CUONN_TRY(cuonn_mesh_copy(&to->applied.layers[l], &from->network->layers[l]));
    chip_phases_free(&to->phases[l]);
    CUONN_TRY(
        chip_phases_create(&to->phases[l], &to->chip, (uint32_t)l, s->problem.shape.n_modes, s->problem.shape.style));
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
  state *const s = of;
  const model *const from = &s->models[index];
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    CUONN_TRY(cuonn_mesh_copy(&to->network->layers[l], &from->network.layers[l]));
  }
  if (to->moments) {
    memcpy(to->moments, from->moments, cuonn_training_moments_count(&s->problem.shape) * sizeof(double));
  }
  return CUONN_OK;
}

/* Takes over the values of *fields. */
static cuonn_status set_split(state *s, backend_split split, cuonn_fields *fields, const uint8_t *labels) {
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

static cuonn_status set_images(void *of, backend_split split, const cuonn_examples *images,
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

static cuonn_status set_fields(void *of, backend_split split, const cuonn_fields *from, const uint8_t *labels) {
  cuonn_fields fields = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_fields_create(&fields, from->n_examples, from->n_modes));
  memcpy(fields.values, from->values, 2 * from->n_examples * from->n_modes * sizeof(double));
  CUONN_TRY_DONE(set_split(of, split, &fields, labels));
done:
  cuonn_fields_free(&fields);
  return status;
}

static cuonn_status get_features(double *out, void *of, backend_split split) {
  const cuonn_fields *const fields = &((state *)of)->fields[split];
  memcpy(out, fields->values, 2 * fields->n_examples * fields->n_modes * sizeof(double));
  return CUONN_OK;
}

/* The same phases on a chip without errors become the network that computes. */
static void program_ideal(state *s, const model *m) {
  const size_t n = s->problem.shape.n_modes, nodes = cuonn_mesh_nodes(n);
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    const cuonn_mesh *const from = &m->network.layers[l], *const to = &m->ideal.layers[l];
    memcpy(to->theta, from->theta, nodes * sizeof(double));
    memcpy(to->phi, from->phi, nodes * sizeof(double));
    memcpy(to->gamma, from->gamma, n * sizeof(double));
  }
  reference_network_set(&s->network, &m->ideal);
}

/* What the chip makes of the phases of a layer. */
static void apply(const model *m, size_t layer) {
  const cuonn_mesh *const from = &m->network.layers[layer], *const to = &m->applied.layers[layer];
  chip_phases_apply(to->theta, to->phi, &m->phases[layer], from->theta, from->phi);
  memcpy(to->gamma, from->gamma, from->n_modes * sizeof(double));
}

/* What the chip makes of a model's phases becomes the network that computes. */
static void program(state *s, const model *m) {
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) apply(m, l);
  reference_network_set(&s->network, &m->applied);
}

static size_t example_at(const state *s, backend_split split, size_t i, const model *shuffled, uint32_t epoch) {
  const size_t n = s->fields[split].n_examples;
  return shuffled ? random_permute((uint32_t)i, (uint32_t)n, shuffled->seed, epoch) : i;
}

/* Mean loss of `count` examples, and its gradient in s->gradients. shuffled: NULL = as they stand. */
static double loss_and_gradient(state *s, backend_split split, size_t first, size_t count, const model *shuffled,
                                uint32_t epoch) {
  const cuonn_fields *const fields = &s->fields[split];
  const size_t n = s->problem.shape.n_modes, nodes = cuonn_mesh_nodes(n);
  const double share = 1 / (double)count;
  double loss = 0;
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    memset(s->gradients[l].d_theta, 0, nodes * sizeof(double));
    memset(s->gradients[l].d_phi, 0, nodes * sizeof(double));
    memset(s->gradients[l].d_gamma, 0, n * sizeof(double)); /* only moduli are read behind a gamma */
  }
  for (size_t i = first; i < first + count; i++) {
    const size_t e = example_at(s, split, i, shuffled, epoch);
    size_t prediction;
    loss +=
        share * reference_network_forward(&prediction, &s->network, fields->values + 2 * e * n, s->labels[split][e]);
    reference_network_backward(s->gradients, &s->network, s->labels[split][e], share);
  }
  return loss;
}

/* The same as the model's chip measures it. */
static cuonn_status measured_gradient(double *loss, state *s, backend_split split, const backend_step *step,
                                      const model *m, const model *shuffled, cuonn_gradient_method method) {
  const size_t n = s->problem.shape.n_modes;
  complex_t *x = NULL;
  uint8_t *labels = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&x, step->count * n, sizeof *x));
  CUONN_TRY_DONE(cuonn_allocate(&labels, step->count, 1));
  for (size_t i = 0; i < step->count; i++) {
    const size_t e = example_at(s, split, step->first + i, shuffled, step->epoch);
    memcpy(x + i * n, s->fields[split].values + 2 * e * n, n * sizeof *x);
    labels[i] = s->labels[split][e];
  }
  const reference_batch batch = {step->count, x, labels, &m->chip, step->number};
  CUONN_TRY_DONE(reference_batch_gradient(loss, s->gradients, &s->network, &batch, method));
done:
  free(labels);
  free(x);
  return status;
}

/* Loss and s->gradients by the programmed phases of model m, over the examples of a step. */
static cuonn_status step_gradient(double *loss, state *s, model *m, backend_split split, const backend_step *step,
                                  cuonn_gradient_method method) {
  const bool shuffles = split == BACKEND_TRAIN && s->problem.order == CUONN_ORDER_SHUFFLED;
  const model *const shuffled = shuffles ? m : NULL;
  if (method == CUONN_GRADIENT_IDEAL) {
    program_ideal(s, m);
    *loss = loss_and_gradient(s, split, step->first, step->count, shuffled, step->epoch);
    return CUONN_OK;
  }
  program(s, m);
  if (method == CUONN_GRADIENT_EXACT) {
    *loss = loss_and_gradient(s, split, step->first, step->count, shuffled, step->epoch);
  } else {
    CUONN_TRY(measured_gradient(loss, s, split, step, m, shuffled, method));
  }
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    chip_phases_pull_back(s->gradients[l].d_theta, s->gradients[l].d_phi, &m->phases[l]);
  }
  return CUONN_OK;
}

/* One array of phases. first, second: its moments; SGD keeps its velocity in the first. */
static void update(double *p, double *first, double *second, const double *gradient, size_t count,
                   const cuonn_optimizer_options *o, double rate, uint64_t adam_index) {
  const double correct1 = 1 - pow(o->beta1, (double)(adam_index + 1));
  const double correct2 = 1 - pow(o->beta2, (double)(adam_index + 1));
  for (size_t k = 0; k < count; k++) {
    const double g = gradient[k];
    if (o->kind == CUONN_OPTIMIZER_SGD) {
      first[k] = o->momentum * first[k] + g;
      p[k] -= rate * first[k];
    } else {
      first[k] = o->beta1 * first[k] + (1 - o->beta1) * g;
      second[k] = o->beta2 * second[k] + (1 - o->beta2) * g * g;
      p[k] -= rate * (first[k] / correct1) / (sqrt(second[k] / correct2) + o->epsilon);
    }
  }
}

static void update_model(model *m, const cuonn_mesh_gradient *gradients, const backend_step *step) {
  const size_t layers = m->network.shape.n_layers, n = m->network.shape.n_modes, nodes = cuonn_mesh_nodes(n);
  const double rate = m->optimizer.learning_rate * step->rate_factor;
  for (size_t l = 0; l < layers; l++) {
    double *const first = m->moments + l * n * n, *const second = first + layers * n * n;
    const cuonn_mesh *const mesh = &m->network.layers[l];
    update(mesh->theta, first, second, gradients[l].d_theta, nodes, &m->optimizer, rate, step->adam_index);
    update(mesh->phi, first + nodes, second + nodes, gradients[l].d_phi, nodes, &m->optimizer, rate, step->adam_index);
    if (!m->train_gamma) continue;
    update(mesh->gamma, first + 2 * nodes, second + 2 * nodes, gradients[l].d_gamma, n, &m->optimizer, rate,
           step->adam_index);
  }
}

static cuonn_status train_steps(double *losses, void *of, const backend_step *steps, size_t n_steps) {
  state *const s = of;
  for (size_t i = 0; i < n_steps; i++) {
    for (size_t m = 0; m < s->problem.n_models; m++) {
      model *const now = &s->models[m];
      double *const loss = &losses[i * s->problem.n_models + m];
      CUONN_TRY(step_gradient(loss, s, now, BACKEND_TRAIN, &steps[i], now->gradient));
      update_model(now, s->gradients, &steps[i]);
    }
    s->steps_done = steps[i].number + 1;
  }
  return CUONN_OK;
}

/* Mean loss and predictions [example] of a network whose fields are read with noise, or without. */
static cuonn_status run_forward(double *loss, size_t *predictions, state *s, const model *m, backend_split split) {
  const cuonn_fields *const fields = &s->fields[split];
  if (!chip_reads_exactly(&m->chip)) {
    const complex_t *const x = (const complex_t *)fields->values;
    const reference_batch batch = {fields->n_examples, x, s->labels[split], &m->chip, s->steps_done};
    return reference_batch_evaluate(loss, predictions, &s->network, &batch);
  }
  *loss = 0;
  for (size_t e = 0; e < fields->n_examples; e++) {
    const double *const x = fields->values + 2 * e * fields->n_modes;
    *loss += reference_network_forward(&predictions[e], &s->network, x, s->labels[split][e]);
  }
  *loss /= (double)fields->n_examples;
  return CUONN_OK;
}

static cuonn_status evaluate(cuonn_evaluation *out, void *of, size_t index, backend_split split) {
  state *const s = of;
  const size_t n = s->fields[split].n_examples, classes = s->problem.shape.n_classes;
  size_t *predictions = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&predictions, n, sizeof *predictions));
  program(s, &s->models[index]);
  CUONN_TRY_DONE(run_forward(&out->loss, predictions, s, &s->models[index], split));
  out->n_examples = n;
  out->n_correct = 0;
  if (out->confusion) memset(out->confusion, 0, classes * classes * sizeof *out->confusion);
  for (size_t e = 0; e < n; e++) {
    const uint8_t label = s->labels[split][e];
    out->n_correct += predictions[e] == label;
    if (out->confusion) out->confusion[label * classes + predictions[e]]++;
  }
done:
  free(predictions);
  return status;
}

static void copy_gradients(cuonn_mesh_gradient *to, const state *s) {
  const size_t n = s->problem.shape.n_modes, nodes = cuonn_mesh_nodes(n);
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    memcpy(to[l].d_theta, s->gradients[l].d_theta, nodes * sizeof(double));
    memcpy(to[l].d_phi, s->gradients[l].d_phi, nodes * sizeof(double));
    memcpy(to[l].d_gamma, s->gradients[l].d_gamma, n * sizeof(double));
  }
}

static cuonn_status gradient(double *loss, cuonn_mesh_gradient *gradients, void *of, size_t index, backend_split split,
                             const backend_step *step, cuonn_gradient_method method) {
  state *const s = of;
  CUONN_TRY(step_gradient(loss, s, &s->models[index], split, step, method));
  copy_gradients(gradients, s);
  return CUONN_OK;
}

static cuonn_status set_phases(void *of, size_t index, size_t layer, const double *theta, const double *phi,
                               const double *gamma) {
  const cuonn_mesh *const to = &((state *)of)->models[index].network.layers[layer];
  const size_t n = to->n_modes, nodes = cuonn_mesh_nodes(n);
  if (theta) memcpy(to->theta, theta, nodes * sizeof *theta);
  if (phi) memcpy(to->phi, phi, nodes * sizeof *phi);
  if (gamma) memcpy(to->gamma, gamma, n * sizeof *gamma);
  return CUONN_OK;
}

static backend_layer layer_of(void *of, size_t index, size_t layer) {
  const model *const m = &((state *)of)->models[index];
  apply(m, layer);
  return (backend_layer){&m->applied.layers[layer], &m->phases[layer]};
}

static cuonn_status probe(char *device, size_t size) {
  if (size > 0) *device = 0;
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
    .train_steps = train_steps,
    .evaluate = evaluate,
    .gradient = gradient,
    .propagate = reference_propagate,
    .vjp = reference_vjp,
    .set_phases = set_phases,
    .layer = layer_of,
    .measure_machine = reference_measure_machine,
    .time_propagation = reference_time_propagation,
};
