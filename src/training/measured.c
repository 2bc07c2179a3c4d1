#include "training/measured.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "training/plan.h"

/* Gradients of one step, and room for them. */
typedef struct {
  double *values;
  cuonn_mesh_gradient *layers; /* [layer] into values */
} gradients;

static void gradients_free(gradients *g) {
  free(g->layers);
  free(g->values);
}

static cuonn_status gradients_create(gradients *out, const cuonn_network_shape *shape) {
  const size_t nodes = cuonn_mesh_nodes(shape->n_modes), size = 2 * nodes + shape->n_modes;
  CUONN_TRY(cuonn_allocate(&out->values, shape->n_layers * size, sizeof *out->values));
  CUONN_TRY(cuonn_allocate(&out->layers, shape->n_layers, sizeof *out->layers));
  for (size_t l = 0; l < shape->n_layers; l++) {
    double *const at = out->values + l * size;
    out->layers[l] = (cuonn_mesh_gradient){at, at + nodes, at + 2 * nodes};
  }
  return CUONN_OK;
}

cuonn_status training_gradient_errors(double *small, double *batch, double *small_layers, double *batch_layers,
                                      const cuonn_backend *backend, void *computing, size_t model,
                                      const cuonn_network_shape *shape, const cuonn_training_options *options,
                                      size_t n_examples, uint64_t step) {
  gradients measured = {0}, exact = {0};
  cuonn_status status = CUONN_OK;
  if (options->gradient == CUONN_GRADIENT_EXACT) return CUONN_OK;
  CUONN_TRY_DONE(gradients_create(&measured, shape));
  CUONN_TRY_DONE(gradients_create(&exact, shape));
  backend_step steps[] = {training_plan_step(options, n_examples, 0),
                          training_plan_step(options, n_examples, step - 1)};
  if (steps[0].count > CUONN_SMALL_BATCH) steps[0].count = CUONN_SMALL_BATCH;
  steps[0].number = steps[1].number;
  double *const errors[] = {small, batch}, *const of_layers[] = {small_layers, batch_layers};
  for (size_t i = 0; i < 2; i++) {
    double loss;
    CUONN_TRY_DONE(
        backend->measure(&loss, measured.layers, computing, model, BACKEND_TRAIN, &steps[i], options->gradient));
    CUONN_TRY_DONE(
        backend->measure(&loss, exact.layers, computing, model, BACKEND_TRAIN, &steps[i], CUONN_GRADIENT_EXACT));
    *errors[i] = cuonn_gradient_error(measured.layers, exact.layers, shape->n_layers, shape->n_modes);
    for (size_t l = 0; l < shape->n_layers; l++) {
      of_layers[i][l] = cuonn_gradient_error(measured.layers + l, exact.layers + l, 1, shape->n_modes);
    }
  }
done:
  gradients_free(&exact);
  gradients_free(&measured);
  return status;
}

/* The first examples of the training set, as many as a batch has. */
static cuonn_status first_batch(cuonn_fields *out, const cuonn_backend *backend, void *computing,
                                const cuonn_training_options *options, size_t n_examples, size_t n_modes) {
  const size_t count = options->batch_size < n_examples ? options->batch_size : n_examples;
  cuonn_fields all = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_fields_create(&all, n_examples, n_modes));
  CUONN_TRY_DONE(backend->get_features(all.values, computing, BACKEND_TRAIN));
  CUONN_TRY_DONE(cuonn_fields_create(out, count, n_modes));
  memcpy(out->values, all.values, 2 * count * n_modes * sizeof(double));
done:
  cuonn_fields_free(&all);
  return status;
}

/* Measures the gradient of a step anew, with the state's phases. */
static cuonn_status find_in_measurement(bool *found, char where[BACKEND_WHERE], const cuonn_backend *backend,
                                        void *computing, size_t model, cuonn_training_state *state,
                                        const cuonn_training_options *options, size_t n_examples, uint64_t step) {
  const cuonn_optimizer_options optimizer = training_optimizer(options);
  const backend_model from = training_model(state, options, &optimizer);
  const backend_step now = training_plan_step(options, n_examples, step);
  gradients measured = {0};
  double loss;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(gradients_create(&measured, &state->network.shape));
  CUONN_TRY_DONE(backend->set_model(computing, model, &from));
  CUONN_TRY_DONE(backend->measure(&loss, measured.layers, computing, model, BACKEND_TRAIN, &now, options->gradient));
  *found = isfinite(loss) && backend_gradient_overflows(where, measured.layers, &state->network.shape);
done:
  gradients_free(&measured);
  return status;
}

cuonn_status training_explain_loss(double loss, const cuonn_context *context, void *computing, size_t model,
                                   cuonn_training_state *state, const cuonn_training_options *options,
                                   size_t n_examples, uint64_t step) {
  const size_t per_epoch = cuonn_steps_per_epoch(options, n_examples);
  char where[BACKEND_WHERE];
  bool found = false;
  cuonn_fields batch = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(first_batch(&batch, context->backend, computing, options, n_examples, state->network.shape.n_modes));
  CUONN_TRY_DONE(backend_find_overflow(&found, where, context, &state->network, &batch));
  if (!found && cuonn_gradient_is_measured(options->gradient)) {
    CUONN_TRY_DONE(
        find_in_measurement(&found, where, context->backend, computing, model, state, options, n_examples, step));
  }
  status = training_fail_loss(loss, step, per_epoch, found ? where : NULL);
done:
  cuonn_fields_free(&batch);
  return status;
}
