/* Power that holds phases: heaters by the phases themselves, or by the law of phases of Haar-random unitaries. */
#include <math.h>

#include "energy/holding.h"

bool energy_has_shape(const cuonn_energy_options *o) { return o->n_columns != 0 || o->n_shifters != 0; }

double energy_columns(const cuonn_energy_options *o) { return (double)(o->n_columns ? o->n_columns : o->n_modes); }

double energy_shifters(const cuonn_energy_options *o) {
  const double n = (double)o->n_modes;
  return o->n_shifters ? (double)o->n_shifters : n * n;
}

void cuonn_energy_follow_shape(cuonn_energy_options *options, const cuonn_mesh_shape *shape) {
  const size_t n = cuonn_mesh_shape_modes(shape), columns = cuonn_mesh_shape_columns(shape) - 1;
  const bool rectangle = cuonn_mesh_shape_architecture(shape) == CUONN_ARCHITECTURE_RECTANGULAR && columns == n;
  options->n_modes = n;
  options->n_columns = rectangle ? 0 : columns;
  options->n_shifters = rectangle ? 0 : 2 * cuonn_mesh_shape_nodes(shape) + n;
}

double cuonn_energy_haar_phase(double n_modes) {
  const double n = n_modes;
  if (isinf(n)) return M_PI / 2; /* almost all nodes cross all light */
  /* c_k = (2k choose k) / 4^k of k = N - 1; the mean of theta is pi c_k at a node of exponent k, and N - k have it */
  const double last = exp(lgamma(n - .5) - lgamma(n)) / sqrt(M_PI);
  const double theta = 2 * M_PI / (n * (n - 1)) * ((4 * n * n - 1) / 3 * last - n);
  return (theta + M_PI) / 2;
}

/* Delay of an arm that carries a phase, and of two that carry the halves of one with opposite signs. */
static double delay(double phase) { return cuonn_phase_wrap(phase, 2 * M_PI); }
static double opposite(double phase) { return delay(phase / 2) + delay(-phase / 2); }

double cuonn_energy_mean_phase(const cuonn_network *network) {
  const cuonn_network_shape *const shape = &network->shape;
  const size_t nodes = cuonn_network_nodes(shape);
  const bool differential = shape->style == CUONN_STYLE_DIFFERENTIAL, symmetric = shape->style == CUONN_STYLE_SYMMETRIC;
  double sum = 0;
  for (size_t l = 0; l < shape->n_layers; l++) {
    const cuonn_mesh *const mesh = &network->layers[l];
    for (size_t k = 0; k < nodes; k++) {
      sum += differential || symmetric ? opposite(mesh->theta[k]) : delay(mesh->theta[k]);
      sum += differential ? opposite(mesh->phi[k]) : (symmetric ? 2 : 1) * delay(mesh->phi[k]);
    }
  }
  return sum / (2 * (double)nodes * (double)shape->n_layers);
}

/* Mean of theta and phi that were drawn: by the law of Haar-random unitaries, which is the same in a triangular mesh,
 * or in meshes that cannot have every unitary by that of each node, k = 1, as in a mesh of two waveguides. */
double cuonn_energy_drawn_phase(const cuonn_energy_options *o, double n_modes) {
  const size_t n = o->n_modes;
  const bool triangular = n > 2 && o->n_columns == 2 * n - 3 && o->n_shifters == n * n;
  if (!energy_has_shape(o)) return cuonn_energy_haar_phase(n_modes);
  return cuonn_energy_haar_phase(triangular ? (double)n : 2);
}

double energy_holding_power(const cuonn_energy_options *o, double n_modes) {
  const double whole = o->holding_power * 1e-3;
  if (o->holding == CUONN_HOLDING_CONSTANT) return whole;
  return whole * (o->phases_known ? o->mean_phase : cuonn_energy_drawn_phase(o, n_modes)) / M_PI;
}
