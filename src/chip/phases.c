#include "chip/phases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "mesh/node.h"
#include "mesh/shape.h"

/* Share of a phase that arrives so far away, half pitches. */
static double share(const cuonn_chip_options *chip, int rows, int columns) {
  const int square = rows * rows + columns * columns;
  if (square == 0) return 1;
  if (square > kCrosstalkReach * kCrosstalkReach) return 0;
  return chip->crosstalk * exp(-sqrt((double)square) / 2 / chip->crosstalk_decay);
}

/* A phase p gives c_b p to arm b of its node. What arms a get, x_a, is the phase c . x / c . c (least squares). */
static double weight_of(const cuonn_chip_options *chip, const double getting[2], const double giving[2], int rows,
                        int columns) {
  const double norm = getting[0] * getting[0] + getting[1] * getting[1];
  double sum = 0;
  for (int a = 0; a < 2; a++) {
    for (int b = 0; b < 2; b++) sum += getting[a] / norm * giving[b] * share(chip, rows + a - b, columns);
  }
  return sum;
}

static void set_weights(chip_phases *out, const cuonn_chip_options *chip, cuonn_phase_style style) {
  const node_arms all = node_arms_of(style);
  const double *const arms[2] = {all.theta, all.phi};
  for (int i = 0; i < 4; i++) {
    for (int rows = -kCrosstalkRows; rows <= kCrosstalkRows; rows++) {
      for (int columns = 0; columns <= kCrosstalkReach; columns++) {
        out->weight[i / 2][i % 2][kCrosstalkRows + rows][columns] =
            weight_of(chip, arms[i / 2], arms[i % 2], rows, columns);
      }
    }
  }
}

cuonn_status chip_phases_create(chip_phases *out, const cuonn_chip_options *chip, uint32_t layer,
                                const cuonn_mesh_shape *shape, cuonn_phase_style style) {
  const size_t nodes = shape->n_nodes;
  const random_place place = {chip->seed, RANDOM_PHASE_ERROR, layer, 0};
  cuonn_status status = CUONN_OK;
  memset(out, 0, sizeof *out);
  CUONN_TRY(cuonn_chip_check_shape(chip, shape));
  out->shape = cuonn_mesh_shape_share(shape);
  out->bits = chip->phase_bits;
  out->period = cuonn_phase_style_periods(style);
  out->mixes = chip->crosstalk > 0;
  set_weights(out, chip, style);
  CUONN_TRY_DONE(cuonn_allocate(&out->error, 2 * nodes, sizeof *out->error));
  CUONN_TRY_DONE(cuonn_allocate(&out->scratch, 2 * nodes, sizeof *out->scratch));
  for (size_t k = 0; k < nodes; k++) {
    double normal[2];
    random_normals(normal, place, (uint32_t)k);
    out->error[k] = chip->phase_error * normal[0];
    out->error[nodes + k] = chip->phase_error * normal[1];
  }
done:
  if (status != CUONN_OK) chip_phases_free(out);
  return status;
}

void chip_phases_free(chip_phases *phases) {
  cuonn_mesh_shape_free(phases->shape);
  free(phases->error);
  free(phases->scratch);
  memset(phases, 0, sizeof *phases);
}

/* What a driver sets: the nearest of 2^bits levels of the period, ties to even; 0 bits: the phase itself, which has to
 * be within its period only where heat tells. */
static double set(const chip_phases *p, double phase, double period) {
  if (p->bits == 0) return p->mixes ? cuonn_phase_wrap(phase, period) : phase;
  const double levels = (double)((size_t)1 << p->bits), step = period / levels;
  return step * cuonn_phase_wrap(rint(phase / step), levels);
}

/* What arrives at theta (0) or phi (1) of a node. In half pitches, the shifters of the node in column c whose upper
 * waveguide is t stand at row t (and t + 1 in the bottom arm), phi at 2c and theta at 2c + 1. phases: [2][node]; theta,
 * phi. back: by the transpose, what this phase gives to all others. */
static double mixed(const chip_phases *p, const double *phases, size_t kind, size_t node, bool back) {
  const cuonn_mesh_shape *const shape = p->shape;
  const size_t column = shape->column_of[node], row = shape->pairs[node][0], place = 2 * column + (kind == 0);
  const size_t from = place > kCrosstalkReach ? place - kCrosstalkReach : 0, last = 2 * shape->n_columns - 1;
  const size_t end = place + kCrosstalkReach < last ? place + kCrosstalkReach : last;
  const size_t above = row > kCrosstalkRows ? row - kCrosstalkRows : 0;
  const size_t every = shape->architecture == CUONN_ARCHITECTURE_RECTANGULAR
                           ? 2
                           : 1; /* top waveguides of its columns are even and odd in turn */
  double sum = 0;
  for (size_t at = from; at <= end; at++) {
    const size_t other = at % 2 == 0, columns = at > place ? at - place : place - at;
    const size_t top = above + (every == 2 ? (above + at / 2) % 2 : 0);
    for (size_t t = top; t < shape->n_modes && t <= row + kCrosstalkRows; t += every) {
      const uint32_t giving = shape_node_at(shape, at / 2, t);
      if (giving == SHAPE_NO_NODE) continue;
      const double weight = back ? p->weight[other][kind][kCrosstalkRows + t - row][columns]
                                 : p->weight[kind][other][kCrosstalkRows + row - t][columns];
      sum += weight * phases[other * shape->n_nodes + giving];
    }
  }
  return sum;
}

/* in: [2][node]. */
static void mix(double *theta, double *phi, const chip_phases *p, const double *in, bool back) {
  for (size_t k = 0; k < p->shape->n_nodes; k++) {
    theta[k] = mixed(p, in, 0, k, back);
    phi[k] = mixed(p, in, 1, k, back);
  }
}

void chip_phases_apply(double *applied_theta, double *applied_phi, const chip_phases *phases, const double *theta,
                       const double *phi) {
  const size_t nodes = phases->shape->n_nodes;
  double *const exact = phases->scratch;
  for (size_t k = 0; k < nodes; k++) {
    applied_theta[k] = exact[k] = set(phases, theta[k], phases->period.theta);
    applied_phi[k] = exact[nodes + k] = set(phases, phi[k], phases->period.phi);
  }
  if (phases->mixes) mix(applied_theta, applied_phi, phases, exact, false);
  for (size_t k = 0; k < nodes; k++) {
    applied_theta[k] += phases->error[k];
    applied_phi[k] += phases->error[nodes + k];
  }
}

bool chip_phases_are_between(cuonn_gradient_method which) {
  return which != CUONN_GRADIENT_IDEAL && !cuonn_gradient_is_perturbed(which);
}

void chip_phases_pull_back(double *d_theta, double *d_phi, const chip_phases *phases) {
  const size_t nodes = phases->shape->n_nodes;
  if (!phases->mixes) return;
  memcpy(phases->scratch, d_theta, nodes * sizeof *d_theta);
  memcpy(phases->scratch + nodes, d_phi, nodes * sizeof *d_phi);
  mix(d_theta, d_phi, phases, phases->scratch, true);
}
