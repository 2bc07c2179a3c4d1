#include "energy/perturbed.h"

#include <math.h>

#include "energy/holding.h"
#include "energy/latency.h"
#include "energy/operation.h"
#include "energy/scheme.h"

/* Directions in which phases are moved, up and down: the phases one by one, of which those of the outputs count only if
 * they are trained, or all at once. */
static double directions(const cuonn_energy_options *o, double layers, const cuonn_training_options *training) {
  const double outputs = training->train_gamma ? 0 : (double)o->n_modes;
  if (training->gradient == CUONN_GRADIENT_SPSA) return (double)training->chip.estimates;
  return layers * (energy_shifters(o) - outputs);
}

double energy_perturbed_passes(const cuonn_energy_options *o, double layers, const cuonn_training_options *training) {
  return 2 * directions(o, layers, training);
}

double energy_perturbed_vectors(const cuonn_energy_options *o) {
  return (double)(o->measurement == CUONN_MEASUREMENT_MATRIX ? o->n_modes : o->batch);
}

/* Phases written in a step, and the time until they have settled, s. */
typedef struct {
  double phases, seconds;
} writing;

/* All phases at once are written for each pass; the step that the optimizer makes is in the first of the next ones. One
 * by one, a phase goes up, down, and back while the next goes up; all are written at the end of the step. */
static writing write_all(const cuonn_energy_options *o, double layers, const cuonn_training_options *training) {
  const double passes = energy_perturbed_passes(o, layers, training), shifters = energy_shifters(o);
  const double whole = energy_settle_time(o, shifters);
  if (o->dataflow == CUONN_DATAFLOW_REUSED) return (writing){passes * layers * shifters, passes * layers * whole};
  if (training->gradient == CUONN_GRADIENT_SPSA) return (writing){passes * layers * shifters, passes * whole};
  const double pairs = passes / 2;
  return (writing){3 * pairs + layers * shifters,
                   pairs * (energy_settle_time(o, 2) + energy_settle_time(o, 1)) + whole};
}

double energy_perturbed_writes(const cuonn_energy_options *o, double layers, const cuonn_training_options *training) {
  return write_all(o, layers, training).phases;
}

/* Light and digital stages of one forward pass through all layers, s. */
static double pass_time(const cuonn_energy_options *o, double layers) {
  const double digital = o->digital_time * 1e-9, symbols = (energy_perturbed_vectors(o) - 1) / (o->symbol_rate * 1e9);
  const double fill = energy_fill_time(o);
  if (o->dataflow == CUONN_DATAFLOW_STREAMING && o->measurement != CUONN_MEASUREMENT_MATRIX)
    return layers * (fill + o->nonlinearity_time * 1e-9) + symbols + digital;
  return layers * (fill + symbols + digital);
}

cuonn_energy_cost energy_perturbed_step(const cuonn_energy_options *o, double layers,
                                        const cuonn_training_options *training) {
  const double passes = energy_perturbed_passes(o, layers, training);
  const writing written = write_all(o, layers, training);
  cuonn_energy_options sent = *o;
  cuonn_energy_cost pass, step = {0};
  sent.batch = (size_t)energy_perturbed_vectors(o);
  energy_operation_cost(&pass, &sent, CUONN_OPERATION_MVM);
  energy_add(&step, passes * layers, &pass);
  step.operations = layers * (double)o->operations * (double)o->n_modes * (double)o->n_modes * (double)o->batch;
  step.part[CUONN_ENERGY_DIGITAL] = o->digital_energy * 1e-12 + passes * layers * energy_of_products(o) / 3;
  step.part[CUONN_ENERGY_PROGRAMMING] = written.phases * o->programming_energy * 1e-12;
  step.seconds = passes * pass_time(o, layers) + o->digital_time * 1e-9 + o->optimizer_time * 1e-9 + written.seconds;
  energy_finish(&step);
  return step;
}

double energy_perturbed_balance(const cuonn_energy_options *o, double layers, const cuonn_training_options *training) {
  const double passes = energy_perturbed_passes(o, layers, training);
  if (o->measurement == CUONN_MEASUREMENT_MATRIX) return INFINITY;
  return write_all(o, layers, training).seconds * o->symbol_rate * 1e9 / (passes * layers);
}
