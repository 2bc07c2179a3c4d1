/* The cpu backend: float, OpenMP, SIMD. This file is its table; train.c holds the one training loop,
 * method_columns.c and method_in_situ.c what a step computes; layer.c, nodes.c and kernels_body.h the ideas. */
#include "cpu/machine.h"
#include "cpu/method_auto.h"
#include "cpu/models.h"
#include "cpu/propagate.h"
#include "cpu/sets.h"
#include "cpu/state.h"
#include "cpu/timing.h"
#include "cpu/train.h"

static cuonn_status probe(char *line, size_t size, int device) {
  (void)device;
  if (size > 0) *line = 0;
  return CUONN_OK;
}

const cuonn_backend cuonn_backend_cpu = {
    .name = "cpu",
    .steps_per_call = 16,
    .models_per_state = 16,
    .real_products = true,
    .shares = true,
    .shares_chips = true,
    .probe = probe,
    .auto_method = cpu_auto_method,
    .losses_by_method = true,
    .own_threads = cpu_own_threads,
    .create = cpu_create,
    .destroy = cpu_destroy,
    .set_model = cpu_set_model,
    .get_model = cpu_get_model,
    .set_images = cpu_set_images,
    .set_fields = cpu_set_fields,
    .get_features = cpu_get_features,
    .train_steps = cpu_train_steps,
    .evaluate = cpu_evaluate,
    .gradient = cpu_gradient,
    .propagate = cpu_propagate,
    .vjp = cpu_vjp,
    .set_phases = cpu_set_phases,
    .layer = cpu_layer_of,
    .measure_machine = cpu_measure_machine,
    .time_propagation = cpu_time_propagation,
};
