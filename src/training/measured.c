#include "training/measured.h"

#include "base/error.h"
#include "training/plan.h"

cuonn_status training_gradient_errors(double *small, double *batch, double *errors, cuonn_model *model, size_t index,
                                      const cuonn_network_shape *shape, const cuonn_training_options *options,
                                      size_t n_examples, uint64_t step) {
  const size_t nodes = cuonn_network_nodes(shape);
  cuonn_mesh_gradient *measured = NULL, *exact = NULL;
  cuonn_status status = CUONN_OK;
  double loss, *const of_all[] = {small, batch};
  cuonn_step steps[] = {training_plan_step(options, n_examples, 0), training_plan_step(options, n_examples, step - 1)};
  if (steps[0].count > CUONN_SMALL_BATCH) steps[0].count = CUONN_SMALL_BATCH;
  steps[0].number = steps[1].number;
  CUONN_TRY_DONE(cuonn_gradients_create(&measured, shape));
  CUONN_TRY_DONE(cuonn_gradients_create(&exact, shape));
  for (size_t i = 0; i < 2; i++) {
    CUONN_TRY_DONE(
        cuonn_model_gradient(&loss, measured, model, index, CUONN_SPLIT_TRAIN, &steps[i], options->gradient));
    CUONN_TRY_DONE(
        cuonn_model_gradient(&loss, exact, model, index, CUONN_SPLIT_TRAIN, &steps[i], CUONN_GRADIENT_EXACT));
    *of_all[i] = cuonn_gradient_error(measured, exact, shape->n_layers, nodes);
    for (size_t l = 0; l < shape->n_layers; l++)
      errors[i * shape->n_layers + l] = cuonn_gradient_error(measured + l, exact + l, 1, nodes);
  }
done:
  cuonn_gradients_free(exact);
  cuonn_gradients_free(measured);
  return status;
}
