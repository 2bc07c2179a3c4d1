/* The cuda backend on networks with more than moduli behind their meshes: every law, loss and kind of layer, against a
 * plain program and finite differences (support/layers.h), and against the reference backend on larger ones; their
 * training, models side by side, and what is refused. */
#include "support/layers.h"

#include "cuda/methods.h"
#include "network/layer.h"
#include "support/refusals.h"
#include "support/schedules.h"

/* As in tests/unit/layer.c, and products and sums that are not contracted: 12 roundings a column instead of 8. */
static const double kFloat = 4e-5;

static const cuonn_layer_kind kinds[] = {CUONN_LAYER_UNITARY, CUONN_LAYER_SVD, CUONN_LAYER_DIAGONAL};
enum { kLayerKinds = 3, kCases = kLayerKinds * kLaws * 2 };

/* Number i of all kinds, laws and losses. */
static layered numbered(size_t i, size_t n, size_t n_examples) {
  return (layered){.layer = kinds[i % kLayerKinds],
                   .n = n,
                   .n_examples = n_examples,
                   .law = i / kLayerKinds % kLaws,
                   .loss = (cuonn_loss)(i / kLayerKinds / kLaws % 2),
                   .style = CUONN_STYLE_BOTTOM,
                   .seed = 100 * n + i};
}

/* Each with ideal nodes in one size and with lossy ones in the other. */
static void test_plain_program(void **unused) {
  (void)unused;
  for (size_t i = 0; i < 2 * (size_t)kCases; i++) {
    layered p = numbered(i % kCases, i < kCases ? 2 : 5, kExamples);
    if ((i + i / kCases) % 2) p.error = .2, p.loss_db = 1;
    backend_computes("cuda", i % 2 ? "dense" : "columns", p, kFloat);
  }
}

/* ---- larger ones, against the reference ---- */

/* What is exactly 0 (docs/physics.md): phases of nodes from which no light reaches an output that is read, eq. 18, and
 * common phases of the last column where only moduli are read behind it. */
static void zeros_are_exact(const fixture *f, const cuonn_mesh_gradient *got) {
  const cuonn_network_shape *const shape = &f->network.shape;
  const size_t n = shape->n_modes;
  for (size_t l = 0; l < kMeshes && shape_is_complete(shape->mesh); l++) {
    for (size_t k = 0; k < shape->mesh->n_nodes; k++) {
      const size_t column = shape->mesh->column_of[k], top = shape->mesh->pairs[k][0];
      const bool last = column + 1 == n, unread = l + 1 == kMeshes && top + column >= n - 1 + kClasses;
      if (unread) assert_true(got[l].d_theta[k] == 0 && got[l].d_phi[k] == 0);
      if (last && shape->style == CUONN_STYLE_SYMMETRIC)
        assert_true((got[l].d_phi[k] != 0) == network_keeps_phase(shape, l));
    }
  }
}

static void compare_with_reference(const fixture *f, const cuonn_mesh_gradient *got, const cuonn_mesh_gradient *want) {
  const size_t n = f->network.shape.n_modes, nodes = f->network.layers->n_nodes;
  double most = 0; /* some arrays hold nothing but rounding */
  for (size_t l = 0; l < kMeshes; l++) {
    for (size_t k = 0; k < nodes; k++) most = fmax(most, fmax(fabs(want[l].d_theta[k]), fabs(want[l].d_phi[k])));
  }
  for (size_t l = 0; l < kMeshes; l++) {
    CLOSE(got[l].d_theta, want[l].d_theta, nodes, .abs = 10 * kFloat * most);
    CLOSE(got[l].d_phi, want[l].d_phi, nodes, .abs = 10 * kFloat * most);
    CLOSE(got[l].d_gamma, want[l].d_gamma, n, .abs = 10 * kFloat * most);
    for (size_t w = 0; w < n; w++) assert_true(want[l].d_gamma[w] != 0 || got[l].d_gamma[w] == 0);
    if (!f->network.amplitudes) continue;
    CLOSE(got[l].d_amplitude, want[l].d_amplitude, n, .rel = 10 * kFloat, .abs = 10 * kFloat * most);
    for (size_t w = 0; w < n; w++) assert_true(want[l].d_amplitude[w] != 0 || got[l].d_amplitude[w] == 0);
  }
}

/* Exact or ideal gradients, and the losses of a chip that reads with noise. */
static void agrees(const layered *p, cuonn_gradient_method method) {
  fixture f;
  cuonn_context *judge, *context;
  cuonn_mesh_gradient *want;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  double losses[2];
  cuonn_evaluation evaluations[2] = {0};
  OK(cuonn_context_create(&judge, "reference", 1));
  OK(cuonn_context_create(&context, "cuda", 1));
  create(&f, *p);
  OK(cuonn_gradients_create(&want, &f.network.shape));
  OK(cuonn_gradient_on_chip(&losses[0], want, judge, &f.network, &chip, method, &f.input, f.labels));
  OK(cuonn_gradient_on_chip(&losses[1], f.gradients, context, &f.network, &chip, method, &f.input, f.labels));
  CLOSE(&losses[1], &losses[0], 1, .rel = kFloat);
  compare_with_reference(&f, f.gradients, want);
  zeros_are_exact(&f, f.gradients);
  chip.io_amplitude = chip.io_phase = .02;
  for (int measurement = 0; measurement < 2; measurement++) {
    chip.measurement = measurement ? CUONN_MEASUREMENT_MATRIX : CUONN_MEASUREMENT_EXAMPLE;
    OK(cuonn_evaluate_on_chip(&evaluations[0], judge, &f.network, &chip, &f.input, f.labels));
    OK(cuonn_evaluate_on_chip(&evaluations[1], context, &f.network, &chip, &f.input, f.labels));
    CLOSE(&evaluations[1].loss, &evaluations[0].loss, 1, .rel = kFloat);
    assert_true(evaluations[1].loss != losses[1]);
  }
  cuonn_gradients_free(want);
  release(&f);
  cuonn_context_free(context);
  cuonn_context_free(judge);
}

static void test_reference(void **unused) {
  (void)unused;
  static const cuonn_phase_style styles[] = {CUONN_STYLE_TOP, CUONN_STYLE_SYMMETRIC, CUONN_STYLE_DIFFERENTIAL};
  static const size_t sizes[] = {8, 13, 6, 33, 7};
  for (size_t i = 0; i < kCases; i++) {
    layered p = numbered(i, sizes[(i + i / 5) % 5], 20);
    p.style = styles[(i + i / 4) % 3];
    p.error = i % 2 ? .1 : 0;
    agrees(&p, i % 4 == 3 ? CUONN_GRADIENT_IDEAL : CUONN_GRADIENT_EXACT);
  }
}

/* Nodes of waveguides that are not neighbours, and with losses. */
static void test_far_pairs(void **unused) {
  (void)unused;
  cuonn_mesh_shape *far;
  OK(cuonn_mesh_shape_make(&far, CUONN_ARCHITECTURE_BUTTERFLY, 8, 0));
  for (size_t i = 0; i < kCases; i += 5) {
    layered p = numbered(i, 8, 30);
    p.mesh = far;
    p.loss_db = 1;
    agrees(&p, CUONN_GRADIENT_EXACT);
  }
  cuonn_mesh_shape_free(far);
}

/* Every number of quarter turns; little light, of which still less passes where psi is near pi / 2. */
static void test_biases(void **unused) {
  (void)unused;
  static const double biases[] = {-3.8, -2, -1.3, -1, 0, .7, 1, 1.6, 2, 3, 4.2, 1001};
  cuonn_context *judge, *context;
  OK(cuonn_context_create(&judge, "reference", 1));
  OK(cuonn_context_create(&context, "cuda", 1));
  for (size_t i = 0; i < sizeof biases / sizeof *biases; i++) {
    const layered p = {.n = 4, .n_examples = 9, .law = 3, .seed = i};
    fixture f;
    cuonn_mesh_gradient *want;
    double losses[2];
    create(&f, p);
    f.network.shape.nonlinearity.bias = biases[i];
    for (size_t k = 0; k < 2 * p.n * p.n_examples; k++) f.input.values[k] *= .3;
    OK(cuonn_gradients_create(&want, &f.network.shape));
    OK(cuonn_gradient(&losses[0], want, judge, &f.network, &f.input, f.labels));
    OK(cuonn_gradient(&losses[1], f.gradients, context, &f.network, &f.input, f.labels));
    CLOSE(&losses[1], &losses[0], 1, .rel = kFloat);
    compare_with_reference(&f, f.gradients, want);
    cuonn_gradients_free(want);
    release(&f);
  }
  cuonn_context_free(context);
  cuonn_context_free(judge);
}

/* ---- training ---- */

enum {
  kTrainModels = 3,
  kEpochs = 2,
  kPerEpoch = 2,
  kTrainSteps = kEpochs * kPerEpoch,
  kBatch = 12,
  kTrainExamples = 21
};

/* Models in one handle and what came of them. */
typedef struct {
  fixture *f; /* [model], whose networks and moments are brought up to date */
  double *moments[kTrainModels], losses[kTrainSteps][kTrainModels];
  double last[kTrainModels][4]; /* loss of all examples, and a derivative of each kind, asked of every model alone */
} trained;

static void look(double last[4], cuonn_model *model, size_t i, const fixture *f) {
  const cuonn_step all = {.count = kBatch};
  cuonn_evaluation evaluation = {0};
  OK(cuonn_model_evaluate(&evaluation, model, i, CUONN_SPLIT_TRAIN));
  OK(cuonn_model_gradient(&last[1], f->gradients, model, i, CUONN_SPLIT_TRAIN, &all, CUONN_GRADIENT_EXACT));
  last[0] = evaluation.loss;
  last[1] = f->gradients[1].d_theta[0];
  last[2] = f->gradients[0].d_gamma[1];
  last[3] = f->network.amplitudes ? f->gradients[0].d_amplitude[1] : 0;
}

/* Shuffled, with gamma; model m by SGD where it is even. Epsilon is some gradient's size, as in support/parity.h. */
static void train_models(trained *t, size_t first, size_t n_models, const char *backend, cuonn_gradient_method method) {
  cuonn_context *context;
  cuonn_model *model;
  cuonn_model_options options = CUONN_MODEL_OPTIONS_INIT;
  const cuonn_examples examples = {.n_examples = kTrainExamples, .labels = t->f->labels, .fields = t->f->input};
  double losses[kTrainSteps * kTrainModels];
  options.shape = t->f->network.shape;
  options.batch_size = kBatch;
  options.n_models = n_models;
  options.order = CUONN_ORDER_SHUFFLED;
  options.gradient = method;
  OK(cuonn_context_create(&context, backend, 1));
  OK(cuonn_model_create(&model, context, &options));
  OK(cuonn_model_set_examples(model, CUONN_SPLIT_TRAIN, &examples, NULL));
  for (size_t i = 0; i < n_models; i++) {
    const size_t m = first + i;
    cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
    settings.optimizer.kind = m % 2 ? CUONN_OPTIMIZER_ADAM : CUONN_OPTIMIZER_SGD;
    settings.optimizer.learning_rate = .05;
    settings.optimizer.epsilon = .1;
    settings.seed = m;
    settings.gradient = method;
    settings.train_gamma = true;
    OK(cuonn_model_set(model, i, &t->f[m].network, NULL, &settings));
  }
  for (size_t epoch = 0; epoch < kEpochs; epoch++) {
    const size_t at = kPerEpoch * epoch;
    const cuonn_step steps[kPerEpoch] = {
        {(uint32_t)epoch, 0, kBatch, 1, at, (uint32_t)at},
        {(uint32_t)epoch, kBatch, kTrainExamples - kBatch, 1, at + 1, (uint32_t)at + 1}};
    OK(cuonn_model_step(losses + at * n_models, model, steps, kPerEpoch));
  }
  for (size_t i = 0; i < n_models; i++) {
    for (size_t k = 0; k < kTrainSteps; k++) t->losses[k][first + i] = losses[k * n_models + i];
    OK(cuonn_model_get(&t->f[first + i].network, t->moments[first + i], model, i));
    look(t->last[first + i], model, i, &t->f[first + i]);
  }
  cuonn_model_destroy(model);
  cuonn_context_free(context);
}

static void prepare(trained *t, layered p) {
  t->f = calloc(kTrainModels, sizeof *t->f);
  assert_non_null(t->f);
  for (size_t m = 0; m < kTrainModels; m++) {
    p.seed += m;
    create(&t->f[m], p);
    t->moments[m] = calloc(cuonn_training_moments_count(&t->f[m].network.shape), sizeof(double));
    assert_non_null(t->moments[m]);
  }
}

static void forget(trained *t) {
  for (size_t m = 0; m < kTrainModels; m++) {
    release(&t->f[m]);
    free(t->moments[m]);
  }
  free(t->f);
}

/* rel: 0, equal bits. */
static void compare_trained(const trained *got, const trained *want, double rel) {
  const cuonn_network_shape *const shape = &got->f->network.shape;
  const size_t moments = cuonn_training_moments_count(shape), n = shape->n_modes;
  CLOSE(&got->losses[0][0], &want->losses[0][0], sizeof got->losses / sizeof(double), .rel = rel);
  CLOSE(&got->last[0][0], &want->last[0][0], sizeof got->last / sizeof(double), .rel = rel);
  for (size_t m = 0; m < kTrainModels; m++) {
    const cuonn_network *const a = &got->f[m].network, *const b = &want->f[m].network;
    CLOSE(got->moments[m], want->moments[m], moments, .rel = rel);
    for (size_t l = 0; l < kMeshes; l++) {
      CLOSE(a->layers[l].theta, b->layers[l].theta, a->layers[l].n_nodes, .rel = rel);
      CLOSE(a->layers[l].phi, b->layers[l].phi, a->layers[l].n_nodes, .rel = rel);
      CLOSE(a->layers[l].gamma, b->layers[l].gamma, n, .rel = rel);
    }
    if (a->amplitudes) CLOSE(a->amplitudes, b->amplitudes, kMeshes * n, .rel = rel);
  }
}

/* Side by side as alone, as the reference, and the same bits again. cuBLAS may take another algorithm for another
 * number of models: of their rounding, kFloat. */
static void test_training(void **unused) {
  (void)unused;
  static const size_t cases[] = {9, 20, 13}; /* unitary electro-optic, diagonal saturable, svd of moduli */
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    layered p = numbered(cases[i], 6 + i % 2, kTrainExamples);
    const cuonn_gradient_method method = i % 2 ? CUONN_GRADIENT_IDEAL : CUONN_GRADIENT_EXACT;
    p.error = i == 2 ? 0 : .1;
    trained together, again, alone, judge;
    trained *const all[] = {&together, &again, &alone, &judge};
    for (size_t k = 0; k < 4; k++) prepare(all[k], p);
    train_models(&together, 0, kTrainModels, "cuda", method);
    train_models(&again, 0, kTrainModels, "cuda", method);
    for (size_t m = 0; m < kTrainModels; m++) train_models(&alone, m, 1, "cuda", method);
    train_models(&judge, 0, kTrainModels, "reference", method);
    compare_trained(&again, &together, 0);
    compare_trained(&alone, &together, kFloat);
    compare_trained(&together, &judge, 10 * kFloat);
    for (size_t k = 0; k < 4; k++) forget(all[k]);
  }
}

/* Amplitudes, gamma and their moments go through the host in the middle: bit for bit what the steps without it give. */
static void test_resume(void **unused) {
  (void)unused;
  for (size_t i = 1; i < 3; i++) {
    layered p = numbered(i + 6, kTrained, kExamples);
    fixture whole, half;
    cuonn_context *context;
    OK(cuonn_context_create(&context, "cuda", 1));
    create(&whole, p);
    create(&half, p);
    const size_t count = cuonn_training_moments_count(&half.network.shape);
    double *const moments = calloc(2 * count, sizeof *moments);
    assert_non_null(moments);
    train(&whole, moments, context, CUONN_OPTIMIZER_ADAM, 0, kSteps);
    train(&half, moments + count, context, CUONN_OPTIMIZER_ADAM, 0, kSteps / 2);
    train(&half, moments + count, context, CUONN_OPTIMIZER_ADAM, kSteps / 2, kSteps);
    assert_memory_equal(moments + count, moments, count * sizeof *moments);
    assert_memory_equal(half.network.amplitudes, whole.network.amplitudes, sizeof(double) * kMeshes * kTrained);
    free(moments);
    release(&half);
    release(&whole);
    cuonn_context_free(context);
  }
}

static void test_limit(void **unused) {
  (void)unused;
  steps_move_amplitudes_up_to_the_limit("cuda", 1e-5);
}

/* A phase that is not finite makes a loss that is not finite, and nothing else happens. */
static void test_nan(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kCases; i++) {
    layered p = numbered(i, 5, 20);
    fixture f;
    cuonn_context *context;
    double loss = 0;
    create(&f, p);
    f.network.layers[0].theta[2] = NAN;
    OK(cuonn_context_create(&context, "cuda", 1));
    const backend_problem problem = {.n_models = 1, .shape = f.network.shape, .batch_size = 20};
    const cuonn_optimizer_options adam = CUONN_OPTIMIZER_OPTIONS_INIT;
    const cuonn_step step = {.count = 20, .rate_factor = 1};
    void *state;
    OK(cuonn_backend_cuda.create(&state, &problem));
    OK(cuonn_backend_cuda.set_fields(state, CUONN_SPLIT_TRAIN, &f.input, f.labels));
    OK(cuonn_backend_cuda.set_model(state, 0, &(backend_model){.network = &f.network, .optimizer = &adam}));
    OK(cuonn_backend_cuda.train_steps(&loss, state, &step, 1));
    assert_true(isnan(loss));
    cuonn_backend_cuda.destroy(state);
    cuonn_context_free(context);
    release(&f);
  }
}

/* ---- measured gradients ---- */

/* Of moduli they are measured with either loss, also of batches whose exact gradients would come in pieces. */
static void test_squared_error_is_measured(void **unused) {
  (void)unused;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  for (int i = 0; i < 4; i++) {
    const bool matrix = i % 2 == 1;
    layered p = numbered(0, 5, i < 2 ? 40 : 1536);
    fixture f;
    cuonn_context *context, *judge;
    cuonn_mesh_gradient *exact;
    double losses[2];
    p.loss = CUONN_LOSS_SQUARED_ERROR;
    create(&f, p);
    OK(cuonn_context_create(&context, "cuda", 1));
    OK(cuonn_context_create(&judge, "reference", 1));
    OK(cuonn_gradients_create(&exact, &f.network.shape));
    chip.measurement = matrix ? CUONN_MEASUREMENT_MATRIX : CUONN_MEASUREMENT_EXAMPLE;
    OK(cuonn_gradient(&losses[0], exact, judge, &f.network, &f.input, f.labels));
    OK(cuonn_gradient_on_chip(&losses[1], f.gradients, context, &f.network, &chip, CUONN_GRADIENT_DIGITAL, &f.input,
                              f.labels));
    CLOSE(&losses[1], &losses[0], 1, .rel = kFloat);
    for (size_t l = 0; l < kMeshes; l++) {
      CLOSE(f.gradients[l].d_theta, exact[l].d_theta, f.network.layers->n_nodes, .abs = 100 * kFloat * losses[0]);
      CLOSE(f.gradients[l].d_phi, exact[l].d_phi, f.network.layers->n_nodes, .abs = 100 * kFloat * losses[0]);
    }
    cuonn_gradients_free(exact);
    cuonn_context_free(judge);
    cuonn_context_free(context);
    release(&f);
  }
}

/* Of others none are: "auto" gives way, and cuda by its name refuses. Every other gradient stays on cuda. */
static void test_measured_gradients_are_refused(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kCases / 2; i++) {
    const layered p = numbered(i, 4, kExamples);
    const bool moduli = p.layer == CUONN_LAYER_UNITARY && p.law == 0;
    fixture f;
    cuonn_context *context;
    create(&f, p);
    cuonn_model_options options = {.n_models = 1, .shape = f.network.shape, .gradient = CUONN_GRADIENT_ANALOG};
    OK(cuonn_context_create(&context, "cuda", 1));
    if (moduli) {
      OK(cuonn_model_check_options(context, &options));
    } else {
      REFUSED(cuonn_model_check_options(context, &options), CUONN_E_ARGUMENT,
              "backend cuda measures no gradients of networks of ");
    }
    options.gradient = CUONN_GRADIENT_IDEAL;
    OK(cuonn_model_check_options(context, &options));
    cuonn_context_free(context);
    OK(cuonn_context_create(&context, "auto", 1));
    cuonn_context_fit(context, &f.network.shape);
    cuonn_context_fit_gradient(context, CUONN_GRADIENT_IDEAL);
    assert_string_equal(cuonn_context_backend(context), "cuda");
    cuonn_context_fit_gradient(context, CUONN_GRADIENT_DIGITAL);
    assert_string_equal(cuonn_context_backend(context), moduli ? "cuda" : "cpu");
    if (!moduli) {
      assert_string_equal(cuonn_context_note(context),
                          "backend cuda measures no gradients of networks of such layers and nonlinearity");
    }
    cuonn_context_free(context);
    release(&f);
  }
}

/* Networks that k_network does not compute go by matrices, whichever method is asked for. */
static void test_method(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kCases; i++) {
    const layered p = numbered(i, 4, kExamples);
    fixture f;
    create(&f, p);
    const backend_problem problem = {
        .n_models = 1, .shape = f.network.shape, .batch_size = 1, .method = CUONN_METHOD_COLUMNS};
    assert_ptr_equal(cuda_method_of(&problem, CUONN_GRADIENT_EXACT), i == 0 ? &cuda_columns : &cuda_dense);
    assert_int_equal(cuonn_backend_cuda.auto_method(&f.network.shape, 1, true),
                     i == 0 ? CUONN_METHOD_COLUMNS : CUONN_METHOD_DENSE);
    release(&f);
  }
}

int main(void) {
  const struct CMUnitTest once[] = {cmocka_unit_test(test_plain_program),
                                    cmocka_unit_test(test_reference),
                                    cmocka_unit_test(test_biases),
                                    cmocka_unit_test(test_limit),
                                    cmocka_unit_test(test_nan),
                                    cmocka_unit_test(test_squared_error_is_measured),
                                    cmocka_unit_test(test_measured_gradients_are_refused),
                                    cmocka_unit_test(test_method)};
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_far_pairs), cmocka_unit_test(test_training),
                                     cmocka_unit_test(test_resume)};
  const int failed = cmocka_run_group_tests(once, NULL, NULL);
  return run_under_schedules(tests, sizeof tests / sizeof *tests, failed);
}
