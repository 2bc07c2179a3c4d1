/* Picks a backend, and holds the public computing functions: each validates, then calls the backend's table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends_list.h"
#include "base/error.h"
#include "base/memory.h"

#define BACKEND_ADDRESS(name) &cuonn_backend_##name,
static const cuonn_backend *const backends[] = {CUONN_BACKENDS(BACKEND_ADDRESS)};
enum { kBackends = sizeof backends / sizeof *backends };

const char *cuonn_backend_name(size_t i) { return i < kBackends ? backends[i]->name : NULL; }

static const cuonn_backend *find(const char *name) {
  for (size_t i = 0; i < kBackends; i++) {
    if (strcmp(name, backends[i]->name) == 0) return backends[i];
  }
  return NULL;
}

cuonn_status cuonn_backend_device(char *device, size_t size, const char *backend) {
  const cuonn_backend *const found = find(backend);
  if (size > 0) *device = 0;
  CUONN_CHECK(found, CUONN_E_ARGUMENT, "backend \"%s\" is not in this build", backend);
  return found->probe(device, size);
}

/* The fastest that can compute here. note: why a faster one cannot, "" if there is none. */
static const cuonn_backend *find_usable(char *note, size_t size) {
  for (size_t i = 0; i + 1 < kBackends; i++) {
    if (backends[i]->probe(NULL, 0) == CUONN_OK) return backends[i];
    snprintf(note, size, "%s", cuonn_last_error());
  }
  return backends[kBackends - 1];
}

/* Says in the context's note if OpenMP, which OMP_NUM_THREADS rules, would take more threads than there may be. */
static void note_threads(cuonn_context *context) {
  const int own = context->threads == 0 && context->backend->own_threads ? context->backend->own_threads() : 0;
  const size_t used = strlen(context->note);
  if (own <= CUONN_THREADS_MAX) return;
  snprintf(context->note + used, sizeof context->note - used,
           "%sOpenMP is set to %d threads (OMP_NUM_THREADS), of which %d are taken", used ? "; " : "", own,
           CUONN_THREADS_MAX);
}

cuonn_status cuonn_context_create(cuonn_context **out, const char *backend, int threads) {
  cuonn_context made = {.threads = threads};
  *out = NULL;
  CUONN_CHECK(threads >= 0 && threads <= CUONN_THREADS_MAX, CUONN_E_ARGUMENT,
              "threads is %d; it may be 0 (automatic) to %d", threads, CUONN_THREADS_MAX);
  if (strcmp(backend, "auto") == 0) {
    made.backend = find_usable(made.note, sizeof made.note);
  } else {
    made.backend = find(backend);
    if (!made.backend && (strcmp(backend, "cuda") == 0 || strcmp(backend, "cpu") == 0)) {
      return cuonn_fail(CUONN_E_DEVICE, "backend %s is not in this build; use auto", backend);
    }
    CUONN_CHECK(made.backend, CUONN_E_ARGUMENT, "backend \"%s\" is unknown; it is one of auto, reference, cpu, cuda",
                backend);
    CUONN_TRY(made.backend->probe(NULL, 0));
  }
  note_threads(&made);
  CUONN_TRY(cuonn_allocate(out, 1, sizeof **out));
  **out = made;
  return CUONN_OK;
}

void cuonn_context_free(cuonn_context *context) { free(context); }

const char *cuonn_context_backend(const cuonn_context *context) { return context->backend->name; }

const char *cuonn_context_note(const cuonn_context *context) { return context->note; }

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
  backend_problem problem = {.n_models = 0, .shape = CUONN_NETWORK_SHAPE_INIT, .threads = context->threads};
  problem.shape.n_modes = cuonn_features_modes(options);
  problem.shape.n_classes = 2;
  CUONN_TRY_DONE(backend->create(&state, &problem));
  CUONN_TRY_DONE(backend->set_images(state, BACKEND_TEST, examples, options));
  CUONN_TRY_DONE(cuonn_fields_create(out, examples->n_examples, problem.shape.n_modes));
  CUONN_TRY_DONE(backend->get_features(out->values, state, BACKEND_TEST));
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
  return context->backend->propagate(out->values, taps, mesh, in, backward, context->threads);
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
    CUONN_TRY_DONE(context->backend->propagate(columns.values, NULL, mesh, &units, false, context->threads));
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
  return context->backend->vjp(gradient, backward ? backward->values : NULL, mesh, input, cotangent, context->threads);
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

/* A backend's state with one model and one labelled set. */
static cuonn_status create_for_batch(void **state, const cuonn_context *context, const cuonn_network *network,
                                     const cuonn_chip_options *chip, cuonn_gradient_method method,
                                     const cuonn_fields *input, const uint8_t *labels, bool for_gradient) {
  const backend_problem problem = {.n_models = 1,
                                   .shape = network->shape,
                                   .batch_size = for_gradient ? input->n_examples : 0,
                                   .gradient = method,
                                   .measurement = chip ? chip->measurement : CUONN_MEASUREMENT_EXAMPLE,
                                   .threads = context->threads};
  const backend_model model = {.network = (cuonn_network *)network, .gradient = method, .chip = chip};
  CUONN_TRY(context->backend->create(state, &problem));
  CUONN_TRY(context->backend->set_model(*state, 0, &model));
  return context->backend->set_fields(*state, BACKEND_TEST, input, labels);
}

/* A loss, and gradients [layer] unless NULL, that are not finite, made from what is. */
static cuonn_status check_powers(const cuonn_context *context, const cuonn_network *network, const cuonn_fields *input,
                                 double loss, const cuonn_mesh_gradient *gradients) {
  char where[BACKEND_WHERE] = "";
  bool found = false;
  if (!isfinite(loss)) {
    CUONN_TRY(backend_find_overflow(&found, where, context, network, input));
    CUONN_CHECK(found, CUONN_E_NONFINITE, "the loss is %g", loss);
  } else if (gradients) {
    found = backend_gradient_overflows(where, gradients, &network->shape);
  }
  CUONN_CHECK(!found, CUONN_E_NONFINITE, "powers overflow %s; " BACKEND_OVERFLOW_ADVICE, where);
  return CUONN_OK;
}

cuonn_status cuonn_gradient(double *loss, cuonn_mesh_gradient *gradients, cuonn_context *context,
                            const cuonn_network *network, const cuonn_fields *input, const uint8_t *labels) {
  void *state = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(check_batch(network, input, labels));
  CUONN_TRY_DONE(create_for_batch(&state, context, network, NULL, CUONN_GRADIENT_EXACT, input, labels, true));
  const backend_step all = {.count = input->n_examples};
  CUONN_TRY_DONE(context->backend->gradient(loss, gradients, state, 0, BACKEND_TEST, &all, CUONN_GRADIENT_EXACT));
  CUONN_TRY_DONE(check_powers(context, network, input, *loss, gradients));
done:
  context->backend->destroy(state);
  return status;
}

cuonn_status cuonn_gradient_on_chip(double *loss, cuonn_mesh_gradient *gradients, cuonn_context *context,
                                    const cuonn_network *network, const cuonn_chip_options *chip,
                                    cuonn_gradient_method method, const cuonn_fields *input, const uint8_t *labels) {
  void *state = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(check_batch(network, input, labels));
  CUONN_TRY_DONE(cuonn_chip_check(chip, method, network->shape.style));
  CUONN_TRY_DONE(create_for_batch(&state, context, network, chip, method, input, labels, true));
  const backend_step all = {.count = input->n_examples};
  CUONN_TRY_DONE(context->backend->gradient(loss, gradients, state, 0, BACKEND_TEST, &all, method));
  CUONN_TRY_DONE(check_powers(context, network, input, *loss, gradients));
done:
  context->backend->destroy(state);
  return status;
}

cuonn_status cuonn_evaluate(cuonn_evaluation *out, cuonn_context *context, const cuonn_network *network,
                            const cuonn_fields *input, const uint8_t *labels) {
  static const cuonn_chip_options ideal = CUONN_CHIP_OPTIONS_INIT;
  return cuonn_evaluate_on_chip(out, context, network, &ideal, input, labels);
}

cuonn_status cuonn_evaluate_on_chip(cuonn_evaluation *out, cuonn_context *context, const cuonn_network *network,
                                    const cuonn_chip_options *chip, const cuonn_fields *input, const uint8_t *labels) {
  void *state = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(check_batch(network, input, labels));
  CUONN_TRY_DONE(cuonn_chip_check(chip, CUONN_GRADIENT_EXACT, network->shape.style));
  CUONN_TRY_DONE(create_for_batch(&state, context, network, chip, CUONN_GRADIENT_EXACT, input, labels, false));
  CUONN_TRY_DONE(context->backend->evaluate(out, state, 0, BACKEND_TEST));
  CUONN_TRY_DONE(check_powers(context, network, input, out->loss, NULL));
done:
  context->backend->destroy(state);
  return status;
}
