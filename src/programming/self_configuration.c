/* Miller, Photonics Research 1, 1 (2013): the nodes of a tree from all inputs to one output, in the order of the light,
 * each move phi and then theta until the power that they drop is least; eq. 52 to 55 of docs/programming.md. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "chip/phases.h"
#include "cuonn/programming.h"
#include "mesh/shape.h"
#include "programming/readings.h"
#include "programming/sinusoid.h"

typedef double complex complex_t;

void cuonn_self_configuration_options_init(cuonn_self_configuration_options *out) {
  *out = (cuonn_self_configuration_options)CUONN_SELF_CONFIGURATION_OPTIONS_INIT;
}

/* A node of the tree. Until its turn it hands on the light of one input. */
typedef struct {
  size_t node;
  size_t kept; /* arm whose light goes on; the other one is dropped */
  size_t from; /* arm with the light of the nodes before it, the upper one if both have that or none */
} tree_node;

/* What configures itself, and how far it is. */
typedef struct {
  cuonn_mesh *chip;    /* its phases are those that are asked for */
  bool driven;         /* whether a fabricated chip makes others of them */
  chip_phases drivers; /* how */
  double *theta, *phi; /* [node] which; NULL unless driven */
  programming_readings readings;
  tree_node *tree;        /* [N - 1] in the order of light */
  complex_t *in, *behind; /* [N] the light at the inputs; a copy on its way */
  size_t output, n_nodes;
  size_t passed; /* nodes of the tree that the light has passed */
} configuration;

/* The tree of an output; false if there is none from all inputs. used: [N] room. */
static bool find_tree(configuration *c, size_t output, bool *used) {
  const cuonn_mesh_shape *const shape = c->chip->shape;
  size_t count = 0;
  memset(used, 0, shape->n_modes * sizeof *used);
  used[output] = true;
  for (size_t k = shape->n_nodes; k-- > 0;) { /* used: waveguides whose light comes to the output from here on */
    const uint32_t *const pair = shape->pairs[k];
    if (used[pair[0]] && used[pair[1]]) return false;
    if (!used[pair[0]] && !used[pair[1]]) continue;
    c->tree[shape->n_modes - 2 - count++] = (tree_node){.node = k, .kept = used[pair[1]]};
    used[pair[0]] = used[pair[1]] = true;
  }
  c->output = output;
  return count == shape->n_modes - 1;
}

/* Finds which input of each node of the tree has light of others. passed: [N] room. */
static void find_sources(configuration *c, bool *passed) {
  memset(passed, 0, c->chip->n_modes * sizeof *passed);
  for (size_t i = 0; i < c->n_nodes; i++) {
    const uint32_t *const pair = c->chip->shape->pairs[c->tree[i].node];
    c->tree[i].from = !passed[pair[0]] && passed[pair[1]];
    passed[pair[c->tree[i].kept]] = true;
  }
}

static cuonn_status find(configuration *c) {
  const size_t n = c->chip->n_modes;
  cuonn_status status = CUONN_OK;
  bool *room = NULL, found = false;
  CUONN_TRY_DONE(cuonn_allocate(&room, n, sizeof *room));
  for (size_t output = 0; output < n && !found; output++) found = find_tree(c, output, room);
  CUONN_CHECK_DONE(
      found, CUONN_E_SHAPE,
      "no output of this mesh is reached from all inputs by a tree of nodes, as those of the architectures "
      "tree, triangular and butterfly are");
  c->n_nodes = n - 1;
  find_sources(c, room);
done:
  free(room);
  return status;
}

/* A chip with drivers sets the nearest level, and its heat moves the phases of other nodes, so that the light comes to
 * this one anew. */
static void set(configuration *c, size_t node, double theta, double phi) {
  c->chip->theta[node] = cuonn_phase_wrap(theta, 2 * M_PI);
  c->chip->phi[node] = cuonn_phase_wrap(phi, 2 * M_PI);
  if (!c->driven) {
    programming_set(&c->readings, node, c->chip->theta[node], c->chip->phi[node]);
    return;
  }
  chip_phases_apply(c->theta, c->phi, &c->drivers, c->chip->theta, c->chip->phi);
  for (size_t i = 0; i < c->n_nodes; i++) {
    const size_t k = c->tree[i].node;
    programming_set(&c->readings, k, c->theta[k], c->phi[k]);
  }
  programming_send(&c->readings, c->in, 0);
  for (size_t i = 0; i < c->passed; i++) programming_pass(&c->readings, c->tree[i].node);
}

/* The power that a node of the tree drops with these phases. */
static double read_drop(configuration *c, const tree_node *of, double theta, double phi) {
  set(c, of->node, theta, phi);
  return programming_read_node(&c->readings, of->node, 1 - of->kept);
}

/* A node of the tree hands on its light, all of it if there were no errors: one of the kind `mzi` is crossed or
 * straight, with a third coupler it does so at quarters of a turn. */
static void hand_on(configuration *c, const tree_node *of) {
  const node_fixed ideal = node_fixed_ideal(c->chip->shape->node);
  double most = 0, theta = 0, phi = 0;
  for (size_t i = 0; i < 4; i++) {
    for (size_t j = 0; j < 4; j++) {
      const node_product with = node_product_of(&ideal, &c->readings.arms, (double)i * M_PI_2, (double)j * M_PI_2);
      const double share = cabs(with.m[of->kept][of->from]);
      if (share < most + 1e-9) continue;
      most = share;
      theta = (double)i * M_PI_2;
      phi = (double)j * M_PI_2;
    }
  }
  set(c, of->node, theta, phi);
}

/* Light at the output once it has passed the other nodes of the tree; the readings' own stays where it is. */
static double power_at_output(configuration *c) {
  complex_t *const here = c->readings.light;
  memcpy(c->behind, here, c->chip->n_modes * sizeof *here);
  c->readings.light = c->behind;
  for (size_t i = c->passed; i < c->n_nodes; i++) programming_pass(&c->readings, c->tree[i].node);
  c->readings.light = here;
  const complex_t field = c->behind[c->output];
  return creal(field * conj(field));
}

/* One turn of a node that light has come to. theta stays where it is while phi moves, but begins in the middle, where
 * phi tells the most. */
static void turn(configuration *c, const tree_node *of, bool first) {
  double powers[kSettings], sweep[3];
  const double before = c->chip->theta[of->node], theta = first ? M_PI_2 : before;
  double phi = c->chip->phi[of->node];
  for (size_t i = 0; i < kSettings; i++) powers[i] = read_drop(c, of, theta, setting(i));
  sinusoid(sweep, powers);
  phi = sinusoid_least(sweep, phi);
  for (size_t i = 0; i < kSettings; i++) powers[i] = read_drop(c, of, setting(i), phi);
  sinusoid(sweep, powers);
  set(c, of->node, sinusoid_least(sweep, before), phi);
}

/* Powers at the drop detectors of all nodes, together, when the light has passed them. */
static double dropped(const configuration *c) {
  double sum = 0;
  for (size_t i = 0; i < c->n_nodes; i++) {
    const tree_node *const of = c->tree + i;
    const complex_t field = c->readings.light[c->chip->shape->pairs[of->node][1 - of->kept]];
    sum += creal(field * conj(field));
  }
  return sum;
}

static void configure(configuration *c, cuonn_self_configuration *out, double *powers, size_t turns) {
  programming_send(&c->readings, c->in, 0);
  if (powers) *powers++ = power_at_output(c);
  for (; c->passed < c->n_nodes; c->passed++) {
    const tree_node *const of = c->tree + c->passed;
    for (size_t t = 0; t < turns; t++) {
      turn(c, of, t == 0);
      if (powers) *powers++ = power_at_output(c);
    }
    programming_pass(&c->readings, of->node);
  }
  out->power = power_at_output(c);
  out->dropped = dropped(c);
  out->output = c->output;
  out->n_nodes = c->n_nodes;
  out->readings = c->readings.count;
}

/* in: the light with power 1. */
static cuonn_status normalise(complex_t *in, const double *light, size_t n_modes) {
  double most = 0, power = 0;
  for (size_t i = 0; i < 2 * n_modes; i++) {
    CUONN_CHECK(isfinite(light[i]), CUONN_E_NONFINITE, "the light at waveguide %zu is not finite", i / 2);
    most = fmax(most, fabs(light[i]));
  }
  CUONN_CHECK(most > 0, CUONN_E_DATA, "the light has no power, so that there is nothing to configure to");
  for (size_t w = 0; w < n_modes; w++) {
    in[w] = light[2 * w] / most + light[2 * w + 1] / most * I;
    power += creal(in[w] * conj(in[w]));
  }
  for (size_t w = 0; w < n_modes; w++) in[w] /= sqrt(power);
  return CUONN_OK;
}

static cuonn_status check(const cuonn_mesh *chip, const cuonn_self_configuration_options *options) {
  CUONN_TRY(cuonn_mesh_check(chip));
  const node_arms arms = node_arms_of(chip->style);
  CUONN_CHECK(!node_phi_is_common(&arms), CUONN_E_ARGUMENT,
              "phi of the style %s turns both arms of a node alike, so that no node can bring their light together",
              cuonn_phase_style_name(chip->style));
  CUONN_CHECK(options->tap_shot >= 0 && options->tap_shot <= 100, CUONN_E_ARGUMENT,
              "the shot noise of a reading is %g; it must be 0 to 100", options->tap_shot);
  CUONN_CHECK(options->turns > 0, CUONN_E_ARGUMENT, "0 turns are none; take 1 or more");
  return CUONN_OK;
}

/* Gives what configures itself the errors of a fabricated chip, its drivers and its crosstalk. */
static cuonn_status fabricate(configuration *c, const cuonn_fabricated *chip) {
  cuonn_chip_options options = CUONN_CHIP_OPTIONS_INIT;
  options.fabricated = chip;
  CUONN_CHECK(chip->n_layers == 1, CUONN_E_SHAPE, "the chip has %zu meshes; one configures itself", chip->n_layers);
  CUONN_TRY(cuonn_fabricated_put_errors(c->chip, chip, 0));
  c->driven = chip->drive_slope || chip->crosstalk;
  if (!c->driven) return CUONN_OK;
  CUONN_TRY(chip_phases_create(&c->drivers, &options, 0, c->chip->shape, c->chip->style));
  CUONN_TRY(cuonn_allocate(&c->theta, c->chip->n_nodes, sizeof *c->theta));
  return cuonn_allocate(&c->phi, c->chip->n_nodes, sizeof *c->phi);
}

cuonn_status cuonn_chip_self_configure(cuonn_mesh *chip, cuonn_self_configuration *out, double *powers,
                                       const double *light, const cuonn_self_configuration_options *options) {
  cuonn_status status = CUONN_OK;
  cuonn_mesh work = {0};
  configuration c = {.chip = &work};
  *out = (cuonn_self_configuration){0};
  CUONN_TRY_DONE(check(chip, options));
  CUONN_TRY_DONE(cuonn_mesh_create_shaped(&work, chip->shape, chip->style));
  CUONN_TRY_DONE(cuonn_mesh_copy(&work, chip));
  if (options->fabricated) CUONN_TRY_DONE(fabricate(&c, options->fabricated));
  CUONN_TRY_DONE(cuonn_allocate(&c.tree, chip->n_modes - 1, sizeof *c.tree));
  CUONN_TRY_DONE(cuonn_allocate(&c.in, chip->n_modes, sizeof *c.in));
  CUONN_TRY_DONE(cuonn_allocate(&c.behind, chip->n_modes, sizeof *c.behind));
  CUONN_TRY_DONE(normalise(c.in, light, chip->n_modes));
  CUONN_TRY_DONE(find(&c));
  CUONN_TRY_DONE(programming_readings_create(&c.readings, &work, options->tap_shot, options->seed));
  for (size_t i = 0; i < c.n_nodes; i++) hand_on(&c, c.tree + i);
  configure(&c, out, powers, options->turns);
  status = cuonn_mesh_copy(chip, &work);
done:
  if (status != CUONN_OK) *out = (cuonn_self_configuration){0};
  programming_readings_free(&c.readings);
  chip_phases_free(&c.drivers);
  free(c.phi);
  free(c.theta);
  free(c.behind);
  free(c.in);
  free(c.tree);
  cuonn_mesh_free(&work);
  return status;
}
