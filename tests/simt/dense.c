/* The cuda backend by matrices against the reference, under every schedule. Tolerances: as tests/parity/dense.c; sums
 * over examples are cuBLAS's, in float. */
#define PARITY_BACKEND cuonn_backend_cuda
#define PARITY_METHOD CUONN_METHOD_DENSE
#define PARITY_BATCHES \
  { 1, 3, 7, 70 }
#define PARITY_ONE_PATH false
#define PARITY_ROUNDINGS 12 /* the emulation does not contract */
#define PARITY_DARK_FLOW true
/* cuBLAS may take another algorithm for another number of models, which rounds sums of up to N or of batch terms, and
 * each of 4 steps, anew: their parts of kGradient. */
#define PARITY_SHARED_ROUNDING 1e-5
#include "support/parity.h"

#include "cuda/methods.h"
#include "support/refusals.h"
#include "support/schedules.h"

/* Of the layouts that small meshes leave out; batches of several chunks. */
static void test_large(void **state) {
  (void)state;
  static const problem cases[] = {
      {.modes = 16, .layers = 3, .classes = 10, .batch = 600, .style = CUONN_STYLE_TOP},
      {.modes = 33, .layers = 3, .classes = 17, .batch = 130, .style = CUONN_STYLE_SYMMETRIC},
      {.modes = 130, .layers = 2, .classes = 10, .batch = 20, .error = 0.05, .style = CUONN_STYLE_BOTTOM},
      {.modes = 257, .layers = 1, .classes = 7, .batch = 5, .style = CUONN_STYLE_DIFFERENTIAL},
      {.modes = 130, .layers = 1, .classes = 10, .batch = 9, .error = 0.05, .loss = .1}};
  chance c = {41};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_network(cases + i, &c);
}

/* Steps of a whole batch and of a smaller last one, the same twice, between gradients of both splits, which take the
 * same room; then after new examples, which lie elsewhere. */
static void test_graphs__follow_their_arrays(void **state) {
  (void)state;
  enum { kExamples = 90 };
  const problem p = {.modes = 9, .layers = 3, .classes = 4, .batch = kExamples, .style = CUONN_STYLE_TOP};
  const size_t nodes = cuonn_mesh_nodes(p.modes);
  const cuonn_step steps[2] = {{.count = 50, .rate_factor = 1},
                               {.first = 50, .count = 40, .rate_factor = 1, .adam_index = 1}};
  double losses[3][2], loss, *const scratch = doubles(p.layers * (2 * nodes + p.modes));
  cuonn_mesh_gradient g[3];
  cuonn_fields more;
  uint8_t *labels;
  chance c = {43};
  pair states;
  make_pair(&states, &p, kExamples, CUONN_ORDER_SHUFFLED, &adam, &c);
  for (size_t l = 0; l < p.layers; l++) {
    double *const at = scratch + l * (2 * nodes + p.modes);
    g[l] = (cuonn_mesh_gradient){at, at + nodes, at + 2 * nodes, NULL};
  }
  const backend_model model = {.network = &states.network, .optimizer = &adam, .seed = 7};
  for (int run = 0; run < 2; run++) {
    OK(PARITY_BACKEND.set_model(states.states[1], 0, &model));
    OK(PARITY_BACKEND.gradient(&loss, g, states.states[1], 0, 1, CUONN_SPLIT_TEST, &steps[0], CUONN_GRADIENT_EXACT));
    OK(PARITY_BACKEND.train_steps(losses[run], states.states[1], steps, 2));
  }
  assert_memory_equal(losses[0], losses[1], sizeof losses[0]);
  OK(cuonn_backend_reference.train_steps(losses[2], states.states[0], steps, 2));
  CLOSE(losses[0], losses[2], 2, .rel = 1e-5);
  random_fields(&more, 2 * kExamples, p.modes, &c);
  OK(cuonn_allocate(&labels, 2 * kExamples, 1));
  for (int b = 0; b < 2; b++) { /* no model is set again, which would drop graphs, too */
    OK(both[b]->set_fields(states.states[b], CUONN_SPLIT_TRAIN, &more, labels));
    OK(both[b]->train_steps(losses[b], states.states[b], steps, 2));
  }
  CLOSE(losses[1], losses[0], 2, .rel = 1e-5);
  free(labels);
  free(scratch);
  cuonn_fields_free(&more);
  free_pair(&states);
}

/* Fewer parts than there are passes over a matrix's columns, as large meshes have them for want of memory: blocks go on
 * to the next columns, and add to what they have. Sums in another order differ by rounding, of N terms. */
static void test_parts__of_several_passes(void **state) {
  (void)state;
  enum { kModes = 33, kNodes = 528 };
  for (int lossy = 0; lossy < 2; lossy++) {
    const problem p = {.modes = kModes, .layers = 2, .classes = 10, .batch = 5, .loss = 4. * lossy};
    const cuonn_step all = {.count = p.batch};
    double loss, gradients[2][2][2 * kNodes + kModes];
    for (size_t few = 0; few < 2; few++) {
      cuonn_mesh_gradient g[2];
      pair states;
      chance c = {47};
      make_pair(&states, &p, p.batch, CUONN_ORDER_FIXED, NULL, &c);
      cuda_steps *const steps = &((cuda_state *)states.states[1])->steps;
      assert_true(steps->n_parts > 3);
      if (few) steps->n_parts = 3;
      for (size_t l = 0; l < 2; l++) {
        double *const at = gradients[few][l];
        g[l] = (cuonn_mesh_gradient){at, at + kNodes, at + 2 * kNodes, NULL};
      }
      OK(PARITY_BACKEND.gradient(&loss, g, states.states[1], 0, 1, CUONN_SPLIT_TEST, &all, CUONN_GRADIENT_EXACT));
      free_pair(&states);
    }
    CLOSE(&gradients[1][0][0], &gradients[0][0][0], sizeof gradients[0] / sizeof(double), .rel = tolerance(1, kModes));
    assert_memory_not_equal(gradients[1], gradients[0], sizeof gradients[0]);
  }
}

/* Which method `auto` takes: matrices for large batches of exact gradients alone. */
static void test_auto(void **state) {
  (void)state;
  const backend_problem small = {.n_models = 1,
                                 .shape = {64, 3, 10, CUONN_STYLE_TOP, false, NULL},
                                 .batch_size = 512,
                                 .method = CUONN_METHOD_AUTO};
  backend_problem p = small;
  assert_ptr_equal(cuda_method_of(&p, CUONN_GRADIENT_EXACT), &cuda_columns);
  /* from 2^24 / N^2 examples on, and from 2 N on; benchmarks are told the same, and columns where losses alone count */
  static const struct { size_t n_modes, least; } bounds[] = {{64, 4096}, {1024, 2048}};
  for (size_t i = 0; i < 4; i++) {
    const bool pays = i % 2 == 1;
    p.shape.n_modes = bounds[i / 2].n_modes;
    p.batch_size = bounds[i / 2].least - !pays;
    assert_ptr_equal(cuda_method_of(&p, CUONN_GRADIENT_EXACT), pays ? &cuda_dense : &cuda_columns);
    assert_int_equal(PARITY_BACKEND.auto_method(&p.shape, p.batch_size, true),
                     pays ? CUONN_METHOD_DENSE : CUONN_METHOD_COLUMNS);
    assert_int_equal(PARITY_BACKEND.auto_method(&p.shape, p.batch_size, false), CUONN_METHOD_COLUMNS);
  }
  assert_ptr_equal(cuda_method_of(&p, CUONN_GRADIENT_IDEAL), &cuda_dense);
  p.method = CUONN_METHOD_COLUMNS;
  assert_ptr_equal(cuda_method_of(&p, CUONN_GRADIENT_EXACT), &cuda_columns);
  p.method = CUONN_METHOD_AUTO;
  p.gradient = CUONN_GRADIENT_ANALOG;
  assert_ptr_equal(cuda_method_of(&p, CUONN_GRADIENT_ANALOG), &cuda_in_situ);
  assert_ptr_equal(cuda_method_of(&p, CUONN_GRADIENT_EXACT), &cuda_columns);
  p = small;
  p.n_models = 8; /* they do not count: a sweep that goes on may have fewer */
  assert_ptr_equal(cuda_method_of(&p, CUONN_GRADIENT_EXACT), &cuda_columns);
  p.shape.n_modes = 1024;
  assert_ptr_equal(cuda_method_of(&p, CUONN_GRADIENT_EXACT), &cuda_columns);
  p = small;
  p.method = CUONN_METHOD_DENSE;
  assert_ptr_equal(cuda_method_of(&p, CUONN_GRADIENT_EXACT), &cuda_dense);
}

static void test_refusals(void **state) {
  (void)state;
  cuonn_context *context;
  const cuonn_training_options training = CUONN_TRAINING_OPTIONS_INIT;
  OK(cuonn_context_create(&context, "cuda", 1));
  dense_refuses_measured(context);
  REFUSED(cuonn_training_check(context, &(cuonn_network_shape){.n_modes = 1025, .n_layers = 1}, &training),
          CUONN_E_SHAPE, "backend cuda computes meshes of up to 1024 waveguides, these have 1025");
  cuonn_context_free(context);
}

int main(void) {
  const struct CMUnitTest once[] = {cmocka_unit_test(test_large), cmocka_unit_test(test_parts__of_several_passes),
                                    cmocka_unit_test(test_auto), cmocka_unit_test(test_refusals)};
  const struct CMUnitTest tests[] = {PARITY_NETWORK_TESTS, cmocka_unit_test(test_graphs__follow_their_arrays)};
  const int failed = cmocka_run_group_tests(once, NULL, NULL);
  return run_under_schedules(tests, sizeof tests / sizeof *tests, failed);
}
