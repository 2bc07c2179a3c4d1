/* The cuda backend: float, one NVIDIA GPU. This file is its table; kernels/ holds the ideas. */
#include "cuda/evaluate.h"
#include "cuda/fields.h"
#include "cuda/measure.h"
#include "cuda/methods.h"
#include "cuda/models.h"
#include "cuda/propagate.h"
#include "cuda/sets.h"
#include "cuda/steps.h"

const cuonn_backend cuonn_backend_cuda = {
    .name = "cuda",
    .steps_per_call = kGraphSteps,
    .models_per_state = 1024,
    .modes_max = CUONN_DEVICE_MODES_MAX,
    .moves_no_phases = true,
    .other_modes_max = CUONN_DEVICE_OTHER_MODES_MAX,
    .moduli_only = true,
    .laws_only = true,
    .unitary_only = true,
    .probe = cuda_probe,
    .auto_method = cuda_auto_method,
    .create = cuda_create,
    .destroy = cuda_destroy,
    .set_model = cuda_set_model,
    .get_model = cuda_get_model,
    .set_images = cuda_set_images,
    .set_fields = cuda_set_fields,
    .get_features = cuda_get_features,
    .train_steps = cuda_train_steps,
    .evaluate = cuda_evaluate,
    .gradient = cuda_gradient,
    .propagate = cuda_propagate,
    .vjp = cuda_vjp,
    .on_device = &cuda_on_device,
    .measure_machine = cuda_measure_machine,
    .time_propagation = cuda_time_propagation,
};
