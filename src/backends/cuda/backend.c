/* The cuda backend: float, one NVIDIA GPU for each state. This file is its table, whose functions make the GPU the
 * current one of the calling thread, and then its own again; kernels/ holds the ideas. */
#include "cuda/evaluate.h"
#include "cuda/fields.h"
#include "cuda/measure.h"
#include "cuda/methods.h"
#include "cuda/models.h"
#include "cuda/propagate.h"
#include "cuda/sets.h"
#include "cuda/steps.h"

static int device_of(const void *state) { return ((const cuda_state *)state)->problem.place.device; }

/* Returns from an entry what a call returns on a device. */
#define ON_DEVICE(number, call)              \
  do {                                       \
    const int device = (number);             \
    int before;                              \
    CUONN_CUDA(cuda_enter(&before, device)); \
    const cuonn_status status = (call);      \
    cuda_leave(before, device);              \
    return status;                           \
  } while (0)

static cuonn_status create(void **out, const backend_problem *problem) {
  ON_DEVICE(problem->place.device, cuda_create(out, problem));
}

/* A device that failed may not let itself be entered: what is left of a state there is freed all the same. */
static void destroy(void *state) {
  int before = 0;
  if (!state) return;
  const int device = device_of(state);
  const bool entered = cuda_enter(&before, device) == cudaSuccess;
  cuda_destroy(state);
  if (entered) cuda_leave(before, device);
}

static cuonn_status set_model(void *state, size_t model, const backend_model *from) {
  ON_DEVICE(device_of(state), cuda_set_model(state, model, from));
}

static cuonn_status get_model(const backend_model *to, void *state, size_t model) {
  ON_DEVICE(device_of(state), cuda_get_model(to, state, model));
}

static cuonn_status set_images(void *state, cuonn_split split, const cuonn_examples *images,
                               const cuonn_features_options *options) {
  ON_DEVICE(device_of(state), cuda_set_images(state, split, images, options));
}

static cuonn_status set_fields(void *state, cuonn_split split, const cuonn_fields *fields, const uint8_t *labels) {
  ON_DEVICE(device_of(state), cuda_set_fields(state, split, fields, labels));
}

static cuonn_status get_features(double *out, void *state, cuonn_split split) {
  ON_DEVICE(device_of(state), cuda_get_features(out, state, split));
}

static cuonn_status train_steps(double *losses, void *state, const cuonn_step *steps, size_t n_steps) {
  ON_DEVICE(device_of(state), cuda_train_steps(losses, state, steps, n_steps));
}

static cuonn_status evaluate(cuonn_evaluation *out, void *state, size_t first, size_t n_models, cuonn_split split) {
  ON_DEVICE(device_of(state), cuda_evaluate(out, state, first, n_models, split));
}

static cuonn_status gradient(double *losses, cuonn_mesh_gradient *gradients, void *state, size_t first, size_t n_models,
                             cuonn_split split, const cuonn_step *step, cuonn_gradient_method method) {
  ON_DEVICE(device_of(state), cuda_gradient(losses, gradients, state, first, n_models, split, step, method));
}

static cuonn_status propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                              const cuonn_buffer *in, bool backward, backend_place place) {
  ON_DEVICE(place.device, cuda_propagate(out, taps, mesh, in, backward));
}

static cuonn_status vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                        const cuonn_buffer *input, const cuonn_buffer *cotangent, backend_place place) {
  ON_DEVICE(place.device, cuda_vjp(gradient, backward, mesh, input, cotangent));
}

static cuonn_status measure_machine(backend_machine *out, backend_place place) {
  ON_DEVICE(place.device, cuda_measure_machine(out));
}

static cuonn_status time_propagation(double *seconds, size_t n_samples, backend_propagation what,
                                     const cuonn_mesh *mesh, const cuonn_fields *in, backend_place place) {
  ON_DEVICE(place.device, cuda_time_propagation(seconds, n_samples, what, mesh, in));
}

static cuonn_status set_phases_there(void *state, size_t model, size_t layer, const cuonn_phase_buffers *phases,
                                     void *stream) {
  ON_DEVICE(device_of(state), cuda_on_device.set_phases(state, model, layer, phases, stream));
}

static cuonn_status propagate_there(const cuonn_buffer *out, void *state, size_t model, size_t layer,
                                    const cuonn_buffer *in, bool backward, void *stream) {
  ON_DEVICE(device_of(state), cuda_on_device.propagate(out, state, model, layer, in, backward, stream));
}

static cuonn_status vjp_there(const cuonn_phase_buffers *gradient, const cuonn_buffer *backward, void *state,
                              size_t model, size_t layer, const cuonn_buffer *input, const cuonn_buffer *cotangent,
                              void *stream) {
  ON_DEVICE(device_of(state), cuda_on_device.vjp(gradient, backward, state, model, layer, input, cotangent, stream));
}

static const backend_on_device on_device = {set_phases_there, propagate_there, vjp_there};

const cuonn_backend cuonn_backend_cuda = {
    .name = "cuda",
    .steps_per_call = kGraphSteps,
    .models_per_state = 1024,
    .modes_max = CUONN_DEVICE_MODES_MAX,
    .moves_no_phases = true,
    .other_modes_max = CUONN_DEVICE_OTHER_MODES_MAX,
    .measures_moduli = true,
    .n_devices = cuda_count,
    .shares = true,
    .probe = cuda_probe,
    .auto_method = cuda_auto_method,
    .create = create,
    .destroy = destroy,
    .set_model = set_model,
    .get_model = get_model,
    .set_images = set_images,
    .set_fields = set_fields,
    .get_features = get_features,
    .train_steps = train_steps,
    .evaluate = evaluate,
    .gradient = gradient,
    .propagate = propagate,
    .vjp = vjp,
    .on_device = &on_device,
    .measure_machine = measure_machine,
    .time_propagation = time_propagation,
};
