#include "cpu/walk.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

walk_node walk_node_of(const cuonn_mesh *mesh, size_t k) {
  const double theta = mesh->theta[k], phi = mesh->phi[k];
  const double at = pow(10, -mesh->loss_db[2 * k] / 20), ap = pow(10, -mesh->loss_db[2 * k + 1] / 20);
  double complex inner[2] = {1, 1}, outer[2] = {1, 1};
  switch (mesh->style) {
    case CUONN_STYLE_TOP:
      inner[0] = at * cexp(I * theta);
      outer[0] = ap * cexp(I * phi);
      break;
    case CUONN_STYLE_BOTTOM:
      inner[1] = at * cexp(I * theta);
      outer[1] = ap * cexp(I * phi);
      break;
    case CUONN_STYLE_SYMMETRIC:
    case CUONN_STYLE_DIFFERENTIAL:
      inner[0] = at * cexp(I * theta / 2);
      inner[1] = cexp(-I * theta / 2);
      outer[0] = ap * cexp(mesh->style == CUONN_STYLE_SYMMETRIC ? I * phi : -I * phi / 2);
      outer[1] = ap * cexp(mesh->style == CUONN_STYLE_SYMMETRIC ? I * phi : I * phi / 2);
      break;
  }
  walk_node s;
  for (size_t arm = 0; arm < 2; arm++) {
    walk_store(s.inner[arm], inner[arm]);
    walk_store(s.outer[arm], outer[arm]);
  }
  const double left = M_PI / 4 + mesh->coupler_error[2 * k], right = M_PI / 4 + mesh->coupler_error[2 * k + 1];
  s.left[0] = (float)cos(left), s.left[1] = (float)sin(left);
  s.right[0] = (float)cos(right), s.right[1] = (float)sin(right);
  return s;
}

cuonn_status walk_mesh_create(walk_mesh *out, const cuonn_mesh *mesh) {
  const size_t n_nodes = cuonn_mesh_nodes(mesh->n_modes);
  cuonn_status status = CUONN_OK;
  *out = (walk_mesh){.n_modes = mesh->n_modes};
  CUONN_TRY_DONE(cuonn_allocate(&out->nodes, n_nodes, sizeof *out->nodes));
  CUONN_TRY_DONE(cuonn_allocate(&out->gamma, mesh->n_modes, sizeof *out->gamma));
  for (size_t k = 0; k < n_nodes; k++) out->nodes[k] = walk_node_of(mesh, k);
  for (size_t w = 0; w < mesh->n_modes; w++) walk_store(out->gamma[w], cexp(I * mesh->gamma[w]));
done:
  if (status != CUONN_OK) walk_mesh_free(out);
  return status;
}

void walk_mesh_free(walk_mesh *mesh) {
  free(mesh->nodes);
  free(mesh->gamma);
  *mesh = (walk_mesh){0};
}

void walk_turn(float *x, const float factor[2], size_t lanes) {
  for (size_t i = 0; i < lanes; i++) {
    const float re = x[i], im = x[lanes + i];
    x[i] = factor[0] * re - factor[1] * im;
    x[lanes + i] = factor[0] * im + factor[1] * re;
  }
}

/* x: two waveguides of a tile. */
static void couple(float *x, const float coupler[2], size_t lanes) {
  float *const top = x, *const bottom = x + 2 * lanes;
  const float c = coupler[0], s = coupler[1];
  for (size_t i = 0; i < lanes; i++) {
    const float tr = top[i], ti = top[lanes + i], br = bottom[i], bi = bottom[lanes + i];
    top[i] = c * tr - s * bi;
    top[lanes + i] = c * ti + s * br;
    bottom[i] = c * br - s * ti;
    bottom[lanes + i] = c * bi + s * tr;
  }
}

typedef enum { SHIFT_OUTER, SHIFT_INNER, COUPLE_LEFT, COUPLE_RIGHT } action;

/* Every node of a column does one thing. */
static void act(const walk *w, size_t column, action what) {
  const size_t step = 2 * w->lanes, n_modes = w->mesh->n_modes;
  const walk_node *node = w->mesh->nodes + cuonn_mesh_column_start(n_modes, column);
  for (size_t top = column % 2; top + 1 < n_modes; top += 2, node++) {
    float *const x = w->x + top * step;
    switch (what) {
      case SHIFT_OUTER:
      case SHIFT_INNER:
        walk_turn(x, what == SHIFT_OUTER ? node->outer[0] : node->inner[0], w->lanes);
        walk_turn(x + step, what == SHIFT_OUTER ? node->outer[1] : node->inner[1], w->lanes);
        break;
      case COUPLE_LEFT: couple(x, node->left, w->lanes); break;
      case COUPLE_RIGHT: couple(x, node->right, w->lanes); break;
    }
  }
}

static void tap(const walk *w, walk_stage stage, size_t column) {
  if (w->tap) w->tap(w, stage, column);
}

static void turn_outputs(const walk *w) {
  for (size_t i = 0; i < w->mesh->n_modes; i++) walk_turn(w->x + i * 2 * w->lanes, w->mesh->gamma[i], w->lanes);
}

void walk_forward(const walk *w) {
  for (size_t c = 0; c < w->mesh->n_modes; c++) {
    tap(w, WALK_BEFORE_PHI, c);
    act(w, c, SHIFT_OUTER);
    tap(w, WALK_AFTER_PHI, c);
    act(w, c, COUPLE_LEFT);
    tap(w, WALK_BEFORE_THETA, c);
    act(w, c, SHIFT_INNER);
    tap(w, WALK_AFTER_THETA, c);
    act(w, c, COUPLE_RIGHT);
    tap(w, WALK_AFTER_COUPLER, c);
  }
  turn_outputs(w);
}

/* Every stage is its own transpose; their order is reversed. */
void walk_backward(const walk *w) {
  turn_outputs(w);
  for (size_t c = w->mesh->n_modes; c-- > 0;) {
    tap(w, WALK_AFTER_COUPLER, c);
    act(w, c, COUPLE_RIGHT);
    tap(w, WALK_AFTER_THETA, c);
    act(w, c, SHIFT_INNER);
    tap(w, WALK_BEFORE_THETA, c);
    act(w, c, COUPLE_LEFT);
    tap(w, WALK_AFTER_PHI, c);
    act(w, c, SHIFT_OUTER);
    tap(w, WALK_BEFORE_PHI, c);
  }
}
