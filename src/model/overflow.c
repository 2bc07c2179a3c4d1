/* Where light is stronger than numbers can say: asked when a loss or a gradient is not finite, though all that it is
 * made from is. */
#include "model/overflow.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "cuonn/model.h"
#include "model/model.h"

/* Whether a backend in float can square all amplitudes; in double nearly all that it cannot comes later. */
static bool powers_hold(const cuonn_fields *fields) {
  for (size_t i = 0; i < fields->n_examples * fields->n_modes; i++) {
    const double re = fields->values[2 * i], im = fields->values[2 * i + 1];
    if (!(re * re + im * im <= FLT_MAX)) return false; /* NaN, too */
  }
  return true;
}

cuonn_status model_find_overflow(bool *found, char where[MODEL_WHERE], const cuonn_backend *backend,
                                 backend_place place, const cuonn_network *network, const cuonn_fields *input) {
  const size_t n_layers = network->shape.n_layers, n_values = input->n_examples * input->n_modes;
  cuonn_fields in = {0}, out = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_fields_create(&in, input->n_examples, input->n_modes));
  CUONN_TRY_DONE(cuonn_fields_create(&out, input->n_examples, input->n_modes));
  const cuonn_buffer from = buffer_of_fields(&in), to = buffer_of_fields(&out);
  memcpy(in.values, input->values, 2 * n_values * sizeof(double));
  snprintf(where, MODEL_WHERE, "at the input");
  *found = !powers_hold(&in);
  for (size_t l = 0; !*found && l < n_layers; l++) {
    const cuonn_mesh *const mesh = &network->layers[l];
    CUONN_TRY_DONE(backend->propagate(&to, NULL, mesh, &from, false, place));
    snprintf(where, MODEL_WHERE, "in layer %zu", l);
    *found = !powers_hold(&out);
    for (size_t e = 0; e < input->n_examples; e++) {
      const size_t at = 2 * e * input->n_modes;
      cuonn_network_pass(in.values + at, network, l, out.values + at);
    }
  }
done:
  cuonn_fields_free(&out);
  cuonn_fields_free(&in);
  return status;
}

static bool all_finite(const double *values, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(values[i])) return false;
  }
  return true;
}

bool model_gradient_overflows(char where[MODEL_WHERE], const cuonn_mesh_gradient *gradients,
                              const cuonn_network_shape *shape) {
  const size_t n = shape->n_modes, nodes = cuonn_network_nodes(shape);
  for (size_t l = shape->n_layers; l-- > 0;) { /* the way back begins at the last */
    const cuonn_mesh_gradient *const g = &gradients[l];
    const bool amplitudes = shape->layer == CUONN_LAYER_UNITARY || !g->d_amplitude || all_finite(g->d_amplitude, n);
    if (all_finite(g->d_theta, nodes) && all_finite(g->d_phi, nodes) && all_finite(g->d_gamma, n) && amplitudes)
      continue;
    snprintf(where, MODEL_WHERE, "in layer %zu, where the gradient is measured", l);
    return true;
  }
  return false;
}

/* The first examples of a set, as many as a batch or a step has. */
static cuonn_status first_examples(cuonn_fields *out, cuonn_model *model, cuonn_split split, size_t of_step) {
  const size_t n_modes = model->options.shape.n_modes, n_examples = model->n_examples[split];
  const size_t wanted = of_step > model->options.batch_size ? of_step : model->options.batch_size;
  CUONN_TRY(cuonn_fields_create(out, n_examples, n_modes));
  CUONN_TRY(model->backend->get_features(out->values, model->state, split));
  if (out->n_examples > wanted) out->n_examples = wanted;
  return CUONN_OK;
}

/* Measures the gradient of a step anew, with the network's phases. */
static cuonn_status find_in_measurement(bool *found, char where[MODEL_WHERE], cuonn_model *model, size_t index,
                                        const cuonn_network *network, cuonn_split split, const cuonn_step *step) {
  const cuonn_model_settings settings = model->settings[index];
  cuonn_mesh_gradient *gradients = NULL;
  double loss;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_gradients_create(&gradients, &network->shape));
  CUONN_TRY_DONE(cuonn_model_set(model, index, network, NULL, &settings));
  CUONN_TRY_DONE(cuonn_model_gradient(&loss, gradients, model, index, split, step, settings.gradient));
  *found = isfinite(loss) && model_gradient_overflows(where, gradients, &network->shape);
done:
  cuonn_gradients_free(gradients);
  return status;
}

cuonn_status cuonn_model_find_overflow(char *reason, size_t size, cuonn_model *model, size_t index,
                                       const cuonn_network *network, cuonn_split split, const cuonn_step *step) {
  char where[MODEL_WHERE];
  bool found = false;
  cuonn_fields examples = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY(model_check_index(model, index));
  CUONN_TRY_DONE(first_examples(&examples, model, split, step->count));
  CUONN_TRY_DONE(model_find_overflow(&found, where, model->backend, model->place, network, &examples));
  if (!found && cuonn_gradient_is_measured(model->settings[index].gradient)) {
    CUONN_TRY_DONE(find_in_measurement(&found, where, model, index, network, split, step));
  }
  if (size > 0) *reason = 0;
  if (found) snprintf(reason, size, "powers overflow %s: " MODEL_OVERFLOW_ADVICE, where);
done:
  cuonn_fields_free(&examples);
  return status;
}
