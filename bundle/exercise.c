/* Uses every part of the cuda backend once, on small and odd sizes, for a tool that watches memory and barriers; what
 * comes out is compared elsewhere. Without an argument it only says whether the backend can compute here.
 *   exercise [small]     ends with status 4 if there is no GPU to compute on, with 1 if a call fails */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/cuonn.h"

#define DO(call)                                                                        \
  do {                                                                                  \
    if ((call) != CUONN_OK) {                                                           \
      fprintf(stderr, "exercise: %s:%d: %s\n", __func__, __LINE__, cuonn_last_error()); \
      exit(1);                                                                          \
    }                                                                                   \
  } while (0)

static double *numbers(size_t n) {
  double *const out = calloc(n, sizeof *out);
  if (!out) exit(1);
  for (size_t i = 0; i < n; i++) out[i] = rand() / (double)RAND_MAX - 0.5;
  return out;
}

static void fill(double *out, size_t n, double scale) {
  for (size_t i = 0; i < n; i++) out[i] = scale * (rand() / (double)RAND_MAX - 0.5);
}

static void fill_mesh(cuonn_mesh *mesh, double error, double loss) {
  const size_t nodes = cuonn_mesh_nodes(mesh->n_modes);
  fill(mesh->theta, nodes, 6);
  fill(mesh->phi, nodes, 6);
  fill(mesh->gamma, mesh->n_modes, 6);
  fill(mesh->coupler_error, 2 * nodes, error);
  for (size_t i = 0; i < 2 * nodes; i++) mesh->loss_db[i] = loss;
}

/* Propagation both ways with all stages, and the vector-Jacobian product. */
static void propagate(cuonn_context *context, const cuonn_mesh *mesh, size_t examples) {
  const size_t n = mesh->n_modes, nodes = cuonn_mesh_nodes(n), stage = n * examples * n * 2;
  cuonn_fields in, cotangent, out;
  DO(cuonn_fields_create(&in, examples, n));
  DO(cuonn_fields_create(&cotangent, examples, n));
  DO(cuonn_fields_create(&out, examples, n));
  fill(in.values, 2 * examples * n, 2);
  fill(cotangent.values, 2 * examples * n, 2);
  double *const stages = numbers(5 * stage), *const gradients = numbers(2 * nodes + n);
  const cuonn_taps taps = {stages, stages + stage, stages + 2 * stage, stages + 3 * stage, stages + 4 * stage};
  cuonn_mesh_gradient gradient = {gradients, gradients + nodes, gradients + 2 * nodes, NULL};
  for (int backward = 0; backward < 2; backward++) DO(cuonn_propagate(&out, &taps, context, mesh, &in, backward));
  DO(cuonn_vjp(&gradient, &out, context, mesh, &in, &cotangent));
  free(gradients);
  free(stages);
  cuonn_fields_free(&out);
  cuonn_fields_free(&cotangent);
  cuonn_fields_free(&in);
}

static cuonn_chip_options noisy(cuonn_measurement measurement) {
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.measurement = measurement;
  chip.tap_shot = chip.io_amplitude = chip.io_phase = chip.crosstalk = chip.phase_error = 0.01;
  return chip;
}

static void gradient(cuonn_context *context, const cuonn_network *network, size_t examples) {
  const size_t n = network->shape.n_modes, nodes = cuonn_mesh_nodes(n), layers = network->shape.n_layers;
  cuonn_fields in;
  cuonn_evaluation evaluation = {0};
  uint8_t *const labels = calloc(examples, 1);
  cuonn_mesh_gradient *const gradients = calloc(layers, sizeof *gradients);
  double *const values = numbers(layers * (2 * nodes + n));
  double loss;
  if (!labels || !gradients) exit(1);
  for (size_t l = 0; l < layers; l++) {
    double *const at = values + l * (2 * nodes + n);
    gradients[l] = (cuonn_mesh_gradient){at, at + nodes, at + 2 * nodes, NULL};
  }
  DO(cuonn_fields_create(&in, examples, n));
  fill(in.values, 2 * examples * n, 2);
  DO(cuonn_gradient(&loss, gradients, context, network, &in, labels));
  DO(cuonn_evaluate(&evaluation, context, network, &in, labels));
  for (int i = 0; i < 2; i++) { /* the same on a chip with everything that one may have */
    const bool one_arm = network->shape.style == CUONN_STYLE_TOP || network->shape.style == CUONN_STYLE_BOTTOM;
    const cuonn_gradient_method method = i ? CUONN_GRADIENT_DIGITAL : CUONN_GRADIENT_ANALOG;
    const cuonn_chip_options chip = noisy(i ? CUONN_MEASUREMENT_EXAMPLE : CUONN_MEASUREMENT_MATRIX);
    DO(cuonn_gradient_on_chip(&loss, gradients, context, network, &chip, one_arm ? method : CUONN_GRADIENT_EXACT, &in,
                              labels));
    DO(cuonn_evaluate_on_chip(&evaluation, context, network, &chip, &in, labels));
  }
  cuonn_fields_free(&in);
  free(values);
  free(gradients);
  free(labels);
}

static cuonn_examples noise(size_t examples, size_t side, size_t classes) {
  cuonn_examples images = {.n_examples = examples, .height = side, .width = side};
  images.pixels = malloc(examples * side * side);
  images.labels = malloc(examples);
  if (!images.pixels || !images.labels) exit(1);
  for (size_t i = 0; i < examples * side * side; i++) images.pixels[i] = (uint8_t)rand();
  for (size_t e = 0; e < examples; e++) images.labels[e] = (uint8_t)((size_t)rand() % classes);
  return images;
}

/* Two epochs from images on: the last batch of an epoch is a partial one. shape: but for the waveguides. */
static void train_shape(cuonn_context *context, cuonn_features_options features, cuonn_network_shape shape,
                        cuonn_order order, cuonn_optimizer_kind optimizer, cuonn_gradient_method method) {
  const cuonn_training_callbacks callbacks = {0};
  cuonn_dataset data = {noise(70, 28, 3), noise(33, 28, 3)};
  cuonn_training_options options = CUONN_TRAINING_OPTIONS_INIT;
  cuonn_training_state state;
  options.epochs = 2;
  options.batch_size = 32;
  options.drop_last = false;
  options.order = order;
  options.optimizer.kind = optimizer;
  options.gradient = method;
  options.train_gamma = true;
  if (cuonn_gradient_is_measured(method)) {
    options.chip = noisy(order == CUONN_ORDER_FIXED ? CUONN_MEASUREMENT_MATRIX : CUONN_MEASUREMENT_EXAMPLE);
  }
  shape.n_modes = cuonn_features_modes(&features);
  DO(cuonn_training_state_create(&state, &shape));
  for (size_t l = 0; l < shape.n_layers; l++) fill_mesh(&state.network.layers[l], 0, 0);
  DO(cuonn_train(&state, context, &data, &features, &options, &callbacks));
  cuonn_training_state_free(&state);
  cuonn_dataset_free(&data);
}

static void train(cuonn_context *context, cuonn_features_options features, size_t layers, cuonn_order order,
                  cuonn_optimizer_kind optimizer, cuonn_gradient_method method) {
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(0, layers, 3, CUONN_STYLE_TOP, true, NULL);
  train_shape(context, features, shape, order, optimizer, method);
}

/* Networks with more than moduli behind their meshes: every nonlinearity, with amplitudes. */
static void train_others(cuonn_context *context, cuonn_features_options features) {
  for (int kind = CUONN_NONLINEARITY_MODULUS; kind <= CUONN_NONLINEARITY_ELECTRO_OPTIC; kind++) {
    cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(0, 4, 3, CUONN_STYLE_TOP, true, NULL);
    shape.nonlinearity.kind = (cuonn_nonlinearity_kind)kind;
    shape.layer = kind % 2 ? CUONN_LAYER_DIAGONAL : CUONN_LAYER_SVD;
    shape.loss = kind / 2 ? CUONN_LOSS_CROSS_ENTROPY : CUONN_LOSS_SQUARED_ERROR;
    train_shape(context, features, shape, CUONN_ORDER_SHUFFLED, CUONN_OPTIMIZER_ADAM, CUONN_GRADIENT_EXACT);
  }
}

static void small(cuonn_context *context) {
  static const size_t sizes[] = {2, 3, 8, 33, 64, 65, 130};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const size_t n = sizes[i];
    for (int lossy = 0; lossy < 2; lossy++) {
      const cuonn_phase_style style = (cuonn_phase_style)((i + (size_t)lossy) % 4);
      const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(n, 2, 2, style, true, NULL);
      cuonn_network network;
      DO(cuonn_network_create(&network, &shape));
      for (size_t l = 0; l < 2; l++) fill_mesh(&network.layers[l], 0.1 * lossy, 0.2 * lossy);
      propagate(context, &network.layers[0], 5);
      gradient(context, &network, 37);
      cuonn_network_free(&network);
    }
  }
  const cuonn_features_options fourier = {.kind = CUONN_FEATURES_FOURIER, .radius = 2},
                               study = CUONN_FEATURES_OPTIONS_INIT;
  const cuonn_features_options resample = {.kind = CUONN_FEATURES_RESAMPLE, .side = 5, .border = 2};
  train(context, fourier, 2, CUONN_ORDER_SHUFFLED, CUONN_OPTIMIZER_ADAM, CUONN_GRADIENT_EXACT);
  train(context, study, 3, CUONN_ORDER_FIXED, CUONN_OPTIMIZER_ADAM, CUONN_GRADIENT_IDEAL);
  train(context, resample, 1, CUONN_ORDER_FIXED, CUONN_OPTIMIZER_SGD, CUONN_GRADIENT_EXACT);
  train(context, study, 3, CUONN_ORDER_FIXED, CUONN_OPTIMIZER_ADAM, CUONN_GRADIENT_ANALOG);
  train(context, fourier, 2, CUONN_ORDER_SHUFFLED, CUONN_OPTIMIZER_SGD, CUONN_GRADIENT_DIGITAL);
  train_others(context, resample);
}

int main(int argc, char **argv) {
  cuonn_context *context;
  if (cuonn_context_create(&context, "cuda", 0) != CUONN_OK) {
    fprintf(stderr, "%s\n", cuonn_last_error());
    return 4;
  }
  if (argc > 1 && strcmp(argv[1], "small") == 0) small(context);
  cuonn_context_free(context);
  return 0;
}
