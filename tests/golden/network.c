/* Loss and gradient of networks against values of an independent program (simphox + JAX, automatic differentiation).
 *
 * Tolerance: three meshes of 64 columns, each with some ten roundings of 1e-16 a node, forward and backward; a gradient
 * is a sum of terms up to ten times its own size. */
#include <stdlib.h>
#include <string.h>

#include "support/golden_network.h"

static void network(const char *tag, size_t n, size_t layers, size_t classes, size_t examples) {
  const size_t nodes = cuonn_mesh_nodes(n);
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(n, layers, classes, CUONN_STYLE_TOP, true, NULL);
  cuonn_network net;
  cuonn_fields input;
  cuonn_mesh_gradient gradients[3];
  cuonn_context *context;
  uint8_t labels[16];
  char group[64];
  OK(cuonn_context_create(&context, "reference", 0));
  double loss = NAN, want_loss;
  golden_network(&net, &input, labels, &want_loss, tag, &shape, examples);
  for (size_t l = 0; l < layers; l++) {
    gradients[l].d_theta = malloc(nodes * sizeof(double));
    gradients[l].d_phi = malloc(nodes * sizeof(double));
    gradients[l].d_gamma = malloc(n * sizeof(double));
    assert_true(gradients[l].d_theta && gradients[l].d_phi && gradients[l].d_gamma);
    for (size_t w = 0; w < n; w++) gradients[l].d_gamma[w] = NAN;
  }

  OK(cuonn_gradient(&loss, gradients, context, &net, &input, labels));
  CLOSE(&loss, &want_loss, 1, .rel = 1e-13);
  for (size_t l = 0; l < layers; l++) {
    snprintf(group, sizeof group, "network/%s/layer%zu", tag, l);
    double *d_theta = golden_read_n("golden.nc", group, "d_theta", nodes);
    double *d_phi = golden_read_n("golden.nc", group, "d_phi", nodes);
    CLOSE(gradients[l].d_theta, d_theta, nodes, .rel = 1e-11);
    CLOSE(gradients[l].d_phi, d_phi, nodes, .rel = 1e-11);
    for (size_t w = 0; w < n; w++) assert_true(gradients[l].d_gamma[w] == 0);
    free(d_phi);
    free(d_theta);
  }

  cuonn_evaluation evaluation = {0};
  OK(cuonn_evaluate(&evaluation, context, &net, &input, labels));
  CLOSE(&evaluation.loss, &want_loss, 1, .rel = 1e-13);

  for (size_t l = 0; l < layers; l++) {
    free(gradients[l].d_theta);
    free(gradients[l].d_phi);
    free(gradients[l].d_gamma);
  }
  cuonn_fields_free(&input);
  cuonn_network_free(&net);
  cuonn_context_free(context);
}

static void study(void **unused) {
  (void)unused;
  network("seed", 64, 3, 10, 16);
}

static void small(void **unused) {
  (void)unused;
  network("small", 8, 2, 5, 7);
}

static void odd(void **unused) {
  (void)unused;
  network("odd", 5, 3, 4, 6);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(study),
      cmocka_unit_test(small),
      cmocka_unit_test(odd),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
