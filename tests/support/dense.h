/* Meshes by slow, obvious linear algebra, and meshes with everything random. Nothing of the library's own computing. */
#ifndef CUONN_TESTS_DENSE_H
#define CUONN_TESTS_DENSE_H

#include <complex.h>
#include <math.h>
#include <stddef.h>

#include "cuonn/mesh.h"
#include "support/chance.h"

/* The stages of one node as 2 x 2 matrices: out = right theta left phi first in; right crosses in nodes mzix. */
typedef struct {
  double complex phi[2], left[2][2], theta[2], right[2][2], first[2][2];
} dense_node;

static inline void dense_coupler(double complex m[2][2], double error) {
  m[0][0] = m[1][1] = cos(M_PI / 4 + error);
  m[0][1] = m[1][0] = I * sin(M_PI / 4 + error);
}

static inline dense_node dense_node_of(const cuonn_mesh *mesh, size_t k) {
  const double theta = mesh->theta[k], phi = mesh->phi[k];
  const double at = pow(10, -mesh->loss_db[2 * k] / 20), ap = pow(10, -mesh->loss_db[2 * k + 1] / 20);
  const cuonn_node_kind kind = cuonn_mesh_shape_node(mesh->shape);
  const double *const error = mesh->coupler_error + cuonn_node_kind_couplers(kind) * k;
  dense_node n;
  dense_coupler(n.left, error[0]);
  dense_coupler(n.right, error[1]);
  dense_coupler(n.first, kind == CUONN_NODE_MZI3 ? error[2] : -M_PI / 4);
  if (kind == CUONN_NODE_MZIX) {
    n.right[0][0] = n.right[1][1] = I * sin(M_PI / 4 + error[1]);
    n.right[0][1] = n.right[1][0] = cos(M_PI / 4 + error[1]);
  }
  switch (mesh->style) {
    case CUONN_STYLE_TOP:
      n.theta[0] = at * cexp(I * theta), n.theta[1] = 1;
      n.phi[0] = ap * cexp(I * phi), n.phi[1] = 1;
      break;
    case CUONN_STYLE_BOTTOM:
      n.theta[0] = 1, n.theta[1] = at * cexp(I * theta);
      n.phi[0] = 1, n.phi[1] = ap * cexp(I * phi);
      break;
    case CUONN_STYLE_SYMMETRIC:
      n.theta[0] = at * cexp(I * theta / 2), n.theta[1] = cexp(-I * theta / 2);
      n.phi[0] = n.phi[1] = ap * cexp(I * phi);
      break;
    case CUONN_STYLE_DIFFERENTIAL:
      n.theta[0] = at * cexp(I * theta / 2), n.theta[1] = cexp(-I * theta / 2);
      n.phi[0] = ap * cexp(-I * phi / 2), n.phi[1] = ap * cexp(I * phi / 2);
      break;
  }
  return n;
}

/* u[row][column]: every node, in node order, multiplies two rows; then gamma. */
static inline void dense_matrix(double complex *u, const cuonn_mesh *mesh) {
  const size_t n = mesh->n_modes;
  for (size_t i = 0; i < n * n; i++) u[i] = i % (n + 1) == 0;
  for (size_t c = 0; c + 1 < cuonn_mesh_shape_columns(mesh->shape); c++) {
    const cuonn_mesh_column column = cuonn_mesh_shape_column(mesh->shape, c);
    for (size_t at = 0; at < column.count; at++) {
      const size_t top = column.pairs[at][0], bottom = column.pairs[at][1];
      const dense_node d = dense_node_of(mesh, column.first + at);
      double complex m[2][2], whole[2][2];
      for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++) {
          m[i][j] = (d.right[i][0] * d.theta[0] * d.left[0][j] + d.right[i][1] * d.theta[1] * d.left[1][j]) * d.phi[j];
        }
      }
      for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++) whole[i][j] = m[i][0] * d.first[0][j] + m[i][1] * d.first[1][j];
      }
      for (size_t j = 0; j < n; j++) {
        const double complex a = u[top * n + j], b = u[bottom * n + j];
        u[top * n + j] = whole[0][0] * a + whole[0][1] * b;
        u[bottom * n + j] = whole[1][0] * a + whole[1][1] * b;
      }
    }
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) u[i * n + j] *= cexp(I * mesh->gamma[i]);
  }
}

/* Phases uniform over several turns; coupler errors of up to `error` radians and losses of up to `loss` dB. */
static inline void dense_random(cuonn_mesh *mesh, chance *c, double error, double loss) {
  const size_t nodes = mesh->n_nodes, couplers = cuonn_node_kind_couplers(cuonn_mesh_shape_node(mesh->shape));
  for (size_t k = 0; k < nodes; k++) {
    mesh->theta[k] = chance_uniform(c, -7, 7);
    mesh->phi[k] = chance_uniform(c, -7, 7);
    for (size_t s = 0; s < 2; s++) {
      mesh->coupler_error[couplers * k + s] = chance_uniform(c, -error, error);
      mesh->loss_db[2 * k + s] = chance_uniform(c, 0, loss);
    }
    if (couplers > 2) mesh->coupler_error[couplers * k + 2] = chance_uniform(c, -error, error);
  }
  for (size_t w = 0; w < mesh->n_modes; w++) mesh->gamma[w] = chance_uniform(c, -7, 7);
}

#endif
