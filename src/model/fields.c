/* Single layers of a handle's models, with buffers of the caller's: checks, and the way of backends in host memory. */
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "chip/phases.h"
#include "mesh/shape.h"
#include "model/model.h"

static cuonn_status check_layer(const cuonn_model *model, size_t index, size_t layer) {
  CUONN_TRY(model_check_phases(model, index));
  CUONN_CHECK(layer < model->options.shape.n_layers, CUONN_E_ARGUMENT, "layer %zu is asked for; models have 0 to %zu",
              layer, model->options.shape.n_layers - 1);
  return CUONN_OK;
}

static cuonn_status check_memory(const char *name, const cuonn_buffer *buffer, const cuonn_model *model,
                                 cuonn_memory memory) {
  const size_t alignment = buffer_is_double(buffer) ? sizeof(double) : sizeof(float);
  CUONN_CHECK(buffer->memory == memory, CUONN_E_ARGUMENT,
              "%s lies in %s memory, another buffer of the call does not; all have to lie in one", name,
              buffer->memory == CUONN_DEVICE ? "device" : "host");
  CUONN_CHECK(memory == CUONN_HOST || model->backend->on_device, CUONN_E_ARGUMENT,
              "%s lies in device memory, where backend %s cannot compute; hand over host memory, or use backend cuda",
              name, model->backend->name);
  CUONN_CHECK((uintptr_t)buffer->data % alignment == 0, CUONN_E_ARGUMENT,
              "%s begins at %p, which is no multiple of %zu bytes, the size of its numbers; copy it to one", name,
              buffer->data, alignment);
  return CUONN_OK;
}

/* Fields of n_examples examples. */
static cuonn_status check_fields(const char *name, const cuonn_buffer *buffer, const cuonn_model *model,
                                 const cuonn_buffer *in) {
  const size_t n = model->options.shape.n_modes;
  CUONN_CHECK(buffer->data, CUONN_E_ARGUMENT, "%s has no data", name);
  CUONN_CHECK(buffer_is_complex(buffer), CUONN_E_ARGUMENT, "%s holds real numbers; fields are complex64 or complex128",
              name);
  CUONN_CHECK(in->count > 0 && in->count % n == 0 && buffer->count == in->count, CUONN_E_SHAPE,
              "%s has %zu numbers, the input %zu, of examples of %zu waveguides", name, buffer->count, in->count, n);
  CUONN_CHECK(in->count / n <= INT32_MAX, CUONN_E_SHAPE, "%s has %zu examples, more than 2^31 - 1", name,
              in->count / n);
  return check_memory(name, buffer, model, in->memory);
}

/* Buffers that lie in `memory`. */
static cuonn_status check_phases(const cuonn_phase_buffers *phases, const cuonn_model *model, cuonn_memory memory) {
  const size_t n = model->options.shape.n_modes, nodes = model->options.shape.mesh->n_nodes;
  const cuonn_buffer *const all[] = {&phases->theta, &phases->phi, &phases->gamma};
  static const char *const names[] = {"theta", "phi", "gamma"};
  for (size_t i = 0; i < 3; i++) {
    const size_t count = i < 2 ? nodes : n;
    if (!all[i]->data) continue;
    CUONN_CHECK(!buffer_is_complex(all[i]), CUONN_E_ARGUMENT,
                "%s holds complex numbers; phases and derivatives by them are float32 or float64", names[i]);
    CUONN_CHECK(all[i]->count == count, CUONN_E_SHAPE, "%s has %zu numbers, a layer has %zu", names[i], all[i]->count,
                count);
    CUONN_TRY(check_memory(names[i], all[i], model, memory));
  }
  return CUONN_OK;
}

/* Numbers of a host buffer as doubles: where they lie, or in `room`; NULL if there are none. */
static const double *doubles_of(double *room, const cuonn_buffer *buffer) {
  if (!buffer->data || buffer_is_double(buffer)) return buffer->data;
  for (size_t i = 0; i < buffer->count; i++) room[i] = buffer_get(buffer, i);
  return room;
}

cuonn_status cuonn_model_set_phases(cuonn_model *model, size_t index, size_t layer, const cuonn_phase_buffers *phases,
                                    void *stream) {
  const cuonn_buffer *const first = phases->theta.data ? &phases->theta
                                    : phases->phi.data ? &phases->phi
                                                       : &phases->gamma;
  cuonn_mesh_gradient *room = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY(check_layer(model, index, layer));
  CUONN_TRY(check_phases(phases, model, first->memory));
  if (model->backend->on_device)
    return model->backend->on_device->set_phases(model->state, index, layer, phases, stream);
  CUONN_TRY_DONE(cuonn_gradients_create(&room, &model->options.shape));
  CUONN_TRY_DONE(model->backend->set_phases(model->state, index, layer, doubles_of(room->d_theta, &phases->theta),
                                            doubles_of(room->d_phi, &phases->phi),
                                            doubles_of(room->d_gamma, &phases->gamma)));
done:
  cuonn_gradients_free(room);
  return status;
}

cuonn_status cuonn_model_propagate(const cuonn_buffer *out, cuonn_model *model, size_t index, size_t layer,
                                   const cuonn_buffer *in, bool backward, void *stream) {
  const cuonn_backend *const backend = model->backend;
  CUONN_TRY(check_layer(model, index, layer));
  CUONN_TRY(check_fields("input", in, model, in));
  CUONN_TRY(check_fields("output", out, model, in));
  if (backend->on_device) return backend->on_device->propagate(out, model->state, index, layer, in, backward, stream);
  return backend->propagate(out, NULL, backend->layer(model->state, index, layer).applied, in, backward, model->place);
}

static void put_doubles(const cuonn_buffer *to, const double *from) {
  for (size_t i = 0; to->data && i < to->count; i++) buffer_put(to, i, from[i]);
}

/* The same in host memory. */
static cuonn_status host_vjp(const cuonn_phase_buffers *gradient, const cuonn_buffer *backward, cuonn_model *model,
                             size_t index, size_t layer, const cuonn_buffer *input, const cuonn_buffer *cotangent) {
  const cuonn_backend *const backend = model->backend;
  const backend_layer of = backend->layer(model->state, index, layer);
  cuonn_mesh_gradient *own = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_gradients_create(&own, &model->options.shape));
  CUONN_TRY_DONE(backend->vjp(own, backward, of.applied, input, cotangent, model->place));
  chip_phases_pull_back(own->d_theta, own->d_phi, of.phases);
  put_doubles(&gradient->theta, own->d_theta);
  put_doubles(&gradient->phi, own->d_phi);
  put_doubles(&gradient->gamma, own->d_gamma);
done:
  cuonn_gradients_free(own);
  return status;
}

cuonn_status cuonn_model_vjp(const cuonn_phase_buffers *gradient, const cuonn_buffer *backward, cuonn_model *model,
                             size_t index, size_t layer, const cuonn_buffer *input, const cuonn_buffer *cotangent,
                             void *stream) {
  const backend_on_device *const device = model->backend->on_device;
  CUONN_TRY(check_layer(model, index, layer));
  CUONN_TRY(check_fields("input", input, model, input));
  CUONN_TRY(check_fields("cotangent", cotangent, model, input));
  if (backward) CUONN_TRY(check_fields("backward", backward, model, input));
  CUONN_TRY(check_phases(gradient, model, input->memory));
  if (device) return device->vjp(gradient, backward, model->state, index, layer, input, cotangent, stream);
  return host_vjp(gradient, backward, model, index, layer, input, cotangent);
}
