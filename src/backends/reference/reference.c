/* The reference backend: double, one thread, one example after the other, as plain as the formulas. Everything else is
 * tested against it. This file holds its state and training; mesh.c, network.c and features.c hold the formulas. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "reference/features.h"
#include "reference/machine.h"
#include "reference/mesh.h"
#include "reference/network.h"

typedef struct {
  cuonn_network network;
  double *moments; /* [2][layer][2][node] */
  cuonn_optimizer_options optimizer;
  uint64_t seed;
} model;

typedef struct {
  backend_problem problem;
  model *models;                  /* [model] */
  reference_network network;      /* of the model that computes now */
  cuonn_mesh_gradient *gradients; /* [layer] */
  cuonn_fields fields[BACKEND_SPLITS];
  uint8_t *labels[BACKEND_SPLITS];
} state;

static void destroy(void *of) {
  state *const s = of;
  if (!s) return;
  for (size_t m = 0; s->models && m < s->problem.n_models; m++) {
    cuonn_network_free(&s->models[m].network);
    free(s->models[m].moments);
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
  state *const s = of;
  model *const to = &s->models[index];
  const size_t bytes = cuonn_training_moments_count(&s->problem.shape) * sizeof(double);
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    CUONN_TRY(cuonn_mesh_copy(&to->network.layers[l], &from->network->layers[l]));
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

static cuonn_status set_images(void *of, backend_split split, const cuonn_images *images,
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

/* Mean loss of `count` examples, and its gradient in s->gradients. order: NULL = as they stand. */
static double loss_and_gradient(state *s, backend_split split, size_t first, size_t count, const model *shuffled,
                                uint32_t epoch) {
  const cuonn_fields *const fields = &s->fields[split];
  const size_t n = s->problem.shape.n_modes, nodes = cuonn_mesh_nodes(n);
  const double share = 1 / (double)count;
  double loss = 0;
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    memset(s->gradients[l].d_theta, 0, nodes * sizeof(double));
    memset(s->gradients[l].d_phi, 0, nodes * sizeof(double));
  }
  for (size_t i = first; i < first + count; i++) {
    const size_t e = shuffled ? random_permute((uint32_t)i, (uint32_t)fields->n_examples, shuffled->seed, epoch) : i;
    size_t prediction;
    loss +=
        share * reference_network_forward(&prediction, &s->network, fields->values + 2 * e * n, s->labels[split][e]);
    reference_network_backward(s->gradients, &s->network, s->labels[split][e], share);
  }
  return loss;
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
  const size_t layers = m->network.shape.n_layers, nodes = cuonn_mesh_nodes(m->network.shape.n_modes);
  const double rate = m->optimizer.learning_rate * step->rate_factor;
  for (size_t l = 0; l < layers; l++) {
    double *const first = m->moments + l * 2 * nodes, *const second = first + layers * 2 * nodes;
    const cuonn_mesh *const mesh = &m->network.layers[l];
    update(mesh->theta, first, second, gradients[l].d_theta, nodes, &m->optimizer, rate, step->adam_index);
    update(mesh->phi, first + nodes, second + nodes, gradients[l].d_phi, nodes, &m->optimizer, rate, step->adam_index);
  }
}

static cuonn_status train_steps(double *losses, void *of, const backend_step *steps, size_t n_steps) {
  state *const s = of;
  for (size_t i = 0; i < n_steps; i++) {
    for (size_t m = 0; m < s->problem.n_models; m++) {
      model *const now = &s->models[m];
      reference_network_set(&s->network, &now->network);
      losses[i * s->problem.n_models + m] =
          loss_and_gradient(s, BACKEND_TRAIN, steps[i].first, steps[i].count,
                            s->problem.order == CUONN_ORDER_SHUFFLED ? now : NULL, steps[i].epoch);
      update_model(now, s->gradients, &steps[i]);
    }
  }
  return CUONN_OK;
}

static cuonn_status evaluate(cuonn_evaluation *out, void *of, size_t index, backend_split split) {
  state *const s = of;
  const cuonn_fields *const fields = &s->fields[split];
  const size_t classes = s->problem.shape.n_classes;
  double loss = 0;
  out->n_examples = fields->n_examples;
  out->n_correct = 0;
  if (out->confusion) memset(out->confusion, 0, classes * classes * sizeof *out->confusion);
  reference_network_set(&s->network, &s->models[index].network);
  for (size_t e = 0; e < fields->n_examples; e++) {
    const uint8_t label = s->labels[split][e];
    size_t prediction;
    loss += reference_network_forward(&prediction, &s->network, fields->values + 2 * e * fields->n_modes, label);
    out->n_correct += prediction == label;
    if (out->confusion) out->confusion[label * classes + prediction]++;
  }
  out->loss = loss / (double)fields->n_examples;
  return CUONN_OK;
}

static cuonn_status gradient(double *loss, cuonn_mesh_gradient *gradients, void *of, size_t index,
                             backend_split split) {
  state *const s = of;
  const size_t n = s->problem.shape.n_modes, nodes = cuonn_mesh_nodes(n);
  reference_network_set(&s->network, &s->models[index].network);
  *loss = loss_and_gradient(s, split, 0, s->fields[split].n_examples, NULL, 0);
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    memcpy(gradients[l].d_theta, s->gradients[l].d_theta, nodes * sizeof(double));
    memcpy(gradients[l].d_phi, s->gradients[l].d_phi, nodes * sizeof(double));
    memset(gradients[l].d_gamma, 0, n * sizeof(double)); /* only moduli are read behind a gamma */
  }
  return CUONN_OK;
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
    .measure_machine = reference_measure_machine,
    .time_propagation = reference_time_propagation,
};
