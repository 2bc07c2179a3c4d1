#include "reference/in_situ.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

void reference_read(complex_t *field, const chip_reading *reading, size_t example, size_t n_modes) {
  if (chip_reads_exactly(reading->chip)) return;
  for (size_t w = 0; w < n_modes; w++) {
    double factor[2];
    chip_read_factor(factor, reading, example, w, n_modes);
    field[w] *= factor[0] + I * factor[1];
  }
}

void reference_read_matrix(complex_t *matrix, const reference_mesh *mesh, const chip_reading *reading) {
  const size_t n = mesh->shape->n_modes;
  complex_t *const column = matrix; /* written as rows, then transposed */
  memset(matrix, 0, n * n * sizeof *matrix);
  for (size_t j = 0; j < n; j++) {
    column[j * n + j] = 1;
    reference_forward(column + j * n, mesh, NULL, 0, 1);
    reference_read(column + j * n, reading, j, n);
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < i; j++) {
      const complex_t other = matrix[i * n + j];
      matrix[i * n + j] = matrix[j * n + i];
      matrix[j * n + i] = other;
    }
  }
}

/* What the taps of all phases have given so far: sums over examples. */
typedef struct {
  cuonn_mesh_gradient signal; /* weight x power */
  cuonn_mesh_gradient light;  /* weight^2 x power: the variance of the signal, for a tap shot noise of 1 */
} tap_sums;

static void add_power(double *signal, double *light, double weight, complex_t field) {
  const double power = creal(field * conj(field));
  *signal += weight * power;
  *light += weight * weight * power;
}

/* Reads the powers of one field on its way, taps [column][N], and at the outputs. */
static void read_powers(tap_sums *sums, double weight, const reference_mesh *mesh, const cuonn_taps *taps,
                        const complex_t *out) {
  const cuonn_mesh_shape *const shape = mesh->shape;
  const size_t n = shape->n_modes, arm = mesh->style == CUONN_STYLE_TOP ? 0 : 1;
  const complex_t *const at_phi = (const complex_t *)taps->before_phi;
  const complex_t *const at_theta = (const complex_t *)taps->before_theta;
  for (size_t k = 0; k < shape->n_nodes; k++) {
    const size_t at = shape->column_of[k] * n + shape->pairs[k][arm];
    add_power(&sums->signal.d_theta[k], &sums->light.d_theta[k], weight, at_theta[at]);
    add_power(&sums->signal.d_phi[k], &sums->light.d_phi[k], weight, at_phi[at]);
  }
  for (size_t w = 0; w < n; w++) add_power(&sums->signal.d_gamma[w], &sums->light.d_gamma[w], weight, out[w]);
}

/* The largest norm of an example, or of a waveguide over all examples; 1 if all is dark. */
static double input_scale(const complex_t *fields, size_t n_examples, size_t n_modes, cuonn_measurement_scale scale) {
  const bool by_example = scale == CUONN_SCALE_EXAMPLE;
  const size_t lines = by_example ? n_examples : n_modes, length = by_example ? n_modes : n_examples;
  double most = 0;
  for (size_t i = 0; i < lines; i++) {
    double power = 0;
    for (size_t j = 0; j < length; j++) {
      const complex_t f = by_example ? fields[i * n_modes + j] : fields[j * n_modes + i];
      power += creal(f * conj(f));
    }
    most = fmax(most, power);
  }
  return most > 0 ? sqrt(most) : 1;
}

/* One example's fields on their way. */
typedef struct {
  complex_t *x, *g, *sent, *out; /* [N]: scaled input and cotangent, the field sent back, what is in the mesh */
  cuonn_taps taps;
} light_path;

/* x + turn conj(sent) goes through the mesh, and its powers are taken with a weight. */
static void send(tap_sums *sums, double weight, light_path *p, complex_t turn, const reference_mesh *mesh) {
  const size_t n = mesh->shape->n_modes;
  for (size_t w = 0; w < n; w++) p->out[w] = p->x[w] + turn * conj(p->sent[w]);
  reference_forward(p->out, mesh, &p->taps, 0, 1);
  read_powers(sums, weight, mesh, &p->taps, p->out);
}

/* Adds what one example gives. p->sent ends as the returned field, in scaled units. */
static void measure_example(tap_sums *sums, light_path *p, const reference_mesh *mesh, cuonn_gradient_method method,
                            const chip_reading *reading, size_t example) {
  memcpy(p->sent, p->g, mesh->shape->n_modes * sizeof *p->sent);
  reference_backward(p->sent, mesh, &p->taps, 0, 1);
  if (method == CUONN_GRADIENT_ANALOG) {
    reference_read(p->sent, reading, example, mesh->shape->n_modes);
    send(sums, .5, p, -I, mesh);
    send(sums, -.5, p, I, mesh);
  } else {
    read_powers(sums, -1, mesh, &p->taps, p->g);
    send(sums, 1, p, -I, mesh);
    send(sums, -1, p, 0, mesh);
  }
}

/* From sums to a derivative. Shot noise is independent from reading to reading: its sum over the batch is one
 * normal. */
static void finish(cuonn_mesh_gradient *gradient, const tap_sums *sums, double factor, const chip_reading *reading,
                   const cuonn_mesh_shape *shape) {
  const size_t nodes = shape->n_nodes;
  const double shot = reading->chip->tap_shot;
  double normal[2] = {0, 0};
  for (size_t k = 0; k < nodes; k++) {
    if (shot > 0) chip_tap_normals(normal, reading, k);
    gradient->d_theta[k] = factor * (sums->signal.d_theta[k] + shot * sqrt(sums->light.d_theta[k]) * normal[0]);
    gradient->d_phi[k] = factor * (sums->signal.d_phi[k] + shot * sqrt(sums->light.d_phi[k]) * normal[1]);
  }
  for (size_t w = 0; w < shape->n_modes; w++) {
    if (shot > 0) chip_tap_normals(normal, reading, nodes + w);
    gradient->d_gamma[w] = factor * (sums->signal.d_gamma[w] + shot * sqrt(sums->light.d_gamma[w]) * normal[0]);
  }
}

static cuonn_status gradient_create(cuonn_mesh_gradient *out, const cuonn_mesh_shape *shape) {
  CUONN_TRY(cuonn_allocate(&out->d_theta, shape->n_nodes, sizeof(double)));
  CUONN_TRY(cuonn_allocate(&out->d_phi, shape->n_nodes, sizeof(double)));
  return cuonn_allocate(&out->d_gamma, shape->n_modes, sizeof(double));
}

static void gradient_free(cuonn_mesh_gradient *gradient) {
  free(gradient->d_theta);
  free(gradient->d_phi);
  free(gradient->d_gamma);
}

cuonn_status reference_measure(cuonn_mesh_gradient *gradient, complex_t *returned, const reference_mesh *mesh,
                               const complex_t *x, const complex_t *g, size_t n_examples, cuonn_gradient_method method,
                               const chip_reading *reading) {
  const size_t n = mesh->shape->n_modes;
  const double x_scale = input_scale(x, n_examples, n, reading->chip->scale);
  const double g_scale = input_scale(g, n_examples, n, reading->chip->scale);
  tap_sums sums = {0};
  light_path p = {0};
  complex_t *fields = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(gradient_create(&sums.signal, mesh->shape));
  CUONN_TRY_DONE(gradient_create(&sums.light, mesh->shape));
  CUONN_TRY_DONE(reference_taps_create(&p.taps, mesh->shape));
  CUONN_TRY_DONE(cuonn_allocate(&fields, 4 * n, sizeof *fields));
  p.x = fields;
  p.g = p.x + n;
  p.sent = p.g + n;
  p.out = p.sent + n;
  for (size_t e = 0; e < n_examples; e++) {
    for (size_t w = 0; w < n; w++) {
      p.x[w] = x[e * n + w] / x_scale;
      p.g[w] = g[e * n + w] / g_scale;
    }
    measure_example(&sums, &p, mesh, method, reading, e);
    for (size_t w = 0; returned && w < n; w++) returned[e * n + w] = p.sent[w] * g_scale;
  }
  finish(gradient, &sums, x_scale * g_scale / 2, reading, mesh->shape);
done:
  free(fields);
  reference_taps_free(&p.taps);
  gradient_free(&sums.light);
  gradient_free(&sums.signal);
  return status;
}
