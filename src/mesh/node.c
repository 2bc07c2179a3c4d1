#include "mesh/node.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

node_arms node_arms_of(cuonn_phase_style style) {
  switch (style) { /* no default: the compiler warns of a missing style */
    case CUONN_STYLE_TOP: return (node_arms){{1, 0}, {1, 0}};
    case CUONN_STYLE_BOTTOM: return (node_arms){{0, 1}, {0, 1}};
    case CUONN_STYLE_SYMMETRIC: return (node_arms){{.5, -.5}, {1, 1}};
    case CUONN_STYLE_DIFFERENTIAL: return (node_arms){{.5, -.5}, {-.5, .5}};
  }
  abort(); /* cuonn_mesh_check() lets no other style pass */
}

node_fixed node_fixed_of(const cuonn_mesh *mesh, size_t node) {
  const double left = M_PI / 4 + mesh->coupler_error[2 * node], right = M_PI / 4 + mesh->coupler_error[2 * node + 1];
  return (node_fixed){.left = {cos(left), sin(left)},
                      .right = {cos(right), sin(right)},
                      .theta_amplitude = pow(10, -mesh->loss_db[2 * node] / 20),
                      .phi_amplitude = pow(10, -mesh->loss_db[2 * node + 1] / 20)};
}

/* Sines and powers are dear: a node with the errors of the one before is as that. */
void node_fixed_fill(node_fixed *out, const cuonn_mesh *mesh) {
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    const double *const error = mesh->coupler_error + 2 * k, *const loss = mesh->loss_db + 2 * k;
    const bool again =
        k > 0 && error[0] == error[-2] && error[1] == error[-1] && loss[0] == loss[-2] && loss[1] == loss[-1];
    out[k] = again ? out[k - 1] : node_fixed_of(mesh, k);
  }
}

/* The factor of an arm that a phase turns by `weight`; turn = e^{i |weight| phase}. */
static double complex shifter(double weight, double amplitude, double complex turn) {
  return weight == 0 ? 1 : amplitude * (weight < 0 ? conj(turn) : turn);
}

node_stages node_stages_from(const node_fixed *fixed, const node_arms *arms, double complex turn_theta,
                             double complex turn_phi) {
  const double bottom_theta = node_lossy_arm(arms) == 0 ? 1 : fixed->theta_amplitude;
  return (node_stages){.inner = {shifter(arms->theta[0], fixed->theta_amplitude, turn_theta),
                                 shifter(arms->theta[1], bottom_theta, turn_theta)},
                       .outer = {shifter(arms->phi[0], fixed->phi_amplitude, turn_phi),
                                 shifter(arms->phi[1], fixed->phi_amplitude, turn_phi)},
                       .left = {fixed->left[0], I * fixed->left[1]},
                       .right = {fixed->right[0], I * fixed->right[1]}};
}

double node_turn_weight(const double weights[2]) { return fmax(fabs(weights[0]), fabs(weights[1])); }

static double complex turn(double angle) { return cos(angle) + I * sin(angle); }

node_stages node_stages_of(const node_fixed *fixed, const node_arms *arms, double theta, double phi) {
  return node_stages_from(fixed, arms, turn(node_turn_weight(arms->theta) * theta),
                          turn(node_turn_weight(arms->phi) * phi));
}
