/* What a node is made of, for backends that compute with coefficients: the arms of each phase style, couplers, losses.
 * The backend `reference` spells these out by itself on purpose: it is what the others are tested against. */
#ifndef CUONN_MESH_NODE_H
#define CUONN_MESH_NODE_H

#include <complex.h>
#include <stdbool.h>

#include "cuonn/mesh.h"

/* By how much a radian of theta and of phi turns the top and the bottom arm. */
typedef struct {
  double theta[2], phi[2];
} node_arms;

node_arms node_arms_of(cuonn_phase_style style);

/* The arm that a lossy theta shifter weakens, 0 top, 1 bottom; in the styles top and bottom it holds both shifters. In
 * push-pull, theta's loss is that of the top arm. */
static inline size_t node_lossy_arm(const node_arms *arms) { return arms->theta[0] != 0 ? 0 : 1; }

/* phi turns both arms alike, so that it cannot be seen in the moduli behind a node. */
static inline bool node_phi_is_common(const node_arms *arms) { return arms->phi[0] == arms->phi[1]; }

/* What does not change in training: couplers as cosine and sine of pi/4 + error, amplitudes that the shifters pass. A
 * crossing X makes X K(e) = i K(e - pi/2): right is the coupler of e - pi/2, and the factor i stands apart. first is
 * the coupler in front of phi, 1 and 0 where there is none. */
typedef struct {
  double left[2], right[2], theta_amplitude, phi_amplitude, first[2];
  bool crossing;
} node_fixed;

node_fixed node_fixed_of(const cuonn_mesh *mesh, size_t node);
/* Of a node of this kind without errors and losses. */
node_fixed node_fixed_ideal(cuonn_node_kind kind);
/* out: [node], of all nodes. */
void node_fixed_fill(node_fixed *out, const cuonn_mesh *mesh);

/* Factors of the top and the bottom arm; light meets the first coupler, outer (phi), left coupler, inner (theta), right
 * coupler, which may cross. A coupler is [[a, b], [b, a]], of determinant 1, but -1 where it crosses. */
typedef struct {
  double complex outer[2], inner[2], left[2], right[2], first[2];
  double determinant; /* of all couplers */
} node_stages;

/* From e^{i w theta} and e^{i w phi}, where w is the larger modulus of the weights of the two arms. */
node_stages node_stages_from(const node_fixed *fixed, const node_arms *arms, double complex turn_theta,
                             double complex turn_phi);
/* That w. */
double node_turn_weight(const double weights[2]);
node_stages node_stages_of(const node_fixed *fixed, const node_arms *arms, double theta, double phi);

/* The matrix of a node behind its first coupler; m[i][j] is what arm i gets of arm j. */
static inline void node_matrix_of(double complex m[2][2], const node_stages *stages) {
  for (size_t i = 0; i < 2; i++) {
    for (size_t j = 0; j < 2; j++) {
      const double complex upper = stages->right[i] * stages->inner[0] * stages->left[j];
      const double complex lower = stages->right[1 - i] * stages->inner[1] * stages->left[1 - j];
      m[i][j] = (upper + lower) * stages->outer[j];
    }
  }
}

#endif
