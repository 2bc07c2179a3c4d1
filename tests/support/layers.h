/* Networks with more than moduli behind their meshes, of any law, loss and kind of layer: their losses and gradients
 * against a plain program of matrices and finite differences, gradients that chips measure against exact ones, and
 * steps by hand. A test program names backends. */
#ifndef CUONN_TESTS_LAYERS_H
#define CUONN_TESTS_LAYERS_H

#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/compute.h"
#include "cuonn/model.h"
#include "cuonn/training.h"
#include "support/close.h"
#include "support/dense.h"

enum { kSmall = 5, kClasses = 2, kExamples = 5, kLaws = 4, kMeshes = 4 };

static const double kStep = 1e-3;

static const cuonn_nonlinearity laws[kLaws] = {
    {.kind = CUONN_NONLINEARITY_MODULUS},
    {.kind = CUONN_NONLINEARITY_SQUARE},
    {.kind = CUONN_NONLINEARITY_SATURABLE, .optical_depth = 3, .saturation_power = .7},
    {.kind = CUONN_NONLINEARITY_ELECTRO_OPTIC, .tap = .2, .gain = .6, .bias = .3},
};

typedef struct {
  cuonn_network network;
  cuonn_fields input;
  uint8_t *labels;
  cuonn_mesh_gradient *gradients;
} fixture;

/* What a network is made of. */
typedef struct {
  cuonn_layer_kind layer;
  size_t n, n_examples, law;
  cuonn_loss loss;
  bool loss_per_class;
  cuonn_phase_style style;
  const cuonn_mesh_shape *mesh; /* NULL: rectangular */
  double error, loss_db;        /* largest ones */
  uint64_t seed;
} layered;

/* Amplitudes of either sign; every fourth is zero. */
static void create(fixture *f, layered p) {
  chance c = {p.seed};
  const size_t n = p.n, n_examples = p.n_examples;
  const cuonn_network_shape shape = {.n_modes = n,
                                     .n_layers = kMeshes,
                                     .n_classes = kClasses,
                                     .style = p.style,
                                     .loss_per_class = p.loss_per_class,
                                     .mesh = p.mesh,
                                     .nonlinearity = laws[p.law],
                                     .loss = p.loss,
                                     .layer = p.layer,
                                     .amplitude_limit = 1.25};
  OK(cuonn_network_create(&f->network, &shape));
  for (size_t l = 0; l < kMeshes; l++) {
    dense_random(&f->network.layers[l], &c, p.error, p.loss_db);
    for (size_t w = 0; w < n && cuonn_network_has_amplitudes(&shape, l); w++)
      f->network.amplitudes[l * n + w] = w % 4 == 2 ? 0 : chance_uniform(&c, -1.2, 1.2);
  }
  OK(cuonn_fields_create(&f->input, n_examples, n));
  chance_normals(f->input.values, 2 * n_examples * n, &c);
  for (size_t i = 0; i < 2 * n_examples * n; i++) f->input.values[i] *= .5; /* so that squares of squares stay small */
  f->labels = malloc(n_examples);
  assert_non_null(f->labels);
  for (size_t e = 0; e < n_examples; e++) f->labels[e] = (uint8_t)(e % kClasses);
  OK(cuonn_gradients_create(&f->gradients, &f->network.shape));
}

static void release(fixture *f) {
  cuonn_gradients_free(f->gradients);
  cuonn_fields_free(&f->input);
  free(f->labels);
  cuonn_network_free(&f->network);
}

/* ---- the plain program ---- */

static double complex passed(const cuonn_nonlinearity *f, double complex y) {
  double h[2];
  cuonn_nonlinearity_apply(h, f, (const double *)&y);
  return h[0] + I * h[1];
}

/* What is behind mesh l, as the kinds of layers say it. */
static double complex behind(const fixture *f, size_t l, size_t w, double complex y) {
  const cuonn_network_shape *const shape = &f->network.shape;
  const double s = f->network.amplitudes ? f->network.amplitudes[l * shape->n_modes + w] : 1;
  const bool last = l + 1 == kMeshes;
  if (shape->layer == CUONN_LAYER_SVD && l % 2 == 0) return s * y;
  if (shape->layer == CUONN_LAYER_DIAGONAL) y *= s;
  return last ? y : passed(&shape->nonlinearity, y);
}

static double plain_loss(const fixture *f) {
  const cuonn_network_shape *const shape = &f->network.shape;
  const size_t n = shape->n_modes;
  double complex u[kMeshes][kSmall * kSmall], x[kSmall], y[kSmall];
  double loss = 0;
  for (size_t l = 0; l < kMeshes; l++) dense_matrix(u[l], &f->network.layers[l]);
  for (size_t e = 0; e < f->input.n_examples; e++) {
    double z[kClasses], sum = 0, squares = 0;
    memcpy(x, f->input.values + 2 * e * n, n * sizeof *x);
    for (size_t l = 0; l < kMeshes; l++) {
      for (size_t i = 0; i < n; i++) {
        y[i] = 0;
        for (size_t j = 0; j < n; j++) y[i] += u[l][i * n + j] * x[j];
      }
      for (size_t i = 0; i < n; i++) x[i] = behind(f, l, i, y[i]);
    }
    for (size_t k = 0; k < kClasses; k++) z[k] = creal(x[k] * conj(x[k]));
    for (size_t k = 0; k < kClasses; k++) sum += exp(z[k]), squares += pow(z[k] - (k == f->labels[e]), 2);
    loss += shape->loss == CUONN_LOSS_CROSS_ENTROPY ? log(sum) - z[f->labels[e]] : squares;
  }
  return loss / (double)f->input.n_examples / (shape->loss_per_class ? kClasses : 1);
}

/* To the fourth order: off by some f^(5) h^4 / 30, 3e-14 f^(5), and by 1.5 eps f / h of rounding. */
static double slope(const fixture *f, double *number) {
  static const double weights[] = {1, -8, 8, -1}, steps[] = {-2, -1, 1, 2};
  const double middle = *number;
  double sum = 0;
  for (size_t i = 0; i < 4; i++) {
    *number = middle + steps[i] * kStep;
    sum += weights[i] * plain_loss(f);
  }
  *number = middle;
  return sum / (12 * kStep);
}

static void compare(const fixture *f, const double *got, double *numbers, size_t count, double abs) {
  for (size_t i = 0; i < count; i++) {
    const double want = slope(f, &numbers[i]);
    CLOSE(&got[i], &want, 1, .rel = 1e-6, .abs = abs);
  }
}

/* Loss and all gradients. rel: of the loss. */
static void backend_computes(const char *backend, const char *method, layered p, double rel) {
  fixture f;
  cuonn_context *context;
  cuonn_evaluation e = {0};
  double got;
  OK(cuonn_context_create(&context, backend, 1));
  OK(cuonn_context_set_method(context, method));
  create(&f, p);
  OK(cuonn_gradient(&got, f.gradients, context, &f.network, &f.input, f.labels));
  OK(cuonn_evaluate(&e, context, &f.network, &f.input, f.labels));
  const double plain = plain_loss(&f), abs = 1e-8 + (2e-9 + 30 * rel) * (1 + plain);
  CLOSE(&got, &plain, 1, .rel = rel, .abs = rel);
  CLOSE(&e.loss, &plain, 1, .rel = rel, .abs = rel);
  for (size_t l = 0; l < kMeshes; l++) {
    const cuonn_mesh *const mesh = &f.network.layers[l];
    const bool linear = p.layer == CUONN_LAYER_SVD && l % 2 == 0;
    const bool seen = l + 1 < kMeshes && (linear || cuonn_nonlinearity_keeps_phase(laws[p.law].kind));
    compare(&f, f.gradients[l].d_theta, mesh->theta, mesh->n_nodes, abs);
    compare(&f, f.gradients[l].d_phi, mesh->phi, mesh->n_nodes, abs);
    compare(&f, f.gradients[l].d_gamma, mesh->gamma, p.n, abs);
    for (size_t w = 0; w < p.n && !seen; w++) assert_true(f.gradients[l].d_gamma[w] == 0);
    if (!f.network.amplitudes) continue;
    if (cuonn_network_has_amplitudes(&f.network.shape, l)) {
      compare(&f, f.gradients[l].d_amplitude, f.network.amplitudes + l * p.n, p.n, abs);
    } else {
      for (size_t w = 0; w < p.n; w++) assert_true(f.gradients[l].d_amplitude[w] == 0);
    }
  }
  release(&f);
  cuonn_context_free(context);
}

/* ---- measured in situ ---- */

/* Without noise and lost light a chip measures the exact gradient, and what is read on both sides of an amplitude gives
 * its own. */
static inline void chip_measures(const char *backend, cuonn_measurement measurement, layered p, double rel) {
  fixture f;
  cuonn_context *context, *judge;
  cuonn_mesh_gradient *exact;
  double got, want;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.measurement = measurement;
  OK(cuonn_context_create(&context, backend, 2));
  OK(cuonn_context_create(&judge, "reference", 1));
  create(&f, p);
  OK(cuonn_gradients_create(&exact, &f.network.shape));
  OK(cuonn_gradient(&want, exact, judge, &f.network, &f.input, f.labels));
  for (int method = CUONN_GRADIENT_ANALOG; method <= CUONN_GRADIENT_DIGITAL; method++) {
    OK(cuonn_gradient_on_chip(&got, f.gradients, context, &f.network, &chip, (cuonn_gradient_method)method, &f.input,
                              f.labels));
    CLOSE(&got, &want, 1, .rel = rel);
    for (size_t l = 0; l < kMeshes; l++) {
      const double abs = 100 * rel * (1 + want);
      const size_t nodes = f.network.layers[l].n_nodes;
      CLOSE(f.gradients[l].d_theta, exact[l].d_theta, nodes, .abs = abs);
      CLOSE(f.gradients[l].d_phi, exact[l].d_phi, nodes, .abs = abs);
      CLOSE(f.gradients[l].d_gamma, exact[l].d_gamma, p.n, .abs = abs);
      if (f.network.amplitudes) CLOSE(f.gradients[l].d_amplitude, exact[l].d_amplitude, p.n, .abs = abs);
    }
  }
  chip.io_amplitude = 1e-9; /* fields are read, but as good as exactly: evaluated layer by layer */
  cuonn_evaluation e = {0};
  OK(cuonn_evaluate_on_chip(&e, context, &f.network, &chip, &f.input, f.labels));
  CLOSE(&e.loss, &want, 1, .rel = rel + 1e-7);
  cuonn_gradients_free(exact);
  release(&f);
  cuonn_context_free(judge);
  cuonn_context_free(context);
}

/* ---- training ---- */

enum { kSteps = 6, kTrained = 6 };

static inline void set(cuonn_model *model, const fixture *f, const double *moments, cuonn_optimizer_kind kind) {
  cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
  settings.optimizer.kind = kind;
  settings.optimizer.learning_rate = .1;
  OK(cuonn_model_set(model, 0, &f->network, moments, &settings));
}

/* Steps first .. end - 1 of the model in f, whose moments are those, all of which is brought up to date. */
static inline void train(fixture *f, double *moments, cuonn_context *context, cuonn_optimizer_kind kind, size_t first,
                         size_t end) {
  cuonn_model *model;
  cuonn_model_options options = CUONN_MODEL_OPTIONS_INIT;
  const cuonn_examples examples = {.n_examples = f->input.n_examples, .labels = f->labels, .fields = f->input};
  options.shape = f->network.shape;
  options.batch_size = f->input.n_examples;
  OK(cuonn_model_create(&model, context, &options));
  OK(cuonn_model_set_examples(model, CUONN_SPLIT_TRAIN, &examples, NULL));
  set(model, f, moments, kind);
  for (size_t i = first; i < end; i++) {
    const cuonn_step step = {.count = f->input.n_examples, .rate_factor = 1, .adam_index = i, .number = (uint32_t)i};
    double loss;
    OK(cuonn_model_step(&loss, model, &step, 1));
  }
  OK(cuonn_model_get(&f->network, moments, model, 0));
  cuonn_model_destroy(model);
}

/* SGD by hand: the velocity is the gradient, and steps end at the limit. */
static inline void steps_move_amplitudes_up_to_the_limit(const char *backend, double rel) {
  fixture f;
  cuonn_context *context;
  double loss;
  OK(cuonn_context_create(&context, backend, 1));
  create(&f,
         (layered){
             .layer = CUONN_LAYER_SVD, .n = kTrained, .n_examples = kExamples, .style = CUONN_STYLE_BOTTOM, .seed = 4});
  const size_t count = cuonn_training_moments_count(&f.network.shape), size = (size_t)kMeshes * kTrained;
  double *const moments = calloc(count, sizeof *moments), before[kMeshes * kTrained], want[kMeshes * kTrained];
  assert_non_null(moments);
  assert_int_equal(count, 2 * kMeshes * (kTrained * (kTrained - 1) + 2 * kTrained));
  for (size_t w = 0; w < kTrained; w++) f.network.amplitudes[w] = w % 2 ? -1.25 : 1.25;
  OK(cuonn_gradient(&loss, f.gradients, context, &f.network, &f.input, f.labels));
  memcpy(before, f.network.amplitudes, sizeof before);
  size_t clipped = 0;
  for (size_t i = 0; i < size; i++) {
    const double to = before[i] - .1 * f.gradients[i / kTrained].d_amplitude[i % kTrained];
    clipped += fabs(to) > 1.25;
    want[i] = fmax(-1.25, fmin(1.25, to));
  }
  train(&f, moments, context, CUONN_OPTIMIZER_SGD, 0, 1);
  assert_true(clipped > 0);
  CLOSE(f.network.amplitudes, want, size, .rel = rel);
  for (size_t l = 1; l < kMeshes; l += 2)
    for (size_t w = 0; w < kTrained; w++) assert_true(f.network.amplitudes[l * kTrained + w] == 1);
  free(moments);
  release(&f);
  cuonn_context_free(context);
}

#endif
