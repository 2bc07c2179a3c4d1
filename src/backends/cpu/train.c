/* One loop for all methods: gradients of a step by the models' method, pulled back to the programmed phases, and the
 * optimizer. */
#include "cpu/train.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/methods.h"
#include "network/layer.h"

static const uint32_t kNoPrediction = UINT32_MAX;

/* Makes a method's coefficients of a model, unless they are there. */
static void make_ready(const cpu_state *s, cpu_model *model, const cpu_method *method, cuonn_gradient_method which) {
  const unsigned own = cpu_coefficients_of(which);
  if (model->ready & own) return;
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) method->prepare(model, l, which, s->kernels);
  model->ready |= own;
}

static cpu_batch batch_of(const cpu_state *s, cuonn_split split, const cuonn_step *step) {
  return (cpu_batch){.set = s->sets + split,
                     .shuffled = split == CUONN_SPLIT_TRAIN && s->problem.order == CUONN_ORDER_SHUFFLED,
                     .epoch = step->epoch,
                     .first = step->first,
                     .count = step->count,
                     .use = CHIP_TRAINING,
                     .number = step->number};
}

/* To the gradient by the programmed phases; a chip without errors applies those. */
static void pull_back(const cpu_model *model, size_t l, cuonn_gradient_method which) {
  const cuonn_mesh_gradient *const gradient = model->gradients + l;
  if (chip_phases_are_between(which)) chip_phases_pull_back(gradient->d_theta, gradient->d_phi, model->phases + l);
}

/* One array of phases. first, second: its moments; SGD keeps its velocity in the first. */
static void update(double *phase, double *first, double *second, const double *gradient, size_t n,
                   const cuonn_optimizer_options *options, const cuonn_step *step, const cpu_kernels *kernels) {
  const double rate = options->learning_rate * step->rate_factor;
  if (options->kind == CUONN_OPTIMIZER_SGD) {
    for (size_t i = 0; i < n; i++) {
      first[i] = options->momentum * first[i] + gradient[i];
      phase[i] -= rate * first[i];
    }
    return;
  }
  const double i = (double)step->adam_index + 1, beta[2] = {options->beta1, options->beta2};
  kernels->adam(phase, first, second, gradient, n, beta, options->epsilon, rate, 1 / (1 - pow(beta[0], i)),
                1 / (1 - pow(beta[1], i)));
}

static void update_layer(const cpu_state *s, cpu_model *model, size_t l, const cuonn_step *step) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t n = shape->n_modes, nodes = shape->mesh->n_nodes, parameters = cuonn_network_parameters(shape);
  const cuonn_mesh *const mesh = model->network.layers + l;
  const cuonn_mesh_gradient *const g = model->gradients + l;
  double *const first = model->moments + l * parameters, *const second = first + shape->n_layers * parameters;
  update(mesh->theta, first, second, g->d_theta, nodes, &model->optimizer, step, s->kernels);
  update(mesh->phi, first + nodes, second + nodes, g->d_phi, nodes, &model->optimizer, step, s->kernels);
  if (cuonn_network_has_amplitudes(shape, l)) {
    double *const amplitudes = model->network.amplitudes + l * n;
    const size_t at = 2 * nodes + n;
    update(amplitudes, first + at, second + at, g->d_amplitude, n, &model->optimizer, step, s->kernels);
    for (size_t w = 0; w < n; w++) amplitudes[w] = network_clip_amplitude(amplitudes[w], shape->amplitude_limit);
  }
  if (!model->train_gamma) return;
  update(mesh->gamma, first + 2 * nodes, second + 2 * nodes, g->d_gamma, n, &model->optimizer, step, s->kernels);
}

/* Starts a team in the parallel region that calls it. */
static void gather_team(cpu_team *team) {
#pragma omp single
  team->size = omp_get_num_threads();
}

/* Steps of models with one method. losses: [step][model of the state]. */
static void train_group(double *losses, cpu_group group, const cuonn_step *steps, size_t n_steps, int threads) {
  cpu_state *const s = group.state;
  const size_t layers = s->problem.shape.n_layers, end = group.first + group.n_models;
  const cpu_method *const method = cpu_method_of(s, s->models[group.first].gradient, s->problem.batch_size);
  cpu_team team;
  cpu_team_create(&team);
  group.team = &team;
  for (size_t m = group.first; m < end; m++) make_ready(s, s->models + m, method, s->models[m].gradient);
#pragma omp parallel num_threads(threads)
  {
    gather_team(&team);
    for (size_t k = 0; k < n_steps; k++) {
      const cpu_batch b = batch_of(s, CUONN_SPLIT_TRAIN, steps + k);
      method->gradient(losses + k * s->problem.n_models + group.first, &group, &b);
#pragma omp for schedule(static, 1) nowait
      for (size_t i = 0; i < group.n_models * layers; i++) {
        cpu_model *const model = s->models + group.first + i / layers;
        const size_t l = i % layers;
        pull_back(model, l, model->gradient);
        update_layer(s, model, l, steps + k);
        cpu_apply_layer(model, l);
        method->prepare(model, l, model->gradient, s->kernels);
      }
      cpu_team_meet(&team);
    }
  }
  for (size_t m = group.first; m < end; m++) s->models[m].ready = cpu_coefficients_of(s->models[m].gradient);
  cpu_team_destroy(&team);
}

/* Threads of a measurement wait for each other between two layers, and for every pass of moved phases: with as many
 * models as threads each has one for itself. Several processes meet model after model. */
static bool one_model_each(const cpu_state *s) {
  bool waits = false;
  for (size_t m = 0; m < s->problem.n_models; m++) {
    const cuonn_gradient_method which = s->models[m].gradient;
    waits = waits || cuonn_gradient_is_measured(which) || cuonn_gradient_is_perturbed(which);
  }
  return waits && s->problem.n_models >= (size_t)s->threads && cpu_is_alone(&s->processes);
}

cuonn_status cpu_train_steps(double *losses, void *state, const cuonn_step *steps, size_t n_steps) {
  cpu_state *const s = state;
  const size_t models = s->problem.n_models;
  if (n_steps > 0) s->steps_done = steps[n_steps - 1].number + 1;
  if (one_model_each(s)) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(s->threads)
    for (size_t m = 0; m < models; m++) {
      train_group(losses, (cpu_group){s, m, 1, NULL, s->spaces + omp_get_thread_num(), NULL}, steps, n_steps, 1);
    }
    return CUONN_OK;
  }
  for (size_t first = 0, end; first < models; first = end) {
    const size_t batch = s->problem.batch_size;
    const cpu_method *const method = cpu_method_of(s, s->models[first].gradient, batch);
    for (end = first + 1; end < models && cpu_method_of(s, s->models[end].gradient, batch) == method;) end++;
    train_group(losses, (cpu_group){s, first, end - first, NULL, s->spaces, NULL}, steps, n_steps, s->threads);
  }
  return CUONN_OK;
}

/* Of the examples that this process has predicted, and with those of the others. */
static void count_predictions(cuonn_evaluation *out, cpu_state *s, cuonn_split split, const uint32_t *predictions) {
  const size_t n = s->sets[split].n_examples, classes = s->problem.shape.n_classes;
  uint64_t n_correct = 0;
  if (out->confusion) memset(out->confusion, 0, classes * classes * sizeof *out->confusion);
  for (size_t e = 0; e < n; e++) {
    const uint8_t label = s->sets[split].labels[e];
    if (predictions[e] == kNoPrediction) continue;
    n_correct += predictions[e] == label;
    if (out->confusion) out->confusion[label * classes + predictions[e]]++;
  }
  cpu_processes_count(&s->processes, &n_correct, 1);
  if (out->confusion) cpu_processes_count(&s->processes, out->confusion, classes * classes);
  out->n_examples = n;
  out->n_correct = n_correct;
}

static cuonn_status evaluate_model(cuonn_evaluation *out, cpu_state *s, size_t model, cuonn_split split) {
  const size_t n = s->sets[split].n_examples;
  const cpu_method *const method = cpu_loss_method(s, &s->models[model].options, n);
  const cuonn_gradient_method which = method == &cpu_in_situ ? CUONN_GRADIENT_ANALOG : CUONN_GRADIENT_EXACT;
  const cpu_batch all = {.set = s->sets + split, .count = n, .use = CHIP_TEST, .number = s->steps_done};
  uint32_t *predictions;
  cpu_team team;
  const cpu_group group = {s, model, 1, NULL, s->spaces, &team};
  CUONN_TRY(cuonn_allocate(&predictions, n, sizeof *predictions));
  for (size_t e = 0; e < n && !cpu_is_alone(&s->processes); e++) predictions[e] = kNoPrediction;
  make_ready(s, s->models + model, method, which);
  cpu_team_create(&team);
#pragma omp parallel num_threads(s->threads)
  {
    gather_team(&team);
    method->evaluate(&out->loss, predictions, &group, &all);
  }
  cpu_team_destroy(&team);
  count_predictions(out, s, split, predictions);
  free(predictions);
  return CUONN_OK;
}

cuonn_status cpu_evaluate(cuonn_evaluation *out, void *state, size_t first, size_t n_models, cuonn_split split) {
  for (size_t i = 0; i < n_models; i++) CUONN_TRY(evaluate_model(out + i, state, first + i, split));
  return CUONN_OK;
}

static void copy_gradients(cuonn_mesh_gradient *to, const cpu_state *s, size_t model) {
  const size_t n = s->problem.shape.n_modes, nodes = s->problem.shape.mesh->n_nodes;
  const cuonn_mesh_gradient *const from = s->models[model].gradients;
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    memcpy(to[l].d_theta, from[l].d_theta, nodes * sizeof(double));
    memcpy(to[l].d_phi, from[l].d_phi, nodes * sizeof(double));
    memcpy(to[l].d_gamma, from[l].d_gamma, n * sizeof(double));
    if (s->problem.shape.layer != CUONN_LAYER_UNITARY && to[l].d_amplitude)
      memcpy(to[l].d_amplitude, from[l].d_amplitude, n * sizeof(double));
  }
}

static void model_gradient(double *loss, cuonn_mesh_gradient *gradients, cpu_state *s, size_t model, const cpu_batch *b,
                           cuonn_gradient_method which) {
  const cpu_method *const method = cpu_method_of(s, which, s->problem.batch_size);
  cpu_team team;
  const cpu_group group = {s, model, 1, &which, s->spaces, &team};
  make_ready(s, s->models + model, method, which);
  cpu_team_create(&team);
#pragma omp parallel num_threads(s->threads)
  {
    gather_team(&team);
    method->gradient(loss, &group, b);
#pragma omp for schedule(static, 1) nowait
    for (size_t l = 0; l < s->problem.shape.n_layers; l++) pull_back(s->models + model, l, which);
  }
  cpu_team_destroy(&team);
  copy_gradients(gradients, s, model);
}

cuonn_status cpu_gradient(double *losses, cuonn_mesh_gradient *gradients, void *state, size_t first, size_t n_models,
                          cuonn_split split, const cuonn_step *step, cuonn_gradient_method which) {
  cpu_state *const s = state;
  const cpu_batch b = batch_of(s, split, step);
  for (size_t i = 0; i < n_models; i++) {
    const cuonn_gradient_method own = which == CUONN_GRADIENT_EXACT ? which : s->models[first + i].gradient;
    model_gradient(losses + i, gradients + i * s->problem.shape.n_layers, s, first + i, &b, own);
  }
  return CUONN_OK;
}
