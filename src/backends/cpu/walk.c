#include "cpu/walk.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/level.h"
#include "cpu/nodes.h"

static walk_node walk_node_of(const node_stages *stages) {
  walk_node node;
  for (size_t arm = 0; arm < 2; arm++) {
    walk_store(node.inner[arm], stages->inner[arm]);
    walk_store(node.outer[arm], stages->outer[arm]);
  }
  node.left[0] = (float)creal(stages->left[0]), node.left[1] = (float)cimag(stages->left[1]);
  const bool crosses = stages->determinant < 0; /* [[i s, c], [c, i s]] */
  node.right[0] = (float)creal(stages->right[crosses]), node.right[1] = (float)cimag(stages->right[!crosses]);
  node.first[0] = (float)creal(stages->first[0]), node.first[1] = (float)cimag(stages->first[1]);
  return node;
}

cuonn_status walk_mesh_create(walk_mesh *out, const cuonn_mesh *mesh) {
  const size_t n_nodes = mesh->n_nodes;
  cuonn_status status = CUONN_OK;
  double *room = NULL;
  node_fixed *fixed = NULL;
  *out = (walk_mesh){.shape = mesh->shape, .n_modes = mesh->n_modes};
  CUONN_TRY_DONE(cuonn_allocate(&out->nodes, n_nodes, sizeof *out->nodes));
  CUONN_TRY_DONE(cuonn_allocate(&out->singles, mesh->n_modes, sizeof *out->singles));
  CUONN_TRY_DONE(cuonn_allocate(&room, kTurnsRoom * n_nodes, sizeof *room));
  CUONN_TRY_DONE(cuonn_allocate(&fixed, n_nodes, sizeof *fixed));
  const node_arms arms = node_arms_of(mesh->style);
  const nodes_turns turns = nodes_turns_in(room, n_nodes);
  nodes_turns_fill(&turns, &arms, mesh->theta, mesh->phi, n_nodes, cpu_kernels_choose());
  node_fixed_fill(fixed, mesh);
  for (size_t k = 0; k < n_nodes; k++) {
    const node_stages stages = node_stages_from(fixed + k, &arms, turns.c_theta[k] + I * turns.s_theta[k],
                                                turns.c_phi[k] + I * turns.s_phi[k]);
    out->nodes[k] = walk_node_of(&stages);
  }
  for (size_t w = 0; w < mesh->n_modes; w++) walk_store(out->singles[w], cexp(I * mesh->gamma[w]));
done:
  free(fixed);
  free(room);
  if (status != CUONN_OK) walk_mesh_free(out);
  return status;
}

void walk_mesh_free(walk_mesh *mesh) {
  free(mesh->nodes);
  free(mesh->singles);
  *mesh = (walk_mesh){0};
}

void walk_turn(float *x, const float factor[2], size_t lanes) {
  float *restrict const re = x, *restrict const im = x + lanes;
  const float c = factor[0], s = factor[1];
  for (size_t i = 0; i < lanes; i++) {
    const float r = re[i];
    re[i] = c * r - s * im[i];
    im[i] = c * im[i] + s * r;
  }
}

static void couple(float *top, float *bottom, const float coupler[2], size_t lanes) {
  float *restrict const tr = top, *restrict const ti = top + lanes;
  float *restrict const br = bottom, *restrict const bi = bottom + lanes;
  const float c = coupler[0], s = coupler[1];
  for (size_t i = 0; i < lanes; i++) {
    const float at[4] = {tr[i], ti[i], br[i], bi[i]};
    tr[i] = c * at[0] - s * at[3];
    ti[i] = c * at[1] + s * at[2];
    br[i] = c * at[2] - s * at[1];
    bi[i] = c * at[3] + s * at[0];
  }
}

static void cross(float *restrict top, float *restrict bottom, size_t lanes) {
  for (size_t i = 0; i < 2 * lanes; i++) {
    const float t = top[i];
    top[i] = bottom[i];
    bottom[i] = t;
  }
}

/* COUPLE_RIGHT: and crosses, which may be done before or after it; COUPLE_FIRST: what nodes of the kind mzi3 have in
 * front. */
typedef enum { SHIFT_OUTER, COUPLE_LEFT, SHIFT_INNER, COUPLE_RIGHT, ACTIONS, COUPLE_FIRST = ACTIONS } action;

/* Every node of a column does one thing. */
static void act(const walk *w, const cuonn_mesh_column *column, action what) {
  const size_t step = 2 * w->lanes;
  for (size_t j = 0; j < column->count; j++) {
    const walk_node *const node = w->mesh->nodes + column->first + j;
    float *const top = w->x + column->pairs[j][0] * step, *const bottom = w->x + column->pairs[j][1] * step;
    switch (what) {
      case SHIFT_OUTER:
      case SHIFT_INNER:
        walk_turn(top, what == SHIFT_OUTER ? node->outer[0] : node->inner[0], w->lanes);
        walk_turn(bottom, what == SHIFT_OUTER ? node->outer[1] : node->inner[1], w->lanes);
        break;
      case COUPLE_LEFT: couple(top, bottom, node->left, w->lanes); break;
      case COUPLE_RIGHT:
        couple(top, bottom, node->right, w->lanes);
        if (w->mesh->shape->node == CUONN_NODE_MZIX) cross(top, bottom, w->lanes);
        break;
      case COUPLE_FIRST: couple(top, bottom, node->first, w->lanes); break;
    }
  }
}

/* A column's stages in the order of light, or against it: every stage is its own transpose. Action i stands between the
 * stages i and i + 1. */
static void pass_nodes(const walk *w, size_t c, bool backward) {
  const bool third = w->mesh->shape->node == CUONN_NODE_MZI3;
  if (third && !backward) act(w, w->mesh->shape->columns + c, COUPLE_FIRST);
  for (int i = 0; i <= ACTIONS; i++) {
    if (w->tap) w->tap(w, (walk_stage)(backward ? ACTIONS - i : i), c);
    if (i < ACTIONS) act(w, w->mesh->shape->columns + c, (action)(backward ? ACTIONS - 1 - i : i));
  }
  if (third && backward) act(w, w->mesh->shape->columns + c, COUPLE_FIRST);
}

static void pass_singles(const walk *w, const cuonn_mesh_column *column) {
  for (size_t i = 0; i < column->count; i++) walk_turn(w->x + i * 2 * w->lanes, w->mesh->singles[i], w->lanes);
}

void walk_through(const walk *w, bool backward) {
  const size_t n_columns = cuonn_mesh_shape_columns(w->mesh->shape);
  for (size_t i = 0; i < n_columns; i++) {
    const size_t c = backward ? n_columns - 1 - i : i;
    if (w->mesh->shape->columns[c].kind == CUONN_COLUMN_SINGLES) {
      pass_singles(w, w->mesh->shape->columns + c);
    } else {
      pass_nodes(w, c, backward);
    }
  }
}
