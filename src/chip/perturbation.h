/* Directions in which phases are moved, up and down, for gradients from losses alone. eq. 42 of docs/physics.md. */
#ifndef CUONN_CHIP_PERTURBATION_H
#define CUONN_CHIP_PERTURBATION_H

#include "chip/phases.h"
#include "cuonn/chip.h"
#include "cuonn/compute.h"

typedef struct {
  const cuonn_chip_options *chip;
  cuonn_gradient_method which; /* spsa or finite-difference */
  uint64_t seed;               /* with the step, of the signs */
  uint32_t step;
  size_t n_layers, n_places; /* places of a layer: theta [node], phi [node], gamma [N] if it is trained */
} chip_perturbation;

/* With finite-difference as many as there are places in all layers, with spsa the number of estimates. */
size_t chip_directions(const chip_perturbation *p);

/* By how many perturbations a place is moved up in a direction: -1, 0 or 1. */
double chip_direction(const chip_perturbation *p, size_t direction, size_t layer, size_t place);

/* What the chip applies of a layer's phases when they are moved by so many radians in a direction; to and from may not
 * be the same. */
void chip_move(const cuonn_mesh *to, const cuonn_mesh *from, const chip_phases *phases, const chip_perturbation *p,
               size_t direction, size_t layer, double by);

/* Adds a direction's part of a layer's gradient. */
void chip_add_slope(const cuonn_mesh_gradient *gradient, size_t n_nodes, const chip_perturbation *p, size_t direction,
                    size_t layer, double slope);

/* Derivative along a direction, times the share of the direction in the gradient. losses: moved up, moved down. */
double chip_slope(const chip_perturbation *p, const double losses[2]);

#endif
