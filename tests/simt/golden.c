/* Loss and gradient of the cuda backend against values of an independent program (simphox + JAX, automatic
 * differentiation).
 *
 * Tolerances as in support/parity.h: fields behind k columns are off by 10 u sqrt(k), u = 6e-8, and gradients by four
 * times that. The gradients of all layers are one array: its scale is that of the flows that they are differences
 * of. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden_network.h"

static const double kFields = 10, kGradient = 40, kUnit = FLT_EPSILON / 2;

static void network(const char *tag, size_t n, size_t layers, size_t classes, size_t examples) {
  const size_t nodes = cuonn_mesh_nodes(n);
  const double unit = kUnit * sqrt((double)(n * layers));
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(n, layers, classes, CUONN_STYLE_TOP, true, NULL);
  cuonn_network net;
  cuonn_fields input;
  cuonn_mesh_gradient gradients[3];
  cuonn_context *context;
  uint8_t labels[16];
  char group[64];
  OK(cuonn_context_create(&context, "cuda", 0));
  double want_loss, loss = NAN;
  golden_network(&net, &input, labels, &want_loss, tag, &shape, examples);

  double *const got = calloc(layers * (2 * nodes + n), sizeof *got);
  double *const want = calloc(layers * (2 * nodes + n), sizeof *want);
  assert_true(got && want);
  for (size_t l = 0; l < layers; l++) {
    const size_t at = l * 2 * nodes;
    snprintf(group, sizeof group, "network/%s/layer%zu", tag, l);
    golden_read_into(want + at, group, "d_theta", nodes);
    golden_read_into(want + at + nodes, group, "d_phi", nodes);
    gradients[l] = (cuonn_mesh_gradient){got + at, got + at + nodes, got + layers * 2 * nodes + l * n, NULL};
  }
  OK(cuonn_gradient(&loss, gradients, context, &net, &input, labels));
  CLOSE(&loss, &want_loss, 1, .rel = kFields * unit);
  CLOSE(got, want, layers * (2 * nodes + n), .rel = kGradient * unit); /* gamma's are 0 */

  cuonn_evaluation evaluation = {0};
  OK(cuonn_evaluate(&evaluation, context, &net, &input, labels));
  CLOSE(&evaluation.loss, &want_loss, 1, .rel = kFields * unit);

  free(want);
  free(got);
  cuonn_fields_free(&input);
  cuonn_network_free(&net);
  cuonn_context_free(context);
}

static void test_golden__study(void **state) { (void)state, network("seed", 64, 3, 10, 16); }
static void test_golden__small(void **state) { (void)state, network("small", 8, 2, 5, 7); }
static void test_golden__odd(void **state) { (void)state, network("odd", 5, 3, 4, 6); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden__study),
      cmocka_unit_test(test_golden__small),
      cmocka_unit_test(test_golden__odd),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
