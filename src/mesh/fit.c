/* Bandyopadhyay, Hamerly, Englund, Optica 8, 1247 (2021): each node gets the splitting of the node that it stands for,
 * or the nearest that its couplers allow, and what is then left are phases at its outputs, which later nodes take.
 *
 * A node of any kind is an MZI between what it has in front, a coupler or nothing, and what it has behind, a crossing
 * or nothing. Both can be undone, and leave the matrix that the MZI has to have, which is any unitary one, since phases
 * that are left over go on (Hamerly, Bandyopadhyay, Englund, Nat. Commun. 13, 6831 (2022)). */
#include "mesh/fit.h"

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
  const double *const coupler = mesh->coupler_error + shape_couplers(mesh->shape) * node;
  const double *const loss = mesh->loss_db + 2 * node;
  return (node_errors){coupler[0] + coupler[1], coupler[0] - coupler[1], loss[0] * M_LN10 / 20, loss[1] * M_LN10 / 20};
}

/* The matrix of an MZI, eq. 44: sums and differences of errors, so that what vanishes without them is exactly 0. A
 * lossy theta is a complex one. */
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

/* theta of the splitting nearest to the wanted one, eq. 45. s, c: amplitudes that pass straight and cross. */
static double reach(const node_errors *e, double s, double c, bool *out_of_reach) {
  const double lowest = sin(e->sum), rest = sin(e->difference);
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

/* m K for a coupler of angle `angle`, or, with a negative one, for its inverse. */
static void couple_columns(complex_t m[2][2], double angle) {
  const complex_t straight = cos(angle), across = I * sin(angle);
  for (size_t row = 0; row < 2; row++) {
    const complex_t first = m[row][0], second = m[row][1];
    m[row][0] = first * straight + second * across;
    m[row][1] = first * across + second * straight;
  }
}

/* Exchanges two things of one kind. */
#define EXCHANGE(type, a, b) \
  do {                       \
    const type kept = (a);   \
    (a) = (b);               \
    (b) = kept;              \
  } while (0)

/* From which nodes to which. */
typedef struct {
  cuonn_mesh *mesh;
  node_arms arms;
  cuonn_node_kind from, to;
  bool errors; /* the mesh's own count */
} fit;

/* What the MZI of a node has to be. */
typedef struct {
  complex_t m[2][2];
  double straight, across; /* amplitudes of m */
  double between;          /* angle by which its first column is ahead of the second */
} wanted;

/* carried: angles that arrive at the node's two waveguides; ideal: that between the columns of (5) at phi = 0. */
static wanted wanted_of(const fit *f, size_t node, double *const carried[2], double ideal) {
  static const node_errors none;
  const double theta = f->mesh->theta[node], phi = f->mesh->phi[node], turn = f->arms.phi[0] - f->arms.phi[1];
  wanted w = {.straight = sin(theta / 2), .across = cos(theta / 2)};
  w.between = turn * phi + *carried[0] - *carried[1] + ideal;
  node_matrix(w.m, &none, &f->arms, theta, phi);
  if (f->from == CUONN_NODE_MZI3) couple_columns(w.m, M_PI / 4);
  for (size_t row = 0; row < 2; row++) {
    for (size_t column = 0; column < 2; column++) w.m[row][column] *= cexp(I * *carried[column]);
  }
  if (f->to == CUONN_NODE_MZI3) {
    couple_columns(w.m, -M_PI / 4 - (f->errors ? f->mesh->coupler_error[3 * node + 2] : 0));
    w.straight = cabs(w.m[0][0]);
    w.across = cabs(w.m[0][1]);
    w.between = angle_between_columns(w.m, ideal);
  }
  if ((f->from == CUONN_NODE_MZIX) != (f->to == CUONN_NODE_MZIX)) {
    for (size_t column = 0; column < 2; column++) EXCHANGE(complex_t, w.m[0][column], w.m[1][column]);
    EXCHANGE(double, w.straight, w.across);
    w.between += M_PI;
  }
  return w;
}

/* One node: its phases become those that fit. carried: angles that arrive at its two waveguides, then those that it
 * hands on. */
static bool fit_node(const fit *f, size_t node, double *const carried[2]) {
  const node_errors errors = f->errors ? errors_of(f->mesh, node) : (node_errors){0};
  const double ideal = f->arms.theta[0] > f->arms.theta[1] ? 0 : M_PI, turn = f->arms.phi[0] - f->arms.phi[1];
  const size_t crosses = f->to == CUONN_NODE_MZIX;
  const wanted want = wanted_of(f, node, carried, ideal);
  complex_t have[2][2];
  bool out_of_reach;
  const double theta = reach(&errors, want.straight, want.across, &out_of_reach);
  node_matrix(have, &errors, &f->arms, theta, 0);
  const double phi = cuonn_phase_wrap((want.between - angle_between_columns(have, ideal)) / turn, 2 * M_PI);
  node_matrix(have, &errors, &f->arms, theta, phi);
  for (size_t row = 0; row < 2; row++) {
    const complex_t sum = want.m[row][0] * conj(have[row][0]) + want.m[row][1] * conj(have[row][1]);
    *carried[row ^ crosses] = cuonn_phase_wrap(carg(sum), 2 * M_PI);
  }
  f->mesh->theta[node] = theta;
  f->mesh->phi[node] = phi;
  return !out_of_reach;
}

static cuonn_status fit_nodes(const fit *f, size_t *out_of_reach) {
  cuonn_mesh *const mesh = f->mesh;
  double *carried;
  *out_of_reach = 0;
  CUONN_TRY(cuonn_allocate(&carried, mesh->n_modes, sizeof *carried));
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    const uint32_t *const pair = mesh->shape->pairs[k];
    if (!fit_node(f, k, (double *[2]){carried + pair[0], carried + pair[1]})) (*out_of_reach)++;
  }
  for (size_t w = 0; w < mesh->n_modes; w++) {
    mesh->gamma[w] = cuonn_phase_wrap(mesh->gamma[w] + carried[w], 2 * M_PI);
  }
  free(carried);
  return CUONN_OK;
}

cuonn_status mesh_correct(cuonn_mesh *mesh, size_t *out_of_reach) {
  const fit f = {mesh, node_arms_of(mesh->style), mesh->shape->node, mesh->shape->node, true};
  return fit_nodes(&f, out_of_reach);
}

cuonn_status mesh_from_mzi(cuonn_mesh *mesh) {
  const fit f = {mesh, node_arms_of(mesh->style), CUONN_NODE_MZI, mesh->shape->node, false};
  size_t out_of_reach; /* none is */
  return mesh->shape->node == CUONN_NODE_MZI ? CUONN_OK : fit_nodes(&f, &out_of_reach);
}
