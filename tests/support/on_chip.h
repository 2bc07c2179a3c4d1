/* Networks on noisy chips: what a backend makes of one, to be held against another backend with the same seeds and so
 * the same noise.
 *
 * Tolerance: parity.h says why fields behind k columns are off by some u sqrt(8 k) / 2, u = 6e-8, and gradients by a
 * few times that. Here light goes back, in again, and through every later layer. Digital gradients are differences of
 * powers several times their size: 4 times as much is allowed for them. */
#ifndef CUONN_TESTS_ON_CHIP_H
#define CUONN_TESTS_ON_CHIP_H

#include <float.h>
#include <math.h>
#include <string.h>

#include "backends/backend.h"
#include "support/close.h"
#include "support/dense.h"

enum { kLayers = 2, kTrain = 150, kTest = 90, kSteps = 3, kMostModes = 33 };

typedef struct {
  const cuonn_backend *backend;
  void *state;
} computing;

typedef struct {
  size_t n, nodes;
  cuonn_network network;
  cuonn_fields fields[2];
  uint8_t labels[kTrain];
} fixture;

/* mesh: NULL: rectangular. */
static void create_shaped(fixture *f, size_t n, const cuonn_mesh_shape *mesh, cuonn_phase_style style, double loss_db) {
  const size_t n_classes = n > 20 ? 20 : 4; /* more than one vector of outputs, or less */
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(n, kLayers, n_classes, style, true, mesh);
  chance c = {n};
  f->n = n;
  OK(cuonn_network_create(&f->network, &shape));
  f->nodes = f->network.layers->n_nodes;
  for (size_t l = 0; l < kLayers; l++) dense_random(&f->network.layers[l], &c, .1, loss_db);
  OK(cuonn_fields_create(&f->fields[0], kTrain, n));
  OK(cuonn_fields_create(&f->fields[1], kTest, n));
  for (size_t i = 0; i < 2; i++) {
    chance_normals(f->fields[i].values, 2 * f->fields[i].n_examples * n, &c);
    memset(f->fields[i].values, 0, 2 * n * sizeof(double)); /* one dark example */
  }
  for (size_t e = 0; e < kTrain; e++) f->labels[e] = (uint8_t)(e % n_classes);
}

static void create(fixture *f, size_t n, cuonn_phase_style style, double loss_db) {
  create_shaped(f, n, NULL, style, loss_db);
}

static void release(fixture *f) {
  cuonn_fields_free(&f->fields[1]);
  cuonn_fields_free(&f->fields[0]);
  cuonn_network_free(&f->network);
}

/* For batches of up to 100, by SGD. */
static computing open_backend(const cuonn_backend *backend, fixture *f, const cuonn_chip_options *chip,
                              cuonn_gradient_method method, int threads) {
  static const cuonn_optimizer_options sgd = {.kind = CUONN_OPTIMIZER_SGD, .learning_rate = .5};
  computing c = {backend, NULL};
  const backend_problem problem = {.n_models = 1,
                                   .shape = f->network.shape,
                                   .batch_size = 100,
                                   .order = CUONN_ORDER_SHUFFLED,
                                   .place.threads = threads,
                                   .gradient = method,
                                   .measurement = chip->measurement};
  OK(backend->create(&c.state, &problem));
  OK(backend->set_fields(c.state, CUONN_SPLIT_TRAIN, &f->fields[0], f->labels));
  OK(backend->set_fields(c.state, CUONN_SPLIT_TEST, &f->fields[1], f->labels));
  OK(backend->set_model(c.state, 0,
                        &(backend_model){.network = &f->network,
                                         .optimizer = &sgd,
                                         .seed = 5,
                                         .gradient = method,
                                         .train_gamma = true,
                                         .chip = chip}));
  return c;
}

/* What a backend makes of a chip: gradients of a batch, losses of steps, a test after them, phases. */
typedef struct {
  double gradient[kLayers][kMostModes * kMostModes]; /* theta, phi, gamma */
  double losses[kSteps + 2];
  double correct;
  double phases[kLayers][kMostModes * kMostModes];
} outcome;

static void compute(outcome *out, const cuonn_backend *backend, fixture *f, const cuonn_chip_options *chip,
                    cuonn_gradient_method method, int threads) {
  cuonn_mesh_gradient gradients[kLayers];
  computing c = open_backend(backend, f, chip, method, threads);
  memset(out, 0, sizeof *out);
  for (size_t l = 0; l < kLayers; l++) {
    double *const at = out->gradient[l];
    gradients[l] = (cuonn_mesh_gradient){at, at + f->nodes, at + 2 * f->nodes, NULL};
  }
  const cuonn_step first = {.epoch = 1, .first = 7, .count = 83, .number = 12};
  OK(backend->gradient(&out->losses[kSteps], gradients, c.state, 0, 1, CUONN_SPLIT_TRAIN, &first, method));
  for (size_t i = 0; i < kSteps; i++) {
    const cuonn_step step = {0, 40 * i, i == 2 ? 30 : 40, 1, i, (uint32_t)i};
    OK(backend->train_steps(&out->losses[i], c.state, &step, 1));
  }
  cuonn_evaluation test = {0};
  OK(backend->evaluate(&test, c.state, 0, 1, CUONN_SPLIT_TEST));
  out->losses[kSteps + 1] = test.loss;
  out->correct = (double)test.n_correct;
  cuonn_network trained;
  OK(cuonn_network_create(&trained, &f->network.shape));
  OK(backend->get_model(&(backend_model){.network = &trained}, c.state, 0));
  for (size_t l = 0; l < kLayers; l++) {
    memcpy(out->phases[l], trained.layers[l].theta, f->nodes * sizeof(double));
    memcpy(out->phases[l] + f->nodes, trained.layers[l].phi, f->nodes * sizeof(double));
    memcpy(out->phases[l] + 2 * f->nodes, trained.layers[l].gamma, f->n * sizeof(double));
  }
  cuonn_network_free(&trained);
  backend->destroy(c.state);
}

static void same_outcome(const outcome *got, const outcome *want, const fixture *f, cuonn_gradient_method method) {
  const double unit = FLT_EPSILON / 2 * sqrt((double)(3 * kLayers * f->n));
  const double tolerance = (method == CUONN_GRADIENT_DIGITAL ? 128 : 32) * unit;
  for (size_t l = 0; l < kLayers; l++) {
    CLOSE(got->gradient[l], want->gradient[l], 2 * f->nodes + f->n, .rel = tolerance);
    CLOSE(got->phases[l], want->phases[l], 2 * f->nodes + f->n, .rel = kSteps * tolerance);
  }
  CLOSE(got->losses, want->losses, kSteps + 2, .rel = kSteps * tolerance);
  CLOSE(&got->correct, &want->correct, 1, .abs = 1); /* two outputs may be equal but for rounding */
}

/* Noise of every kind; i chooses what is measured, how it is scaled and when noise is drawn: four in a row have all
 * draws, sixteen have each of them with all else. */
static cuonn_chip_options noisy(size_t i) {
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.seed = i;
  chip.measurement = (cuonn_measurement)(i % 2);
  chip.scale = (cuonn_measurement_scale)(i / 2 % 2);
  chip.noise_draw = (cuonn_noise_draw)((i + i / 4) % 4);
  chip.tap_shot = .02;
  chip.io_amplitude = chip.io_phase = .05;
  return chip;
}

/* Gradients that are computed, on chips of every style that are read with noise and programmed with errors; training
 * may know them, or not. */
static inline void compare_computed_gradients(void (*compare)(fixture *, const cuonn_chip_options *,
                                                              cuonn_gradient_method)) {
  for (size_t i = 0; i < 8; i++) {
    const size_t style = i % 4;
    fixture f;
    create(&f, 9, (cuonn_phase_style)style, style % 2 ? .3 : 0);
    cuonn_chip_options chip = noisy(style);
    chip.crosstalk = .02;
    chip.phase_error = .05;
    chip.phase_bits = i / 4 ? 0 : 3; /* coarse: no phase comes near a step's edge in both, and rounds apart */
    compare(&f, &chip, CUONN_GRADIENT_EXACT);
    compare(&f, &chip, CUONN_GRADIENT_IDEAL);
    release(&f);
  }
}

#endif
