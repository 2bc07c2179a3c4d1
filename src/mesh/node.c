#include "mesh/node.h"

#include <math.h>
#include <stdlib.h>

#include "mesh/shape.h"

node_arms node_arms_of(cuonn_phase_style style) {
  switch (style) { /* no default: the compiler warns of a missing style */
    case CUONN_STYLE_TOP: return (node_arms){{1, 0}, {1, 0}};
    case CUONN_STYLE_BOTTOM: return (node_arms){{0, 1}, {0, 1}};
    case CUONN_STYLE_SYMMETRIC: return (node_arms){{.5, -.5}, {1, 1}};
    case CUONN_STYLE_DIFFERENTIAL: return (node_arms){{.5, -.5}, {-.5, .5}};
  }
  abort(); /* cuonn_mesh_check() lets no other style pass */
}

/* From errors [couplers] and losses [2]. */
static node_fixed fixed_from(cuonn_node_kind kind, const double *error, const double *loss) {
  const bool crossing = kind == CUONN_NODE_MZIX;
  const double left = M_PI / 4 + error[0], right = M_PI / 4 + error[1] - (crossing ? M_PI / 2 : 0);
  node_fixed out = {.left = {cos(left), sin(left)},
                    .right = {cos(right), sin(right)},
                    .theta_amplitude = pow(10, -loss[0] / 20),
                    .phi_amplitude = pow(10, -loss[1] / 20),
                    .first = {1, 0},
                    .crossing = crossing};
  if (kind == CUONN_NODE_MZI3) out.first[0] = cos(M_PI / 4 + error[2]), out.first[1] = sin(M_PI / 4 + error[2]);
  return out;
}

node_fixed node_fixed_of(const cuonn_mesh *mesh, size_t node) {
  const size_t couplers = shape_couplers(mesh->shape);
  return fixed_from(mesh->shape->node, mesh->coupler_error + couplers * node, mesh->loss_db + 2 * node);
}

node_fixed node_fixed_ideal(cuonn_node_kind kind) {
  const double half = M_SQRT1_2;
  const bool crossing = kind == CUONN_NODE_MZIX, third = kind == CUONN_NODE_MZI3;
  return (node_fixed){.left = {half, half},
                      .right = {half, crossing ? -half : half},
                      .theta_amplitude = 1,
                      .phi_amplitude = 1,
                      .first = {third ? half : 1, third ? half : 0},
                      .crossing = crossing};
}

/* Sines and powers are dear: a node with the errors of the one before is as that. */
void node_fixed_fill(node_fixed *out, const cuonn_mesh *mesh) {
  const size_t couplers = shape_couplers(mesh->shape);
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    const double *const error = mesh->coupler_error + couplers * k, *const loss = mesh->loss_db + 2 * k;
    bool again = k > 0 && loss[0] == loss[-2] && loss[1] == loss[-1];
    for (size_t i = 0; i < couplers && again; i++) again = error[i] == *(error + i - couplers);
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
                       .right = {fixed->crossing ? I * fixed->right[0] : fixed->right[0],
                                 fixed->crossing ? -fixed->right[1] : I * fixed->right[1]},
                       .first = {fixed->first[0], I * fixed->first[1]},
                       .determinant = fixed->crossing ? -1 : 1};
}

double node_turn_weight(const double weights[2]) { return fmax(fabs(weights[0]), fabs(weights[1])); }

static double complex turn(double angle) { return cos(angle) + I * sin(angle); }

node_stages node_stages_of(const node_fixed *fixed, const node_arms *arms, double theta, double phi) {
  return node_stages_from(fixed, arms, turn(node_turn_weight(arms->theta) * theta),
                          turn(node_turn_weight(arms->phi) * phi));
}
