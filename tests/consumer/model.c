/* A program of somebody else: trains two chips side by side, step by step, with its own loop; then uses a layer of one
 * as a part of a model of its own, in single precision and in place. */
#include <cuonn/cuonn.h>
#include <math.h>
#include <stdio.h>

enum { kModes = 4, kNodes = 6, kClasses = 2, kExamples = 32, kEpochs = 40, kModels = 2 };

static double fields[kExamples][kModes][2];
static uint8_t labels[kExamples];

/* Light in the upper or in the lower two waveguides, and some in the others. */
static void make_examples(void) {
  for (int e = 0; e < kExamples; e++) {
    labels[e] = (uint8_t)(e % kClasses);
    for (int w = 0; w < kModes; w++) {
      const double phase = 0.7 * e + 1.9 * w, strength = w / 2 == labels[e] ? 1 : 0.3;
      fields[e][w][0] = strength * cos(phase);
      fields[e][w][1] = strength * sin(phase);
    }
  }
}

/* A handle with two models that differ in their start, and in the errors of the second's chip. */
static cuonn_status make_model(cuonn_model **out, cuonn_network *network, const cuonn_context *context) {
  const cuonn_examples examples = {
      .n_examples = kExamples, .labels = labels, .fields = {kExamples, kModes, &fields[0][0][0]}};
  cuonn_model_options options;
  cuonn_model_settings settings;
  cuonn_status status;
  cuonn_model_options_init(&options);
  cuonn_model_settings_init(&settings);
  options.n_models = kModels;
  options.shape.n_modes = kModes;
  options.shape.n_layers = 2;
  options.shape.n_classes = kClasses;
  options.batch_size = kExamples;
  settings.optimizer.learning_rate = 0.05;
  if ((status = cuonn_network_create(network, &options.shape))) return status;
  if ((status = cuonn_model_create(out, context, &options))) return status;
  for (size_t m = 0; m < kModels; m++) {
    settings.chip.phase_error = m == 1 ? 0.05 : 0; /* radians, that training does not know */
    if ((status = cuonn_network_initialize(network, CUONN_START_HAAR_PHASES, m))) return status;
    if ((status = cuonn_model_set(*out, m, network, NULL, &settings))) return status;
  }
  return cuonn_model_set_examples(*out, CUONN_SPLIT_TRAIN, &examples, NULL);
}

/* One step is one epoch here. losses: [model], before the first and before the last step. */
static cuonn_status train(double first[kModels], double last[kModels], cuonn_model *model) {
  for (uint32_t epoch = 0; epoch < kEpochs; epoch++) {
    const cuonn_step step = {
        .epoch = epoch, .count = kExamples, .rate_factor = 1, .adam_index = epoch, .number = epoch};
    const cuonn_status status = cuonn_model_step(epoch == 0 ? first : last, model, &step, 1);
    if (status) return status;
  }
  return CUONN_OK;
}

/* The derivative by one theta of  L = sum |y|^2 of the first output, and its difference quotient. */
static cuonn_status differentiate(double *slope, double *quotient, cuonn_model *model, cuonn_network *network) {
  static float x[kExamples][kModes][2], y[kExamples][kModes][2], g[kExamples][kModes][2], d_theta[kNodes];
  const cuonn_buffer in = {x, CUONN_COMPLEX64, CUONN_HOST, kExamples * kModes};
  const cuonn_buffer out = {y, CUONN_COMPLEX64, CUONN_HOST, kExamples * kModes};
  const cuonn_buffer cotangent = {g, CUONN_COMPLEX64, CUONN_HOST, kExamples * kModes};
  const cuonn_phase_buffers gradient = {.theta = {d_theta, CUONN_FLOAT32, CUONN_HOST, kNodes}};
  double *const theta = network->layers[0].theta, step = 0.01, power[2] = {0, 0};
  const cuonn_phase_buffers phases = {.theta = {theta, CUONN_FLOAT64, CUONN_HOST, kNodes}};
  cuonn_status status = cuonn_model_get(network, NULL, model, 0);
  for (int i = 0; i < kExamples * kModes * 2; i++) (&x[0][0][0])[i] = (float)(&fields[0][0][0])[i];
  if (!status) status = cuonn_model_propagate(&out, model, 0, 0, &in, false, NULL);
  for (int e = 0; e < kExamples; e++) { /* g = dL/dRe y - i dL/dIm y */
    g[e][0][0] = 2 * y[e][0][0];
    g[e][0][1] = -2 * y[e][0][1];
  }
  if (!status) status = cuonn_model_vjp(&gradient, NULL, model, 0, 0, &in, &cotangent, NULL);
  for (int side = 0; side < 2 && !status; side++) {
    theta[0] += side == 0 ? -step : 2 * step;
    status = cuonn_model_set_phases(model, 0, 0, &phases, NULL);
    if (!status) status = cuonn_model_propagate(&out, model, 0, 0, &in, false, NULL);
    for (int e = 0; e < kExamples; e++)
      power[side] += (double)y[e][0][0] * y[e][0][0] + (double)y[e][0][1] * y[e][0][1];
  }
  *slope = d_theta[0];
  *quotient = (power[1] - power[0]) / (2 * step);
  return status;
}

int main(void) {
  double first[kModels], last[kModels], slope = 0, quotient = 1;
  cuonn_context *context = NULL;
  cuonn_model *model = NULL;
  cuonn_network network = {0};
  make_examples();
  const int failed = cuonn_context_create(&context, "cpu", 1) || make_model(&model, &network, context) ||
                     train(first, last, model) || differentiate(&slope, &quotient, model, &network);
  if (failed) fprintf(stderr, "%s\n", cuonn_last_error());
  cuonn_model_destroy(model);
  cuonn_network_free(&network);
  cuonn_context_free(context);
  if (failed) return 1;
  printf("losses %.4f %.4f, after %d steps %.4f %.4f\n", first[0], first[1], kEpochs, last[0], last[1]);
  printf("derivative %.4f, difference quotient %.4f\n", slope, quotient);
  /* the quotient is off by some step^2, 1e-4, of powers whose sum is below 100 */
  return last[0] < first[0] / 2 && last[1] < first[1] / 2 && fabs(slope - quotient) < 0.02 ? 0 : 1;
}
