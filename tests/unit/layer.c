/* Layers with amplitudes, svd and diagonal: computed (support/layers.h), trained, measured, and in files. */
#include "cuonn/files.h"
#include "support/folder.h"
#include "support/layers.h"

enum { kMost = 65 };

static const cuonn_layer_kind kinds[] = {CUONN_LAYER_SVD, CUONN_LAYER_DIAGONAL};

/* Squared errors where the seed is odd. */
static layered layered_of(cuonn_layer_kind layer, size_t n, size_t n_examples, size_t law, double error, double loss_db,
                          uint64_t seed) {
  return (layered){.layer = layer,
                   .n = n,
                   .n_examples = n_examples,
                   .law = law,
                   .loss = (cuonn_loss)(seed % 2),
                   .style = CUONN_STYLE_BOTTOM,
                   .error = error,
                   .loss_db = loss_db,
                   .seed = seed};
}

static void every_law(const char *backend, const char *method, double rel) {
  static const size_t sizes[] = {2, 3, 5};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * 2 * kLaws; i++) {
    const size_t n = sizes[i / 2 % 3], law = i / 6;
    backend_computes(backend, method, layered_of(kinds[i % 2], n, kExamples, law, .2, 1, 10 * n + law), rel);
    backend_computes(backend, method, layered_of(kinds[i % 2], n, kExamples, law, 0, 0, 10 * n + law), rel);
  }
}

static void reference_is_the_plain_program(void **unused) {
  (void)unused;
  every_law("reference", "columns", 1e-13);
}

/* Of fields behind k columns in float, and squares of squares (nonlinearity.c). */
static const double kFloat = 3e-5;

static void cpu_is_the_plain_program(void **unused) {
  (void)unused;
  every_law("cpu", "columns", kFloat);
  backend_computes("cpu", "auto", layered_of(CUONN_LAYER_SVD, 5, kExamples, 0, 0, 0, 50), kFloat);
}

/* ---- several tiles, chunks and threads ---- */

static void cpu_agrees_with_reference_and_with_itself(void **unused) {
  (void)unused;
  static const size_t sizes[] = {2, 8, 33, kMost};
  cuonn_context *judge, *one, *three;
  OK(cuonn_context_create(&judge, "reference", 1));
  OK(cuonn_context_create(&one, "cpu", 1));
  OK(cuonn_context_create(&three, "cpu", 3));
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * 2; i++) {
    fixture f;
    cuonn_mesh_gradient *want, *again;
    double losses[3];
    const size_t n = sizes[i / 2], law = i % 2 ? 3 : 0;
    create(&f, layered_of(kinds[i % 2], n, 150, law, 0, 0, 30 + i));
    OK(cuonn_gradients_create(&want, &f.network.shape));
    OK(cuonn_gradients_create(&again, &f.network.shape));
    OK(cuonn_gradient(&losses[0], want, judge, &f.network, &f.input, f.labels));
    OK(cuonn_gradient(&losses[1], f.gradients, one, &f.network, &f.input, f.labels));
    OK(cuonn_gradient(&losses[2], again, three, &f.network, &f.input, f.labels));
    CLOSE(&losses[1], &losses[0], 1, .rel = kFloat);
    assert_true(losses[1] == losses[2]);
    for (size_t l = 0; l < kMeshes; l++) {
      const size_t nodes = f.network.layers[l].n_nodes;
      const double *const got = f.gradients[l].d_amplitude;
      CLOSE(f.gradients[l].d_theta, want[l].d_theta, nodes, .rel = 10 * kFloat, .abs = 1e-7);
      CLOSE(f.gradients[l].d_phi, want[l].d_phi, nodes, .rel = 10 * kFloat, .abs = 1e-7);
      CLOSE(f.gradients[l].d_gamma, want[l].d_gamma, n, .rel = 10 * kFloat, .abs = 1e-7);
      CLOSE(got, want[l].d_amplitude, n, .rel = 10 * kFloat, .abs = 1e-7);
      assert_memory_equal(got, again[l].d_amplitude, n * sizeof *got);
      assert_memory_equal(f.gradients[l].d_theta, again[l].d_theta, nodes * sizeof *got);
    }
    cuonn_gradients_free(again);
    cuonn_gradients_free(want);
    release(&f);
  }
  cuonn_context_free(three);
  cuonn_context_free(one);
  cuonn_context_free(judge);
}

/* ---- measured in situ ---- */

static void chips_measure_them(void **unused) {
  (void)unused;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds * kLaws; i++) {
    const layered of = layered_of(kinds[i % 2], 5, 40, i / 2, .2, 0, 20 + i / 2);
    chip_measures("reference", CUONN_MEASUREMENT_EXAMPLE, of, 1e-13);
    chip_measures("reference", CUONN_MEASUREMENT_MATRIX, of, 1e-13);
    chip_measures("cpu", CUONN_MEASUREMENT_EXAMPLE, of, kFloat);
  }
}

/* ---- training ---- */

static void limits_hold(void **unused) {
  (void)unused;
  steps_move_amplitudes_up_to_the_limit("reference", 1e-13);
  steps_move_amplitudes_up_to_the_limit("cpu", 1e-5);
}

/* Through a checkpoint in the middle: bit for bit what the steps without it give. */
static void training_goes_on_from_a_checkpoint(void **unused) {
  (void)unused;
  static const char *const backends[] = {"reference", "cpu"};
  for (size_t i = 0; i < 4; i++) {
    fixture whole, half;
    cuonn_context *context;
    cuonn_training_state state, read;
    cuonn_origin origin = {.config_text = (char *)"", .seed = 3}, origin_read;
    size_t epoch;
    OK(cuonn_context_create(&context, backends[i % 2], 1));
    create(&whole, layered_of(kinds[i / 2], kTrained, kExamples, i / 2, 0, 0, 5));
    create(&half, layered_of(kinds[i / 2], kTrained, kExamples, i / 2, 0, 0, 5));
    OK(cuonn_training_state_create(&state, &half.network.shape));
    const size_t count = cuonn_training_moments_count(&half.network.shape);
    double *const moments = calloc(count, sizeof *moments);
    assert_non_null(moments);
    train(&whole, moments, context, CUONN_OPTIMIZER_ADAM, 0, kSteps);
    train(&half, state.moments, context, CUONN_OPTIMIZER_ADAM, 0, kSteps / 2);
    OK(cuonn_network_copy(&state.network, &half.network));
    OK(cuonn_checkpoint_write("layers.nc", &state, 1, &origin));
    OK(cuonn_checkpoint_read(&read, &epoch, &origin_read, "layers.nc"));
    OK(cuonn_network_copy(&half.network, &read.network));
    train(&half, read.moments, context, CUONN_OPTIMIZER_ADAM, kSteps / 2, kSteps);
    assert_memory_equal(read.moments, moments, count * sizeof *moments);
    assert_memory_equal(half.network.amplitudes, whole.network.amplitudes, sizeof(double) * kMeshes * kTrained);
    for (size_t l = 0; l < kMeshes; l++) {
      const size_t bytes = half.network.layers[l].n_nodes * sizeof(double);
      assert_memory_equal(half.network.layers[l].theta, whole.network.layers[l].theta, bytes);
    }
    assert_int_equal(read.network.shape.layer, kinds[i / 2]);
    assert_true(read.network.shape.amplitude_limit == 1.25);
    free(moments);
    cuonn_origin_free(&origin_read);
    cuonn_training_state_free(&read);
    cuonn_training_state_free(&state);
    release(&half);
    release(&whole);
    cuonn_context_free(context);
  }
}

/* ---- files, starts, refusals ---- */

static void files_keep_amplitudes(void **unused) {
  (void)unused;
  fixture f;
  cuonn_network read, start;
  cuonn_mesh_gradient *gradients, *exact;
  size_t n_layers, n_nodes, n_modes;
  create(&f, layered_of(CUONN_LAYER_DIAGONAL, kTrained, kExamples, 1, .1, 0, 6));
  const size_t bytes = sizeof(double) * kMeshes * kTrained;
  OK(cuonn_network_write("diagonal.nc", &f.network));
  OK(cuonn_network_read(&read, "diagonal.nc"));
  assert_int_equal(read.shape.layer, CUONN_LAYER_DIAGONAL);
  assert_memory_equal(read.amplitudes, f.network.amplitudes, bytes);
  OK(cuonn_network_create(&start, &f.network.shape));
  OK(cuonn_network_read_start(&start, "diagonal.nc"));
  assert_memory_equal(start.amplitudes, f.network.amplitudes, bytes);
  for (size_t l = 0; l < kMeshes; l++)
    for (size_t w = 0; w < kTrained; w++) f.gradients[l].d_amplitude[w] = (double)(10 * l + w);
  OK(cuonn_gradient_write("gradient.nc", &f.network.shape, 1, f.gradients, f.gradients));
  OK(cuonn_gradient_read(&gradients, &exact, &n_layers, &n_nodes, &n_modes, "gradient.nc"));
  for (size_t l = 0; l < kMeshes; l++) {
    assert_memory_equal(gradients[l].d_amplitude, f.gradients[l].d_amplitude, kTrained * sizeof(double));
    assert_memory_equal(exact[l].d_amplitude, f.gradients[l].d_amplitude, kTrained * sizeof(double));
  }
  cuonn_gradients_free(exact);
  cuonn_gradients_free(gradients);
  cuonn_network_free(&start);
  cuonn_network_free(&read);
  release(&f);
}

/* ---- any matrix as an svd layer ---- */

/* How far scale U S V is from a matrix in its upper left corner, and from 0 elsewhere. */
static double distance(const cuonn_network *layer, double scale, const double complex *matrix, size_t rows,
                       size_t columns) {
  static double complex u[kMost * kMost], v[kMost * kMost];
  const size_t n = layer->shape.n_modes;
  double largest = 0;
  dense_matrix(v, &layer->layers[0]);
  dense_matrix(u, &layer->layers[1]);
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      double complex sum = i < rows && j < columns ? -matrix[i * columns + j] : 0;
      for (size_t k = 0; k < n; k++) sum += scale * layer->amplitudes[k] * u[i * n + k] * v[k * n + j];
      largest = fmax(largest, cabs(sum));
    }
  }
  return largest;
}

typedef enum { RANDOM, ZERO, IDENTITY, RANK_ONE, WHOLE_NUMBERS, CONTENTS } contents;

static void fill(double complex *matrix, size_t rows, size_t columns, contents what, chance *c) {
  double left[2 * kMost], right[2 * kMost];
  chance_normals(left, 2 * rows, c);
  chance_normals(right, 2 * columns, c);
  for (size_t i = 0; i < rows * columns; i++) {
    const size_t row = i / columns, column = i % columns;
    double z[2];
    chance_normals(z, 2, c);
    switch (what) {
      case RANDOM: matrix[i] = 1e3 * (z[0] + I * z[1]); break;
      case IDENTITY: matrix[i] = row == column; break;
      case RANK_ONE:
        matrix[i] = (left[2 * row] + I * left[2 * row + 1]) * (right[2 * column] - I * right[2 * column + 1]);
        break;
      case WHOLE_NUMBERS: matrix[i] = (double)((row + column + 1) % 3); break;
      default: matrix[i] = 0;
    }
  }
}

/* Singular vectors are unitary to some n eps, and so are decompositions of them (unit.decompose): 30 n eps of the scale
 * is plenty. */
static void any_matrix_is_an_svd_layer(void **unused) {
  (void)unused;
  static const size_t sizes[][2] = {{2, 2}, {3, 3}, {8, 8}, {5, 2}, {2, 7}, {1, 1}, {1, 4}, {33, 20}, {kMost, kMost}};
  static double complex matrix[kMost * kMost];
  chance c = {8};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * CONTENTS; i++) {
    const size_t rows = sizes[i / CONTENTS][0], columns = sizes[i / CONTENTS][1],
                 most = rows > columns ? rows : columns;
    const contents what = (contents)(i % CONTENTS);
    cuonn_network layer;
    double scale;
    const cuonn_network_shape shape = {.n_modes = most < 2 ? 2 : most,
                                       .n_layers = 2,
                                       .n_classes = 2,
                                       .style = i % 2 ? CUONN_STYLE_TOP : CUONN_STYLE_DIFFERENTIAL,
                                       .layer = CUONN_LAYER_SVD,
                                       .amplitude_limit = i % 3 ? 1 : .5};
    fill(matrix, rows, columns, what, &c);
    OK(cuonn_network_create(&layer, &shape));
    OK(cuonn_network_decompose(&layer, &scale, (const double *)matrix, rows, columns));
    OK(cuonn_network_check(&layer));
    assert_true(distance(&layer, scale, matrix, rows, columns) <= 30 * 2.3e-16 * (double)shape.n_modes * scale);
    assert_true(fabs(layer.amplitudes[0]) == (what == ZERO ? 0 : i % 3 ? 1 : .5));
    for (size_t k = 0; what == RANK_ONE && k + 1 < shape.n_modes; k++) assert_true(layer.amplitudes[k + 1] < 1e-14);
    cuonn_network_free(&layer);
  }
}

static void matrices_that_are_none_are_refused(void **unused) {
  (void)unused;
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  cuonn_network layer;
  double scale, matrix[2 * 2 * 3] = {1, 2, NAN};
  shape.n_modes = 2, shape.n_layers = 2, shape.n_classes = 2, shape.layer = CUONN_LAYER_SVD;
  OK(cuonn_network_create(&layer, &shape));
  REFUSED(cuonn_network_decompose(&layer, &scale, matrix, 2, 2), CUONN_E_NONFINITE, "at row 0, column 1");
  REFUSED(cuonn_network_decompose(&layer, &scale, matrix, 2, 3), CUONN_E_SHAPE,
          "2 rows and 3 columns does not fit into 2 waveguides");
  layer.shape.layer = CUONN_LAYER_DIAGONAL;
  REFUSED(cuonn_network_decompose(&layer, &scale, matrix, 2, 2), CUONN_E_SHAPE, "one svd layer, not 2 meshes");
  cuonn_network_free(&layer);
}

static void all_light_passes_at_the_start(void **unused) {
  (void)unused;
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  cuonn_network network;
  shape.n_modes = 4, shape.n_layers = 2, shape.n_classes = 2, shape.layer = CUONN_LAYER_SVD;
  for (int i = 0; i < 2; i++) {
    shape.amplitude_limit = i ? .5 : 3;
    OK(cuonn_network_create(&network, &shape));
    OK(cuonn_network_initialize(&network, CUONN_START_HAAR, 1));
    for (size_t w = 0; w < 4; w++) assert_true(network.amplitudes[w] == (i ? .5 : 1) && network.amplitudes[4 + w] == 1);
    cuonn_network_free(&network);
  }
}

static void what_cannot_be_is_refused(void **unused) {
  (void)unused;
  fixture f;
  cuonn_context *context;
  cuonn_network network;
  cuonn_layer_kind kind;
  cuonn_model *model;
  cuonn_model_options options = CUONN_MODEL_OPTIONS_INIT;
  for (int i = 0; i < 3; i++) {
    OK(cuonn_layer_kind_parse(&kind, cuonn_layer_kind_name((cuonn_layer_kind)i)));
    assert_int_equal(kind, i);
  }
  assert_null(cuonn_layer_kind_name((cuonn_layer_kind)3));
  REFUSED(cuonn_layer_kind_parse(&kind, "dense"), CUONN_E_ARGUMENT, "layer \"dense\" is unknown; it is one of");
  options.shape.layer = CUONN_LAYER_SVD; /* of 3 meshes */
  REFUSED(cuonn_network_create(&network, &options.shape), CUONN_E_SHAPE, "3 meshes, but an svd layer takes two");
  options.shape.layer = CUONN_LAYER_DIAGONAL;
  options.shape.amplitude_limit = 0;
  REFUSED(cuonn_network_create(&network, &options.shape), CUONN_E_SHAPE, "amplitude_limit is 0; it is above 0");
  create(&f, layered_of(CUONN_LAYER_SVD, 3, kExamples, 0, 0, 0, 7));
  f.network.amplitudes[6] = 2;
  REFUSED(cuonn_network_check(&f.network), CUONN_E_ARGUMENT, "layer 2: amplitude 0 is 2; attenuators and amplifiers");
  f.network.amplitudes[6] = NAN;
  REFUSED(cuonn_network_check(&f.network), CUONN_E_NONFINITE, "layer 2: amplitude 0 is nan");
  OK(cuonn_context_create(&context, "cpu", 1));
  OK(cuonn_context_set_method(context, "dense"));
  options.shape = f.network.shape;
  REFUSED(cuonn_model_create(&model, context, &options), CUONN_E_ARGUMENT,
          "method dense of backend cpu does not compute svd layers with the nonlinearity modulus; use columns or auto");
  OK(cuonn_context_set_method(context, "auto"));
  options.gradient = CUONN_GRADIENT_SPSA;
  REFUSED(cuonn_model_create(&model, context, &options), CUONN_E_ARGUMENT,
          "amplitudes of svd layers have no gradients from the losses of moved phases");
  cuonn_context_free(context);
  release(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reference_is_the_plain_program),
      cmocka_unit_test(cpu_is_the_plain_program),
      cmocka_unit_test(cpu_agrees_with_reference_and_with_itself),
      cmocka_unit_test(chips_measure_them),
      cmocka_unit_test(limits_hold),
      cmocka_unit_test(training_goes_on_from_a_checkpoint),
      cmocka_unit_test(files_keep_amplitudes),
      cmocka_unit_test(any_matrix_is_an_svd_layer),
      cmocka_unit_test(matrices_that_are_none_are_refused),
      cmocka_unit_test(all_light_passes_at_the_start),
      cmocka_unit_test(what_cannot_be_is_refused),
  };
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
