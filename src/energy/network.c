/* A network of equal meshes: one inference, one training step, one epoch; and the same step on a digital processor. */
#include <math.h>

#include "base/error.h"
#include "energy/holding.h"
#include "energy/latency.h"
#include "energy/operation.h"
#include "energy/scheme.h"

/* What depends on how layers share chips: how often phases are written, and how long all but light takes in a step. */
typedef struct {
  double writes;      /* of a whole mesh, a step */
  double read, write; /* s a step; write with settling */
} sharing;

static sharing share(const cuonn_energy_options *o, double layers) {
  const double settled = energy_write_time(o) + o->programming_time * 1e-6;
  if (o->dataflow == CUONN_DATAFLOW_REUSED) { /* the last layer's mesh stays for its adjoint pass */
    const double changes = 2 * layers - 1;
    return (sharing){.writes = changes, .read = layers * energy_read_time(o), .write = changes * settled};
  }
  return (sharing){.writes = layers, .read = energy_read_time(o), .write = settled};
}

/* Light and digital stages of a step, s, eq. 18 and 19. */
static double sweep_time(const cuonn_energy_options *o, double layers) {
  const double digital = o->digital_time * 1e-9, vectors = energy_vectors(o, CUONN_OPERATION_GRADIENT);
  /* unit vectors do not go from layer to layer: nothing streams */
  if (o->dataflow != CUONN_DATAFLOW_STREAMING || o->measurement == CUONN_MEASUREMENT_MATRIX)
    return layers * energy_passes_time(o, CUONN_OPERATION_GRADIENT) + (2 * layers + 1) * digital;
  const energy_passes *const all = energy_passes_of(o, CUONN_OPERATION_GRADIENT);
  const double fill = energy_fill_time(o), through = layers * (fill + o->nonlinearity_time * 1e-9);
  double seconds = digital;
  /* forward and backward one after the other; the remaining passes take place in all layers at once */
  for (size_t i = 0; i < all->n_passes; i++)
    seconds += (i < 2 ? through : fill) + energy_symbols_time(o, &all->pass[i], vectors);
  return seconds;
}

/* M*, examples whose light takes as long as reading and writing; infinite if each brings readings that take longer than
 * its light. */
static double balance_batch(const cuonn_energy_options *o, double layers, const sharing *s) {
  const double symbols = (double)cuonn_energy_passes_of(o, CUONN_OPERATION_GRADIENT).symbols;
  const double light = symbols * layers / (o->symbol_rate * 1e9);  /* of one vector */
  if (o->measurement == CUONN_MEASUREMENT_MATRIX) return INFINITY; /* as many vectors for any batch */
  if (o->tap_reading == CUONN_TAPS_BATCH) return (s->read + s->write) / light;
  const double reading = s->read / (double)o->batch;
  return light > reading ? s->write / (light - reading) : INFINITY;
}

static void finish(cuonn_energy_cost *cost) {
  energy_sum(cost);
  cost->watts = cost->joules / cost->seconds;
}

static void add(cuonn_energy_cost *to, double times, const cuonn_energy_cost *cost) {
  for (size_t i = 0; i < CUONN_ENERGY_PARTS; i++) to->part[i] += times * cost->part[i];
  to->operations += times * cost->operations;
  to->seconds += times * cost->seconds;
}

/* One step with a batch of o->batch. */
static cuonn_energy_cost step_cost(const cuonn_energy_options *o, double layers) {
  cuonn_energy_cost layer, step = {0};
  const sharing s = share(o, layers);
  energy_operation_cost(&layer, o, CUONN_OPERATION_GRADIENT);
  add(&step, layers, &layer);
  step.part[CUONN_ENERGY_PROGRAMMING] = s.writes * energy_shifters(o) * o->programming_energy * 1e-12;
  step.part[CUONN_ENERGY_DIGITAL] += o->digital_energy * 1e-12;
  step.seconds = sweep_time(o, layers) + s.read + o->optimizer_time * 1e-9 + s.write;
  finish(&step);
  return step;
}

static cuonn_energy_cost inference_cost(cuonn_energy_options o, double layers) {
  cuonn_energy_cost pass, inference = {0};
  o.batch = 1;
  energy_operation_cost(&pass, &o, CUONN_OPERATION_MVM);
  add(&inference, layers, &pass);
  const bool streaming = o.dataflow == CUONN_DATAFLOW_STREAMING;
  inference.seconds += layers * (streaming ? o.nonlinearity_time : o.digital_time) * 1e-9;
  if (o.dataflow == CUONN_DATAFLOW_REUSED) {
    inference.part[CUONN_ENERGY_PROGRAMMING] = layers * energy_shifters(&o) * o.programming_energy * 1e-12;
    inference.seconds += layers * (energy_write_time(&o) + o.programming_time * 1e-6);
  }
  finish(&inference);
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

cuonn_status cuonn_energy_network_cost(cuonn_energy_network *out, const cuonn_energy_options *options,
                                       const cuonn_network_shape *shape, const cuonn_training_options *training,
                                       size_t n_examples) {
  cuonn_energy_options o = *options;
  o.n_modes = shape->n_modes;
  if (shape->mesh) cuonn_energy_follow_shape(&o, shape->mesh);
  o.batch = training->batch_size;
  cuonn_energy_follow_training(&o, training);
  CUONN_TRY(cuonn_energy_options_check(&o));
  CUONN_CHECK(shape->n_layers >= 1 && shape->n_layers <= CUONN_LAYERS_MAX, CUONN_E_ARGUMENT,
              "a network has 1 to %d layers, not %zu", CUONN_LAYERS_MAX, shape->n_layers);
  const size_t steps = cuonn_steps_per_epoch(training, n_examples), whole = n_examples / o.batch;
  CUONN_CHECK(steps > 0, CUONN_E_ARGUMENT, "%zu examples make no step of %zu: take a smaller batch", n_examples,
              o.batch);
  const double layers = (double)shape->n_layers;
  *out = (cuonn_energy_network){.inference = inference_cost(o, layers), .step = step_cost(&o, layers)};
  add(&out->epoch, (double)whole, &out->step);
  if (steps > whole) {
    cuonn_energy_options last = o;
    last.batch = n_examples - whole * o.batch;
    const cuonn_energy_cost partial = step_cost(&last, layers);
    add(&out->epoch, 1, &partial);
  }
  finish(&out->epoch);

  const sharing s = share(&o, layers);
  out->balance_batch = balance_batch(&o, layers, &s);
  if (o.gpu.rate > 0) {
    out->gpu_seconds = gpu_time(&o, layers);
    out->gpu_joules = o.gpu.power * out->gpu_seconds;
  }
  return CUONN_OK;
}
