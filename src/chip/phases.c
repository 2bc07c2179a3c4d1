#include "chip/phases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

static void set_weights(chip_phases *out, const cuonn_chip_options *chip) {
  for (size_t i = 0; i <= kCrosstalkReach; i++) {
    for (size_t j = 0; j <= kCrosstalkReach; j++) {
      const size_t square = i * i + j * j; /* of twice the distance */
      const bool near = square <= (size_t)kCrosstalkReach * kCrosstalkReach;
      out->weight[i][j] = near ? chip->crosstalk * exp(-sqrt((double)square) / 2 / chip->crosstalk_decay) : 0;
    }
  }
  out->weight[0][0] = 1;
}

cuonn_status chip_phases_create(chip_phases *out, const cuonn_chip_options *chip, uint32_t layer, size_t n_modes) {
  const size_t nodes = cuonn_mesh_nodes(n_modes);
  const random_place place = {chip->seed, RANDOM_PHASE_ERROR, layer, 0};
  cuonn_status status = CUONN_OK;
  memset(out, 0, sizeof *out);
  out->n_modes = n_modes;
  out->bits = chip->phase_bits;
  out->mixes = chip->crosstalk > 0;
  set_weights(out, chip);
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
  free(phases->error);
  free(phases->scratch);
  memset(phases, 0, sizeof *phases);
}

/* The nearest multiple of 2 pi / 2^bits in [0, 2 pi], ties to even; 0 bits: the phase itself. */
static double quantize(double phase, size_t bits) {
  if (bits == 0) return phase;
  const double turn = 2 * M_PI, step = turn / (double)((size_t)1 << bits);
  double rest = fmod(phase, turn);
  if (rest < 0) rest += turn;
  return rint(rest / step) * step;
}

/* What arrives at one shifter. In half pitches, the shifters of the node in column c whose upper waveguide is t stand at
 * row t, phi at 2c and theta at 2c + 1. phases: [2][node]; theta, phi. */
static double mixed(const chip_phases *p, const double *phases, size_t row, size_t place) {
  const size_t n = p->n_modes, nodes = cuonn_mesh_nodes(n);
  const size_t from = place > kCrosstalkReach ? place - kCrosstalkReach : 0;
  const size_t end = place + kCrosstalkReach < 2 * n - 1 ? place + kCrosstalkReach : 2 * n - 1;
  double sum = 0;
  for (size_t other = from; other <= end; other++) {
    const size_t c = other / 2, column = other > place ? other - place : place - other;
    const double *const values = phases + (other % 2 == 1 ? 0 : nodes) + cuonn_mesh_column_start(n, c);
    const size_t above = row > kCrosstalkReach ? row - kCrosstalkReach : 0;
    for (size_t t = above + (above + c) % 2; t + 1 < n && t <= row + kCrosstalkReach; t += 2) {
      sum += p->weight[t > row ? t - row : row - t][column] * values[(t - c % 2) / 2];
    }
  }
  return sum;
}

/* Crosstalk; symmetric, because a distance is, and so its own transpose. in: [2][node]. */
static void mix(double *theta, double *phi, const chip_phases *p, const double *in) {
  for (size_t c = 0, k = 0; c < p->n_modes; c++) {
    for (size_t t = c % 2; t + 1 < p->n_modes; t += 2, k++) {
      theta[k] = mixed(p, in, t, 2 * c + 1);
      phi[k] = mixed(p, in, t, 2 * c);
    }
  }
}

void chip_phases_apply(double *applied_theta, double *applied_phi, const chip_phases *phases, const double *theta,
                       const double *phi) {
  const size_t nodes = cuonn_mesh_nodes(phases->n_modes);
  double *const exact = phases->scratch;
  for (size_t k = 0; k < nodes; k++) {
    applied_theta[k] = exact[k] = quantize(theta[k], phases->bits);
    applied_phi[k] = exact[nodes + k] = quantize(phi[k], phases->bits);
  }
  if (phases->mixes) mix(applied_theta, applied_phi, phases, exact);
  for (size_t k = 0; k < nodes; k++) {
    applied_theta[k] += phases->error[k];
    applied_phi[k] += phases->error[nodes + k];
  }
}

void chip_phases_pull_back(double *d_theta, double *d_phi, const chip_phases *phases) {
  const size_t nodes = cuonn_mesh_nodes(phases->n_modes);
  if (!phases->mixes) return;
  memcpy(phases->scratch, d_theta, nodes * sizeof *d_theta);
  memcpy(phases->scratch + nodes, d_phi, nodes * sizeof *d_phi);
  mix(d_theta, d_phi, phases, phases->scratch);
}
