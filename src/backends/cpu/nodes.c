/* From phases to node coefficients in float, and from sums to phase gradients. All in double; one rounding at the end.
 *
 * Ideal nodes. With inner phases (a, b) and outer ones (p, q) on the top and bottom arm, a node with 50:50 couplers is
 *   i e^{i(a+b)/2} [[s e^{ip}, c e^{iq}], [c e^{ip}, -s e^{iq}]],   s = sin((a-b)/2), c = cos((a-b)/2).
 * A factor that both outputs share can be left to the nodes that follow: every waveguide carries a pending factor
 * m e^{iP}, with which its stored value has to be multiplied to give the field. With zeta = (m_t/m_b)
 * e^{i(p-q+P_t-P_b)}: |s| >= |c|, t = c/s:   y_top = f A, y_bottom = f B,    A = zeta x_top + t x_bottom,   f = s m_b
 * e^{i(...)} |s| <  |c|, t = -s/c:  y_top = -f B, y_bottom = f A,   B = t zeta x_top - x_bottom,   f = c m_b e^{i(...)}
 * and both outputs have P = P_b + q + (a+b)/2 + pi/2. That is 8 operations an example where the plain node has 16. The
 * stored values grow by sqrt(1 + t^2) <= sqrt(2) a node, hence the scaling after kIdealColumns (layer.c); m is computed
 * from the t that was rounded to float, so that the node is as unitary as its arithmetic.
 *
 * Gradients. Im(x g) summed over examples flows: per waveguide it does not change between nodes, and a node, lossy or
 * not, keeps the total of its two arms, because x^T (M^T g) = (M x)^T g. So from the flow at the outputs and, per node,
 * through = Im(x_t g_t) at the input, all other flows follow. With across = Re(y_t g_b - y_b g_t) at the output and the
 * right coupler's angle alpha, the flow in the top arm of the theta stage is
 *   cos^2(alpha) flow_t + sin^2(alpha) flow_b + sin(2 alpha) / 2 across,
 * and that in the bottom arm the same with t and b exchanged and across negative. A phase's gradient is minus the flow
 * of its arm. Pending factors cancel in both sums. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/nodes.h"

/* What stands at the waveguides of a column's nodes, next to each other. */
static void gather(double *at_nodes, const double *values, const cuonn_mesh_column *column) {
  for (size_t i = 0; i < 2 * column->count; i++) at_nodes[i] = values[column->pairs[i / 2][i % 2]];
}
static void scatter(double *values, const double *at_nodes, const cuonn_mesh_column *column) {
  for (size_t i = 0; i < 2 * column->count; i++) values[column->pairs[i / 2][i % 2]] = at_nodes[i];
}

static void fill_ideal(cpu_layer *layer, const double *theta, const double *phi, const cpu_kernels *kernels) {
  const node_arms *const w = &layer->arms;
  const cuonn_mesh_shape *const shape = layer->shape;
  const size_t n = layer->n_modes, nodes = shape->n_nodes;
  double *const half = layer->scratch, *const s = half + nodes, *const c = s + nodes, *const t = c + nodes,
                *const size = t + nodes, *const angle = size + nodes, *const sine = angle + nodes,
                *const cosine = sine + nodes, *const m = cosine + nodes, *const pairs_m = m + n,
                *const pairs_p = pairs_m + n;
  for (size_t k = 0; k < nodes; k++) half[k] = (w->theta[0] - w->theta[1]) / 2 * theta[k];
  kernels->sines(s, c, half, nodes);

  float *factor = layer->factor;
  for (size_t i = 0; i < n; i++) m[i] = 1, layer->phase[i] = 0;
  for (size_t i = 0; i < shape->n_columns; i++) {
    const cuonn_mesh_column *const column = shape->columns + i;
    const size_t k = column->first, count = column->count;
    if (i > 0 && i % kIdealColumns == 0) {
      for (size_t j = 0; j < n; j++) factor[j] = (float)m[j], m[j] = 1;
      factor += n;
    }
    if (count == 0) continue;
    if (column->contiguous) {
      const size_t top = column->pairs[0][0];
      kernels->pass_column(m + top, layer->phase + top, t + k, size + k, angle + k, s + k, c + k, theta + k, phi + k,
                           count, w);
      continue;
    }
    gather(pairs_m, m, column);
    gather(pairs_p, layer->phase, column);
    kernels->pass_column(pairs_m, pairs_p, t + k, size + k, angle + k, s + k, c + k, theta + k, phi + k, count, w);
    scatter(m, pairs_m, column);
    scatter(layer->phase, pairs_p, column);
  }
  for (size_t i = 0; i < n; i++) factor[i] = (float)m[i];
  kernels->sines(sine, cosine, angle, nodes);

  for (size_t i = 0; i < layer->n_nodes; i++) {
    const size_t k = layer->order[i];
    const uint32_t *const pair = shape->pairs[k], crossed = fabs(c[k]) > fabs(s[k]);
    const double norm = 1 / (1 + t[k] * t[k]), undo = norm / size[k];
    layer->ideal_nodes[i] = (ideal_node){.a = pair[crossed],
                                         .b = pair[1 - crossed],
                                         .zeta = {(float)(size[k] * cosine[k]), (float)(size[k] * sine[k])},
                                         .undo = {(float)(undo * cosine[k]), (float)(-undo * sine[k])},
                                         .t = (float)t[k],
                                         .norm = (float)norm};
  }
}

static void store(float to[2], double complex z) {
  to[0] = (float)creal(z);
  to[1] = (float)cimag(z);
}

static void store_node(general_node *node, const node_stages *s) {
  double complex m[2][2];
  node_matrix_of(m, s);
  for (size_t row = 0; row < 2; row++) {
    for (size_t column = 0; column < 2; column++) store(node->m[row][column], m[row][column]);
  }
  const double complex inverse = s->determinant / (s->inner[0] * s->inner[1] * s->outer[0] * s->outer[1]);
  store(node->inverse[0][0], m[1][1] * inverse);
  store(node->inverse[0][1], -m[0][1] * inverse);
  store(node->inverse[1][0], -m[1][0] * inverse);
  store(node->inverse[1][1], m[0][0] * inverse);
}

/* Field in front of the theta stage, cotangent there, both in one arm: the right coupler is its own transpose. */
static void store_arm(general_node *node, const node_stages *s, size_t arm) {
  node->weak = (uint32_t)arm;
  for (size_t i = 0; i < 2; i++) {
    store(node->arm.field[i], s->left[i == arm ? 0 : 1] * s->outer[i]);
    store(node->arm.cotangent[i], s->inner[arm] * s->right[i == arm ? 0 : 1]);
  }
}

nodes_turns nodes_turns_in(double *room, size_t n_nodes) {
  return (nodes_turns){room, room + n_nodes, room + 2 * n_nodes, room + 3 * n_nodes, room + 4 * n_nodes};
}

void nodes_turns_fill(const nodes_turns *turns, const node_arms *arms, const double *theta, const double *phi,
                      size_t n_nodes, const cpu_kernels *kernels) {
  const double by_theta = node_turn_weight(arms->theta), by_phi = node_turn_weight(arms->phi);
  for (size_t k = 0; k < n_nodes; k++) turns->angle[k] = by_theta * theta[k];
  kernels->sines(turns->s_theta, turns->c_theta, turns->angle, n_nodes);
  for (size_t k = 0; k < n_nodes; k++) turns->angle[k] = by_phi * phi[k];
  kernels->sines(turns->s_phi, turns->c_phi, turns->angle, n_nodes);
}

static void fill_general(cpu_layer *layer, const double *theta, const double *phi, const cpu_kernels *kernels) {
  const node_arms *const w = &layer->arms;
  const nodes_turns turns = nodes_turns_in(layer->scratch, layer->shape->n_nodes);
  nodes_turns_fill(&turns, w, theta, phi, layer->shape->n_nodes, kernels);

  for (const layer_segment *segment = layer->segments; segment < layer->segments + layer->n_segments; segment++) {
    for (size_t i = segment->first; i < segment->first + segment->count; i++) {
      const size_t k = layer->order[i];
      const node_stages s = node_stages_from(layer->fixed + k, w, turns.c_theta[k] + I * turns.s_theta[k],
                                             turns.c_phi[k] + I * turns.s_phi[k]);
      general_node *const node = layer->general_nodes + i;
      store_node(node, &s);
      if (!segment->invertible) store_arm(node, &s, node_lossy_arm(w));
      node->top = layer->shape->pairs[k][0];
      node->bottom = layer->shape->pairs[k][1];
    }
  }
  for (size_t i = 0; i < layer->n_segments * layer->n_modes; i++) layer->factor[i] = 1;
  for (size_t i = 0; i < layer->n_modes; i++) layer->phase[i] = 0;
}

/* Of all nodes that are walked. */
static void gradient_of_nodes(double *d_theta, double *d_phi, double *flow, const cpu_layer *layer,
                              const node_sums *sums) {
  const node_arms *const w = &layer->arms;
  const size_t lossy = node_lossy_arm(w);
  for (size_t k = layer->shape->n_nodes; k-- > 0;) {
    d_theta[k] = d_phi[k] = 0;
    if (layer->place[k] == UINT32_MAX) continue;
    const node_sums sum = sums[layer->place[k]];
    const uint32_t *const pair = layer->shape->pairs[k];
    double *const top = flow + pair[0], *const bottom = flow + pair[1], total = *top + *bottom;
    const double c = layer->fixed[k].right[0], s = layer->fixed[k].right[1];
    double in_top = c * c * *top + s * s * *bottom + c * s * sum.across;
    *top = sum.through;
    if (layer->recalled[k] && lossy == 0) in_top = sum.across;
    if (layer->recalled[k] && lossy == 1) in_top = total - sum.across, *top = total - sum.through;
    *bottom = total - *top;
    d_theta[k] = -w->theta[0] * in_top - w->theta[1] * (total - in_top);
    d_phi[k] = -w->phi[0] * *top - w->phi[1] * *bottom;
  }
}

/* Room for theta and phi of all nodes that are walked, behind what fill_general() uses. */
static double *phases_room(const cpu_layer *layer) { return layer->scratch + kTurnsRoom * layer->shape->n_nodes; }

/* What belongs to the nodes of a split layer that have phases, from those of its mesh or to them. */
static void copy_halves(double *to, const double *from, const cuonn_mesh_shape *shape, bool to_mesh) {
  for (size_t c = 1; c < shape->n_columns; c += 2) {
    const size_t in_mesh = shape->columns[c - 1].first / 2, walked = shape->columns[c].first;
    const size_t size = shape->columns[c].count * sizeof *to;
    memcpy(to + (to_mesh ? in_mesh : walked), from + (to_mesh ? walked : in_mesh), size);
  }
}

void layer_fill(cpu_layer *layer, const double *theta, const double *phi, const cpu_kernels *kernels) {
  const size_t n_nodes = layer->shape->n_nodes;
  if (layer->ideal) {
    fill_ideal(layer, theta, phi, kernels);
  } else if (layer->split) {
    double *const walked = phases_room(layer);
    memset(walked, 0, 2 * n_nodes * sizeof *walked);
    copy_halves(walked, theta, layer->shape, false);
    copy_halves(walked + n_nodes, phi, layer->shape, false);
    fill_general(layer, walked, walked + n_nodes, kernels);
  } else {
    fill_general(layer, theta, phi, kernels);
  }
}

void layer_gradient(double *d_theta, double *d_phi, double *flow, const cpu_layer *layer, const node_sums *sums) {
  double *const walked = phases_room(layer);
  if (!layer->split) {
    gradient_of_nodes(d_theta, d_phi, flow, layer, sums);
    return;
  }
  gradient_of_nodes(walked, walked + layer->shape->n_nodes, flow, layer, sums);
  copy_halves(d_theta, walked, layer->shape, true);
  copy_halves(d_phi, walked + layer->shape->n_nodes, layer->shape, true);
}
