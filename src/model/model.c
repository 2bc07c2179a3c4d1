/* The handle: checks what callers hand in, then calls the backend's table. */
#include "cuonn/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/fabricated.h"
#include "mesh/shape.h"
#include "model/model.h"
#include "network/shape.h"

static const char *const split_names[] = {[CUONN_SPLIT_TRAIN] = "training", [CUONN_SPLIT_TEST] = "test"};

static cuonn_status check_shape(const cuonn_network_shape *own, const cuonn_network_shape *other) {
  const bool same = own->n_modes == other->n_modes && own->n_layers == other->n_layers &&
                    own->n_classes == other->n_classes && own->style == other->style &&
                    own->loss_per_class == other->loss_per_class && own->loss == other->loss &&
                    cuonn_nonlinearity_equal(&own->nonlinearity, &other->nonlinearity) && own->layer == other->layer &&
                    (own->layer == CUONN_LAYER_UNITARY || own->amplitude_limit == other->amplitude_limit) &&
                    shape_equal(own->mesh, other->mesh);
  CUONN_CHECK(same, CUONN_E_SHAPE,
              "the network has %zu layers of %zu waveguides and %zu classes, the handle is made for %zu of %zu and %zu "
              "of the same style, shape of mesh, kind of layer, nonlinearity and kind of loss",
              other->n_layers, other->n_modes, other->n_classes, own->n_layers, own->n_modes, own->n_classes);
  return CUONN_OK;
}

cuonn_status model_check_index(const cuonn_model *model, size_t index) {
  CUONN_CHECK(index < model->options.n_models, CUONN_E_ARGUMENT, "model %zu is asked for; the handle has 0 to %zu",
              index, model->options.n_models - 1);
  return CUONN_OK;
}

cuonn_status model_check_phases(const cuonn_model *model, size_t index) {
  CUONN_TRY(model_check_index(model, index));
  CUONN_CHECK(model->has_phases[index], CUONN_E_ARGUMENT, "model %zu has no phases yet; cuonn_model_set() gives them",
              index);
  return CUONN_OK;
}

static cuonn_status check_split(const cuonn_model *model, cuonn_split split) {
  CUONN_CHECK(split < CUONN_SPLITS, CUONN_E_ARGUMENT, "split %d is neither the training nor the test set", (int)split);
  CUONN_CHECK(model->n_examples[split] > 0, CUONN_E_ARGUMENT,
              "the handle has no %s examples yet; cuonn_model_set_examples() gives them", split_names[split]);
  return CUONN_OK;
}

static cuonn_status check_step(const cuonn_model *model, cuonn_split split, const cuonn_step *step) {
  const size_t most = model->options.batch_size, n = model->n_examples[split];
  CUONN_TRY(check_split(model, split));
  CUONN_CHECK(step->count >= 1 && step->count <= most, CUONN_E_ARGUMENT,
              "a step has %zu examples; the handle is made for 1 to %zu", step->count, most);
  CUONN_CHECK(step->first < n && step->count <= n - step->first, CUONN_E_ARGUMENT,
              "a step has %zu examples from %zu on; the %s set has %zu", step->count, step->first, split_names[split],
              n);
  return CUONN_OK;
}

static cuonn_status check_measurement(const cuonn_backend *backend, const cuonn_network_shape *shape,
                                      cuonn_measurement measurement) {
  CUONN_CHECK(measurement != CUONN_MEASUREMENT_MATRIX || backend_multiplies(backend, shape), CUONN_E_ARGUMENT,
              "backend %s reads no matrices (measurement matrix) of %s layers with the nonlinearity %s; use "
              "measurement example, "
              "or backend reference",
              backend->name, cuonn_layer_kind_name(shape->layer), cuonn_nonlinearity_name(shape->nonlinearity.kind));
  return CUONN_OK;
}

cuonn_status cuonn_model_check_options(const cuonn_context *context, const cuonn_model_options *options) {
  const cuonn_backend *const backend = context->backend;
  CUONN_CHECK(options->n_models >= 1, CUONN_E_ARGUMENT, "n_models is 0; it must be at least 1");
  CUONN_CHECK(backend_takes_modes(backend, options->shape.n_modes), CUONN_E_SHAPE,
              "backend %s computes meshes of up to %zu waveguides, these have %zu; use backend cpu", backend->name,
              backend->modes_max, options->shape.n_modes);
  CUONN_CHECK(backend_takes_shape(backend, options->shape.mesh), CUONN_E_SHAPE,
              "backend %s computes nodes of the kind %s in meshes of up to %zu waveguides where they join neighbours; "
              "use backend cpu",
              backend->name, cuonn_node_kind_name(cuonn_mesh_shape_node(options->shape.mesh)),
              backend->other_modes_max);
  CUONN_CHECK(backend_measures(backend, backend_is_of_moduli(&options->shape), options->gradient), CUONN_E_ARGUMENT,
              "backend %s measures no gradients of networks of %s layers with the nonlinearity %s; use backend cpu, or "
              "gradient exact",
              backend->name, cuonn_layer_kind_name(options->shape.layer),
              cuonn_nonlinearity_name(options->shape.nonlinearity.kind));
  CUONN_CHECK(backend_takes_gradient(backend, options->gradient), CUONN_E_ARGUMENT,
              "backend %s has no gradients from the losses of moved phases (spsa, finite-difference); use backend cpu",
              backend->name);
  CUONN_CHECK(
      !cuonn_gradient_is_perturbed(options->gradient) || options->shape.layer == CUONN_LAYER_UNITARY, CUONN_E_ARGUMENT,
      "amplitudes of %s layers have no gradients from the losses of moved phases (spsa, finite-difference); use "
      "exact, or analog",
      cuonn_layer_kind_name(options->shape.layer));
  CUONN_CHECK(!cuonn_context_processes(context) || backend->shares_chips || options->gradient == CUONN_GRADIENT_EXACT ||
                  options->gradient == CUONN_GRADIENT_IDEAL,
              CUONN_E_ARGUMENT,
              "processes that share a training on backend %s have exact and ideal gradients alone, none that are "
              "measured or of moved phases; use one process, or backend cpu",
              backend->name);
  CUONN_CHECK(context->method != CUONN_METHOD_DENSE || !cuonn_gradient_is_measured(options->gradient), CUONN_E_ARGUMENT,
              "method dense has no measured gradients (analog, digital); use columns or auto");
  CUONN_CHECK(context->method != CUONN_METHOD_DENSE || backend_multiplies(backend, &options->shape), CUONN_E_ARGUMENT,
              "method dense of backend %s does not compute %s layers with the nonlinearity %s; use columns or auto",
              backend->name, cuonn_layer_kind_name(options->shape.layer),
              cuonn_nonlinearity_name(options->shape.nonlinearity.kind));
  return check_measurement(backend, &options->shape, options->measurement);
}

cuonn_status cuonn_model_create(cuonn_model **out, const cuonn_context *context, const cuonn_model_options *options) {
  cuonn_status status = CUONN_OK;
  cuonn_model *model = NULL;
  *out = NULL;
  CUONN_TRY(cuonn_model_check_options(context, options));
  CUONN_TRY_DONE(cuonn_allocate(&model, 1, sizeof *model));
  model->backend = context->backend;
  model->place = context->place;
  model->options = *options;
  CUONN_TRY_DONE(network_shape_own(&model->options.shape));
  CUONN_TRY_DONE(cuonn_allocate(&model->settings, options->n_models, sizeof *model->settings));
  CUONN_TRY_DONE(cuonn_allocate(&model->has_phases, options->n_models, sizeof *model->has_phases));
  const backend_problem problem = {.n_models = options->n_models,
                                   .method = context->method,
                                   .shape = model->options.shape,
                                   .batch_size = options->batch_size,
                                   .order = options->order,
                                   .place = context->place,
                                   .gradient = options->gradient,
                                   .measurement = options->measurement,
                                   .processes = cuonn_context_processes(context)};
  CUONN_TRY_DONE(model->backend->create(&model->state, &problem));
done:
  if (status != CUONN_OK) {
    cuonn_model_destroy(model);
    model = NULL;
  }
  *out = model;
  return status;
}

void cuonn_model_destroy(cuonn_model *model) {
  if (!model) return;
  model->backend->destroy(model->state);
  free(model->has_phases);
  free(model->settings);
  network_shape_disown(&model->options.shape);
  free(model);
}

/* Whether the handle can follow a model's method. */
static cuonn_status check_settings(const cuonn_model_options *options, const cuonn_model_settings *settings) {
  const bool measured = cuonn_gradient_is_measured(options->gradient);
  const bool same = measured ? cuonn_gradient_is_measured(settings->gradient) : settings->gradient == options->gradient;
  CUONN_CHECK(same, CUONN_E_ARGUMENT, "a model's gradients come by another way than the handle is made for");
  CUONN_CHECK(!measured || settings->chip.measurement == options->measurement, CUONN_E_ARGUMENT,
              "a model measures %s, the handle is made for another measurement",
              settings->chip.measurement == CUONN_MEASUREMENT_MATRIX ? "matrices" : "examples");
  CUONN_TRY(cuonn_optimizer_check(&settings->optimizer));
  if (settings->chip.fabricated) CUONN_TRY(cuonn_fabricated_fits(settings->chip.fabricated, &options->shape));
  return cuonn_chip_check(&settings->chip, settings->gradient, options->shape.style);
}

cuonn_status cuonn_model_set(cuonn_model *model, size_t index, const cuonn_network *network, const double *moments,
                             const cuonn_model_settings *settings) {
  const backend_model from = {.network = (cuonn_network *)network,
                              .moments = (double *)moments,
                              .optimizer = &settings->optimizer,
                              .seed = settings->seed,
                              .gradient = settings->gradient,
                              .train_gamma = settings->train_gamma,
                              .chip = &settings->chip};
  CUONN_TRY(model_check_index(model, index));
  CUONN_TRY(check_measurement(model->backend, &model->options.shape, settings->chip.measurement));
  CUONN_TRY(check_shape(&model->options.shape, &network->shape));
  CUONN_TRY(cuonn_network_check(network));
  CUONN_TRY(check_settings(&model->options, settings));
  CUONN_TRY(model->backend->set_model(model->state, index, &from));
  model->settings[index] = *settings;
  model->has_phases[index] = true;
  return CUONN_OK;
}

cuonn_status cuonn_model_get(cuonn_network *network, double *moments, cuonn_model *model, size_t index) {
  const backend_model to = {.network = network, .moments = moments};
  CUONN_TRY(model_check_phases(model, index));
  CUONN_TRY(check_shape(&model->options.shape, &network->shape));
  CUONN_CHECK(!moments || model->options.batch_size > 0, CUONN_E_ARGUMENT,
              "the handle is not made for steps and has no moments");
  return model->backend->get_model(&to, model->state, index);
}

cuonn_status cuonn_model_check_examples(const cuonn_network_shape *shape, const cuonn_examples *examples,
                                        const cuonn_features_options *features) {
  if (examples->fields.values) {
    CUONN_CHECK(examples->fields.n_modes == shape->n_modes, CUONN_E_SHAPE,
                "the fields have %zu waveguides, the network has %zu", examples->fields.n_modes, shape->n_modes);
  } else {
    const size_t modes = cuonn_features_modes(features);
    CUONN_TRY(cuonn_features_check(features, examples->height, examples->width));
    CUONN_CHECK(modes == shape->n_modes, CUONN_E_SHAPE,
                "the features give %zu amplitudes, the network has %zu waveguides", modes, shape->n_modes);
  }
  CUONN_CHECK(examples->n_examples <= UINT32_MAX, CUONN_E_SHAPE, "%zu examples are more than 2^32 - 1",
              examples->n_examples);
  return cuonn_examples_check_labels(examples, shape->n_classes);
}

cuonn_status cuonn_model_set_examples(cuonn_model *model, cuonn_split split, const cuonn_examples *examples,
                                      const cuonn_features_options *features) {
  CUONN_CHECK(split < CUONN_SPLITS, CUONN_E_ARGUMENT, "split %d is neither the training nor the test set", (int)split);
  CUONN_TRY(cuonn_model_check_examples(&model->options.shape, examples, features));
  model->n_examples[split] = 0;
  CUONN_TRY(examples->fields.values
                ? model->backend->set_fields(model->state, split, &examples->fields, examples->labels)
                : model->backend->set_images(model->state, split, examples, features));
  model->n_examples[split] = examples->n_examples;
  return CUONN_OK;
}

static cuonn_status check_all_phases(const cuonn_model *model) {
  for (size_t m = 0; m < model->options.n_models; m++) CUONN_TRY(model_check_phases(model, m));
  return CUONN_OK;
}

cuonn_status cuonn_model_step(double *losses, cuonn_model *model, const cuonn_step *steps, size_t n_steps) {
  CUONN_TRY(check_all_phases(model));
  for (size_t i = 0; i < n_steps; i++) CUONN_TRY(check_step(model, CUONN_SPLIT_TRAIN, &steps[i]));
  return model->backend->train_steps(losses, model->state, steps, n_steps);
}

cuonn_status cuonn_model_gradient(double *loss, cuonn_mesh_gradient *gradients, cuonn_model *model, size_t index,
                                  cuonn_split split, const cuonn_step *step, cuonn_gradient_method method) {
  CUONN_TRY(model_check_phases(model, index));
  CUONN_TRY(check_step(model, split, step));
  CUONN_CHECK(method == CUONN_GRADIENT_EXACT || method == model->settings[index].gradient, CUONN_E_ARGUMENT,
              "a gradient is asked for that is neither exact nor by the model's own method");
  return model->backend->gradient(loss, gradients, model->state, index, 1, split, step, method);
}

cuonn_status cuonn_model_gradient_all(double *losses, cuonn_mesh_gradient *gradients, cuonn_model *model,
                                      cuonn_split split, const cuonn_step *step, cuonn_gradient_method method) {
  CUONN_TRY(check_all_phases(model));
  CUONN_TRY(check_step(model, split, step));
  CUONN_CHECK(method == CUONN_GRADIENT_EXACT || method == model->options.gradient, CUONN_E_ARGUMENT,
              "gradients are asked for that are neither exact nor by the handle's method");
  return model->backend->gradient(losses, gradients, model->state, 0, model->options.n_models, split, step, method);
}

cuonn_status cuonn_model_evaluate(cuonn_evaluation *out, cuonn_model *model, size_t index, cuonn_split split) {
  CUONN_TRY(model_check_phases(model, index));
  CUONN_TRY(check_split(model, split));
  return model->backend->evaluate(out, model->state, index, 1, split);
}

cuonn_status cuonn_model_evaluate_all(cuonn_evaluation *out, cuonn_model *model, cuonn_split split) {
  CUONN_TRY(check_all_phases(model));
  CUONN_TRY(check_split(model, split));
  return model->backend->evaluate(out, model->state, 0, model->options.n_models, split);
}
