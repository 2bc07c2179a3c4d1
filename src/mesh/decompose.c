/* A unitary as a mesh; as a rectangular one: Clements, Humphreys, Metcalf, Kolthammer, Walmsley, Optica 3, 1460 (2016),
 * section 3.
 *
 * Elements below the diagonal are nulled along antidiagonals, from the right by the inverse of a node (mixing two
 * columns) or from the left by a node (mixing two rows), in turn. What is left is a diagonal D. The left nodes are then
 * moved to the other side of D, and every node is put into the first column in which its two waveguides are free.
 *
 * A node in style top, without errors, with s, c = sin, cos(theta/2), is
 *   i e^{i theta/2} [[e^{i phi} s, c], [e^{i phi} c, -s]].
 * Its angles come from atan2 and carg, which are defined for zeros too: no quotient of two elements is formed. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/convention.h"
#include "mesh/fit.h"
#include "mesh/shape.h"

typedef double complex complex_t;

typedef struct {
  size_t top;
  double theta, phi;
} node;

static void node_matrix(complex_t t[4], double theta, double phi) {
  const double s = sin(theta / 2), c = cos(theta / 2);
  const complex_t common = I * cexp(I * theta / 2), e = cexp(I * phi);
  t[0] = common * e * s;
  t[1] = common * c;
  t[2] = common * e * c;
  t[3] = -common * s;
}

/* U <- U T^H on columns top, top + 1, such that U[row][top] becomes 0.
 * (u T^H)_top = conj(common) (u_top e^{-i phi} s + u_bottom c) = 0. */
static node null_from_right(complex_t *u, size_t n, size_t row, size_t top) {
  const complex_t a = u[row * n + top], b = u[row * n + top + 1];
  const node found = {top, 2 * atan2(cabs(b), cabs(a)), a == 0 || b == 0 ? 0 : carg(-a / cabs(a) * conj(b) / cabs(b))};
  complex_t t[4];
  node_matrix(t, found.theta, found.phi);
  for (size_t r = 0; r < n; r++) {
    const complex_t x = u[r * n + top], y = u[r * n + top + 1];
    u[r * n + top] = x * conj(t[0]) + y * conj(t[1]);
    u[r * n + top + 1] = x * conj(t[2]) + y * conj(t[3]);
  }
  u[row * n + top] = 0;
  return found;
}

/* U <- T U on rows top, top + 1, such that U[top + 1][column] becomes 0: e^{i phi} c u_top - s u_bottom = 0. */
static node null_from_left(complex_t *u, size_t n, size_t top, size_t column) {
  const complex_t a = u[top * n + column], b = u[(top + 1) * n + column];
  const node found = {top, 2 * atan2(cabs(a), cabs(b)), a == 0 || b == 0 ? 0 : carg(b / cabs(b) * conj(a) / cabs(a))};
  complex_t t[4];
  node_matrix(t, found.theta, found.phi);
  for (size_t k = 0; k < n; k++) {
    const complex_t x = u[top * n + k], y = u[(top + 1) * n + k];
    u[top * n + k] = t[0] * x + t[1] * y;
    u[(top + 1) * n + k] = t[2] * x + t[3] * y;
  }
  u[(top + 1) * n + column] = 0;
  return found;
}

/* Into [0, 2 pi): angles that pile up over a row of nodes would lose digits. */
static double reduce(double angle) { return cuonn_phase_wrap(angle, 2 * M_PI); }

/* T^H D = D' T': T'(theta', phi') and the new angles of D (d, both radians). With D = diag(e^{i a}, e^{i b}):
 * theta' = theta,  phi' = a - b,  a' = b - phi - theta - pi,  b' = b - theta - pi. */
static node move_through_diagonal(double *d, node left) {
  const double a = d[left.top], b = d[left.top + 1];
  d[left.top] = reduce(b - left.phi - left.theta - M_PI);
  d[left.top + 1] = reduce(b - left.theta - M_PI);
  return (node){left.top, left.theta, a - b};
}

double cuonn_unitarity_error(const double *matrix, size_t n_modes) {
  double worst = 0;
  for (size_t i = 0; i < n_modes; i++) {
    for (size_t j = i; j < n_modes; j++) {
      double re = i == j ? -1 : 0, im = 0;
      for (size_t k = 0; k < n_modes; k++) {
        const double *a = matrix + 2 * (k * n_modes + i), *b = matrix + 2 * (k * n_modes + j);
        re += a[0] * b[0] + a[1] * b[1];
        im += a[0] * b[1] - a[1] * b[0];
      }
      const double error = hypot(re, im);
      if (!(error <= worst)) worst = error;
      if (isnan(worst)) return worst;
    }
  }
  return worst;
}

/* Nulls everything left of the diagonal of u, row by row from the last; right receives the nodes in the
 * order they were found: that of light in a triangular mesh. Reck, Zeilinger, Bernstein, Bertani, Phys. Rev. Lett. 73,
 * 58 (1994). */
static void null_rows(complex_t *u, size_t n, node *right, size_t *n_right) {
  for (size_t row = n - 1; row > 0; row--) {
    for (size_t top = 0; top < row; top++) right[(*n_right)++] = null_from_right(u, n, row, top);
  }
}

/* Nulls everything off the diagonal of u. right and left receive the nodes in the order they were found. */
static void null_all(complex_t *u, size_t n, node *right, size_t *n_right, node *left, size_t *n_left) {
  for (size_t i = 0; i + 1 < n; i++) {
    for (size_t j = 0; j <= i; j++) {
      if (i % 2 == 0) {
        right[(*n_right)++] = null_from_right(u, n, n - 1 - j, i - j);
      } else {
        left[(*n_left)++] = null_from_left(u, n, n + j - i - 2, j);
      }
    }
  }
}

/* Puts a node into the first column where both its waveguides are free. */
static void place(cuonn_mesh *mesh, size_t *free_column, node from) {
  const size_t top = from.top;
  const size_t column = free_column[top] > free_column[top + 1] ? free_column[top] : free_column[top + 1];
  const size_t k = shape_node_at(mesh->shape, column, top);
  mesh->theta[k] = from.theta; /* in [0, pi], by atan2 of two moduli */
  mesh->phi[k] = reduce(from.phi);
  free_column[top] = free_column[top + 1] = column + 1;
}

/* Of nodes of the kind mzi. */
static cuonn_status decompose(cuonn_mesh *mesh, const double *unitary) {
  const size_t n = mesh->n_modes, nodes = mesh->n_nodes;
  complex_t *u = NULL;
  double *angles = NULL;
  node *right = NULL, *left = NULL;
  size_t *free_column = NULL, n_right = 0, n_left = 0;
  cuonn_status status = CUONN_OK;

  CUONN_CHECK(
      cuonn_mesh_shape_is_universal(mesh->shape), CUONN_E_ARGUMENT,
      "only meshes that can have every unitary are found by decomposition: rectangular ones with as many columns "
      "as waveguides, and triangular ones");
  CUONN_CHECK(mesh->style != CUONN_STYLE_SYMMETRIC, CUONN_E_ARGUMENT,
              "phase style symmetric cannot express every unitary (its phi is common to both arms); "
              "use top, bottom or differential");
  for (size_t i = 0; i < 2 * n * n; i++) {
    CUONN_CHECK(isfinite(unitary[i]), CUONN_E_NONFINITE, "the matrix is %g at row %zu, column %zu", unitary[i],
                i / 2 / n, i / 2 % n);
  }
  const double error = cuonn_unitarity_error(unitary, n);
  CUONN_CHECK(error <= 1e-6, CUONN_E_DATA,
              "the matrix is not unitary: an element of U^H U - 1 has modulus %.3g, at most 1e-6 is allowed; cuonn "
              "decompose --nearest takes the nearest unitary",
              error);

  CUONN_TRY_DONE(cuonn_allocate(&u, n * n, sizeof *u));
  CUONN_TRY_DONE(cuonn_allocate(&angles, n, sizeof *angles));
  CUONN_TRY_DONE(cuonn_allocate(&right, nodes, sizeof *right));
  CUONN_TRY_DONE(cuonn_allocate(&left, nodes, sizeof *left));
  CUONN_TRY_DONE(cuonn_allocate(&free_column, n, sizeof *free_column));
  memcpy(u, unitary, n * n * sizeof *u);
  memset(mesh->coupler_error, 0, 2 * nodes * sizeof(double));
  memset(mesh->loss_db, 0, 2 * nodes * sizeof(double));

  if (mesh->shape->architecture == CUONN_ARCHITECTURE_TRIANGULAR)
    null_rows(u, n, right, &n_right);
  else
    null_all(u, n, right, &n_right, left, &n_left);
  for (size_t w = 0; w < n; w++) angles[w] = carg(u[w * n + w]);

  /* U = left_1^H ... left_k^H D right_m ... right_1: light meets right_1 first, the moved left_k right after D's right
   * side. */
  for (size_t k = 0; k < n_right; k++) place(mesh, free_column, right[k]);
  for (size_t k = n_left; k-- > 0;) place(mesh, free_column, move_through_diagonal(angles, left[k]));
  for (size_t w = 0; w < n; w++) mesh->gamma[w] = reduce(angles[w]);
  CUONN_TRY_DONE(
      cuonn_mesh_convert(mesh, cuonn_convention_of_style(CUONN_STYLE_TOP), cuonn_convention_of_style(mesh->style)));
done:
  free(free_column);
  free(left);
  free(right);
  free(angles);
  free(u);
  return status;
}

cuonn_status cuonn_mesh_decompose(cuonn_mesh *mesh, const double *unitary) {
  const size_t nodes = mesh->n_nodes;
  cuonn_mesh_shape *shape = NULL;
  cuonn_mesh plain = {0};
  cuonn_status status = CUONN_OK;
  if (mesh->shape->node == CUONN_NODE_MZI) return decompose(mesh, unitary);
  CUONN_TRY_DONE(cuonn_mesh_shape_with_node(&shape, mesh->shape, CUONN_NODE_MZI));
  CUONN_TRY_DONE(cuonn_mesh_create_shaped(&plain, shape, mesh->style));
  CUONN_TRY_DONE(decompose(&plain, unitary));
  memcpy(mesh->theta, plain.theta, nodes * sizeof(double));
  memcpy(mesh->phi, plain.phi, nodes * sizeof(double));
  memcpy(mesh->gamma, plain.gamma, mesh->n_modes * sizeof(double));
  memset(mesh->coupler_error, 0, shape_couplers(mesh->shape) * nodes * sizeof(double));
  memset(mesh->loss_db, 0, 2 * nodes * sizeof(double));
  status = mesh_from_mzi(mesh);
done:
  cuonn_mesh_free(&plain);
  cuonn_mesh_shape_free(shape);
  return status;
}
