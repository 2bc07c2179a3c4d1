#include "chip/perturbation.h"

#include <string.h>

#include "base/random.h"

static bool all_at_once(const chip_perturbation *p) { return p->which == CUONN_GRADIENT_SPSA; }

size_t chip_directions(const chip_perturbation *p) {
  return all_at_once(p) ? p->chip->estimates : p->n_layers * p->n_places;
}

double chip_direction(const chip_perturbation *p, size_t direction, size_t layer, size_t place) {
  if (!all_at_once(p)) return direction == layer * p->n_places + place;
  const random_place at = {p->seed, RANDOM_PERTURBATION, (uint32_t)layer, p->step};
  return random_uniform(at, (uint32_t)(direction * p->n_places + place)) < .5 ? -1 : 1;
}

void chip_move(const cuonn_mesh *to, const cuonn_mesh *from, const chip_phases *phases, const chip_perturbation *p,
               size_t direction, size_t layer, double by) {
  const size_t n = from->n_nodes;
  for (size_t k = 0; k < n; k++) {
    to->theta[k] = from->theta[k] + by * chip_direction(p, direction, layer, k);
    to->phi[k] = from->phi[k] + by * chip_direction(p, direction, layer, n + k);
  }
  memcpy(to->gamma, from->gamma, from->n_modes * sizeof *to->gamma);
  for (size_t i = 2 * n; i < p->n_places; i++) to->gamma[i - 2 * n] += by * chip_direction(p, direction, layer, i);
  chip_phases_apply(to->theta, to->phi, phases, to->theta, to->phi);
}

void chip_add_slope(const cuonn_mesh_gradient *gradient, size_t n_nodes, const chip_perturbation *p, size_t direction,
                    size_t layer, double slope) {
  const size_t n = n_nodes;
  for (size_t k = 0; k < n; k++) {
    gradient->d_theta[k] += slope * chip_direction(p, direction, layer, k);
    gradient->d_phi[k] += slope * chip_direction(p, direction, layer, n + k);
  }
  for (size_t i = 2 * n; i < p->n_places; i++)
    gradient->d_gamma[i - 2 * n] += slope * chip_direction(p, direction, layer, i);
}

double chip_slope(const chip_perturbation *p, const double losses[2]) {
  const double share = all_at_once(p) ? 1 / (double)p->chip->estimates : 1;
  return share * (losses[0] - losses[1]) / (2 * p->chip->perturbation);
}
