/* The cpu backend gives the same bits for any number of threads: training, evaluation, gradient, single meshes. */
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"

enum { kModes = 12, kLayers = 2, kClasses = 4, kExamples = 530, kBatch = 300, kSteps = 6, kNodes = 66 };

static const int threads[] = {1, 2, 3, 4, 5};
enum { kRuns = sizeof threads / sizeof *threads };

/* Everything that a run gives. */
typedef struct {
  double losses[kSteps], theta[kLayers][kNodes], phi[kLayers][kNodes], moments[2 * kLayers * kModes * kModes];
  double test_loss, loss, d_theta[kLayers][kNodes], d_phi[kLayers][kNodes], d_gamma[kLayers][kModes];
  double out[kExamples * kModes * 2], back[kExamples * kModes * 2];
  double vjp_theta[kNodes], vjp_phi[kNodes], vjp_gamma[kModes];
} results;

static void run(results *out, int n_threads, double error, cuonn_order order, cuonn_method method) {
  const cuonn_backend *const cpu = &cuonn_backend_cpu;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, kClasses, CUONN_STYLE_TOP, true, NULL);
  const cuonn_optimizer_options adam = {CUONN_OPTIMIZER_ADAM, 0.01, 0, 0.9, 0.999, 1e-8, false};
  const backend_problem problem = {.n_models = 1,
                                   .shape = shape,
                                   .batch_size = kExamples,
                                   .order = order,
                                   .place.threads = n_threads,
                                   .method = method};
  chance c = {11};
  cuonn_network network;
  cuonn_fields fields;
  uint8_t labels[kExamples];
  void *state;
  OK(cuonn_network_create(&network, &shape));
  for (size_t l = 0; l < kLayers; l++) dense_random(&network.layers[l], &c, error, error);
  OK(cuonn_fields_create(&fields, kExamples, kModes));
  chance_normals(fields.values, 2 * kExamples * kModes, &c);
  for (size_t e = 0; e < kExamples; e++) labels[e] = (uint8_t)chance_index(&c, kClasses);

  cuonn_mesh_gradient vjp = {out->vjp_theta, out->vjp_phi, out->vjp_gamma, NULL};
  const cuonn_buffer x = buffer_of_fields(&fields), y = buffer_of(out->out, x.count),
                     back = buffer_of(out->back, x.count);
  OK(cpu->propagate(&y, NULL, &network.layers[0], &x, false, (backend_place){.threads = n_threads}));
  OK(cpu->vjp(&vjp, &back, &network.layers[0], &x, &x, (backend_place){.threads = n_threads}));

  OK(cpu->create(&state, &problem));
  OK(cpu->set_model(state, 0, &(backend_model){.network = &network, .optimizer = &adam, .seed = 3}));
  OK(cpu->set_fields(state, CUONN_SPLIT_TRAIN, &fields, labels));
  OK(cpu->set_fields(state, CUONN_SPLIT_TEST, &fields, labels));
  cuonn_step steps[kSteps];
  for (size_t i = 0; i < kSteps; i++) {
    steps[i] = (cuonn_step){.epoch = (uint32_t)i / 2,
                            .first = i % 2 * kBatch,
                            .count = i % 2 == 0 ? kBatch : kExamples - kBatch,
                            .rate_factor = 1,
                            .adam_index = i};
  }
  OK(cpu->train_steps(out->losses, state, steps, kSteps));
  cuonn_evaluation evaluation = {0};
  OK(cpu->evaluate(&evaluation, state, 0, 1, CUONN_SPLIT_TEST));
  out->test_loss = evaluation.loss;
  cuonn_mesh_gradient g[kLayers];
  for (size_t l = 0; l < kLayers; l++) {
    g[l] = (cuonn_mesh_gradient){out->d_theta[l], out->d_phi[l], out->d_gamma[l], NULL};
  }
  OK(cpu->gradient(&out->loss, g, state, 0, 1, CUONN_SPLIT_TEST, &(cuonn_step){.count = kExamples},
                   CUONN_GRADIENT_EXACT));
  OK(cpu->get_model(&(backend_model){.network = &network, .moments = out->moments}, state, 0));
  for (size_t l = 0; l < kLayers; l++) {
    memcpy(out->theta[l], network.layers[l].theta, sizeof out->theta[l]);
    memcpy(out->phi[l], network.layers[l].phi, sizeof out->phi[l]);
  }
  cpu->destroy(state);
  cuonn_fields_free(&fields);
  cuonn_network_free(&network);
}

static void compare_by(double error, cuonn_order order, cuonn_method method) {
  results *runs;
  OK(cuonn_allocate(&runs, kRuns, sizeof *runs));
  for (size_t i = 0; i < kRuns; i++) run(runs + i, threads[i], error, order, method);
  for (size_t i = 1; i < kRuns; i++) {
    if (memcmp(runs, runs + i, sizeof *runs) != 0) fail_msg("%d threads give other bits than one", threads[i]);
  }
  assert_true(runs[0].losses[0] > 0 && runs[0].losses[kSteps - 1] < runs[0].losses[0]);
  free(runs);
}

static void compare(double error, cuonn_order order) {
  compare_by(error, order, CUONN_METHOD_COLUMNS);
  compare_by(error, order, CUONN_METHOD_DENSE);
}

static void test_ideal(void **state) { (void)state, compare(0, CUONN_ORDER_FIXED); }
static void test_errors_and_losses(void **state) { (void)state, compare(0.2, CUONN_ORDER_FIXED); }
static void test_shuffled(void **state) { (void)state, compare(0, CUONN_ORDER_SHUFFLED); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_ideal), cmocka_unit_test(test_errors_and_losses),
                                     cmocka_unit_test(test_shuffled)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
