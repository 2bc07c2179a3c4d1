#include "cli/light.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/data.h"

/* What enters of one test example, as a batch of one. */
static int enter(cuonn_fields *out, const cli_trained *trained, size_t example) {
  const cuonn_examples *const test = &trained->data.test;
  if (example >= test->n_examples)
    return cli_fail(CLI_USAGE, "--example %zu: %s has %zu test %s, counted from 0", example,
                    cli_data_name(&trained->config), test->n_examples, cli_data_kind(&trained->config));
  const cuonn_examples one = cuonn_examples_view(test, example, 1);
  return cli_trained_features(out, trained, &one);
}

static double power_of(const double amplitude[2]) { return amplitude[0] * amplitude[0] + amplitude[1] * amplitude[1]; }

/* Probabilities by the powers of the outputs that are read. */
static void read_outputs(cli_light *light, const double *outputs, const cuonn_network_shape *shape) {
  const size_t n_classes = shape->n_classes;
  const bool squared = shape->loss == CUONN_LOSS_SQUARED_ERROR;
  double sum = 0;
  light->prediction = 0;
  for (size_t c = 1; c < n_classes; c++)
    if (power_of(outputs + 2 * c) > power_of(outputs + 2 * light->prediction)) light->prediction = c;
  const double largest = power_of(outputs + 2 * light->prediction);
  for (size_t c = 0; c < n_classes; c++) {
    const double power = power_of(outputs + 2 * c);
    sum += light->probabilities[c] = squared ? power : exp(power - largest);
  }
  for (size_t c = 0; sum > 0 && c < n_classes; c++) light->probabilities[c] /= sum;
}

int cli_light_send(cli_light *out, const cli_trained *trained, size_t example) {
  int code = CLI_DONE;
  const cuonn_network_shape *const shape = &trained->network.shape;
  const size_t n = shape->n_modes, columns = cuonn_mesh_shape_columns(shape->mesh) - 1, before = columns * n;
  cuonn_fields in = {0}, passed = {0};
  cuonn_taps taps = {0};
  *out = (cli_light){0};
  CLI_PASS_DONE(enter(&in, trained, example));
  CLI_TRY_DONE(cuonn_fields_create(&passed, 1, n));
  out->input = malloc(2 * n * sizeof *out->input);
  out->power = calloc(shape->n_layers * (before + n), sizeof *out->power);
  out->probabilities = calloc(shape->n_classes, sizeof *out->probabilities);
  taps.before_phi = calloc(before, 2 * sizeof *taps.before_phi);
  if (!in.values || !out->input || !out->power || !out->probabilities || !taps.before_phi) {
    code =
        cli_fail(CLI_RESOURCES, "not enough memory for the light in %zu layers of %zu waveguides", shape->n_layers, n);
    goto done;
  }
  memcpy(out->input, in.values, 2 * n * sizeof *out->input);
  for (size_t l = 0; l < shape->n_layers; l++) {
    double *const power = out->power + l * (before + n);
    CLI_TRY_DONE(cuonn_propagate(&passed, &taps, trained->context, &trained->network.layers[l], &in, false));
    for (size_t i = 0; i < before; i++) power[i] = power_of(taps.before_phi + 2 * i);
    for (size_t i = 0; i < n; i++) power[before + i] = power_of(passed.values + 2 * i);
    cuonn_network_pass(in.values, &trained->network, l, passed.values);
  }
  read_outputs(out, in.values, shape);
done:
  free(taps.before_phi);
  cuonn_fields_free(&passed);
  cuonn_fields_free(&in);
  return code;
}

void cli_light_free(cli_light *light) {
  free(light->probabilities);
  free(light->power);
  free(light->input);
}
