/* One loop for all methods: the gradient of a step by the model's method, pulled back to the programmed phases, and the
 * optimizer. */
#include "reference/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "chip/noise.h"
#include "network/layer.h"
#include "reference/methods.h"

static reference_examples examples_of(const reference_state *s, const reference_model *m, cuonn_split split,
                                      const cuonn_step *step) {
  return (reference_examples){.fields = &s->fields[split],
                              .labels = s->labels[split],
                              .first = step->first,
                              .count = step->count,
                              .shuffled = split == CUONN_SPLIT_TRAIN && s->problem.order == CUONN_ORDER_SHUFFLED,
                              .seed = m->seed,
                              .epoch = step->epoch,
                              .use = CHIP_TRAINING,
                              .number = step->number};
}

/* Loss, and the gradient by the programmed phases of model m in s->gradients. */
static cuonn_status step_gradient(double *loss, reference_state *s, reference_model *m, cuonn_split split,
                                  const cuonn_step *step, cuonn_gradient_method which) {
  const reference_method *const method = reference_method_of(which);
  const reference_examples examples = examples_of(s, m, split, step);
  method->prepare(s, m, which);
  CUONN_TRY(method->gradient(loss, s, m, &examples, which));
  for (size_t l = 0; chip_phases_are_between(which) && l < s->problem.shape.n_layers; l++) {
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

/* A step that would leave what a chip can have ends at its limit. */
static void update_amplitudes(reference_model *m, size_t l, double *first, double *second, const double *gradient,
                              double rate, const cuonn_step *step) {
  const cuonn_network_shape *const shape = &m->network.shape;
  double *const s = m->network.amplitudes + l * shape->n_modes;
  update(s, first, second, gradient, shape->n_modes, &m->optimizer, rate, step->adam_index);
  for (size_t w = 0; w < shape->n_modes; w++) s[w] = network_clip_amplitude(s[w], shape->amplitude_limit);
}

static void update_model(reference_model *m, const cuonn_mesh_gradient *gradients, const cuonn_step *step) {
  const size_t layers = m->network.shape.n_layers, n = m->network.shape.n_modes;
  const size_t nodes = cuonn_network_nodes(&m->network.shape), parameters = cuonn_network_parameters(&m->network.shape);
  const double rate = m->optimizer.learning_rate * step->rate_factor;
  for (size_t l = 0; l < layers; l++) {
    double *const first = m->moments + l * parameters, *const second = first + layers * parameters;
    const cuonn_mesh *const mesh = &m->network.layers[l];
    update(mesh->theta, first, second, gradients[l].d_theta, nodes, &m->optimizer, rate, step->adam_index);
    update(mesh->phi, first + nodes, second + nodes, gradients[l].d_phi, nodes, &m->optimizer, rate, step->adam_index);
    if (cuonn_network_has_amplitudes(&m->network.shape, l)) {
      update_amplitudes(m, l, first + 2 * nodes + n, second + 2 * nodes + n, gradients[l].d_amplitude, rate, step);
    }
    if (!m->train_gamma) continue;
    update(mesh->gamma, first + 2 * nodes, second + 2 * nodes, gradients[l].d_gamma, n, &m->optimizer, rate,
           step->adam_index);
  }
}

cuonn_status reference_train_steps(double *losses, void *of, const cuonn_step *steps, size_t n_steps) {
  reference_state *const s = of;
  for (size_t i = 0; i < n_steps; i++) {
    for (size_t m = 0; m < s->problem.n_models; m++) {
      reference_model *const now = &s->models[m];
      double *const loss = &losses[i * s->problem.n_models + m];
      CUONN_TRY(step_gradient(loss, s, now, CUONN_SPLIT_TRAIN, &steps[i], now->gradient));
      update_model(now, s->gradients, &steps[i]);
    }
    s->steps_done = steps[i].number + 1;
  }
  return CUONN_OK;
}

static cuonn_status evaluate_model(cuonn_evaluation *out, reference_state *s, size_t index, cuonn_split split) {
  const reference_model *const m = &s->models[index];
  const reference_method *const method = reference_loss_method(&m->chip);
  const size_t n = s->fields[split].n_examples, classes = s->problem.shape.n_classes;
  const reference_examples all = {
      .fields = &s->fields[split], .labels = s->labels[split], .count = n, .use = CHIP_TEST, .number = s->steps_done};
  size_t *predictions = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&predictions, n, sizeof *predictions));
  method->prepare(s, m, CUONN_GRADIENT_EXACT);
  CUONN_TRY_DONE(method->evaluate(&out->loss, predictions, s, m, &all));
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

cuonn_status reference_evaluate(cuonn_evaluation *out, void *of, size_t first, size_t n_models, cuonn_split split) {
  for (size_t i = 0; i < n_models; i++) CUONN_TRY(evaluate_model(&out[i], of, first + i, split));
  return CUONN_OK;
}

static void copy_gradients(cuonn_mesh_gradient *to, const reference_state *s) {
  const size_t n = s->problem.shape.n_modes, nodes = s->problem.shape.mesh->n_nodes;
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    memcpy(to[l].d_theta, s->gradients[l].d_theta, nodes * sizeof(double));
    memcpy(to[l].d_phi, s->gradients[l].d_phi, nodes * sizeof(double));
    memcpy(to[l].d_gamma, s->gradients[l].d_gamma, n * sizeof(double));
    if (s->problem.shape.layer != CUONN_LAYER_UNITARY && to[l].d_amplitude)
      memcpy(to[l].d_amplitude, s->gradients[l].d_amplitude, n * sizeof(double));
  }
}

cuonn_status reference_gradient(double *losses, cuonn_mesh_gradient *gradients, void *of, size_t first, size_t n_models,
                                cuonn_split split, const cuonn_step *step, cuonn_gradient_method which) {
  reference_state *const s = of;
  for (size_t i = 0; i < n_models; i++) {
    reference_model *const m = &s->models[first + i];
    const cuonn_gradient_method own = which == CUONN_GRADIENT_EXACT ? which : m->gradient;
    CUONN_TRY(step_gradient(&losses[i], s, m, split, step, own));
    copy_gradients(&gradients[i * s->problem.shape.n_layers], s);
  }
  return CUONN_OK;
}
