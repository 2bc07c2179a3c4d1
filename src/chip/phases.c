#include "chip/phases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "chip/drive.h"
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

static void take_fabricated(chip_phases *out, const cuonn_fabricated *chip, uint32_t layer) {
  const size_t first = layer * cuonn_fabricated_shifters(chip);
  if (chip->drive_slope) {
    out->driver = &chip->driver;
    out->offset = chip->drive_offset + first;
    out->slope = chip->drive_slope + first;
  }
  out->n_shares = chip->crosstalk_first[layer + 1] - chip->crosstalk_first[layer];
  if (out->n_shares > 0) out->shares = chip->crosstalk + chip->crosstalk_first[layer];
  out->mixes |= out->n_shares > 0;
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
  if (chip->fabricated) take_fabricated(out, chip->fabricated, layer);
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
static double set_level(const chip_phases *p, double phase, double period) {
  if (p->bits == 0) return p->mixes ? cuonn_phase_wrap(phase, period) : phase;
  const double levels = (double)((size_t)1 << p->bits), step = period / levels;
  return step * cuonn_phase_wrap(rint(phase / step), levels);
}

/* What it sets of shifter i, [2][node], and how much of that is driven, which is what heats others: all of it, or
 * slope V^2 of a curve. A phase that the driver does not reach becomes the nearer end of its range. */
static double set(double *driven, const chip_phases *p, size_t i, double phase, double period) {
  double square;
  if (!p->driver) return *driven = set_level(p, phase, period);
  const bool reached = drive_square(&square, p->driver, p->offset[i], p->slope[i], phase, period);
  const double volts = drive_voltage(p->driver, square);
  *driven = p->slope[i] * (p->driver->bits ? volts * volts : square);
  return reached && p->driver->bits == 0 && !p->mixes ? phase : p->offset[i] + *driven;
}

/* Where the shifters stand that theta (0) or phi (1) of a node shares heat with. In half pitches, the shifters of the
 * node in column c whose upper waveguide is t stand at row t (and t + 1 in the bottom arm), phi at 2c and theta at 2c +
 * 1. */
typedef struct {
  size_t row, place, from, end, above, every;
} window;

static window window_of(const cuonn_mesh_shape *shape, size_t kind, size_t node) {
  const size_t column = shape->column_of[node], row = shape->pairs[node][0], place = 2 * column + (kind == 0);
  const size_t last = 2 * shape->n_columns - 1;
  return (window){.row = row,
                  .place = place,
                  .from = place > kCrosstalkReach ? place - kCrosstalkReach : 0,
                  .end = place + kCrosstalkReach < last ? place + kCrosstalkReach : last,
                  .above = row > kCrosstalkRows ? row - kCrosstalkRows : 0,
                  /* top waveguides of the columns of a rectangular mesh are even and odd in turn */
                  .every = shape->architecture == CUONN_ARCHITECTURE_RECTANGULAR ? 2 : 1};
}

/* First top waveguide of a column at a place that is in the window. */
static size_t first_top(const window *w, size_t at) { return w->above + (w->every == 2 ? (w->above + at / 2) % 2 : 0); }

/* What arrives at theta (0) or phi (1) of a node. phases: [2][node]; theta, phi. back: by the transpose, what this
 * phase gives to all others. */
static double mixed(const chip_phases *p, const double *phases, size_t kind, size_t node, bool back) {
  const cuonn_mesh_shape *const shape = p->shape;
  const window w = window_of(shape, kind, node);
  double sum = 0;
  for (size_t at = w.from; at <= w.end; at++) {
    const size_t other = at % 2 == 0, columns = at > w.place ? at - w.place : w.place - at;
    for (size_t t = first_top(&w, at); t < shape->n_modes && t <= w.row + kCrosstalkRows; t += w.every) {
      const uint32_t giving = shape_node_at(shape, at / 2, t);
      if (giving == SHAPE_NO_NODE) continue;
      const double weight = back ? p->weight[other][kind][kCrosstalkRows + t - w.row][columns]
                                 : p->weight[kind][other][kCrosstalkRows + w.row - t][columns];
      sum += weight * phases[other * shape->n_nodes + giving];
    }
  }
  return sum;
}

/* Most shares that a phase gets: places and rows of its window. */
enum { kMostShares = (2 * kCrosstalkReach + 1) * (2 * kCrosstalkRows + 1) };

/* The shares that a phase gets of others, [kMostShares]; returns their number. */
static size_t shares_of(cuonn_crosstalk *out, const chip_phases *p, size_t kind, size_t node) {
  const cuonn_mesh_shape *const shape = p->shape;
  const window w = window_of(shape, kind, node);
  const size_t to = kind * shape->n_nodes + node;
  size_t n = 0;
  for (size_t at = w.from; at <= w.end; at++) {
    const size_t other = at % 2 == 0, columns = at > w.place ? at - w.place : w.place - at;
    for (size_t t = first_top(&w, at); t < shape->n_modes && t <= w.row + kCrosstalkRows; t += w.every) {
      const uint32_t giving = shape_node_at(shape, at / 2, t);
      if (giving == SHAPE_NO_NODE) continue;
      const size_t from = other * shape->n_nodes + giving;
      const double share = p->weight[kind][other][kCrosstalkRows + w.row - t][columns] - (from == to);
      if (share != 0) out[n++] = (cuonn_crosstalk){(uint32_t)to, (uint32_t)from, share};
    }
  }
  return n;
}

static int by_giver(const void *a, const void *b) {
  const cuonn_crosstalk *const x = a, *const y = b;
  return (x->from > y->from) - (x->from < y->from);
}

cuonn_status chip_phases_shares(cuonn_crosstalk **out, size_t *count, const chip_phases *phases) {
  cuonn_crosstalk of_one[kMostShares];
  const size_t nodes = phases->shape->n_nodes;
  size_t n = 0;
  for (size_t i = 0; i < 2 * nodes; i++) n += shares_of(of_one, phases, i / nodes, i % nodes);
  CUONN_TRY(cuonn_allocate(out, n, sizeof **out));
  *count = n;
  n = 0;
  for (size_t i = 0; i < 2 * nodes; i++) {
    const size_t more = shares_of(of_one, phases, i / nodes, i % nodes);
    qsort(of_one, more, sizeof *of_one, by_giver);
    memcpy(*out + n, of_one, more * sizeof *of_one);
    n += more;
  }
  return CUONN_OK;
}

/* in: [2][node]. */
static void mix(double *theta, double *phi, const chip_phases *p, const double *in, bool back) {
  for (size_t k = 0; k < p->shape->n_nodes; k++) {
    theta[k] = mixed(p, in, 0, k, back);
    phi[k] = mixed(p, in, 1, k, back);
  }
}

/* Adds measured shares; back: by the transpose. out: [2][node] as two arrays. */
static void add_shares(double *theta, double *phi, const chip_phases *p, const double *in, bool back) {
  const size_t nodes = p->shape->n_nodes;
  for (size_t i = 0; i < p->n_shares; i++) {
    const size_t to = back ? p->shares[i].from : p->shares[i].to, from = back ? p->shares[i].to : p->shares[i].from;
    *(to < nodes ? theta + to : phi + to - nodes) += p->shares[i].share * in[from];
  }
}

void chip_phases_apply(double *applied_theta, double *applied_phi, const chip_phases *phases, const double *theta,
                       const double *phi) {
  const size_t nodes = phases->shape->n_nodes;
  double *const driven = phases->scratch;
  for (size_t k = 0; k < nodes; k++) {
    applied_theta[k] = set(&driven[k], phases, k, theta[k], phases->period.theta);
    applied_phi[k] = set(&driven[nodes + k], phases, nodes + k, phi[k], phases->period.phi);
  }
  if (phases->shares)
    add_shares(applied_theta, applied_phi, phases, driven, false);
  else if (phases->mixes)
    mix(applied_theta, applied_phi, phases, driven, false);
  const bool apart = phases->driver && phases->mixes && !phases->shares; /* what mix() has left out */
  for (size_t k = 0; k < nodes; k++) {
    applied_theta[k] += phases->error[k] + (apart ? phases->offset[k] : 0);
    applied_phi[k] += phases->error[nodes + k] + (apart ? phases->offset[nodes + k] : 0);
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
  if (phases->shares)
    add_shares(d_theta, d_phi, phases, phases->scratch, true);
  else
    mix(d_theta, d_phi, phases, phases->scratch, true);
}
