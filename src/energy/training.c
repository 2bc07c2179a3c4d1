/* What training asks of a chip: counts, joules and seconds of a step, an epoch, and all. */
#include "base/error.h"
#include "energy/holding.h"
#include "energy/in_situ.h"
#include "energy/latency.h"
#include "energy/network.h"
#include "energy/perturbed.h"
#include "energy/scheme.h"

/* Counts of a step with a batch of o->batch. */
static cuonn_energy_demand count(const cuonn_energy_options *o, double layers, const cuonn_training_options *training) {
  const double n = (double)o->n_modes;
  if (cuonn_gradient_is_perturbed(training->gradient)) {
    const double passes = energy_perturbed_passes(o, layers, training) * layers * energy_perturbed_vectors(o);
    return (cuonn_energy_demand){
        .passes = passes, .outputs = passes * n, .writes = energy_perturbed_writes(o, layers, training)};
  }
  if (!cuonn_gradient_is_measured(training->gradient)) return (cuonn_energy_demand){0};
  const cuonn_energy_passes all = cuonn_energy_passes_of(o, CUONN_OPERATION_GRADIENT);
  const double vectors = layers * energy_vectors(o, CUONN_OPERATION_GRADIENT);
  return (cuonn_energy_demand){.passes = vectors * (double)all.passes,
                               .outputs = vectors * (double)all.reads * n,
                               .taps = layers * energy_shifters(o) * (double)all.readouts * energy_tap_readings(o),
                               .writes = energy_in_situ_writes(o, layers)};
}

static void add(cuonn_energy_demand *to, double times, const cuonn_energy_demand *demand) {
  to->passes += times * demand->passes;
  to->outputs += times * demand->outputs;
  to->taps += times * demand->taps;
  to->writes += times * demand->writes;
  to->joules += times * demand->joules;
  to->seconds += times * demand->seconds;
}

/* All meshes at once, or one after the other if they are one. */
static cuonn_energy_demand program(const cuonn_energy_options *o, double layers) {
  const double shifters = energy_shifters(o), turns = o->dataflow == CUONN_DATAFLOW_REUSED ? layers : 1;
  return (cuonn_energy_demand){.writes = layers * shifters,
                               .joules = layers * shifters * o->programming_energy * 1e-12,
                               .seconds = turns * energy_settle_time(o, shifters)};
}

cuonn_status cuonn_energy_training_cost(cuonn_energy_training *out, const cuonn_energy_options *options,
                                        const cuonn_network_shape *shape, const cuonn_training_options *training,
                                        size_t n_examples) {
  double layers;
  cuonn_energy_options o = *options;
  cuonn_energy_network cost;
  CUONN_TRY(cuonn_energy_network_cost(&cost, options, shape, training, n_examples));
  CUONN_TRY(energy_follow_network(&layers, &o, shape, training));
  *out = (cuonn_energy_training){.start = program(&o, layers), .step = count(&o, layers, training)};
  const size_t steps = cuonn_steps_per_epoch(training, n_examples), whole = n_examples / o.batch;
  add(&out->epoch, (double)whole, &out->step);
  if (steps > whole) {
    o.batch = n_examples - whole * o.batch;
    const cuonn_energy_demand partial = count(&o, layers, training);
    add(&out->epoch, 1, &partial);
  }
  if (!cuonn_gradient_is_measured(training->gradient) && !cuonn_gradient_is_perturbed(training->gradient))
    return CUONN_OK;
  out->step.joules = cost.step.joules;
  out->step.seconds = cost.step.seconds;
  out->epoch.joules = cost.epoch.joules;
  out->epoch.seconds = cost.epoch.seconds;
  return CUONN_OK;
}

cuonn_energy_demand cuonn_energy_training_until(const cuonn_energy_training *training, size_t epochs) {
  cuonn_energy_demand all = training->start;
  add(&all, (double)epochs, &training->epoch);
  return all;
}
