/* Layers with amplitudes, svd and diagonal: against a plain program of matrices and finite differences
 * (nonlinearity.c), trained, measured, and in files. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/compute.h"
#include "cuonn/files.h"
#include "cuonn/model.h"
#include "cuonn/training.h"
#include "support/close.h"
#include "support/dense.h"
#include "support/folder.h"

enum { kMost = 65, kSmall = 5, kClasses = 2, kExamples = 5, kKinds = 4, kMeshes = 4 };

static const double kStep = 1e-3;

static const cuonn_nonlinearity laws[kKinds] = {
    {.kind = CUONN_NONLINEARITY_MODULUS},
    {.kind = CUONN_NONLINEARITY_SQUARE},
    {.kind = CUONN_NONLINEARITY_SATURABLE, .optical_depth = 3, .saturation_power = .7},
    {.kind = CUONN_NONLINEARITY_ELECTRO_OPTIC, .tap = .2, .gain = .6, .bias = .3},
};

static const cuonn_layer_kind kinds[] = {CUONN_LAYER_SVD, CUONN_LAYER_DIAGONAL};

typedef struct {
  cuonn_network network;
  cuonn_fields input;
  uint8_t *labels;
  cuonn_mesh_gradient *gradients;
} fixture;

/* Amplitudes of either sign; every fourth is zero. */
static void create(fixture *f, cuonn_layer_kind layer, size_t n, size_t n_examples, size_t law, double error,
                   double loss_db, uint64_t seed) {
  chance c = {seed};
  const cuonn_network_shape shape = {.n_modes = n,
                                     .n_layers = kMeshes,
                                     .n_classes = kClasses,
                                     .style = CUONN_STYLE_BOTTOM,
                                     .nonlinearity = laws[law],
                                     .loss = (cuonn_loss)(seed % 2),
                                     .layer = layer,
                                     .amplitude_limit = 1.25};
  OK(cuonn_network_create(&f->network, &shape));
  for (size_t l = 0; l < kMeshes; l++) {
    dense_random(&f->network.layers[l], &c, error, loss_db);
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
  const double s = f->network.amplitudes[l * shape->n_modes + w];
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
  return loss / (double)f->input.n_examples;
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
static void backend_computes(const char *backend, const char *method, cuonn_layer_kind layer, size_t n, size_t law,
                             bool ideal, double rel) {
  fixture f;
  cuonn_context *context;
  cuonn_evaluation e = {0};
  double got;
  OK(cuonn_context_create(&context, backend, 1));
  OK(cuonn_context_set_method(context, method));
  create(&f, layer, n, kExamples, law, ideal ? 0 : .2, ideal ? 0 : 1, 10 * n + law);
  OK(cuonn_gradient(&got, f.gradients, context, &f.network, &f.input, f.labels));
  OK(cuonn_evaluate(&e, context, &f.network, &f.input, f.labels));
  const double plain = plain_loss(&f), abs = 1e-8 + (2e-9 + 30 * rel) * (1 + plain);
  CLOSE(&got, &plain, 1, .rel = rel, .abs = rel);
  CLOSE(&e.loss, &plain, 1, .rel = rel, .abs = rel);
  for (size_t l = 0; l < kMeshes; l++) {
    const cuonn_mesh *const mesh = &f.network.layers[l];
    const bool linear = layer == CUONN_LAYER_SVD && l % 2 == 0;
    const bool seen = l + 1 < kMeshes && (linear || cuonn_nonlinearity_keeps_phase(laws[law].kind));
    compare(&f, f.gradients[l].d_theta, mesh->theta, mesh->n_nodes, abs);
    compare(&f, f.gradients[l].d_phi, mesh->phi, mesh->n_nodes, abs);
    compare(&f, f.gradients[l].d_gamma, mesh->gamma, n, abs);
    for (size_t w = 0; w < n && !seen; w++) assert_true(f.gradients[l].d_gamma[w] == 0);
    if (cuonn_network_has_amplitudes(&f.network.shape, l)) {
      compare(&f, f.gradients[l].d_amplitude, f.network.amplitudes + l * n, n, abs);
    } else {
      for (size_t w = 0; w < n; w++) assert_true(f.gradients[l].d_amplitude[w] == 0);
    }
  }
  release(&f);
  cuonn_context_free(context);
}

static void every_law(const char *backend, const char *method, double rel) {
  static const size_t sizes[] = {2, 3, 5};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * 2 * kKinds; i++) {
    backend_computes(backend, method, kinds[i % 2], sizes[i / 2 % 3], i / 6, false, rel);
    backend_computes(backend, method, kinds[i % 2], sizes[i / 2 % 3], i / 6, true, rel);
  }
}

static void reference_is_the_plain_program(void **unused) {
  (void)unused;
  every_law("reference", "columns", 1e-13);
}

/* Of fields behind k columns in float, and squares of squares (nonlinearity.c). */
static const double kFloat = 3e-5;

static void cpu_is_the_plain_program(void **unused) {
  (void)unused;
  every_law("cpu", "columns", kFloat);
  backend_computes("cpu", "auto", CUONN_LAYER_SVD, 5, 0, true, kFloat);
}

/* ---- several tiles, chunks and threads ---- */

static void cpu_agrees_with_reference_and_with_itself(void **unused) {
  (void)unused;
  static const size_t sizes[] = {2, 8, 33, kMost};
  cuonn_context *judge, *one, *three;
  OK(cuonn_context_create(&judge, "reference", 1));
  OK(cuonn_context_create(&one, "cpu", 1));
  OK(cuonn_context_create(&three, "cpu", 3));
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * 2; i++) {
    fixture f;
    cuonn_mesh_gradient *want, *again;
    double losses[3];
    const size_t n = sizes[i / 2], law = i % 2 ? 3 : 0;
    create(&f, kinds[i % 2], n, 150, law, 0, 0, 30 + i);
    OK(cuonn_gradients_create(&want, &f.network.shape));
    OK(cuonn_gradients_create(&again, &f.network.shape));
    OK(cuonn_gradient(&losses[0], want, judge, &f.network, &f.input, f.labels));
    OK(cuonn_gradient(&losses[1], f.gradients, one, &f.network, &f.input, f.labels));
    OK(cuonn_gradient(&losses[2], again, three, &f.network, &f.input, f.labels));
    CLOSE(&losses[1], &losses[0], 1, .rel = kFloat);
    assert_true(losses[1] == losses[2]);
    for (size_t l = 0; l < kMeshes; l++) {
      const size_t nodes = f.network.layers[l].n_nodes;
      const double *const got = f.gradients[l].d_amplitude;
      CLOSE(f.gradients[l].d_theta, want[l].d_theta, nodes, .rel = 10 * kFloat, .abs = 1e-7);
      CLOSE(f.gradients[l].d_phi, want[l].d_phi, nodes, .rel = 10 * kFloat, .abs = 1e-7);
      CLOSE(f.gradients[l].d_gamma, want[l].d_gamma, n, .rel = 10 * kFloat, .abs = 1e-7);
      CLOSE(got, want[l].d_amplitude, n, .rel = 10 * kFloat, .abs = 1e-7);
      assert_memory_equal(got, again[l].d_amplitude, n * sizeof *got);
      assert_memory_equal(f.gradients[l].d_theta, again[l].d_theta, nodes * sizeof *got);
    }
    cuonn_gradients_free(again);
    cuonn_gradients_free(want);
    release(&f);
  }
  cuonn_context_free(three);
  cuonn_context_free(one);
  cuonn_context_free(judge);
}

/* ---- measured in situ ---- */

/* Without noise and lost light a chip measures the exact gradient, and what is read on both sides of an amplitude gives
 * its own. */
static void backend_measures(const char *backend, cuonn_measurement measurement, cuonn_layer_kind layer, size_t law,
                             double rel) {
  fixture f;
  cuonn_context *context, *judge;
  cuonn_mesh_gradient *exact;
  double got, want;
  enum { kN = 5 };
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.measurement = measurement;
  OK(cuonn_context_create(&context, backend, 2));
  OK(cuonn_context_create(&judge, "reference", 1));
  create(&f, layer, kN, 40, law, .2, 0, 20 + law);
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
      CLOSE(f.gradients[l].d_amplitude, exact[l].d_amplitude, kN, .abs = abs);
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

static void chips_measure_them(void **unused) {
  (void)unused;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds * kKinds; i++) {
    backend_measures("reference", CUONN_MEASUREMENT_EXAMPLE, kinds[i % 2], i / 2, 1e-13);
    backend_measures("reference", CUONN_MEASUREMENT_MATRIX, kinds[i % 2], i / 2, 1e-13);
    backend_measures("cpu", CUONN_MEASUREMENT_EXAMPLE, kinds[i % 2], i / 2, kFloat);
  }
}

/* ---- training ---- */

enum { kSteps = 6, kTrained = 6 };

static void set(cuonn_model *model, const fixture *f, const double *moments, cuonn_optimizer_kind kind) {
  cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
  settings.optimizer.kind = kind;
  settings.optimizer.learning_rate = .1;
  OK(cuonn_model_set(model, 0, &f->network, moments, &settings));
}

/* Steps first .. end - 1 of the model in f, whose moments are those, all of which is brought up to date. */
static void train(fixture *f, double *moments, cuonn_context *context, cuonn_optimizer_kind kind, size_t first,
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
static void steps_move_amplitudes_up_to_the_limit(const char *backend, double rel) {
  fixture f;
  cuonn_context *context;
  double loss;
  OK(cuonn_context_create(&context, backend, 1));
  create(&f, CUONN_LAYER_SVD, kTrained, kExamples, 0, 0, 0, 4);
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

static void limits_hold(void **unused) {
  (void)unused;
  steps_move_amplitudes_up_to_the_limit("reference", 1e-13);
  steps_move_amplitudes_up_to_the_limit("cpu", 1e-5);
}

/* Through a checkpoint in the middle: bit for bit what the steps without it give. */
static void training_goes_on_from_a_checkpoint(void **unused) {
  (void)unused;
  static const char *const backends[] = {"reference", "cpu"};
  for (size_t i = 0; i < 4; i++) {
    fixture whole, half;
    cuonn_context *context;
    cuonn_training_state state, read;
    cuonn_origin origin = {.config_text = (char *)"", .seed = 3}, origin_read;
    size_t epoch;
    OK(cuonn_context_create(&context, backends[i % 2], 1));
    create(&whole, kinds[i / 2], kTrained, kExamples, i / 2, 0, 0, 5);
    create(&half, kinds[i / 2], kTrained, kExamples, i / 2, 0, 0, 5);
    OK(cuonn_training_state_create(&state, &half.network.shape));
    const size_t count = cuonn_training_moments_count(&half.network.shape);
    double *const moments = calloc(count, sizeof *moments);
    assert_non_null(moments);
    train(&whole, moments, context, CUONN_OPTIMIZER_ADAM, 0, kSteps);
    train(&half, state.moments, context, CUONN_OPTIMIZER_ADAM, 0, kSteps / 2);
    OK(cuonn_network_copy(&state.network, &half.network));
    OK(cuonn_checkpoint_write("layers.nc", &state, 1, &origin));
    OK(cuonn_checkpoint_read(&read, &epoch, &origin_read, "layers.nc"));
    OK(cuonn_network_copy(&half.network, &read.network));
    train(&half, read.moments, context, CUONN_OPTIMIZER_ADAM, kSteps / 2, kSteps);
    assert_memory_equal(read.moments, moments, count * sizeof *moments);
    assert_memory_equal(half.network.amplitudes, whole.network.amplitudes, sizeof(double) * kMeshes * kTrained);
    for (size_t l = 0; l < kMeshes; l++) {
      const size_t bytes = half.network.layers[l].n_nodes * sizeof(double);
      assert_memory_equal(half.network.layers[l].theta, whole.network.layers[l].theta, bytes);
    }
    assert_int_equal(read.network.shape.layer, kinds[i / 2]);
    assert_true(read.network.shape.amplitude_limit == 1.25);
    free(moments);
    cuonn_origin_free(&origin_read);
    cuonn_training_state_free(&read);
    cuonn_training_state_free(&state);
    release(&half);
    release(&whole);
    cuonn_context_free(context);
  }
}

/* ---- files, starts, refusals ---- */

static void files_keep_amplitudes(void **unused) {
  (void)unused;
  fixture f;
  cuonn_network read, start;
  cuonn_mesh_gradient *gradients, *exact;
  size_t n_layers, n_nodes, n_modes;
  create(&f, CUONN_LAYER_DIAGONAL, kTrained, kExamples, 1, .1, 0, 6);
  const size_t bytes = sizeof(double) * kMeshes * kTrained;
  OK(cuonn_network_write("diagonal.nc", &f.network));
  OK(cuonn_network_read(&read, "diagonal.nc"));
  assert_int_equal(read.shape.layer, CUONN_LAYER_DIAGONAL);
  assert_memory_equal(read.amplitudes, f.network.amplitudes, bytes);
  OK(cuonn_network_create(&start, &f.network.shape));
  OK(cuonn_network_read_start(&start, "diagonal.nc"));
  assert_memory_equal(start.amplitudes, f.network.amplitudes, bytes);
  for (size_t l = 0; l < kMeshes; l++)
    for (size_t w = 0; w < kTrained; w++) f.gradients[l].d_amplitude[w] = (double)(10 * l + w);
  OK(cuonn_gradient_write("gradient.nc", &f.network.shape, 1, f.gradients, f.gradients));
  OK(cuonn_gradient_read(&gradients, &exact, &n_layers, &n_nodes, &n_modes, "gradient.nc"));
  for (size_t l = 0; l < kMeshes; l++) {
    assert_memory_equal(gradients[l].d_amplitude, f.gradients[l].d_amplitude, kTrained * sizeof(double));
    assert_memory_equal(exact[l].d_amplitude, f.gradients[l].d_amplitude, kTrained * sizeof(double));
  }
  cuonn_gradients_free(exact);
  cuonn_gradients_free(gradients);
  cuonn_network_free(&start);
  cuonn_network_free(&read);
  release(&f);
}

/* ---- any matrix as an svd layer ---- */

/* How far scale U S V is from a matrix in its upper left corner, and from 0 elsewhere. */
static double distance(const cuonn_network *layer, double scale, const double complex *matrix, size_t rows,
                       size_t columns) {
  static double complex u[kMost * kMost], v[kMost * kMost];
  const size_t n = layer->shape.n_modes;
  double largest = 0;
  dense_matrix(v, &layer->layers[0]);
  dense_matrix(u, &layer->layers[1]);
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      double complex sum = i < rows && j < columns ? -matrix[i * columns + j] : 0;
      for (size_t k = 0; k < n; k++) sum += scale * layer->amplitudes[k] * u[i * n + k] * v[k * n + j];
      largest = fmax(largest, cabs(sum));
    }
  }
  return largest;
}

typedef enum { RANDOM, ZERO, IDENTITY, RANK_ONE, WHOLE_NUMBERS, CONTENTS } contents;

static void fill(double complex *matrix, size_t rows, size_t columns, contents what, chance *c) {
  double left[2 * kMost], right[2 * kMost];
  chance_normals(left, 2 * rows, c);
  chance_normals(right, 2 * columns, c);
  for (size_t i = 0; i < rows * columns; i++) {
    const size_t row = i / columns, column = i % columns;
    double z[2];
    chance_normals(z, 2, c);
    switch (what) {
      case RANDOM: matrix[i] = 1e3 * (z[0] + I * z[1]); break;
      case IDENTITY: matrix[i] = row == column; break;
      case RANK_ONE:
        matrix[i] = (left[2 * row] + I * left[2 * row + 1]) * (right[2 * column] - I * right[2 * column + 1]);
        break;
      case WHOLE_NUMBERS: matrix[i] = (double)((row + column + 1) % 3); break;
      default: matrix[i] = 0;
    }
  }
}

/* Singular vectors are unitary to some n eps, and so are decompositions of them (unit.decompose): 30 n eps of the scale
 * is plenty. */
static void any_matrix_is_an_svd_layer(void **unused) {
  (void)unused;
  static const size_t sizes[][2] = {{2, 2}, {3, 3}, {8, 8}, {5, 2}, {2, 7}, {1, 1}, {1, 4}, {33, 20}, {kMost, kMost}};
  static double complex matrix[kMost * kMost];
  chance c = {8};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * CONTENTS; i++) {
    const size_t rows = sizes[i / CONTENTS][0], columns = sizes[i / CONTENTS][1],
                 most = rows > columns ? rows : columns;
    const contents what = (contents)(i % CONTENTS);
    cuonn_network layer;
    double scale;
    const cuonn_network_shape shape = {.n_modes = most < 2 ? 2 : most,
                                       .n_layers = 2,
                                       .n_classes = 2,
                                       .style = i % 2 ? CUONN_STYLE_TOP : CUONN_STYLE_DIFFERENTIAL,
                                       .layer = CUONN_LAYER_SVD,
                                       .amplitude_limit = i % 3 ? 1 : .5};
    fill(matrix, rows, columns, what, &c);
    OK(cuonn_network_create(&layer, &shape));
    OK(cuonn_network_decompose(&layer, &scale, (const double *)matrix, rows, columns));
    OK(cuonn_network_check(&layer));
    assert_true(distance(&layer, scale, matrix, rows, columns) <= 30 * 2.3e-16 * (double)shape.n_modes * scale);
    assert_true(fabs(layer.amplitudes[0]) == (what == ZERO ? 0 : i % 3 ? 1 : .5));
    for (size_t k = 0; what == RANK_ONE && k + 1 < shape.n_modes; k++) assert_true(layer.amplitudes[k + 1] < 1e-14);
    cuonn_network_free(&layer);
  }
}

static void matrices_that_are_none_are_refused(void **unused) {
  (void)unused;
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  cuonn_network layer;
  double scale, matrix[2 * 2 * 3] = {1, 2, NAN};
  shape.n_modes = 2, shape.n_layers = 2, shape.n_classes = 2, shape.layer = CUONN_LAYER_SVD;
  OK(cuonn_network_create(&layer, &shape));
  REFUSED(cuonn_network_decompose(&layer, &scale, matrix, 2, 2), CUONN_E_NONFINITE, "at row 0, column 1");
  REFUSED(cuonn_network_decompose(&layer, &scale, matrix, 2, 3), CUONN_E_SHAPE,
          "2 rows and 3 columns does not fit into 2 waveguides");
  layer.shape.layer = CUONN_LAYER_DIAGONAL;
  REFUSED(cuonn_network_decompose(&layer, &scale, matrix, 2, 2), CUONN_E_SHAPE, "one svd layer, not 2 meshes");
  cuonn_network_free(&layer);
}

static void all_light_passes_at_the_start(void **unused) {
  (void)unused;
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  cuonn_network network;
  shape.n_modes = 4, shape.n_layers = 2, shape.n_classes = 2, shape.layer = CUONN_LAYER_SVD;
  for (int i = 0; i < 2; i++) {
    shape.amplitude_limit = i ? .5 : 3;
    OK(cuonn_network_create(&network, &shape));
    OK(cuonn_network_initialize(&network, CUONN_START_HAAR, 1));
    for (size_t w = 0; w < 4; w++) assert_true(network.amplitudes[w] == (i ? .5 : 1) && network.amplitudes[4 + w] == 1);
    cuonn_network_free(&network);
  }
}

static void what_cannot_be_is_refused(void **unused) {
  (void)unused;
  fixture f;
  cuonn_context *context;
  cuonn_network network;
  cuonn_layer_kind kind;
  cuonn_model *model;
  cuonn_model_options options = CUONN_MODEL_OPTIONS_INIT;
  for (int i = 0; i < 3; i++) {
    OK(cuonn_layer_kind_parse(&kind, cuonn_layer_kind_name((cuonn_layer_kind)i)));
    assert_int_equal(kind, i);
  }
  assert_null(cuonn_layer_kind_name((cuonn_layer_kind)3));
  REFUSED(cuonn_layer_kind_parse(&kind, "dense"), CUONN_E_ARGUMENT, "layer \"dense\" is unknown; it is one of");
  options.shape.layer = CUONN_LAYER_SVD; /* of 3 meshes */
  REFUSED(cuonn_network_create(&network, &options.shape), CUONN_E_SHAPE, "3 meshes, but an svd layer takes two");
  options.shape.layer = CUONN_LAYER_DIAGONAL;
  options.shape.amplitude_limit = 0;
  REFUSED(cuonn_network_create(&network, &options.shape), CUONN_E_SHAPE, "amplitude_limit is 0; it is above 0");
  create(&f, CUONN_LAYER_SVD, 3, kExamples, 0, 0, 0, 7);
  f.network.amplitudes[6] = 2;
  REFUSED(cuonn_network_check(&f.network), CUONN_E_ARGUMENT, "layer 2: amplitude 0 is 2; attenuators and amplifiers");
  f.network.amplitudes[6] = NAN;
  REFUSED(cuonn_network_check(&f.network), CUONN_E_NONFINITE, "layer 2: amplitude 0 is nan");
  OK(cuonn_context_create(&context, "cpu", 1));
  OK(cuonn_context_set_method(context, "dense"));
  options.shape = f.network.shape;
  REFUSED(cuonn_model_create(&model, context, &options), CUONN_E_ARGUMENT,
          "method dense of backend cpu does not compute svd layers with the nonlinearity modulus; use columns or auto");
  OK(cuonn_context_set_method(context, "auto"));
  options.gradient = CUONN_GRADIENT_SPSA;
  REFUSED(cuonn_model_create(&model, context, &options), CUONN_E_ARGUMENT,
          "amplitudes of svd layers have no gradients from the losses of moved phases");
  cuonn_context_free(context);
  release(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reference_is_the_plain_program),
      cmocka_unit_test(cpu_is_the_plain_program),
      cmocka_unit_test(cpu_agrees_with_reference_and_with_itself),
      cmocka_unit_test(chips_measure_them),
      cmocka_unit_test(limits_hold),
      cmocka_unit_test(training_goes_on_from_a_checkpoint),
      cmocka_unit_test(files_keep_amplitudes),
      cmocka_unit_test(any_matrix_is_an_svd_layer),
      cmocka_unit_test(matrices_that_are_none_are_refused),
      cmocka_unit_test(all_light_passes_at_the_start),
      cmocka_unit_test(what_cannot_be_is_refused),
  };
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
