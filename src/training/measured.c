#include "training/measured.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "training/plan.h"

cuonn_status training_errors_create(training_errors *out, const cuonn_network_shape *shape, size_t n_models) {
  cuonn_network_shape all = *shape; /* the layers of all models in one array */
  cuonn_status status = CUONN_OK;
  all.n_layers *= n_models;
  *out = (training_errors){.shape = *shape, .n_models = n_models};
  CUONN_TRY_DONE(cuonn_gradients_create(&out->measured, &all));
  CUONN_TRY_DONE(cuonn_gradients_create(&out->exact, &all));
  CUONN_TRY_DONE(cuonn_allocate(&out->losses, n_models, sizeof *out->losses));
  CUONN_TRY_DONE(cuonn_allocate(&out->whole, 2 * n_models, sizeof *out->whole));
  CUONN_TRY_DONE(cuonn_allocate(&out->layers, 2 * all.n_layers, sizeof *out->layers));
done:
  if (status != CUONN_OK) training_errors_free(out);
  return status;
}

void training_errors_free(training_errors *errors) {
  free(errors->layers);
  free(errors->whole);
  free(errors->losses);
  cuonn_gradients_free(errors->exact);
  cuonn_gradients_free(errors->measured);
  memset(errors, 0, sizeof *errors);
}

/* which: 0 small, 1 batch. */
static void compare(training_errors *e, size_t which) {
  const size_t nodes = cuonn_network_nodes(&e->shape), layers = e->shape.n_layers;
  for (size_t m = 0; m < e->n_models; m++) {
    const cuonn_mesh_gradient *const measured = &e->measured[m * layers], *const exact = &e->exact[m * layers];
    e->whole[2 * m + which] = cuonn_gradient_error(measured, exact, layers, nodes);
    for (size_t l = 0; l < layers; l++)
      e->layers[(2 * m + which) * layers + l] = cuonn_gradient_error(&measured[l], &exact[l], 1, nodes);
  }
}

cuonn_status training_errors_measure(training_errors *errors, cuonn_model *model, const cuonn_training_options *options,
                                     size_t n_examples, uint64_t step) {
  cuonn_step steps[] = {training_plan_step(options, n_examples, 0), training_plan_step(options, n_examples, step - 1)};
  if (steps[0].count > CUONN_SMALL_BATCH) steps[0].count = CUONN_SMALL_BATCH;
  steps[0].number = steps[1].number;
  for (size_t i = 0; i < 2; i++) {
    CUONN_TRY(cuonn_model_gradient_all(errors->losses, errors->measured, model, CUONN_SPLIT_TRAIN, &steps[i],
                                       options->gradient));
    CUONN_TRY(cuonn_model_gradient_all(errors->losses, errors->exact, model, CUONN_SPLIT_TRAIN, &steps[i],
                                       CUONN_GRADIENT_EXACT));
    compare(errors, i);
  }
  return CUONN_OK;
}

void training_errors_clear(training_errors *errors) {
  for (size_t i = 0; i < 2 * errors->n_models; i++) errors->whole[i] = NAN;
  for (size_t i = 0; i < 2 * errors->n_models * errors->shape.n_layers; i++) errors->layers[i] = NAN;
}
