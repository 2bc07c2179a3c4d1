/* The public functions that need no handle of the caller: fields through one mesh, one batch through one network. */
#include "cuonn/compute.h"

#include <math.h>
#include <string.h>

#include "backends/backend.h"
#include "base/buffer.h"
#include "base/error.h"
#include "cuonn/model.h"
#include "model/overflow.h"

static cuonn_status check_fields(const char *name, const cuonn_fields *fields, size_t n_modes) {
  CUONN_CHECK(fields->n_modes == n_modes, CUONN_E_SHAPE, "%s has %zu waveguides, the mesh has %zu", name,
              fields->n_modes, n_modes);
  CUONN_CHECK(fields->n_examples > 0, CUONN_E_SHAPE, "%s has no examples", name);
  for (size_t i = 0; i < 2 * fields->n_examples * n_modes; i++) {
    CUONN_CHECK(isfinite(fields->values[i]), CUONN_E_NONFINITE, "%s is %g at example %zu, waveguide %zu", name,
                fields->values[i], i / 2 / n_modes, i / 2 % n_modes);
  }
  return CUONN_OK;
}

static cuonn_status check_same_size(const char *name, const cuonn_fields *fields, const cuonn_fields *in) {
  CUONN_CHECK(fields->n_modes == in->n_modes && fields->n_examples == in->n_examples, CUONN_E_SHAPE,
              "%s is made for %zu examples of %zu waveguides, the input has %zu of %zu", name, fields->n_examples,
              fields->n_modes, in->n_examples, in->n_modes);
  return CUONN_OK;
}

/* Fields as they are. */
static cuonn_status copy_fields(cuonn_fields *out, const cuonn_fields *from) {
  CUONN_TRY(cuonn_fields_create(out, from->n_examples, from->n_modes));
  memcpy(out->values, from->values, 2 * from->n_examples * from->n_modes * sizeof *out->values);
  return CUONN_OK;
}

cuonn_status cuonn_features(cuonn_fields *out, cuonn_context *context, const cuonn_examples *examples,
                            const cuonn_features_options *options) {
  const cuonn_backend *const backend = context->backend;
  void *state = NULL;
  cuonn_status status = CUONN_OK;
  memset(out, 0, sizeof *out);
  if (examples->fields.values) return copy_fields(out, &examples->fields);
  CUONN_TRY_DONE(cuonn_features_check(options, examples->height, examples->width));
  backend_problem problem = {.n_models = 0, .shape = CUONN_NETWORK_SHAPE_INIT, .place = context->place};
  problem.shape.n_modes = cuonn_features_modes(options);
  problem.shape.n_classes = 2;
  CUONN_TRY_DONE(backend->create(&state, &problem));
  CUONN_TRY_DONE(backend->set_images(state, CUONN_SPLIT_TEST, examples, options));
  CUONN_TRY_DONE(cuonn_fields_create(out, examples->n_examples, problem.shape.n_modes));
  CUONN_TRY_DONE(backend->get_features(out->values, state, CUONN_SPLIT_TEST));
done:
  if (status != CUONN_OK) cuonn_fields_free(out);
  backend->destroy(state);
  return status;
}

cuonn_status cuonn_propagate(cuonn_fields *out, const cuonn_taps *taps, cuonn_context *context, const cuonn_mesh *mesh,
                             const cuonn_fields *in, bool backward) {
  CUONN_TRY(cuonn_mesh_check(mesh));
  CUONN_TRY(check_fields("input", in, mesh->n_modes));
  CUONN_TRY(check_same_size("output", out, in));
  const cuonn_buffer to = buffer_of_fields(out), from = buffer_of_fields(in);
  return context->backend->propagate(&to, taps, mesh, &from, backward, context->place);
}

cuonn_status cuonn_matrix(double *matrix, cuonn_context *context, const cuonn_mesh *mesh) {
  enum { kColumnsAtOnce = 256 }; /* bounds the memory of large meshes */
  const size_t n = mesh->n_modes, most = n < kColumnsAtOnce ? n : kColumnsAtOnce;
  cuonn_fields units = {0}, columns = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_mesh_check(mesh));
  CUONN_TRY_DONE(cuonn_fields_create(&units, most, n));
  CUONN_TRY_DONE(cuonn_fields_create(&columns, most, n));
  for (size_t first = 0; first < n; first += most) {
    const size_t count = n - first < most ? n - first : most;
    memset(units.values, 0, 2 * most * n * sizeof(double));
    for (size_t e = 0; e < count; e++) units.values[2 * (e * n + first + e)] = 1;
    units.n_examples = count;
    const cuonn_buffer to = buffer_of_fields(&columns), from = buffer_of_fields(&units);
    CUONN_TRY_DONE(context->backend->propagate(&to, NULL, mesh, &from, false, context->place));
    for (size_t e = 0; e < count; e++) {
      for (size_t row = 0; row < n; row++) {
        memcpy(matrix + 2 * (row * n + first + e), columns.values + 2 * (e * n + row), 2 * sizeof(double));
      }
    }
  }
done:
  cuonn_fields_free(&columns);
  cuonn_fields_free(&units);
  return status;
}

cuonn_status cuonn_vjp(cuonn_mesh_gradient *gradient, cuonn_fields *backward, cuonn_context *context,
                       const cuonn_mesh *mesh, const cuonn_fields *input, const cuonn_fields *cotangent) {
  CUONN_TRY(cuonn_mesh_check(mesh));
  CUONN_TRY(check_fields("input", input, mesh->n_modes));
  CUONN_TRY(check_fields("cotangent", cotangent, mesh->n_modes));
  CUONN_TRY(check_same_size("cotangent", cotangent, input));
  if (backward) CUONN_TRY(check_same_size("backward", backward, input));
  const cuonn_buffer x = buffer_of_fields(input), g = buffer_of_fields(cotangent);
  const cuonn_buffer back = backward ? buffer_of_fields(backward) : (cuonn_buffer){0};
  return context->backend->vjp(gradient, backward ? &back : NULL, mesh, &x, &g, context->place);
}

static cuonn_status check_batch(const cuonn_network *network, const cuonn_fields *input, const uint8_t *labels) {
  CUONN_TRY(cuonn_network_check(network));
  CUONN_TRY(check_fields("input", input, network->shape.n_modes));
  for (size_t e = 0; e < input->n_examples; e++) {
    CUONN_CHECK(labels[e] < network->shape.n_classes, CUONN_E_DATA,
                "label of example %zu is %u; the network reads %zu classes, 0 to %zu", e, labels[e],
                network->shape.n_classes, network->shape.n_classes - 1);
  }
  return CUONN_OK;
}

/* A handle with one model and one labelled set. */
static cuonn_status create_for_batch(cuonn_model **out, const cuonn_context *context, const cuonn_network *network,
                                     const cuonn_chip_options *chip, cuonn_gradient_method method,
                                     const cuonn_fields *input, const uint8_t *labels, size_t batch_size) {
  const cuonn_examples examples = {.n_examples = input->n_examples, .labels = (uint8_t *)labels, .fields = *input};
  const cuonn_model_options options = {.n_models = 1,
                                       .shape = network->shape,
                                       .batch_size = batch_size,
                                       .gradient = method,
                                       .measurement = chip->measurement};
  cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
  settings.gradient = method;
  settings.chip = *chip;
  CUONN_TRY(check_batch(network, input, labels));
  CUONN_TRY(cuonn_chip_check(chip, method, network->shape.style));
  CUONN_TRY(cuonn_model_create(out, context, &options));
  CUONN_TRY(cuonn_model_set(*out, 0, network, NULL, &settings));
  return cuonn_model_set_examples(*out, CUONN_SPLIT_TEST, &examples, NULL);
}

/* Refuses a loss, and gradients [layer] unless NULL, that are not finite, made from what is. */
static cuonn_status check_powers(const cuonn_context *context, const cuonn_network *network, const cuonn_fields *input,
                                 double loss, const cuonn_mesh_gradient *gradients) {
  char where[MODEL_WHERE] = "";
  bool found = false;
  if (!isfinite(loss)) {
    CUONN_TRY(model_find_overflow(&found, where, context->backend, context->place, network, input));
    CUONN_CHECK(found, CUONN_E_NONFINITE, "the loss is %g", loss);
  } else if (gradients) {
    found = model_gradient_overflows(where, gradients, &network->shape);
  }
  CUONN_CHECK(!found, CUONN_E_NONFINITE, "powers overflow %s; " MODEL_OVERFLOW_ADVICE, where);
  return CUONN_OK;
}

static const cuonn_chip_options ideal = CUONN_CHIP_OPTIONS_INIT;

cuonn_status cuonn_gradient(double *loss, cuonn_mesh_gradient *gradients, cuonn_context *context,
                            const cuonn_network *network, const cuonn_fields *input, const uint8_t *labels) {
  return cuonn_gradient_on_chip(loss, gradients, context, network, &ideal, CUONN_GRADIENT_EXACT, input, labels);
}

cuonn_status cuonn_gradient_on_chip(double *loss, cuonn_mesh_gradient *gradients, cuonn_context *context,
                                    const cuonn_network *network, const cuonn_chip_options *chip,
                                    cuonn_gradient_method method, const cuonn_fields *input, const uint8_t *labels) {
  const cuonn_step all = {.count = input->n_examples};
  cuonn_model *model = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(create_for_batch(&model, context, network, chip, method, input, labels, input->n_examples));
  CUONN_TRY_DONE(cuonn_model_gradient(loss, gradients, model, 0, CUONN_SPLIT_TEST, &all, method));
  CUONN_TRY_DONE(check_powers(context, network, input, *loss, gradients));
done:
  cuonn_model_destroy(model);
  return status;
}

cuonn_status cuonn_evaluate(cuonn_evaluation *out, cuonn_context *context, const cuonn_network *network,
                            const cuonn_fields *input, const uint8_t *labels) {
  return cuonn_evaluate_on_chip(out, context, network, &ideal, input, labels);
}

cuonn_status cuonn_evaluate_on_chip(cuonn_evaluation *out, cuonn_context *context, const cuonn_network *network,
                                    const cuonn_chip_options *chip, const cuonn_fields *input, const uint8_t *labels) {
  cuonn_model *model = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(create_for_batch(&model, context, network, chip, CUONN_GRADIENT_EXACT, input, labels, 0));
  CUONN_TRY_DONE(cuonn_model_evaluate(out, model, 0, CUONN_SPLIT_TEST));
  CUONN_TRY_DONE(check_powers(context, network, input, out->loss, NULL));
done:
  cuonn_model_destroy(model);
  return status;
}
