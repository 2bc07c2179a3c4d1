#include "reference/mesh.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"

cuonn_status reference_mesh_create(reference_mesh *out, const cuonn_mesh_shape *shape) {
  *out = (reference_mesh){.shape = shape};
  CUONN_TRY(cuonn_allocate(&out->nodes, shape->n_nodes, sizeof *out->nodes));
  return cuonn_allocate(&out->singles, shape->n_modes, sizeof *out->singles);
}

void reference_mesh_free(reference_mesh *mesh) {
  free(mesh->nodes);
  free(mesh->singles);
  memset(mesh, 0, sizeof *mesh);
}

static void set_coupler(complex_t coupler[2], double error) {
  coupler[0] = cos(M_PI / 4 + error);
  coupler[1] = I * sin(M_PI / 4 + error);
}

/* Exchanges the two waveguides behind a coupler, the rows of its matrix. */
static void cross(complex_t coupler[2]) {
  const complex_t straight = coupler[0];
  coupler[0] = coupler[1];
  coupler[1] = straight;
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
  for (size_t k = 0; k < mesh->shape->n_nodes; k++) {
    reference_node *const node = &mesh->nodes[k];
    set_shifters(node, from->style, from->theta[k], from->phi[k], &from->loss_db[2 * k]);
    const double *const error = &from->coupler_error[shape_couplers(mesh->shape) * k];
    set_coupler(node->left, error[0]);
    set_coupler(node->right, error[1]);
    if (mesh->shape->node == CUONN_NODE_MZIX) cross(node->right);
    if (mesh->shape->node == CUONN_NODE_MZI3) set_coupler(node->third, error[2]);
  }
  for (size_t w = 0; w < mesh->shape->n_modes; w++) mesh->singles[w] = cexp(I * from->gamma[w]);
}

static void shift(complex_t *top, complex_t *bottom, const complex_t stage[2]) {
  *top *= stage[0];
  *bottom *= stage[1];
}

static void couple(complex_t *top, complex_t *bottom, const complex_t coupler[2]) {
  const complex_t t = *top, b = *bottom;
  *top = coupler[0] * t + coupler[1] * b;
  *bottom = coupler[1] * t + coupler[0] * b;
}

/* A column of nodes, the fields of one example, and where its taps go. */
typedef struct {
  const cuonn_mesh_column *of;
  const reference_node *nodes;
  complex_t *v;
  size_t n_modes, place; /* place: of this column's and example's fields in a tap */
  bool third;            /* whether the nodes have a third coupler */
} column;

static void tap(double *stage, column c) {
  if (stage) memcpy(stage + 2 * c.place * c.n_modes, c.v, c.n_modes * sizeof *c.v);
}

#define EACH_NODE(c, call, member)           \
  for (size_t j = 0; j < (c).of->count; j++) \
  call(&(c).v[(c).of->pairs[j][0]], &(c).v[(c).of->pairs[j][1]], (c).nodes[j].member)

static void nodes_forward(column c, const cuonn_taps *taps) {
  if (c.third) EACH_NODE(c, couple, third);
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

static void nodes_backward(column c, const cuonn_taps *taps) {
  tap(taps->after_coupler, c);
  EACH_NODE(c, couple, right);
  tap(taps->after_theta, c);
  EACH_NODE(c, shift, inner);
  tap(taps->before_theta, c);
  EACH_NODE(c, couple, left);
  tap(taps->after_phi, c);
  EACH_NODE(c, shift, outer);
  tap(taps->before_phi, c);
  if (c.third) EACH_NODE(c, couple, third);
}

static void singles_pass(complex_t *v, const reference_mesh *mesh) {
  for (size_t w = 0; w < mesh->shape->n_modes; w++) v[w] *= mesh->singles[w];
}

/* Through all columns, in the order of light or against it. */
static void pass(complex_t *v, const reference_mesh *mesh, const cuonn_taps *taps, size_t example, size_t n_examples,
                 bool backward) {
  static const cuonn_taps none;
  const size_t n_columns = cuonn_mesh_shape_columns(mesh->shape);
  for (size_t i = 0; i < n_columns; i++) {
    const size_t c = backward ? n_columns - 1 - i : i;
    const cuonn_mesh_column *const of = &mesh->shape->columns[c];
    const column nodes = {of,
                          mesh->nodes + of->first,
                          v,
                          mesh->shape->n_modes,
                          c * n_examples + example,
                          mesh->shape->node == CUONN_NODE_MZI3};
    if (of->kind == CUONN_COLUMN_SINGLES) {
      singles_pass(v, mesh);
    } else if (backward) {
      nodes_backward(nodes, taps ? taps : &none);
    } else {
      nodes_forward(nodes, taps ? taps : &none);
    }
  }
}

void reference_forward(complex_t *v, const reference_mesh *mesh, const cuonn_taps *taps, size_t example,
                       size_t n_examples) {
  pass(v, mesh, taps, example, n_examples, false);
}

void reference_backward(complex_t *v, const reference_mesh *mesh, const cuonn_taps *taps, size_t example,
                        size_t n_examples) {
  pass(v, mesh, taps, example, n_examples, true);
}

/* What a radian of a phase adds to the phase of the top and of the bottom arm. Written out here once more, and not
 * taken from src/mesh/node.h: what other backends use is tested against this. */
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

/* The same for a phase that moves the two arms of a node; x, g: fields of its column. */
static double sensitivity_of_arms(const double arms[2], const complex_t *x, const complex_t *g,
                                  const uint32_t pair[2]) {
  return arms[0] * sensitivity(x[pair[0]], g[pair[0]]) + arms[1] * sensitivity(x[pair[1]], g[pair[1]]);
}

void reference_add_gradient(cuonn_mesh_gradient *gradient, const reference_mesh *mesh, const cuonn_taps *x,
                            const cuonn_taps *g) {
  const cuonn_mesh_shape *const shape = mesh->shape;
  for (size_t k = 0; k < shape->n_nodes; k++) {
    const size_t at = 2 * (size_t)shape->column_of[k] * shape->n_modes;
    gradient->d_theta[k] += sensitivity_of_arms(theta_arms[mesh->style], (const complex_t *)(x->before_theta + at),
                                                (const complex_t *)(g->before_theta + at), shape->pairs[k]);
    gradient->d_phi[k] += sensitivity_of_arms(phi_arms[mesh->style], (const complex_t *)(x->before_phi + at),
                                              (const complex_t *)(g->before_phi + at), shape->pairs[k]);
  }
}

cuonn_status reference_taps_create(cuonn_taps *out, const cuonn_mesh_shape *shape) {
  const size_t size = 2 * shape->n_columns * shape->n_modes;
  memset(out, 0, sizeof *out);
  CUONN_TRY(cuonn_allocate(&out->before_phi, size, sizeof(double)));
  return cuonn_allocate(&out->before_theta, size, sizeof(double));
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
                                 const cuonn_buffer *in, bool backward, backend_place place) {
  (void)place;
  const size_t n = mesh->n_modes, n_examples = in->count / n;
  reference_mesh factors = {0};
  complex_t *v = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(reference_mesh_create(&factors, mesh->shape));
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
                           const cuonn_buffer *input, const cuonn_buffer *cotangent, backend_place place) {
  (void)place;
  const size_t n = mesh->n_modes, n_examples = input->count / n;
  reference_mesh factors = {0};
  cuonn_taps x_taps = {0}, g_taps = {0};
  complex_t *y = NULL, *g = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(reference_mesh_create(&factors, mesh->shape));
  CUONN_TRY_DONE(reference_taps_create(&x_taps, mesh->shape));
  CUONN_TRY_DONE(reference_taps_create(&g_taps, mesh->shape));
  CUONN_TRY_DONE(cuonn_allocate(&y, n, sizeof *y));
  CUONN_TRY_DONE(cuonn_allocate(&g, n, sizeof *g));
  reference_mesh_set(&factors, mesh);
  memset(gradient->d_theta, 0, mesh->n_nodes * sizeof(double));
  memset(gradient->d_phi, 0, mesh->n_nodes * sizeof(double));
  memset(gradient->d_gamma, 0, n * sizeof(double));

  for (size_t e = 0; e < n_examples; e++) {
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
