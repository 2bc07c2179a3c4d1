/* How programs count the phases of a mesh, and the same mesh counted by another.
 *
 * Every node that is known here is two couplers with a phase difference d between them, and phases in front of and
 * behind it,
 *   T(theta, phi) = diag(e^{i out_t}, e^{i out_b}) M(d) diag(e^{i in_t}, e^{i in_b}),
 *   M(d) = K(e_R) diag(e^{i d/2}, e^{-i d/2}) K(e_L),
 * where d and the four phases are linear in theta and phi. So a convention is a row of coefficients, and a conversion
 * compares two rows. Nodes are walked in the order of light, or against it where phi stands behind the node, with the
 * phases that their waveguides carry so far: phi takes up their difference, and what is common to both goes on. */
#include "cuonn/convention.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/name.h"
#include "mesh/node.h"
#include "mesh/shape.h"

static const double kTurn = 2 * M_PI;
static const double kSignTolerance = 1e-9; /* radians: how near to 0 or pi a phase is a sign */

/* theta * (a node's theta) + phi * (its phi) + constant, radians. */
typedef struct {
  double theta, phi, constant;
} linear;

typedef struct {
  linear difference;    /* d, of the top arm to the bottom arm; without phi */
  linear in[2], out[2]; /* phases of the top and the bottom waveguide, in front and behind */
  bool behind;          /* phi stands behind, gamma at the inputs */
  bool couplers;        /* two couplers, which may have errors; else a rotation */
  bool signs;           /* no phi, and gamma is 0 or pi: real matrices */
  bool is_style;        /* the node of a phase style of ours */
  cuonn_phase_style style;
  double idle; /* phase of the waveguides that a column of a rectangular mesh of even N leaves out */
} node_form;

#define HALF_PI (M_PI / 2)

static const node_form top = {.difference = {1, 0, 0},
                              .in = {{0, 1, 0}, {0, 0, 0}},
                              .out = {{.5, 0, 0}, {.5, 0, 0}},
                              .couplers = true,
                              .is_style = true,
                              .style = CUONN_STYLE_TOP};
static const node_form bottom = {.difference = {-1, 0, 0},
                                 .in = {{0, 0, 0}, {0, 1, 0}},
                                 .out = {{.5, 0, 0}, {.5, 0, 0}},
                                 .couplers = true,
                                 .is_style = true,
                                 .style = CUONN_STYLE_BOTTOM};
static const node_form symmetric = {.difference = {1, 0, 0},
                                    .in = {{0, 1, 0}, {0, 1, 0}},
                                    .couplers = true,
                                    .is_style = true,
                                    .style = CUONN_STYLE_SYMMETRIC};
static const node_form differential = {.difference = {1, 0, 0},
                                       .in = {{0, -.5, 0}, {0, .5, 0}},
                                       .couplers = true,
                                       .is_style = true,
                                       .style = CUONN_STYLE_DIFFERENTIAL};
/* theta and phi in the bottom arm; theta in the top, phi in the bottom arm */
static const node_form bottom_behind = {
    .difference = {-1, 0, 0}, .out = {{.5, 0, 0}, {.5, 1, 0}}, .behind = true, .couplers = true};
static const node_form crossed_behind = {
    .difference = {1, 0, 0}, .out = {{.5, 0, 0}, {.5, 1, 0}}, .behind = true, .couplers = true};
/* [[e^{i phi} cos, -sin], [e^{i phi} sin, cos]] of theta itself */
static const node_form rotation = {
    .difference = {-2, 0, M_PI}, .in = {{0, 1, 0}, {0, 0, M_PI}}, .out = {{0, 0, -HALF_PI}, {0, 0, -HALF_PI}}};
static const node_form real_rotation = {.difference = {-2, 0, M_PI},
                                        .in = {{0, 0, 0}, {0, 0, M_PI}},
                                        .out = {{0, 0, -HALF_PI}, {0, 0, -HALF_PI}},
                                        .signs = true};
/* phi in the top arm behind; theta in push-pull or in the top arm; couplers K, or [[1, 1], [1, -1]] / sqrt 2 */
static const node_form push_pull_behind = {
    .difference = {1, 0, 0}, .out = {{0, 1, 0}, {0, 0, 0}}, .behind = true, .couplers = true, .idle = -HALF_PI};
static const node_form top_behind = {
    .difference = {1, 0, 0}, .out = {{.5, 1, 0}, {.5, 0, 0}}, .behind = true, .couplers = true};
static const node_form hadamard_push_pull_behind = {.difference = {1, 0, M_PI},
                                                    .in = {{0, 0, 0}, {0, 0, -HALF_PI}},
                                                    .out = {{0, 1, -HALF_PI}, {0, 0, -M_PI}},
                                                    .behind = true,
                                                    .couplers = true};
static const node_form hadamard_top_behind = {.difference = {1, 0, M_PI},
                                              .in = {{0, 0, 0}, {0, 0, -HALF_PI}},
                                              .out = {{.5, 1, -HALF_PI}, {.5, 0, -M_PI}},
                                              .behind = true,
                                              .couplers = true};

struct cuonn_convention {
  const char *name;
  const node_form *form;
};

static const cuonn_convention conventions[] = {
    {"cuonn-top", &top},
    {"cuonn-bottom", &bottom},
    {"cuonn-symmetric", &symmetric},
    {"cuonn-differential", &differential},
    {"interferometer", &rotation},
    {"strawberryfields", &rotation},
    {"strawberryfields-symmetric", &top},
    {"perceval", &top},
    {"perceval-last", &bottom_behind},
    {"simphox", &top},
    {"simphox-bottom", &bottom},
    {"simphox-symmetric", &symmetric},
    {"simphox-differential", &differential},
    {"neurophox", &push_pull_behind},
    {"neurophox-sm", &top_behind},
    {"neurophox-hadamard", &hadamard_push_pull_behind},
    {"neurophox-sm-hadamard", &hadamard_top_behind},
    {"torchonn", &real_rotation},
    {"meshes", &top},
    {"meshes-out", &crossed_behind},
};
enum { kConventions = sizeof conventions / sizeof *conventions, kStyles = 4 };

/* ---- the table ---- */

const cuonn_convention *cuonn_convention_at(size_t index) { return index < kConventions ? &conventions[index] : NULL; }

const char *cuonn_convention_name(const cuonn_convention *convention) { return convention->name; }

cuonn_status cuonn_convention_parse(const cuonn_convention **out, const char *name) {
  const char *names[kConventions];
  size_t at;
  *out = NULL;
  for (size_t i = 0; i < kConventions; i++) names[i] = conventions[i].name;
  CUONN_TRY(name_find(&at, "convention", names, kConventions, name));
  *out = &conventions[at];
  return CUONN_OK;
}

const cuonn_convention *cuonn_convention_of_style(cuonn_phase_style style) {
  return (unsigned)style < kStyles ? &conventions[style] : NULL; /* in the order of the enumeration */
}

bool cuonn_convention_is_style(cuonn_phase_style *style, const cuonn_convention *convention) {
  if (convention >= conventions + kStyles) return false;
  if (style) *style = convention->form->style;
  return true;
}

bool cuonn_convention_phi_is_behind(const cuonn_convention *convention) { return convention->form->behind; }

/* Whether a whole turn of a phase, which enters the arms by `inner` / 2, changes no sign of the node. */
static bool whole(double inner, double in, double out) {
  const double turns = inner / 2 + in + out;
  return turns == floor(turns);
}

cuonn_phase_periods cuonn_convention_periods(const cuonn_convention *convention) {
  const node_form *const f = convention->form;
  bool theta = true, phi = true;
  if (f->is_style) return cuonn_phase_style_periods(f->style);
  for (size_t i = 0; i < 2; i++) {
    for (size_t o = 0; o < 2; o++) {
      theta = theta && whole(f->difference.theta, f->in[i].theta, f->out[o].theta);
      phi = phi && whole(0, f->in[i].phi, f->out[o].phi);
    }
  }
  const double of_theta = theta ? kTurn : 2 * kTurn;
  return (cuonn_phase_periods){of_theta, phi ? kTurn : 2 * kTurn, kTurn, of_theta, 0};
}

/* ---- matrices ---- */

static double at(linear l, double theta, double phi) { return l.theta * theta + l.phi * phi + l.constant; }

static double complex turn(double angle) { return cos(angle) + I * sin(angle); }

static node_stages stages_of(const cuonn_mesh *mesh, size_t node, const node_form *f) {
  const node_fixed fixed = node_fixed_of(mesh, node);
  const double theta = mesh->theta[node], phi = mesh->phi[node], half = at(f->difference, theta, phi) / 2;
  if (f->is_style) {
    const node_arms arms = node_arms_of(f->style);
    return node_stages_of(&fixed, &arms, theta, phi);
  }
  return (node_stages){.outer = {turn(at(f->in[0], theta, phi)), turn(at(f->in[1], theta, phi))},
                       .inner = {turn(half), turn(-half)},
                       .left = {fixed.left[0], I * fixed.left[1]},
                       .right = {fixed.right[0], I * fixed.right[1]}};
}

static void node_matrix(double complex t[2][2], const cuonn_mesh *mesh, size_t node, const node_form *f) {
  const node_stages s = stages_of(mesh, node, f);
  node_matrix_of(t, &s);
  for (size_t i = 0; i < 2 && !f->is_style; i++) {
    const double complex behind = turn(at(f->out[i], mesh->theta[node], mesh->phi[node]));
    for (size_t j = 0; j < 2; j++) t[i][j] *= behind;
  }
}

static void multiply_row(double complex *row, size_t n, double phase) {
  const double complex factor = turn(phase);
  for (size_t j = 0; j < n; j++) row[j] *= factor;
}

/* Whether a rectangular mesh has waveguides without a node in this column that have a phase all the same: those of the
 * node that would join the last to the first. */
static bool has_idle(const cuonn_mesh_shape *shape, size_t column) {
  return shape->n_modes % 2 == 0 && column % 2 == 1;
}

void cuonn_convention_matrix(double *matrix, const cuonn_mesh *mesh, const cuonn_convention *convention) {
  const node_form *const f = convention->form;
  const size_t n = mesh->n_modes;
  double complex *const u = (double complex *)matrix;
  for (size_t i = 0; i < n * n; i++) u[i] = i % (n + 1) == 0;
  for (size_t w = 0; f->behind && w < n; w++) multiply_row(u + w * n, n, mesh->gamma[w]);
  for (size_t c = 0; c < mesh->shape->n_columns; c++) {
    const cuonn_mesh_column column = mesh->shape->columns[c];
    for (size_t k = column.first; k < column.first + column.count; k++) {
      double complex t[2][2], *const a = u + mesh->shape->pairs[k][0] * n, *const b = u + mesh->shape->pairs[k][1] * n;
      node_matrix(t, mesh, k, f);
      for (size_t j = 0; j < n; j++) {
        const double complex x = a[j], y = b[j];
        a[j] = t[0][0] * x + t[0][1] * y;
        b[j] = t[1][0] * x + t[1][1] * y;
      }
    }
    if (f->idle != 0 && has_idle(mesh->shape, c)) {
      multiply_row(u, n, f->idle);
      multiply_row(u + (n - 1) * n, n, f->idle);
    }
  }
  for (size_t w = 0; !f->behind && w < n; w++) multiply_row(u + w * n, n, mesh->gamma[w]);
}

/* ---- conversion ---- */

/* Phases that are on their way, and those that are found. */
typedef struct {
  const cuonn_convention *from, *to;
  double *carried;     /* [waveguide] */
  double *theta, *phi; /* [node] */
} conversion;

static double reduce(double angle) { return cuonn_phase_wrap(angle, kTurn); }

/* A phase that is a sign: 0 or pi; else NaN. */
static double sign_phase(double phase) {
  if (fabs(remainder(phase, kTurn)) <= kSignTolerance) return 0;
  return fabs(remainder(phase - M_PI, kTurn)) <= kSignTolerance ? M_PI : NAN;
}

/* The two sides of a node by what happens there: on one phi `takes` up a difference, on the other the rest `leaves`. */
typedef struct {
  const linear *takes, *leaves; /* [2] */
} sides;

static sides sides_of(const node_form *f, bool behind) {
  return behind ? (sides){f->out, f->in} : (sides){f->in, f->out};
}

/* A node as `to` counts it. mirrored: its d is the opposite one, M(d) = diag(1, -1) M(-d) diag(-1, 1). */
typedef struct {
  double theta, phi;
  bool mirrored;
} node_phases;

static node_phases find_theta(const node_form *to, double d, bool ideal) {
  const double span = kTurn / fabs(to->difference.theta), theta = (d - to->difference.constant) / to->difference.theta;
  if (!ideal) return (node_phases){.theta = cuonn_phase_wrap(theta, span)};
  const double nearest = remainder(theta, span);
  return (node_phases){.theta = fabs(nearest), .mirrored = signbit(nearest)};
}

/* phi that makes up for `gap`, by which the top waveguide's phase is ahead. Where there is no shifter for it, only a
 * sign can pass, by mirroring. */
static cuonn_status find_phi(node_phases *node, const cuonn_convention *to, double gap, bool ideal, size_t k) {
  const linear *const takes = sides_of(to->form, to->form->behind).takes;
  const double weight = takes[0].phi - takes[1].phi;
  const double own = at(takes[0], node->theta, 0) - at(takes[1], node->theta, 0);
  if (weight != 0) {
    node->phi = reduce(((node->mirrored ? gap - M_PI : gap) - own) / weight);
    return CUONN_OK;
  }
  const double sign = sign_phase(gap - own);
  CUONN_CHECK(sign == 0 || (sign == M_PI && ideal), CUONN_E_ARGUMENT,
              "node %zu would need a phase of %.6g between its waveguides, for which %s has no shifter", k,
              remainder(gap - own, kTurn), to->name);
  if (node->mirrored != (sign == M_PI)) *node = (node_phases){-node->theta, 0, !node->mirrored};
  return CUONN_OK;
}

static cuonn_status convert_node(conversion *c, const cuonn_mesh *mesh, size_t k) {
  const node_form *const f = c->from->form, *const t = c->to->form;
  const sides from = sides_of(f, t->behind), to = sides_of(t, t->behind);
  const bool ideal = mesh->coupler_error[2 * k] == 0 && mesh->coupler_error[2 * k + 1] == 0;
  const double theta = mesh->theta[k], phi = mesh->phi[k], d = at(f->difference, theta, phi);
  double *const carried[] = {c->carried + mesh->shape->pairs[k][0], c->carried + mesh->shape->pairs[k][1]};
  const double gap = at(from.takes[0], theta, phi) - at(from.takes[1], theta, phi) + *carried[0] - *carried[1];
  node_phases node = find_theta(t, d, ideal);
  CUONN_TRY(find_phi(&node, c->to, gap, ideal, k));
  c->theta[k] = node.theta;
  c->phi[k] = node.phi;

  /* What is common to both waveguides, as the bottom one says, goes on; M(d + 2 pi) = -M(d). */
  const double turns = rint(((node.mirrored ? -d : d) - at(t->difference, node.theta, 0)) / kTurn);
  const double start = fmod(turns, 2) != 0 ? *carried[1] + M_PI : *carried[1];
  const double common = at(from.takes[1], theta, phi) - at(to.takes[1], node.theta, node.phi);
  for (size_t arm = 0; arm < 2; arm++) {
    const double left = at(from.leaves[arm], theta, phi) - at(to.leaves[arm], node.theta, node.phi);
    const double phase = start + (common + left);
    *carried[arm] = reduce(arm == 1 && node.mirrored ? phase + M_PI : phase);
  }
  return CUONN_OK;
}

static cuonn_status convert_column(conversion *c, const cuonn_mesh *mesh, size_t column) {
  const double idle = c->from->form->idle - c->to->form->idle;
  const cuonn_mesh_column nodes = mesh->shape->columns[column];
  for (size_t k = nodes.first; k < nodes.first + nodes.count; k++) CUONN_TRY(convert_node(c, mesh, k));
  if (idle != 0 && has_idle(mesh->shape, column)) {
    c->carried[0] += idle;
    c->carried[mesh->n_modes - 1] += idle;
  }
  return CUONN_OK;
}

/* Whether what a mesh has besides phases can stay as it is. */
static cuonn_status check_conversion(const cuonn_mesh *mesh, const cuonn_convention *from, const cuonn_convention *to) {
  const cuonn_convention *const ends[] = {from, to};
  const bool same = from->form == to->form;
  CUONN_CHECK(mesh->shape->node == CUONN_NODE_MZI, CUONN_E_ARGUMENT,
              "the nodes are of the kind %s, of which conventions say nothing; only mzi can be converted",
              cuonn_node_kind_name(mesh->shape->node));
  for (size_t i = 0; i < 2 * mesh->n_nodes; i++) {
    for (size_t e = 0; e < 2; e++) {
      CUONN_CHECK(mesh->coupler_error[i] == 0 || ends[e]->form->couplers, CUONN_E_ARGUMENT,
                  "node %zu has a coupler error; the nodes of %s are rotations without couplers", i / 2, ends[e]->name);
    }
    CUONN_CHECK(mesh->loss_db[i] == 0 || (same && from->form->is_style), CUONN_E_ARGUMENT,
                "node %zu has a lossy phase shifter; %s and %s do not have their shifters in the same arms", i / 2,
                from->name, to->name);
  }
  const bool rectangular = mesh->shape->architecture == CUONN_ARCHITECTURE_RECTANGULAR;
  CUONN_CHECK(same || (from->form->idle == 0 && to->form->idle == 0) || rectangular, CUONN_E_ARGUMENT,
              "%s and %s can be converted for rectangular meshes only: one of them has a phase on waveguides that a "
              "column leaves out",
              from->name, to->name);
  return cuonn_mesh_check(mesh);
}

static cuonn_status convert_gamma(conversion *c, const cuonn_mesh *mesh) {
  const bool same_side = c->from->form->behind == c->to->form->behind;
  for (size_t w = 0; w < mesh->n_modes; w++) {
    double gamma = reduce(same_side ? mesh->gamma[w] + c->carried[w] : c->carried[w]);
    if (c->to->form->signs) {
      CUONN_CHECK(!isnan(sign_phase(gamma)), CUONN_E_ARGUMENT,
                  "gamma of waveguide %zu would be %.6g; %s has signs alone, for real matrices", w, gamma, c->to->name);
      gamma = sign_phase(gamma);
    }
    c->carried[w] = gamma;
  }
  return CUONN_OK;
}

cuonn_status cuonn_mesh_convert(cuonn_mesh *mesh, const cuonn_convention *from, const cuonn_convention *to) {
  cuonn_status status = CUONN_OK;
  conversion c = {from, to, NULL, NULL, NULL};
  const size_t n = mesh->n_modes, columns = mesh->shape->n_columns;
  const bool same_side = from->form->behind == to->form->behind;
  CUONN_TRY_DONE(check_conversion(mesh, from, to));
  if (from->form == to->form && from->form->is_style) {
    mesh->style = to->form->style;
    return cuonn_mesh_wrap(mesh);
  }
  CUONN_TRY_DONE(cuonn_allocate(&c.carried, n, sizeof *c.carried));
  CUONN_TRY_DONE(cuonn_allocate(&c.theta, mesh->n_nodes, sizeof *c.theta));
  CUONN_TRY_DONE(cuonn_allocate(&c.phi, mesh->n_nodes, sizeof *c.phi));
  if (!same_side) memcpy(c.carried, mesh->gamma, n * sizeof *c.carried);
  for (size_t i = 0; i < columns; i++) CUONN_TRY_DONE(convert_column(&c, mesh, to->form->behind ? columns - 1 - i : i));
  CUONN_TRY_DONE(convert_gamma(&c, mesh));
  memcpy(mesh->theta, c.theta, mesh->n_nodes * sizeof *c.theta);
  memcpy(mesh->phi, c.phi, mesh->n_nodes * sizeof *c.phi);
  memcpy(mesh->gamma, c.carried, n * sizeof *c.carried);
  if (to->form->is_style) mesh->style = to->form->style;
done:
  free(c.phi);
  free(c.theta);
  free(c.carried);
  return status;
}
