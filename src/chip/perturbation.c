#include "chip/perturbation.h"

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

double chip_slope(const chip_perturbation *p, const double losses[2]) {
  const double share = all_at_once(p) ? 1 / (double)p->chip->estimates : 1;
  return share * (losses[0] - losses[1]) / (2 * p->chip->perturbation);
}
