#include "reference/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

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
  CUONN_TRY(cuonn_allocate(&out->field, n, sizeof *out->field));
  CUONN_TRY(cuonn_allocate(&out->d_modulus, n, sizeof *out->d_modulus));
  return cuonn_allocate(&out->log_p, shape->n_classes, sizeof *out->log_p);
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
  free(network->field);
  free(network->d_modulus);
  free(network->log_p);
  memset(network, 0, sizeof *network);
}

void reference_network_set(reference_network *network, const cuonn_network *from) {
  for (size_t l = 0; l < network->shape.n_layers; l++) reference_mesh_set(&network->layers[l], &from->layers[l]);
}

static double loss_scale(const cuonn_network_shape *shape) {
  return shape->loss_per_class ? 1 / (double)shape->n_classes : 1;
}

/* log p_k = z_k - log sum exp z, with the powers z = |y|^2; the largest is taken out so that exp cannot overflow. */
double reference_read_out(size_t *prediction, double *log_p, const complex_t *y, const cuonn_network_shape *shape,
                          uint8_t label) {
  double largest = -INFINITY, sum = 0;
  *prediction = 0;
  for (size_t k = 0; k < shape->n_classes; k++) {
    const double h = cabs(y[k]), z = h * h;
    log_p[k] = z;
    if (z > largest) {
      largest = z;
      *prediction = k;
    }
  }
  for (size_t k = 0; k < shape->n_classes; k++) sum += exp(log_p[k] - largest);
  for (size_t k = 0; k < shape->n_classes; k++) log_p[k] -= largest + log(sum);
  return -log_p[label] * loss_scale(shape);
}

/* d loss / dz_k = p_k - [k is the label], z = h^2. Outputs that are not read get exactly 0. */
void reference_read_out_backward(double *d_modulus, const double *log_p, const complex_t *y,
                                 const cuonn_network_shape *shape, uint8_t label, double share) {
  memset(d_modulus, 0, shape->n_modes * sizeof *d_modulus);
  for (size_t k = 0; k < shape->n_classes; k++) {
    const double d_power = (exp(log_p[k]) - (k == label)) * share * loss_scale(shape);
    d_modulus[k] = 2 * cabs(y[k]) * d_power;
  }
}

/* d|y| = Re(conj(y)/|y| dy); 0 at y = 0. */
void reference_modulus_backward(complex_t *g, const double *d_modulus, const complex_t *y, size_t n) {
  for (size_t w = 0; w < n; w++) g[w] = y[w] == 0 ? 0 : d_modulus[w] * conj(y[w]) / cabs(y[w]);
}

double reference_network_forward(size_t *prediction, reference_network *network, const double *x, uint8_t label) {
  const size_t n = network->shape.n_modes, last = network->shape.n_layers - 1;
  complex_t *const field = network->field;
  memcpy(field, x, n * sizeof *field);
  for (size_t l = 0; l <= last; l++) {
    reference_forward(field, &network->layers[l], &network->x_taps[l], 0, 1);
    memcpy(network->y + l * n, field, n * sizeof *field);
    for (size_t w = 0; w < n; w++) field[w] = cabs(field[w]);
  }
  return reference_read_out(prediction, network->log_p, network->y + last * n, &network->shape, label);
}

void reference_network_backward(cuonn_mesh_gradient *gradients, reference_network *network, uint8_t label,
                                double share) {
  const size_t n = network->shape.n_modes, last = network->shape.n_layers - 1;
  complex_t *const g = network->field;
  double *const d_modulus = network->d_modulus;
  reference_read_out_backward(d_modulus, network->log_p, network->y + last * n, &network->shape, label, share);
  for (size_t l = last + 1; l-- > 0;) {
    reference_modulus_backward(g, d_modulus, network->y + l * n, n);
    reference_backward(g, &network->layers[l], &network->g_taps, 0, 1);
    reference_add_gradient(&gradients[l], &network->layers[l], &network->x_taps[l], &network->g_taps);
    for (size_t w = 0; w < n; w++) d_modulus[w] = creal(g[w]); /* the layer's input, a modulus, is real */
  }
}
