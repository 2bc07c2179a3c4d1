/* Miller, Opt. Express 25, 29233 (2017): for each node, light is sent in that would leave it by its lower waveguide
 * alone if the chip were what it should be; its phases are turned until that is so. Phases at the outputs of the nodes
 * before it, which are unknown, are then made up for, too. */
#include "programming/nulling.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mesh/shape.h"
#include "programming/readings.h"
#include "programming/sinusoid.h"

typedef double complex complex_t;

/* Least power of all theta and phi, eq. 48, from phases near it on: of each phase while the other stays, in turn. */
static void find_null(double *theta, double *phi, double powers[kSettings][kSettings]) {
  enum { kMost = 1000 }; /* turns; a handful is enough unless errors are as large as the couplers' angles */
  double by_phi[kSettings][3], coefficients[3][3], c[3], moved = 1;
  for (size_t i = 0; i < kSettings; i++) sinusoid(by_phi[i], powers[i]);
  for (size_t j = 0; j < 3; j++) sinusoid(coefficients[j], (double[]){by_phi[0][j], by_phi[1][j], by_phi[2][j]});
  for (size_t turn = 0; turn < kMost && moved > 1e-15; turn++) {
    const double from = *theta;
    for (size_t j = 0; j < 3; j++) c[j] = sinusoid_at(coefficients[j], *theta);
    *phi = sinusoid_least(c, *phi);
    for (size_t i = 0; i < 3; i++) {
      c[i] = coefficients[0][i] + coefficients[1][i] * cos(*phi) + coefficients[2][i] * sin(*phi);
    }
    *theta = sinusoid_least(c, *theta);
    moved = fabs(remainder(*theta - from, 2 * M_PI));
  }
}

/* Light that leaves `node` of the mesh without errors by its lower waveguide alone, eq. 47. */
static void aim(complex_t *in, const cuonn_mesh *mesh, const node_product *ideal, size_t node) {
  memset(in, 0, mesh->n_modes * sizeof *in);
  in[mesh->shape->pairs[node][1]] = 1;
  for (size_t k = node + 1; k-- > 0;) {
    const uint32_t *const pair = mesh->shape->pairs[k];
    const complex_t upper = in[pair[0]], lower = in[pair[1]];
    if (upper == 0 && lower == 0) continue;
    in[pair[0]] = conj(ideal[k].m[0][0]) * upper + conj(ideal[k].m[1][0]) * lower;
    in[pair[1]] = conj(ideal[k].m[0][1]) * upper + conj(ideal[k].m[1][1]) * lower;
  }
}

static void null_node(cuonn_mesh *chip, programming_readings *readings, size_t node) {
  double powers[kSettings][kSettings];
  for (size_t i = 0; i < kSettings; i++) {
    for (size_t j = 0; j < kSettings; j++) {
      programming_set(readings, node, setting(i), setting(j));
      powers[i][j] = programming_read_node(readings, node, 0);
    }
  }
  double theta = chip->theta[node], phi = chip->phi[node];
  find_null(&theta, &phi, powers);
  chip->theta[node] = cuonn_phase_wrap(theta, 2 * M_PI);
  chip->phi[node] = cuonn_phase_wrap(phi, 2 * M_PI);
  programming_set(readings, node, chip->theta[node], chip->phi[node]);
}

/* gamma: light that should leave by this output alone interferes with a reference, eq. 49. */
static void turn_output(cuonn_mesh *chip, programming_readings *readings, complex_t *in, const complex_t *row,
                        size_t output) {
  double values[kSettings], c[3];
  for (size_t w = 0; w < chip->n_modes; w++) in[w] = conj(row[w]);
  programming_send(readings, in, chip->n_nodes);
  for (size_t i = 0; i < kSettings; i++) values[i] = programming_read_output(readings, output, setting(i));
  sinusoid(c, values);
  chip->gamma[output] = cuonn_phase_wrap(sinusoid_least(c, chip->gamma[output] + M_PI) + M_PI, 2 * M_PI);
}

cuonn_status programming_nulling(cuonn_mesh *chip, size_t *count, const double *unitary, double tap_shot,
                                 uint64_t seed) {
  const node_fixed none = node_fixed_ideal(chip->shape->node);
  const size_t n = chip->n_modes;
  programming_readings readings = {0};
  node_product *ideal = NULL;
  complex_t *in = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(programming_readings_create(&readings, chip, tap_shot, seed));
  CUONN_TRY_DONE(cuonn_allocate(&ideal, chip->n_nodes, sizeof *ideal));
  CUONN_TRY_DONE(cuonn_allocate(&in, n, sizeof *in));
  for (size_t k = 0; k < chip->n_nodes; k++) {
    ideal[k] = node_product_of(&none, &readings.arms, chip->theta[k], chip->phi[k]);
  }
  for (size_t k = 0; k < chip->n_nodes; k++) {
    aim(in, chip, ideal, k);
    programming_send(&readings, in, k);
    null_node(chip, &readings, k);
  }
  for (size_t w = 0; w < n; w++) turn_output(chip, &readings, in, (const complex_t *)unitary + w * n, w);
  *count = readings.count;
done:
  free(in);
  free(ideal);
  programming_readings_free(&readings);
  return status;
}
