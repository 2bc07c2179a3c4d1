/* Bandyopadhyay, Hamerly, Englund, Optica 8, 1247 (2021): each node gets the splitting of the node that it stands for,
 * or the nearest that its couplers allow, and what is then left are phases at its outputs, which later nodes take. */
#include "programming/local.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "mesh/node.h"
#include "mesh/shape.h"

typedef double complex complex_t;

/* Couplers and losses of a node; all zero without errors. */
typedef struct {
  double sum, difference;        /* of left and right coupler error, radians */
  double theta_decay, phi_decay; /* logarithm of the amplitude that the shifters lose */
} node_errors;

static node_errors errors_of(const cuonn_mesh *mesh, size_t node) {
  const double *const coupler = mesh->coupler_error + 2 * node, *const loss = mesh->loss_db + 2 * node;
  return (node_errors){coupler[0] + coupler[1], coupler[0] - coupler[1], loss[0] * M_LN10 / 20, loss[1] * M_LN10 / 20};
}

/* The node's matrix, eq. 44: sums and differences of errors, so that what vanishes without them is exactly 0. A lossy
 * theta is a complex one. */
static void node_matrix(complex_t m[2][2], const node_errors *e, const node_arms *arms, double theta, double phi) {
  const complex_t half = (theta + I * e->theta_decay) * (arms->theta[0] - arms->theta[1]) / 2;
  const complex_t common = cexp((I * theta * (arms->theta[0] + arms->theta[1]) - e->theta_decay) / 2);
  const complex_t s = csin(half), c = ccos(half);
  m[0][0] = common * (I * cos(e->difference) * s - sin(e->sum) * c);
  m[0][1] = common * (I * cos(e->sum) * c - sin(e->difference) * s);
  m[1][0] = common * (I * cos(e->sum) * c + sin(e->difference) * s);
  m[1][1] = common * (-I * cos(e->difference) * s - sin(e->sum) * c);
  for (size_t arm = 0; arm < 2; arm++) {
    if (arms->phi[arm] == 0) continue;
    const complex_t turn = cexp(I * arms->phi[arm] * phi - e->phi_decay);
    m[0][arm] *= turn;
    m[1][arm] *= turn;
  }
}

/* theta of the splitting nearest to that of an ideal node, eq. 45. */
static double reach(const node_errors *e, double theta, bool *out_of_reach) {
  const double lowest = sin(e->sum), rest = sin(e->difference), s = sin(theta / 2), c = cos(theta / 2);
  const double sign = cos(e->sum + e->difference) * cos(e->sum - e->difference) < 0 ? -1 : 1; /* beyond pi/4 */
  const double bar = sign * (s * s - lowest * lowest), cross = sign * (c * c - rest * rest);
  *out_of_reach = bar < 0 || cross < 0;
  return 2 * atan2(sqrt(fmax(bar, 0)), sqrt(fmax(cross, 0)));
}

/* Angle by which the first column of a node is ahead of the second, as both rows see it; `otherwise` where light passes
 * straight or crosses, and none is seen. */
static double angle_between_columns(complex_t m[2][2], double otherwise) {
  const complex_t sum = m[0][0] * conj(m[0][1]) - m[1][0] * conj(m[1][1]);
  return sum == 0 ? otherwise : carg(sum);
}

/* One node: ideal phases become corrected ones. carried: angles that arrive at its two waveguides, then those that it
 * hands on. */
static bool correct(cuonn_mesh *chip, size_t node, const node_arms *arms, double *carried[2]) {
  const node_errors none = {0}, errors = errors_of(chip, node);
  const double ideal = arms->theta[0] > arms->theta[1] ? 0 : M_PI; /* between the columns of (5) at phi = 0 */
  const double turn = arms->phi[0] - arms->phi[1];
  complex_t want[2][2], have[2][2];
  bool out_of_reach;
  node_matrix(want, &none, arms, chip->theta[node], chip->phi[node]);
  const double theta = reach(&errors, chip->theta[node], &out_of_reach);
  node_matrix(have, &errors, arms, theta, 0);
  const double between = turn * chip->phi[node] + *carried[0] - *carried[1] + ideal;
  const double phi = cuonn_phase_wrap((between - angle_between_columns(have, ideal)) / turn, 2 * M_PI);
  node_matrix(have, &errors, arms, theta, phi);
  const complex_t in[2] = {cexp(I * *carried[0]), cexp(I * *carried[1])};
  for (size_t row = 0; row < 2; row++) {
    const complex_t sum = want[row][0] * in[0] * conj(have[row][0]) + want[row][1] * in[1] * conj(have[row][1]);
    *carried[row] = cuonn_phase_wrap(carg(sum), 2 * M_PI);
  }
  chip->theta[node] = theta;
  chip->phi[node] = phi;
  return !out_of_reach;
}

cuonn_status programming_local(cuonn_mesh *chip, size_t *out_of_reach) {
  const node_arms arms = node_arms_of(chip->style);
  double *carried;
  *out_of_reach = 0;
  CUONN_TRY(cuonn_allocate(&carried, chip->n_modes, sizeof *carried));
  for (size_t k = 0; k < chip->n_nodes; k++) {
    const uint32_t *const pair = chip->shape->pairs[k];
    if (!correct(chip, k, &arms, (double *[2]){carried + pair[0], carried + pair[1]})) (*out_of_reach)++;
  }
  for (size_t w = 0; w < chip->n_modes; w++) {
    chip->gamma[w] = cuonn_phase_wrap(chip->gamma[w] + carried[w], 2 * M_PI);
  }
  free(carried);
  return CUONN_OK;
}
