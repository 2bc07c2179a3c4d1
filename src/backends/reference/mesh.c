#include "reference/mesh.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"

cuonn_status reference_mesh_create(reference_mesh *out, size_t n_modes) {
  memset(out, 0, sizeof *out);
  out->n_modes = n_modes;
  CUONN_TRY(cuonn_allocate(&out->nodes, cuonn_mesh_nodes(n_modes), sizeof *out->nodes));
  return cuonn_allocate(&out->gamma, n_modes, sizeof *out->gamma);
}

void reference_mesh_free(reference_mesh *mesh) {
  free(mesh->nodes);
  free(mesh->gamma);
  memset(mesh, 0, sizeof *mesh);
}

static void set_coupler(complex_t coupler[2], double error) {
  coupler[0] = cos(M_PI / 4 + error);
  coupler[1] = I * sin(M_PI / 4 + error);
}

static double amplitude(double loss_db) { return pow(10, -loss_db / 20); }

static void set_shifters(reference_node *node, cuonn_phase_style style, double theta, double phi,
                         const double loss_db[2]) {
  const double at = amplitude(loss_db[0]), ap = amplitude(loss_db[1]);
  node->inner[0] = node->inner[1] = node->outer[0] = node->outer[1] = 1;
  switch (style) {
    case CUONN_STYLE_TOP:
      node->inner[0] = at * cexp(I * theta);
      node->outer[0] = ap * cexp(I * phi);
      break;
    case CUONN_STYLE_BOTTOM:
      node->inner[1] = at * cexp(I * theta);
      node->outer[1] = ap * cexp(I * phi);
      break;
    case CUONN_STYLE_SYMMETRIC:
      node->inner[0] = at * cexp(I * theta / 2);
      node->inner[1] = cexp(-I * theta / 2);
      node->outer[0] = node->outer[1] = ap * cexp(I * phi);
      break;
    case CUONN_STYLE_DIFFERENTIAL:
      node->inner[0] = at * cexp(I * theta / 2);
      node->inner[1] = cexp(-I * theta / 2);
      node->outer[0] = ap * cexp(-I * phi / 2);
      node->outer[1] = ap * cexp(I * phi / 2);
      break;
  }
}

void reference_mesh_set(reference_mesh *mesh, const cuonn_mesh *from) {
  mesh->style = from->style;
  for (size_t k = 0; k < cuonn_mesh_nodes(mesh->n_modes); k++) {
    reference_node *const node = &mesh->nodes[k];
    set_shifters(node, from->style, from->theta[k], from->phi[k], &from->loss_db[2 * k]);
    set_coupler(node->left, from->coupler_error[2 * k]);
    set_coupler(node->right, from->coupler_error[2 * k + 1]);
  }
  for (size_t w = 0; w < mesh->n_modes; w++) mesh->gamma[w] = cexp(I * from->gamma[w]);
}

static void shift(complex_t *v, const complex_t stage[2]) {
  v[0] *= stage[0];
  v[1] *= stage[1];
}

static void couple(complex_t *v, const complex_t coupler[2]) {
  const complex_t top = v[0], bottom = v[1];
  v[0] = coupler[0] * top + coupler[1] * bottom;
  v[1] = coupler[1] * top + coupler[0] * bottom;
}

/* A column of nodes, the fields of one example, and where its taps go. */
typedef struct {
  const reference_node *nodes;
  size_t first, count; /* top waveguide of the first node, number of nodes */
  complex_t *v;
  size_t n_modes, place; /* place: of this column's and example's fields in a tap */
} column;

static column column_at(complex_t *v, const reference_mesh *mesh, size_t c, size_t example, size_t n_examples) {
  const size_t n = mesh->n_modes, start = cuonn_mesh_column_start(n, c);
  return (column){mesh->nodes + start,     c % 2, cuonn_mesh_column_start(n, c + 1) - start, v, n,
                  c * n_examples + example};
}

static void tap(double *stage, column c) {
  if (stage) memcpy(stage + 2 * c.place * c.n_modes, c.v, c.n_modes * sizeof *c.v);
}

#define EACH_NODE(c, call, member) \
  for (size_t j = 0; j < (c).count; j++) call((c).v + (c).first + 2 * j, (c).nodes[j].member)

void reference_forward(complex_t *v, const reference_mesh *mesh, const cuonn_taps *taps, size_t example,
                       size_t n_examples) {
  static const cuonn_taps none;
  if (!taps) taps = &none;
  for (size_t i = 0; i < mesh->n_modes; i++) {
    const column c = column_at(v, mesh, i, example, n_examples);
    tap(taps->before_phi, c);
    EACH_NODE(c, shift, outer);
    tap(taps->after_phi, c);
    EACH_NODE(c, couple, left);
    tap(taps->before_theta, c);
    EACH_NODE(c, shift, inner);
    tap(taps->after_theta, c);
    EACH_NODE(c, couple, right);
    tap(taps->after_coupler, c);
  }
  for (size_t w = 0; w < mesh->n_modes; w++) v[w] *= mesh->gamma[w];
}

void reference_backward(complex_t *v, const reference_mesh *mesh, const cuonn_taps *taps, size_t example,
                        size_t n_examples) {
  static const cuonn_taps none;
  if (!taps) taps = &none;
  for (size_t w = 0; w < mesh->n_modes; w++) v[w] *= mesh->gamma[w];
  for (size_t i = mesh->n_modes; i-- > 0;) {
    const column c = column_at(v, mesh, i, example, n_examples);
    tap(taps->after_coupler, c);
    EACH_NODE(c, couple, right);
    tap(taps->after_theta, c);
    EACH_NODE(c, shift, inner);
    tap(taps->before_theta, c);
    EACH_NODE(c, couple, left);
    tap(taps->after_phi, c);
    EACH_NODE(c, shift, outer);
    tap(taps->before_phi, c);
  }
}

/* What a radian of a phase adds to the phase of the top and of the bottom arm. */
static const double theta_arms[][2] = {[CUONN_STYLE_TOP] = {1, 0},
                                       [CUONN_STYLE_BOTTOM] = {0, 1},
                                       [CUONN_STYLE_SYMMETRIC] = {.5, -.5},
                                       [CUONN_STYLE_DIFFERENTIAL] = {.5, -.5}};
static const double phi_arms[][2] = {[CUONN_STYLE_TOP] = {1, 0},
                                     [CUONN_STYLE_BOTTOM] = {0, 1},
                                     [CUONN_STYLE_SYMMETRIC] = {1, 1},
                                     [CUONN_STYLE_DIFFERENTIAL] = {-.5, .5}};

/* d loss per radian of phase at a place where the forward field is x and the backward field g. */
static double sensitivity(complex_t x, complex_t g) { return -cimag(x * g); }

/* The same for a phase that moves two arms. */
static double sensitivity_of_arms(const double arms[2], const double *x, const double *g) {
  const complex_t *const xv = (const complex_t *)x, *const gv = (const complex_t *)g;
  return arms[0] * sensitivity(xv[0], gv[0]) + arms[1] * sensitivity(xv[1], gv[1]);
}

void reference_add_gradient(cuonn_mesh_gradient *gradient, const reference_mesh *mesh, const cuonn_taps *x,
                            const cuonn_taps *g) {
  const size_t n = mesh->n_modes;
  for (size_t c = 0, k = 0; c < n; c++) {
    for (size_t top = c % 2; top + 1 < n; top += 2, k++) {
      const size_t at = 2 * (c * n + top);
      gradient->d_theta[k] += sensitivity_of_arms(theta_arms[mesh->style], x->before_theta + at, g->before_theta + at);
      gradient->d_phi[k] += sensitivity_of_arms(phi_arms[mesh->style], x->before_phi + at, g->before_phi + at);
    }
  }
}

cuonn_status reference_taps_create(cuonn_taps *out, size_t n_modes) {
  memset(out, 0, sizeof *out);
  CUONN_TRY(cuonn_allocate(&out->before_phi, 2 * n_modes * n_modes, sizeof(double)));
  return cuonn_allocate(&out->before_theta, 2 * n_modes * n_modes, sizeof(double));
}

void reference_taps_free(cuonn_taps *taps) {
  free(taps->before_phi);
  free(taps->before_theta);
  memset(taps, 0, sizeof *taps);
}

/* One example, from and to a caller's array. */
static void read_example(complex_t *v, const cuonn_buffer *from, size_t example, size_t n_modes) {
  for (size_t i = 0; i < 2 * n_modes; i++) ((double *)v)[i] = buffer_get(from, 2 * example * n_modes + i);
}

static void write_example(const cuonn_buffer *to, size_t example, const complex_t *v, size_t n_modes) {
  for (size_t i = 0; i < 2 * n_modes; i++) buffer_put(to, 2 * example * n_modes + i, ((const double *)v)[i]);
}

cuonn_status reference_propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                                 const cuonn_buffer *in, bool backward, int threads) {
  (void)threads;
  const size_t n = mesh->n_modes, n_examples = in->count / n;
  reference_mesh factors = {0};
  complex_t *v = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(reference_mesh_create(&factors, n));
  reference_mesh_set(&factors, mesh);
  CUONN_TRY_DONE(cuonn_allocate(&v, n, sizeof *v));
  for (size_t e = 0; e < n_examples; e++) {
    read_example(v, in, e, n);
    if (backward) {
      reference_backward(v, &factors, taps, e, n_examples);
    } else {
      reference_forward(v, &factors, taps, e, n_examples);
    }
    write_example(out, e, v, n);
  }
done:
  free(v);
  reference_mesh_free(&factors);
  return status;
}

cuonn_status reference_vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                           const cuonn_buffer *input, const cuonn_buffer *cotangent, int threads) {
  (void)threads;
  const size_t n = mesh->n_modes;
  reference_mesh factors = {0};
  cuonn_taps x_taps = {0}, g_taps = {0};
  complex_t *y = NULL, *g = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(reference_mesh_create(&factors, n));
  CUONN_TRY_DONE(reference_taps_create(&x_taps, n));
  CUONN_TRY_DONE(reference_taps_create(&g_taps, n));
  CUONN_TRY_DONE(cuonn_allocate(&y, n, sizeof *y));
  CUONN_TRY_DONE(cuonn_allocate(&g, n, sizeof *g));
  reference_mesh_set(&factors, mesh);
  memset(gradient->d_theta, 0, cuonn_mesh_nodes(n) * sizeof(double));
  memset(gradient->d_phi, 0, cuonn_mesh_nodes(n) * sizeof(double));
  memset(gradient->d_gamma, 0, n * sizeof(double));

  for (size_t e = 0; e < input->count / n; e++) {
    read_example(y, input, e, n);
    read_example(g, cotangent, e, n);
    reference_forward(y, &factors, &x_taps, 0, 1);
    for (size_t w = 0; w < n; w++) gradient->d_gamma[w] += sensitivity(y[w], g[w]);
    reference_backward(g, &factors, &g_taps, 0, 1);
    reference_add_gradient(gradient, &factors, &x_taps, &g_taps);
    if (backward) write_example(backward, e, g, n);
  }
done:
  free(g);
  free(y);
  reference_taps_free(&g_taps);
  reference_taps_free(&x_taps);
  reference_mesh_free(&factors);
  return status;
}
