/* Networks as plain data: their shape, their checks, their starting phases. */
#include <complex.h>
#include <string.h>

#include "cuonn/network.h"
#include "support/close.h"
#include "support/dense.h"

static void create_makes_zero_meshes(void **unused) {
  (void)unused;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(5, 3, 4, CUONN_STYLE_BOTTOM, false, NULL);
  cuonn_network net;
  OK(cuonn_network_create(&net, &shape));
  assert_int_equal(net.shape.n_modes, 5);
  assert_int_equal(net.shape.n_layers, 3);
  assert_int_equal(net.shape.n_classes, 4);
  assert_false(net.shape.loss_per_class);
  for (size_t l = 0; l < 3; l++) {
    assert_int_equal(net.layers[l].n_modes, 5);
    assert_int_equal(net.layers[l].style, CUONN_STYLE_BOTTOM);
    for (size_t k = 0; k < 10; k++) assert_true(net.layers[l].theta[k] == 0 && net.layers[l].phi[k] == 0);
  }
  cuonn_network_free(&net);
  assert_null(net.layers);
  cuonn_network_free(&net);
  cuonn_network_free(NULL);
}

static void create_refuses_shapes(void **unused) {
  (void)unused;
  const struct {
    cuonn_network_shape shape;
    const char *text;
  } refused[] = {{CUONN_NETWORK_SHAPE_OF(1, 1, 2, CUONN_STYLE_TOP, true, NULL), "2 to 16384 waveguides, not 1"},
                 {CUONN_NETWORK_SHAPE_OF(CUONN_MODES_MAX + 1, 1, 2, CUONN_STYLE_TOP, true, NULL), "not 16385"},
                 {CUONN_NETWORK_SHAPE_OF(4, 0, 2, CUONN_STYLE_TOP, true, NULL), "1 to 1024 layers, not 0"},
                 {CUONN_NETWORK_SHAPE_OF(4, CUONN_LAYERS_MAX + 1, 2, CUONN_STYLE_TOP, true, NULL), "not 1025"},
                 {CUONN_NETWORK_SHAPE_OF(4, 1, 1, CUONN_STYLE_TOP, true, NULL), "2 to 4 classes, not 1"},
                 {CUONN_NETWORK_SHAPE_OF(4, 1, 5, CUONN_STYLE_TOP, true, NULL), "2 to 4 classes, not 5"},
                 {CUONN_NETWORK_SHAPE_OF(300, 1, 257, CUONN_STYLE_TOP, true, NULL),
                  "2 to 256 classes, not 257"}, /* labels are bytes */
                 {CUONN_NETWORK_SHAPE_OF(4, 1, 2, (cuonn_phase_style)4, true, NULL), "phase style 4"}};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    cuonn_network net;
    memset(&net, 0x5a, sizeof net);
    REFUSED(cuonn_network_create(&net, &refused[i].shape), CUONN_E_SHAPE, refused[i].text);
    assert_null(net.layers);
  }
}

static void check_names_the_layer(void **unused) {
  (void)unused;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(4, 3, 2, CUONN_STYLE_TOP, true, NULL);
  cuonn_network net;
  OK(cuonn_network_create(&net, &shape));
  OK(cuonn_network_check(&net));
  net.layers[2].gamma[1] = NAN;
  REFUSED(cuonn_network_check(&net), CUONN_E_NONFINITE, "layer 2: gamma[1]");
  cuonn_network_free(&net);
}

/* Every layer is the decomposition of its own Haar-random unitary. */
static void starts_from_haar_unitaries(void **unused) {
  (void)unused;
  enum { kN = 7 };
  const cuonn_phase_style styles[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM, CUONN_STYLE_DIFFERENTIAL};
  for (size_t s = 0; s < 3; s++) {
    const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kN, 3, 4, styles[s], true, NULL);
    double complex want[kN * kN], got[kN * kN];
    cuonn_network net;
    OK(cuonn_network_create(&net, &shape));
    OK(cuonn_network_initialize(&net, CUONN_START_HAAR, 42));
    for (size_t l = 0; l < 3; l++) {
      OK(cuonn_haar_unitary((double *)want, kN, 42, (uint32_t)l));
      dense_matrix(got, &net.layers[l]);
      CLOSE((double *)got, (double *)want, 2 * kN * kN, .abs = 1e-14);
    }
    cuonn_network_free(&net);
  }
}

static void starts_from_haar_phases(void **unused) {
  (void)unused;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(6, 2, 3, CUONN_STYLE_SYMMETRIC, true, NULL);
  cuonn_network net, other;
  cuonn_mesh want;
  OK(cuonn_network_create(&net, &shape));
  OK(cuonn_network_create(&other, &shape));
  OK(cuonn_mesh_create(&want, 6, CUONN_STYLE_SYMMETRIC));
  OK(cuonn_network_initialize(&net, CUONN_START_HAAR_PHASES, 42));
  OK(cuonn_network_initialize(&other, CUONN_START_HAAR_PHASES, 43));
  for (size_t l = 0; l < 2; l++) {
    OK(cuonn_mesh_randomize(&want, 42, (uint32_t)l));
    assert_memory_equal(net.layers[l].theta, want.theta, 15 * sizeof(double));
    assert_memory_equal(net.layers[l].phi, want.phi, 15 * sizeof(double));
    assert_memory_equal(net.layers[l].gamma, want.gamma, 6 * sizeof(double));
    assert_memory_not_equal(net.layers[l].theta, other.layers[l].theta, 15 * sizeof(double));
  }
  assert_memory_not_equal(net.layers[0].theta, net.layers[1].theta, 15 * sizeof(double));
  cuonn_mesh_free(&want);
  cuonn_network_free(&other);
  cuonn_network_free(&net);
}

static void refuses_starts(void **unused) {
  (void)unused;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(4, 1, 2, CUONN_STYLE_SYMMETRIC, true, NULL);
  cuonn_network net;
  OK(cuonn_network_create(&net, &shape));
  REFUSED(cuonn_network_initialize(&net, CUONN_START_HAAR, 1), CUONN_E_ARGUMENT, "symmetric");
  REFUSED(cuonn_network_initialize(&net, CUONN_START_FILE, 1), CUONN_E_ARGUMENT, "start");
  cuonn_network_free(&net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(create_makes_zero_meshes), cmocka_unit_test(create_refuses_shapes),
      cmocka_unit_test(check_names_the_layer),    cmocka_unit_test(starts_from_haar_unitaries),
      cmocka_unit_test(starts_from_haar_phases),  cmocka_unit_test(refuses_starts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
