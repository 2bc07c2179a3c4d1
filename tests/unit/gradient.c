/* Gradients of the reference backend against finite differences, and the ones that are exactly zero.
 *
 * A central difference of a function f of size F has an error of |f'''| h^2 / 6 from its step h and of F eps_f / h from
 * rounding, eps_f = 1e-14 for a few dozen nodes in a row. Phases enter as e^{i phase}: |f'''| is of the size of f' or
 * F, and h = 1e-4 makes the two 2e-9 and 1e-10 of F. Batches and sensitive places cost a factor: 2e-8 of the largest is
 * asked. */
#include <stdlib.h>
#include <string.h>

#include "cuonn/compute.h"
#include "support/close.h"
#include "support/dense.h"

static const double kStep = 1e-4;

static cuonn_context *context;

static int setup(void **unused) {
  (void)unused;
  return cuonn_context_create(&context, "reference", 0);
}

static int teardown(void **unused) {
  (void)unused;
  cuonn_context_free(context);
  return 0;
}

static cuonn_mesh_gradient make_gradient(size_t n) {
  const size_t nodes = cuonn_mesh_nodes(n);
  const cuonn_mesh_gradient g = {malloc(nodes * sizeof(double)), malloc(nodes * sizeof(double)),
                                 malloc(n * sizeof(double)), NULL};
  assert_true(g.d_theta && g.d_phi && g.d_gamma);
  for (size_t k = 0; k < nodes; k++) g.d_theta[k] = g.d_phi[k] = NAN;
  for (size_t w = 0; w < n; w++) g.d_gamma[w] = NAN;
  return g;
}

static void free_gradient(cuonn_mesh_gradient *g) {
  free(g->d_theta);
  free(g->d_phi);
  free(g->d_gamma);
}

static cuonn_fields random_fields(size_t examples, size_t n, chance *c) {
  cuonn_fields fields;
  OK(cuonn_fields_create(&fields, examples, n));
  chance_normals(fields.values, 2 * examples * n, c);
  return fields;
}

/* --- vjp ---------------------------------------------------------------------------------------------------------- */

/* L = Re(sum g y): its cotangent is g itself. */
static double linear_loss(const cuonn_mesh *mesh, const cuonn_fields *input, const cuonn_fields *g) {
  cuonn_fields y;
  double loss = 0;
  OK(cuonn_fields_create(&y, input->n_examples, input->n_modes));
  OK(cuonn_propagate(&y, NULL, context, mesh, input, false));
  for (size_t i = 0; i < 2 * y.n_examples * y.n_modes; i += 2) {
    loss += y.values[i] * g->values[i] - y.values[i + 1] * g->values[i + 1];
  }
  cuonn_fields_free(&y);
  return loss;
}

static double difference(double *at, double plus, double minus, double middle) {
  *at = middle;
  return (plus - minus) / (2 * kStep);
}

#define DIFFERENCE(at, loss)                                                                      \
  (middle = *(at), *(at) = middle + kStep, plus = (loss), *(at) = middle - kStep, minus = (loss), \
   difference((at), plus, minus, middle))

static void vjp_is_the_derivative(void **unused) {
  (void)unused;
  chance c = {1};
  for (size_t trial = 0; trial < 24; trial++) {
    const size_t n = 2 + trial % 8, nodes = cuonn_mesh_nodes(n), examples = 1 + chance_index(&c, 4);
    const bool ideal = trial % 3 == 0;
    cuonn_mesh mesh;
    OK(cuonn_mesh_create(&mesh, n, (cuonn_phase_style)(trial % 4)));
    dense_random(&mesh, &c, ideal ? 0 : 0.3, ideal ? 0 : 3);
    cuonn_fields input = random_fields(examples, n, &c), g = random_fields(examples, n, &c), back;
    OK(cuonn_fields_create(&back, examples, n));
    cuonn_mesh_gradient got = make_gradient(n), want = make_gradient(n);
    OK(cuonn_vjp(&got, &back, context, &mesh, &input, &g));

    double plus, minus, middle;
    for (size_t k = 0; k < nodes; k++) {
      want.d_theta[k] = DIFFERENCE(&mesh.theta[k], linear_loss(&mesh, &input, &g));
      want.d_phi[k] = DIFFERENCE(&mesh.phi[k], linear_loss(&mesh, &input, &g));
    }
    for (size_t w = 0; w < n; w++) want.d_gamma[w] = DIFFERENCE(&mesh.gamma[w], linear_loss(&mesh, &input, &g));
    CLOSE(got.d_theta, want.d_theta, nodes, .rel = 2e-8, .abs = 2e-8);
    CLOSE(got.d_phi, want.d_phi, nodes, .rel = 2e-8, .abs = 2e-8);
    CLOSE(got.d_gamma, want.d_gamma, n, .rel = 2e-8, .abs = 2e-8);
    for (size_t w = 0; w < n; w++) assert_true(got.d_gamma[w] != 0);

    /* the input's cotangent: the loss is linear in it, dL/dRe x - i dL/dIm x */
    for (size_t i = 0; i < 2 * examples * n; i++) {
      const double slope = DIFFERENCE(&input.values[i], linear_loss(&mesh, &input, &g));
      const double want_back = i % 2 ? -slope : slope;
      CLOSE(&back.values[i], &want_back, 1, .abs = 1e-9);
    }
    free_gradient(&want);
    free_gradient(&got);
    cuonn_fields_free(&back);
    cuonn_fields_free(&g);
    cuonn_fields_free(&input);
    cuonn_mesh_free(&mesh);
  }
}

/* The study's example: L = |U_00|^2, whose cotangent is conj(U_00) x 2 on output 0. */
static void vjp_differentiates_a_power(void **unused) {
  (void)unused;
  enum { kN = 6, kNodes = 15 };
  chance c = {2};
  cuonn_mesh mesh;
  cuonn_fields input, g, y;
  OK(cuonn_mesh_create(&mesh, kN, CUONN_STYLE_TOP));
  dense_random(&mesh, &c, 0.1, 1);
  OK(cuonn_fields_create(&input, 1, kN));
  OK(cuonn_fields_create(&g, 1, kN));
  OK(cuonn_fields_create(&y, 1, kN));
  input.values[0] = 1;
  OK(cuonn_propagate(&y, NULL, context, &mesh, &input, false));
  g.values[0] = 2 * y.values[0];
  g.values[1] = -2 * y.values[1];
  cuonn_mesh_gradient got = make_gradient(kN);
  OK(cuonn_vjp(&got, NULL, context, &mesh, &input, &g));

  double want[kNodes];
  for (size_t k = 0; k < kNodes; k++) {
    double power[2];
    const double middle = mesh.theta[k];
    for (int side = 0; side < 2; side++) {
      mesh.theta[k] = middle + (side ? kStep : -kStep);
      OK(cuonn_propagate(&y, NULL, context, &mesh, &input, false));
      power[side] = y.values[0] * y.values[0] + y.values[1] * y.values[1];
    }
    mesh.theta[k] = middle;
    want[k] = (power[1] - power[0]) / (2 * kStep);
  }
  CLOSE(got.d_theta, want, kNodes, .rel = 2e-8, .abs = 2e-8);
  for (size_t w = 0; w < kN; w++) assert_true(fabs(got.d_gamma[w]) < 1e-15); /* a power does not see gamma */
  free_gradient(&got);
  cuonn_fields_free(&y);
  cuonn_fields_free(&g);
  cuonn_fields_free(&input);
  cuonn_mesh_free(&mesh);
}

/* --- networks ----------------------------------------------------------------------------------------------------- */

typedef struct {
  cuonn_network net;
  cuonn_fields input;
  uint8_t labels[16];
  cuonn_mesh_gradient *gradients;
} batch;

static batch make_batch(cuonn_network_shape shape, size_t examples, double error, double loss_db, chance *c) {
  batch b = {.input = random_fields(examples, shape.n_modes, c)};
  OK(cuonn_network_create(&b.net, &shape));
  b.gradients = malloc(shape.n_layers * sizeof *b.gradients);
  assert_non_null(b.gradients);
  for (size_t l = 0; l < shape.n_layers; l++) {
    dense_random(&b.net.layers[l], c, error, loss_db);
    b.gradients[l] = make_gradient(shape.n_modes);
  }
  for (size_t e = 0; e < examples; e++) b.labels[e] = (uint8_t)chance_index(c, shape.n_classes);
  return b;
}

static void free_batch(batch *b) {
  for (size_t l = 0; l < b->net.shape.n_layers; l++) free_gradient(&b->gradients[l]);
  free(b->gradients);
  cuonn_network_free(&b->net);
  cuonn_fields_free(&b->input);
}

static double gradient_of(batch *b) {
  double loss = NAN;
  OK(cuonn_gradient(&loss, b->gradients, context, &b->net, &b->input, b->labels));
  return loss;
}

static double loss_of(batch *b) {
  cuonn_evaluation e = {0};
  OK(cuonn_evaluate(&e, context, &b->net, &b->input, b->labels));
  return e.loss;
}

static void compare_with_differences(batch *b) {
  const size_t n = b->net.shape.n_modes, nodes = cuonn_mesh_nodes(n);
  cuonn_mesh_gradient want = make_gradient(n);
  const double loss = gradient_of(b), evaluated = loss_of(b);
  CLOSE(&evaluated, &loss, 1, .rel = 1e-14);
  double plus, minus, middle;
  for (size_t l = 0; l < b->net.shape.n_layers; l++) {
    const cuonn_mesh *const mesh = &b->net.layers[l];
    for (size_t k = 0; k < nodes; k++) {
      want.d_theta[k] = DIFFERENCE(&mesh->theta[k], loss_of(b));
      want.d_phi[k] = DIFFERENCE(&mesh->phi[k], loss_of(b));
    }
    /* moduli bend near zero and the softmax of powers is steep: third derivatives are up to 100 times the first */
    CLOSE(b->gradients[l].d_theta, want.d_theta, nodes, .rel = 1e-6, .abs = 1e-8);
    CLOSE(b->gradients[l].d_phi, want.d_phi, nodes, .rel = 1e-6, .abs = 1e-8);
    for (size_t w = 0; w < n; w++) assert_true(b->gradients[l].d_gamma[w] == 0);
  }
  free_gradient(&want);
}

static void network_gradient_is_the_derivative(void **unused) {
  (void)unused;
  chance c = {3};
  for (size_t trial = 0; trial < 16; trial++) {
    const size_t n = 2 + trial % 7, classes = 2 + chance_index(&c, n - 1);
    const cuonn_network_shape shape =
        CUONN_NETWORK_SHAPE_OF(n, 1 + trial % 3, classes, (cuonn_phase_style)(trial % 4), trial % 2 == 0, NULL);
    const bool ideal = trial % 5 == 0;
    batch b = make_batch(shape, 1 + chance_index(&c, 5), ideal ? 0 : 0.2, ideal ? 0 : 2, &c);
    compare_with_differences(&b);
    free_batch(&b);
  }
}

static void every_output_may_be_read(void **unused) {
  (void)unused;
  chance c = {4};
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(6, 2, 6, CUONN_STYLE_TOP, false, NULL);
  batch b = make_batch(shape, 5, 0.1, 1, &c);
  compare_with_differences(&b);
  free_batch(&b);
}

static void loss_per_class_divides(void **unused) {
  (void)unused;
  chance c = {5};
  batch b = make_batch((cuonn_network_shape)CUONN_NETWORK_SHAPE_OF(5, 2, 4, CUONN_STYLE_TOP, true, NULL), 6, 0, 0, &c);
  const double divided = gradient_of(&b), d_theta = b.gradients[0].d_theta[3];
  b.net.shape.loss_per_class = false;
  const double whole = gradient_of(&b);
  assert_true(fabs(whole - 4 * divided) < 1e-14 * whole);
  assert_true(fabs(b.gradients[0].d_theta[3] - 4 * d_theta) < 1e-14);
  free_batch(&b);
}

/* --- exact zeros ----------------------------------------------------------------------------------------------------
 */

/* Whether light from a node's theta or phi stage reaches an output below n_read: the cone of waveguides widens by one
 * on each side with every further column that has a node there. */
static bool reaches(size_t n, size_t column, size_t top, size_t n_read) {
  size_t first = top, last = top + 1;
  for (size_t c = column + 1; c < n; c++) {
    if (first > 0 && first % 2 != c % 2) first--;
    if (last + 1 < n && last % 2 == c % 2) last++;
  }
  return first < n_read;
}

static void phases_out_of_reach_have_exactly_no_gradient(void **unused) {
  (void)unused;
  chance c = {6};
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(64, 3, 10, CUONN_STYLE_TOP, true, NULL);
  for (int style = CUONN_STYLE_TOP; style <= CUONN_STYLE_DIFFERENTIAL; style++) {
    cuonn_network_shape styled = shape;
    styled.style = (cuonn_phase_style)style;
    const bool ideal = style == CUONN_STYLE_TOP;
    batch b = make_batch(styled, 4, ideal ? 0 : 0.1, ideal ? 0 : 0.5, &c);
    gradient_of(&b);
    for (size_t l = 0; l < 3; l++) {
      size_t zero_theta = 0, zero_phi = 0;
      for (size_t column = 0, k = 0; column < 64; column++) {
        for (size_t top = column % 2; top + 1 < 64; top += 2, k++) {
          const bool blind = l == 2 && !reaches(64, column, top, 10);
          assert_true(isfinite(b.gradients[l].d_theta[k]) && isfinite(b.gradients[l].d_phi[k]));
          assert_int_equal(b.gradients[l].d_theta[k] == 0, blind);
          assert_int_equal(b.gradients[l].d_phi[k] == 0, blind);
          zero_theta += b.gradients[l].d_theta[k] == 0;
          zero_phi += b.gradients[l].d_phi[k] == 0;
        }
      }
      assert_int_equal(zero_theta, l == 2 ? 702 : 0);
      assert_int_equal(zero_phi, l == 2 ? 702 : 0);
      for (size_t w = 0; w < 64; w++) assert_true(b.gradients[l].d_gamma[w] == 0);
    }
    free_batch(&b);
  }
}

/* A black image: no light, no gradient, and no NaN from the modulus of zero. */
static void darkness_has_a_finite_gradient(void **unused) {
  (void)unused;
  chance c = {7};
  batch b = make_batch((cuonn_network_shape)CUONN_NETWORK_SHAPE_OF(8, 3, 4, CUONN_STYLE_TOP, false, NULL), 2, 0, 0, &c);
  memset(b.input.values, 0, 2 * 2 * 8 * sizeof(double));
  const double loss = gradient_of(&b);
  assert_true(fabs(loss - log(4)) < 1e-15); /* four equal powers, all zero */
  for (size_t l = 0; l < 3; l++) {
    for (size_t k = 0; k < 28; k++) assert_true(b.gradients[l].d_theta[k] == 0 && b.gradients[l].d_phi[k] == 0);
  }

  /* one black example beside a bright one halves the bright one's gradient */
  chance_normals(b.input.values, 2 * 8, &c);
  gradient_of(&b);
  const double beside_black = b.gradients[0].d_theta[5];
  b.input.n_examples = 1;
  gradient_of(&b);
  assert_true(beside_black != 0 && fabs(b.gradients[0].d_theta[5] - 2 * beside_black) < 1e-15);
  free_batch(&b);
}

/* Nodes in bar state (theta = pi) keep light in its waveguide: with one waveguide lit, all other moduli are about 0. */
static void dark_waveguides_have_a_finite_gradient(void **unused) {
  (void)unused;
  chance c = {8};
  batch b = make_batch((cuonn_network_shape)CUONN_NETWORK_SHAPE_OF(6, 2, 3, CUONN_STYLE_TOP, true, NULL), 1, 0, 0, &c);
  memset(b.input.values, 0, 2 * 6 * sizeof(double));
  b.input.values[2] = 1;
  for (size_t l = 0; l < 2; l++) {
    for (size_t k = 0; k < 15; k++) b.net.layers[l].theta[k] = M_PI;
  }
  assert_true(isfinite(gradient_of(&b)));
  for (size_t l = 0; l < 2; l++) {
    for (size_t k = 0; k < 15; k++) {
      assert_true(isfinite(b.gradients[l].d_theta[k]) && isfinite(b.gradients[l].d_phi[k]));
    }
  }
  free_batch(&b);
}

/* --- evaluation and refusals -----------------------------------------------------------------------------------------
 */

static void evaluation_counts(void **unused) {
  (void)unused;
  chance c = {9};
  batch b = make_batch((cuonn_network_shape)CUONN_NETWORK_SHAPE_OF(4, 1, 3, CUONN_STYLE_TOP, false, NULL), 6, 0, 0, &c);
  /* every node in bar state: outputs have the moduli of the inputs */
  for (size_t k = 0; k < 6; k++) b.net.layers[0].theta[k] = M_PI;
  const double moduli[6][4] = {{3, 1, 1, 9}, {1, 2, 1, 9}, {1, 1, 2, 9}, {2, 1, 1, 9}, {0, 0, 0, 0}, {1, 3, 1, 0}};
  const uint8_t labels[6] = {0, 1, 1, 2, 0, 1}; /* the fifth is a tie, which output 0 wins */
  for (size_t e = 0; e < 6; e++) {
    for (size_t w = 0; w < 4; w++) {
      b.input.values[2 * (4 * e + w)] = moduli[e][w];
      b.input.values[2 * (4 * e + w) + 1] = 0;
    }
    b.labels[e] = labels[e];
  }
  uint64_t confusion[9];
  memset(confusion, 0x7f, sizeof confusion);
  cuonn_evaluation got = {.confusion = confusion};
  OK(cuonn_evaluate(&got, context, &b.net, &b.input, b.labels));
  const uint64_t want[9] = {2, 0, 0, 0, 2, 1, 1, 0, 0};
  assert_int_equal(got.n_examples, 6);
  assert_int_equal(got.n_correct, 4);
  assert_memory_equal(confusion, want, sizeof want);

  double loss = 0;
  for (size_t e = 0; e < 6; e++) {
    double sum = 0, own = 0;
    for (size_t w = 0; w < 3; w++) {
      const double power = moduli[e][w] * moduli[e][w];
      sum += exp(power);
      if (w == labels[e]) own = power;
    }
    loss += (log(sum) - own) / 6;
  }
  CLOSE(&got.loss, &loss, 1, .rel = 1e-13);
  free_batch(&b);
}

static void bad_arguments_are_refused(void **unused) {
  (void)unused;
  chance c = {10};
  batch b = make_batch((cuonn_network_shape)CUONN_NETWORK_SHAPE_OF(5, 2, 3, CUONN_STYLE_TOP, false, NULL), 4, 0, 0, &c);
  cuonn_fields narrow = random_fields(4, 4, &c), fewer = random_fields(3, 5, &c), out = random_fields(4, 5, &c);
  const cuonn_mesh *const mesh = &b.net.layers[0];
  cuonn_evaluation e = {0};
  double loss;
  b.labels[2] = 3;
  REFUSED(cuonn_gradient(&loss, b.gradients, context, &b.net, &b.input, b.labels), CUONN_E_DATA, "example 2 is 3");
  REFUSED(cuonn_evaluate(&e, context, &b.net, &b.input, b.labels), CUONN_E_DATA, "example 2 is 3");
  b.labels[2] = 2;
  REFUSED(cuonn_gradient(&loss, b.gradients, context, &b.net, &narrow, b.labels), CUONN_E_SHAPE, "4 waveguides");
  REFUSED(cuonn_propagate(&out, NULL, context, mesh, &narrow, false), CUONN_E_SHAPE, "4 waveguides");
  REFUSED(cuonn_propagate(&fewer, NULL, context, mesh, &b.input, true), CUONN_E_SHAPE, "3 examples");
  REFUSED(cuonn_vjp(b.gradients, NULL, context, mesh, &b.input, &fewer), CUONN_E_SHAPE, "3 examples");
  REFUSED(cuonn_vjp(b.gradients, &fewer, context, mesh, &b.input, &b.input), CUONN_E_SHAPE, "3 examples");
  b.input.values[2 * (5 * 3 + 1) + 1] = NAN;
  REFUSED(cuonn_propagate(&out, NULL, context, mesh, &b.input, false), CUONN_E_NONFINITE, "example 3, waveguide 1");
  REFUSED(cuonn_vjp(b.gradients, NULL, context, mesh, &out, &b.input), CUONN_E_NONFINITE, "example 3, waveguide 1");
  REFUSED(cuonn_gradient(&loss, b.gradients, context, &b.net, &b.input, b.labels), CUONN_E_NONFINITE, "example 3");
  b.input.values[2 * (5 * 3 + 1) + 1] = 0;
  b.net.layers[1].phi[7] = INFINITY;
  REFUSED(cuonn_gradient(&loss, b.gradients, context, &b.net, &b.input, b.labels), CUONN_E_NONFINITE, "phi[7] is inf");
  REFUSED(cuonn_evaluate(&e, context, &b.net, &b.input, b.labels), CUONN_E_NONFINITE, "layer 1");
  REFUSED(cuonn_propagate(&out, NULL, context, &b.net.layers[1], &b.input, false), CUONN_E_NONFINITE, "phi[7]");
  cuonn_fields_free(&out);
  cuonn_fields_free(&fewer);
  cuonn_fields_free(&narrow);
  free_batch(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(vjp_is_the_derivative),
      cmocka_unit_test(vjp_differentiates_a_power),
      cmocka_unit_test(network_gradient_is_the_derivative),
      cmocka_unit_test(every_output_may_be_read),
      cmocka_unit_test(loss_per_class_divides),
      cmocka_unit_test(phases_out_of_reach_have_exactly_no_gradient),
      cmocka_unit_test(darkness_has_a_finite_gradient),
      cmocka_unit_test(dark_waveguides_have_a_finite_gradient),
      cmocka_unit_test(evaluation_counts),
      cmocka_unit_test(bad_arguments_are_refused),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
