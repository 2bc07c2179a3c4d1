/* A network of equal meshes: one inference, one training step, one epoch; and the same step on a digital processor. */
#include "energy/network.h"

#include <math.h>

#include "base/error.h"
#include "energy/holding.h"
#include "energy/in_situ.h"
#include "energy/latency.h"
#include "energy/operation.h"
#include "energy/perturbed.h"

static cuonn_energy_cost step_cost(const cuonn_energy_options *o, double layers,
                                   const cuonn_training_options *training) {
  return cuonn_gradient_is_perturbed(training->gradient) ? energy_perturbed_step(o, layers, training)
                                                         : energy_in_situ_step(o, layers);
}

static cuonn_energy_cost inference_cost(cuonn_energy_options o, double layers) {
  cuonn_energy_cost pass, inference = {0};
  o.batch = 1;
  energy_operation_cost(&pass, &o, CUONN_OPERATION_MVM);
  energy_add(&inference, layers, &pass);
  const bool streaming = o.dataflow == CUONN_DATAFLOW_STREAMING;
  inference.seconds += layers * (streaming ? o.nonlinearity_time : o.digital_time) * 1e-9;
  if (o.dataflow == CUONN_DATAFLOW_REUSED) {
    inference.part[CUONN_ENERGY_PROGRAMMING] = layers * energy_shifters(&o) * o.programming_energy * 1e-12;
    inference.seconds += layers * energy_settle_time(&o, energy_shifters(&o));
  }
  energy_finish(&inference);
  return inference;
}

/* The step on a GPU, s, with dense layers of complex numbers: 8 real operations per element, three products, eq. 21. */
static double gpu_time(const cuonn_energy_options *o, double layers) {
  const cuonn_energy_gpu *g = &o->gpu;
  const double elements = (double)o->n_modes * (double)o->n_modes;
  const double operations = 3 * 8 * layers * elements * (double)o->batch;
  const double traffic = g->bandwidth > 0 ? g->traffic / (g->bandwidth * 1e9) : 0;
  return g->launches * g->launch_time * 1e-6 + fmax(operations / (g->use * g->rate * 1e12), traffic);
}

/* What light passes between two conversions becomes one mesh, eq. 11: amplitudes are a column of attenuators, MZIs with
 * a phase shifter each of which one output is dark. Phases are held as those of the mesh. Returns the number of layers.
 */
static double follow_layers(cuonn_energy_options *o, const cuonn_network_shape *shape) {
  const size_t meshes = shape->layer == CUONN_LAYER_SVD ? 2 : 1, layers = shape->n_layers / meshes;
  const size_t columns = (size_t)energy_columns(o), shifters = (size_t)energy_shifters(o);
  if (shape->layer == CUONN_LAYER_UNITARY) return (double)layers;
  if (!o->phases_known) o->mean_phase = cuonn_energy_drawn_phase(o, (double)o->n_modes);
  o->phases_known = true;
  o->n_columns = meshes * columns + 1;
  o->n_shifters = meshes * shifters + o->n_modes;
  return (double)layers;
}

cuonn_status energy_follow_network(double *layers, cuonn_energy_options *o, const cuonn_network_shape *shape,
                                   const cuonn_training_options *training) {
  o->n_modes = shape->n_modes;
  if (shape->mesh) cuonn_energy_follow_shape(o, shape->mesh);
  o->batch = training->batch_size;
  cuonn_energy_follow_training(o, training);
  CUONN_TRY(cuonn_energy_options_check(o));
  CUONN_CHECK(shape->n_layers >= 1 && shape->n_layers <= CUONN_LAYERS_MAX, CUONN_E_ARGUMENT,
              "a network has 1 to %d layers, not %zu", CUONN_LAYERS_MAX, shape->n_layers);
  *layers = follow_layers(o, shape);
  return CUONN_OK;
}

cuonn_status cuonn_energy_network_cost(cuonn_energy_network *out, const cuonn_energy_options *options,
                                       const cuonn_network_shape *shape, const cuonn_training_options *training,
                                       size_t n_examples) {
  cuonn_energy_options o = *options;
  double layers;
  CUONN_TRY(energy_follow_network(&layers, &o, shape, training));
  const size_t steps = cuonn_steps_per_epoch(training, n_examples), whole = n_examples / o.batch;
  CUONN_CHECK(steps > 0, CUONN_E_ARGUMENT, "%zu examples make no step of %zu: take a smaller batch", n_examples,
              o.batch);
  *out = (cuonn_energy_network){.inference = inference_cost(o, layers), .step = step_cost(&o, layers, training)};
  energy_add(&out->epoch, (double)whole, &out->step);
  if (steps > whole) {
    cuonn_energy_options last = o;
    last.batch = n_examples - whole * o.batch;
    const cuonn_energy_cost partial = step_cost(&last, layers, training);
    energy_add(&out->epoch, 1, &partial);
  }
  energy_finish(&out->epoch);

  out->balance_batch = cuonn_gradient_is_perturbed(training->gradient) ? energy_perturbed_balance(&o, layers, training)
                                                                       : energy_in_situ_balance(&o, layers);
  if (o.gpu.rate > 0) {
    out->gpu_seconds = gpu_time(&o, layers);
    out->gpu_joules = o.gpu.power * out->gpu_seconds;
  }
  return CUONN_OK;
}
