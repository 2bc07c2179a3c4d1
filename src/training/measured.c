#include "training/measured.h"

#include <stdlib.h>

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
