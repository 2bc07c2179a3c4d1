#include "reference/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "network/layer.h"

cuonn_status reference_network_create(reference_network *out, const cuonn_network_shape *shape) {
  const size_t n = shape->n_modes;
  memset(out, 0, sizeof *out);
  out->shape = *shape;
  CUONN_TRY(cuonn_allocate(&out->layers, shape->n_layers, sizeof *out->layers));
  CUONN_TRY(cuonn_allocate(&out->x_taps, shape->n_layers, sizeof *out->x_taps));
  for (size_t l = 0; l < shape->n_layers; l++) {
    CUONN_TRY(reference_mesh_create(&out->layers[l], shape->mesh));
    CUONN_TRY(reference_taps_create(&out->x_taps[l], shape->mesh));
  }
  CUONN_TRY(reference_taps_create(&out->g_taps, shape->mesh));
  CUONN_TRY(cuonn_allocate(&out->y, shape->n_layers * n, sizeof *out->y));
  CUONN_TRY(cuonn_allocate(&out->out, n, sizeof *out->out));
  CUONN_TRY(cuonn_allocate(&out->field, n, sizeof *out->field));
  CUONN_TRY(cuonn_allocate(&out->d_modulus, n, sizeof *out->d_modulus));
  return cuonn_allocate(&out->outputs, shape->n_classes, sizeof *out->outputs);
}

void reference_network_free(reference_network *network) {
  for (size_t l = 0; l < network->shape.n_layers; l++) {
    if (network->layers) reference_mesh_free(&network->layers[l]);
    if (network->x_taps) reference_taps_free(&network->x_taps[l]);
  }
  free(network->layers);
  free(network->x_taps);
  reference_taps_free(&network->g_taps);
  free(network->y);
  free(network->out);
  free(network->field);
  free(network->d_modulus);
  free(network->outputs);
  memset(network, 0, sizeof *network);
}

void reference_network_set(reference_network *network, const cuonn_network *from, const double *amplitudes) {
  for (size_t l = 0; l < network->shape.n_layers; l++) reference_mesh_set(&network->layers[l], &from->layers[l]);
  network->amplitudes = amplitudes;
}

static double loss_scale(const cuonn_network_shape *shape) {
  return shape->loss_per_class ? 1 / (double)shape->n_classes : 1;
}

/* log p_k = z_k - log sum exp z; the largest is taken out so that exp cannot overflow. */
static double cross_entropy(double *z, size_t n_classes, double largest, uint8_t label) {
  double sum = 0;
  for (size_t k = 0; k < n_classes; k++) sum += exp(z[k] - largest);
  for (size_t k = 0; k < n_classes; k++) z[k] -= largest + log(sum);
  return -z[label];
}

static double squared_error(const double *z, size_t n_classes, uint8_t label) {
  double sum = 0;
  for (size_t k = 0; k < n_classes; k++) sum += (z[k] - (k == label)) * (z[k] - (k == label));
  return sum;
}

double reference_read_out(size_t *prediction, double *outputs, const complex_t *y, const cuonn_network_shape *shape,
                          uint8_t label) {
  double largest = -INFINITY;
  *prediction = 0;
  for (size_t k = 0; k < shape->n_classes; k++) {
    const double h = cabs(y[k]), z = h * h;
    outputs[k] = z;
    if (z > largest) {
      largest = z;
      *prediction = k;
    }
  }
  return loss_scale(shape) * (shape->loss == CUONN_LOSS_SQUARED_ERROR
                                  ? squared_error(outputs, shape->n_classes, label)
                                  : cross_entropy(outputs, shape->n_classes, largest, label));
}

/* d loss / dz_k = p_k - [k is the label], or twice z_k - [k is the label]; z = h^2. Outputs that are not read get
 * exactly 0. */
void reference_read_out_backward(double *d_modulus, const double *outputs, const complex_t *y,
                                 const cuonn_network_shape *shape, uint8_t label, double share) {
  const bool squared = shape->loss == CUONN_LOSS_SQUARED_ERROR;
  memset(d_modulus, 0, shape->n_modes * sizeof *d_modulus);
  for (size_t k = 0; k < shape->n_classes; k++) {
    const double own = k == label, slope = squared ? 2 * (outputs[k] - own) : exp(outputs[k]) - own;
    d_modulus[k] = 2 * cabs(y[k]) * (slope * share * loss_scale(shape));
  }
}

/* d|y| = Re(conj(y)/|y| dy); 0 at y = 0. */
void reference_modulus_backward(complex_t *g, const double *d_modulus, const complex_t *y, size_t n) {
  for (size_t w = 0; w < n; w++) g[w] = y[w] == 0 ? 0 : d_modulus[w] * conj(y[w]) / cabs(y[w]);
}

static const double *amplitudes_of(const reference_network *network, size_t l) {
  const bool has = network->amplitudes && cuonn_network_has_amplitudes(&network->shape, l);
  return has ? network->amplitudes + l * network->shape.n_modes : NULL;
}

void reference_pass(complex_t *h, const complex_t *y, const reference_network *network, size_t l) {
  const double *const s = amplitudes_of(network, l);
  const bool nonlinear = cuonn_network_has_nonlinearity(&network->shape, l);
  for (size_t w = 0; w < network->shape.n_modes; w++) {
    h[w] = s ? s[w] * y[w] : y[w];
    if (nonlinear) cuonn_nonlinearity_apply((double *)&h[w], &network->shape.nonlinearity, (const double *)&h[w]);
  }
}

/* d(s y) = s dy + y ds. */
void reference_pass_back(cuonn_mesh_gradient *gradient, complex_t *g, const complex_t *y,
                         const reference_network *network, size_t l) {
  const double *const s = amplitudes_of(network, l);
  const bool nonlinear = cuonn_network_has_nonlinearity(&network->shape, l);
  for (size_t w = 0; w < network->shape.n_modes; w++) {
    const complex_t field = s ? s[w] * y[w] : y[w];
    double *const of = (double *)&g[w];
    if (nonlinear) cuonn_nonlinearity_pull_back(of, &network->shape.nonlinearity, (const double *)&field, of);
    if (!s) continue;
    gradient->d_amplitude[w] += creal(g[w] * y[w]);
    g[w] *= s[w];
  }
}

double reference_network_forward(size_t *prediction, reference_network *network, const double *x, uint8_t label) {
  const size_t n = network->shape.n_modes;
  complex_t *const field = network->field;
  memcpy(field, x, n * sizeof *field);
  for (size_t l = 0; l < network->shape.n_layers; l++) {
    reference_forward(field, &network->layers[l], &network->x_taps[l], 0, 1);
    memcpy(network->y + l * n, field, n * sizeof *field);
    reference_pass(field, field, network, l);
  }
  memcpy(network->out, field, n * sizeof *field);
  return reference_read_out(prediction, network->outputs, network->out, &network->shape, label);
}

void reference_network_backward(cuonn_mesh_gradient *gradients, reference_network *network, uint8_t label,
                                double share) {
  const size_t n = network->shape.n_modes;
  complex_t *const g = network->field;
  reference_read_out_backward(network->d_modulus, network->outputs, network->out, &network->shape, label, share);
  reference_modulus_backward(g, network->d_modulus, network->out, n);
  for (size_t l = network->shape.n_layers; l-- > 0;) {
    const complex_t *const y = network->y + l * n;
    reference_pass_back(&gradients[l], g, y, network, l);
    if (network_keeps_phase(&network->shape, l)) { /* elsewhere it is 0, not only nearly */
      for (size_t w = 0; w < n; w++) gradients[l].d_gamma[w] -= cimag(y[w] * g[w]);
    }
    reference_backward(g, &network->layers[l], &network->g_taps, 0, 1);
    reference_add_gradient(&gradients[l], &network->layers[l], &network->x_taps[l], &network->g_taps);
  }
}
