#include "energy/in_situ.h"

#include <math.h>

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
  const double settled = energy_settle_time(o, energy_shifters(o));
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

double energy_in_situ_balance(const cuonn_energy_options *o, double layers) {
  const sharing s = share(o, layers);
  const double symbols = (double)cuonn_energy_passes_of(o, CUONN_OPERATION_GRADIENT).symbols;
  const double light = symbols * layers / (o->symbol_rate * 1e9);  /* of one vector */
  if (o->measurement == CUONN_MEASUREMENT_MATRIX) return INFINITY; /* as many vectors for any batch */
  if (o->tap_reading == CUONN_TAPS_BATCH) return (s.read + s.write) / light;
  const double reading = s.read / (double)o->batch;
  return light > reading ? s.write / (light - reading) : INFINITY;
}

double energy_in_situ_writes(const cuonn_energy_options *o, double layers) {
  return share(o, layers).writes * energy_shifters(o);
}

cuonn_energy_cost energy_in_situ_step(const cuonn_energy_options *o, double layers) {
  cuonn_energy_cost layer, step = {0};
  const sharing s = share(o, layers);
  energy_operation_cost(&layer, o, CUONN_OPERATION_GRADIENT);
  energy_add(&step, layers, &layer);
  step.part[CUONN_ENERGY_PROGRAMMING] = energy_in_situ_writes(o, layers) * o->programming_energy * 1e-12;
  step.part[CUONN_ENERGY_DIGITAL] += o->digital_energy * 1e-12;
  step.seconds = sweep_time(o, layers) + s.read + o->optimizer_time * 1e-9 + s.write;
  energy_finish(&step);
  return step;
}
