/* A batch on a chip, layer after layer, because a measurement is scaled to the whole batch. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "reference/in_situ.h"
#include "reference/method.h"
#include "reference/program.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
}

static void prepare(reference_state *s, const reference_model *m, cuonn_gradient_method which) {
  (void)which; /* a measurement sees what the chip applies */
  reference_program(s, m);
}

/* A labelled batch, and the chip that it goes through. */
typedef struct {
  size_t count;
  complex_t *x;    /* [example][N] */
  uint8_t *labels; /* [example] */
  const cuonn_chip_options *chip;
  uint32_t step, pass; /* that noise is drawn for */
} reference_batch;

static void batch_free(reference_batch *batch) {
  free(batch->x);
  free(batch->labels);
}

static cuonn_status gather(reference_batch *out, const reference_model *m, const reference_examples *examples) {
  const size_t n = examples->fields->n_modes;
  *out =
      (reference_batch){.count = examples->count, .chip = &m->chip, .step = examples->number, .pass = examples->pass};
  CUONN_TRY(cuonn_allocate(&out->x, examples->count * n, sizeof *out->x));
  CUONN_TRY(cuonn_allocate(&out->labels, examples->count, 1));
  for (size_t i = 0; i < examples->count; i++) {
    const size_t e = reference_example_at(examples, i);
    memcpy(out->x + i * n, examples->fields->values + 2 * e * n, n * sizeof *out->x);
    out->labels[i] = examples->labels[e];
  }
  return CUONN_OK;
}

static chip_reading reading_of(const reference_batch *batch, chip_use use, size_t layer) {
  return (chip_reading){batch->chip, use, (uint32_t)layer, batch->step, batch->pass};
}

/* y = matrix x, or with transposed, matrix^T x. */
static void multiply(complex_t *y, const complex_t *matrix, const complex_t *x, size_t n, bool transposed) {
  for (size_t i = 0; i < n; i++) {
    y[i] = 0;
    for (size_t j = 0; j < n; j++) y[i] += matrix[transposed ? j * n + i : i * n + j] * x[j];
  }
}

/* Fields x [example][N] through one layer to what is read, y, which may be x. matrix: as it was read; room if the chip
 * measures examples. */
static cuonn_status layer_forward(complex_t *y, complex_t *matrix, const complex_t *x, const reference_mesh *mesh,
                                  const reference_batch *batch, const chip_reading *reading) {
  const size_t n = mesh->shape->n_modes;
  complex_t *out;
  CUONN_TRY(cuonn_allocate(&out, n, sizeof *out));
  const bool by_matrix = batch->chip->measurement == CUONN_MEASUREMENT_MATRIX;
  if (by_matrix) reference_read_matrix(matrix, mesh, reading);
  for (size_t e = 0; e < batch->count; e++) {
    if (by_matrix) {
      multiply(out, matrix, x + e * n, n, false);
    } else {
      memcpy(out, x + e * n, n * sizeof *out);
      reference_forward(out, mesh, NULL, 0, 1);
      reference_read(out, reading, e, n);
    }
    memcpy(y + e * n, out, n * sizeof *out);
  }
  free(out);
  return CUONN_OK;
}

/* All examples from behind mesh l to what follows, and cotangents back. */
static void pass(complex_t *h, const complex_t *y, const reference_network *network, size_t count, size_t l) {
  const size_t n = network->shape.n_modes;
  for (size_t e = 0; e < count; e++) reference_pass(h + e * n, y + e * n, network, l);
}

static void pass_back(cuonn_mesh_gradient *gradient, complex_t *g, const complex_t *y, const reference_network *network,
                      size_t count, size_t l) {
  const size_t n = network->shape.n_modes;
  if (gradient->d_amplitude) memset(gradient->d_amplitude, 0, n * sizeof *gradient->d_amplitude);
  for (size_t e = 0; e < count; e++) reference_pass_back(gradient, g + e * n, y + e * n, network, l);
}

static cuonn_status evaluate(double *loss, size_t *predictions, reference_state *s, const reference_model *m,
                             const reference_examples *examples) {
  const reference_network *const network = &s->network;
  const cuonn_network_shape *const shape = &network->shape;
  const size_t n = shape->n_modes;
  reference_batch own = {0}, *const batch = &own;
  complex_t *fields = NULL, *matrix = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(gather(batch, m, examples));
  CUONN_TRY_DONE(cuonn_allocate(&fields, batch->count * n, sizeof *fields));
  CUONN_TRY_DONE(cuonn_allocate(&matrix, n * n, sizeof *matrix));
  memcpy(fields, batch->x, batch->count * n * sizeof *fields);
  for (size_t l = 0; l < shape->n_layers; l++) {
    const chip_reading reading = reading_of(batch, examples->use, l);
    CUONN_TRY_DONE(layer_forward(fields, matrix, fields, &network->layers[l], batch, &reading));
    pass(fields, fields, network, batch->count, l);
  }
  *loss = 0;
  for (size_t e = 0; e < batch->count; e++) {
    *loss += reference_read_out(&predictions[e], network->outputs, fields + e * n, shape, batch->labels[e]);
  }
  *loss /= (double)batch->count;
done:
  free(matrix);
  free(fields);
  batch_free(batch);
  return status;
}

/* Measures unit vectors, to which the batch's cotangents add up: column j of G = sum g x^T goes back against e_j. The
 * layer before gets U^T g by the matrix that was read, in place of g. */
static cuonn_status measure_matrix(cuonn_mesh_gradient *gradient, complex_t *g, const complex_t *matrix,
                                   const complex_t *x, const reference_mesh *mesh, const reference_batch *batch,
                                   cuonn_gradient_method method, const chip_reading *reading) {
  const size_t n = mesh->shape->n_modes;
  complex_t *units = NULL, *sums = NULL, *back = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&units, n * n, sizeof *units));
  CUONN_TRY_DONE(cuonn_allocate(&sums, n * n, sizeof *sums));
  CUONN_TRY_DONE(cuonn_allocate(&back, n, sizeof *back));
  for (size_t j = 0; j < n; j++) {
    units[j * n + j] = 1;
    for (size_t e = 0; e < batch->count; e++) {
      for (size_t k = 0; k < n; k++) sums[j * n + k] += g[e * n + k] * x[e * n + j];
    }
  }
  CUONN_TRY_DONE(reference_measure(gradient, NULL, mesh, units, sums, n, method, reading));
  for (size_t e = 0; e < batch->count; e++) {
    multiply(back, matrix, g + e * n, n, true);
    memcpy(g + e * n, back, n * sizeof *back);
  }
done:
  free(back);
  free(sums);
  free(units);
  return status;
}

/* Cotangents g [example][N] back through one layer, in place. */
static cuonn_status layer_backward(cuonn_mesh_gradient *gradient, complex_t *g, const complex_t *matrix,
                                   const complex_t *x, const reference_mesh *mesh, const reference_batch *batch,
                                   cuonn_gradient_method method, const chip_reading *reading) {
  if (batch->chip->measurement == CUONN_MEASUREMENT_MATRIX) {
    return measure_matrix(gradient, g, matrix, x, mesh, batch, method, reading);
  }
  return reference_measure(gradient, g, mesh, x, g, batch->count, method, reading);
}

static cuonn_status batch_gradient(double *loss, cuonn_mesh_gradient *gradients, const reference_network *network,
                                   const reference_batch *batch, cuonn_gradient_method method) {
  const cuonn_network_shape *const shape = &network->shape;
  const size_t n = shape->n_modes, layers = shape->n_layers, size = batch->count * n;
  /* x, y: [layer][example][N], behind the last x what is read; matrices: [layer][N][N] */
  complex_t *x = NULL, *y = NULL, *g = NULL, *matrices = NULL;
  double *d_modulus = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&x, (shape->n_layers + 1) * size, sizeof *x));
  CUONN_TRY_DONE(cuonn_allocate(&y, shape->n_layers * size, sizeof *y));
  CUONN_TRY_DONE(cuonn_allocate(&g, size, sizeof *g));
  CUONN_TRY_DONE(cuonn_allocate(&matrices, shape->n_layers * n * n, sizeof *matrices));
  CUONN_TRY_DONE(cuonn_allocate(&d_modulus, size, sizeof *d_modulus));
  memcpy(x, batch->x, size * sizeof *x);
  for (size_t l = 0; l < layers; l++) {
    const chip_reading reading = reading_of(batch, CHIP_TRAINING, l);
    CUONN_TRY_DONE(
        layer_forward(y + l * size, matrices + l * n * n, x + l * size, &network->layers[l], batch, &reading));
    pass(x + (l + 1) * size, y + l * size, network, batch->count, l);
  }

  *loss = 0;
  for (size_t e = 0; e < batch->count; e++) {
    const complex_t *const out = x + layers * size + e * n;
    const double share = 1 / (double)batch->count;
    size_t prediction;
    *loss += share * reference_read_out(&prediction, network->outputs, out, shape, batch->labels[e]);
    reference_read_out_backward(d_modulus + e * n, network->outputs, out, shape, batch->labels[e], share);
  }
  reference_modulus_backward(g, d_modulus, x + layers * size, size);
  for (size_t l = layers; l-- > 0;) {
    const chip_reading reading = reading_of(batch, CHIP_MEASUREMENT, l);
    pass_back(&gradients[l], g, y + l * size, network, batch->count, l);
    CUONN_TRY_DONE(layer_backward(&gradients[l], g, matrices + l * n * n, x + l * size, &network->layers[l], batch,
                                  method, &reading));
  }
done:
  free(d_modulus);
  free(matrices);
  free(g);
  free(y);
  free(x);
  return status;
}

static cuonn_status gradient(double *loss, reference_state *s, const reference_model *m,
                             const reference_examples *examples, cuonn_gradient_method which) {
  reference_batch batch = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(gather(&batch, m, examples));
  CUONN_TRY_DONE(batch_gradient(loss, s->gradients, &s->network, &batch, which));
done:
  batch_free(&batch);
  return status;
}

const reference_method reference_in_situ = {"in situ", supports, prepare, gradient, evaluate};
