/* Passes of an operation: what each sends, what is read in it, how much light it takes; docs/energy.md, section 2. */
#include "energy/scheme.h"

static const energy_passes forward = {1, {{.light = 1, .sends = 1, .reads = true}}, 0};

/* x forward, g backward, then both fields. Two fields in one vector have twice the light of one. */
static const energy_passes gradients[] = {
    /* x - i a and x + i a: their outputs are not read */
    [CUONN_SCHEME_ANALOG] = {4,
                             {{.light = 1, .sends = 1, .reads = true},
                              {.light = 1, .sends = 1, .reads = true},
                              {.light = 2, .sends = 1, .mixes = 1, .taps = true},
                              {.light = 2, .sends = 1, .mixes = 1, .taps = true}},
                             2},
    /* x and a have modulators of their own; the coupler that joins them loses half of both */
    [CUONN_SCHEME_SWITCHED] = {3,
                               {{.light = 1, .sends = 1, .reads = true},
                                {.light = 1, .sends = 1, .reads = true},
                                {.light = 4, .sends = 2, .taps = true}},
                               1},
    /* x - i a: what the taps read of x and g alone is subtracted */
    [CUONN_SCHEME_DIGITAL] = {3,
                              {{.light = 1, .sends = 1, .reads = true, .taps = true},
                               {.light = 1, .sends = 1, .reads = true, .taps = true},
                               {.light = 2, .sends = 1, .mixes = 1, .taps = true}},
                              3},
    /* as the study's figure counts: every pass is converted at both ends */
    [CUONN_SCHEME_STUDY] = {3,
                            {{.light = 1, .sends = 1, .reads = true},
                             {.light = 1, .sends = 1, .reads = true},
                             {.light = 2, .sends = 1, .mixes = 1, .reads = true, .taps = true}},
                            2},
};

const char *cuonn_energy_scheme_name(cuonn_energy_scheme scheme) {
  static const char *const names[] = {"analog", "analog-switched", "digital", "study"};
  return (unsigned)scheme < sizeof names / sizeof *names ? names[scheme] : NULL;
}

const energy_passes *energy_passes_of(const cuonn_energy_options *o, cuonn_energy_operation operation) {
  return operation == CUONN_OPERATION_GRADIENT ? &gradients[o->scheme] : &forward;
}

double energy_held_symbols(const cuonn_energy_options *o, const energy_pass *pass) {
  return pass->taps ? (double)o->held_symbols : 1;
}

energy_lit energy_lit_symbols(const cuonn_energy_options *o, cuonn_energy_operation operation) {
  const energy_passes *const all = energy_passes_of(o, operation);
  energy_lit lit = {0, 0};
  for (size_t i = 0; i < all->n_passes; i++) {
    const double symbols = energy_held_symbols(o, &all->pass[i]);
    lit.sends += (double)all->pass[i].sends * symbols;
    lit.reads += all->pass[i].reads ? symbols : 0;
  }
  return lit;
}

cuonn_energy_passes cuonn_energy_passes_of(const cuonn_energy_options *options, cuonn_energy_operation operation) {
  const energy_passes *const all = energy_passes_of(options, operation);
  cuonn_energy_passes sum = {.passes = all->n_passes, .readouts = all->readouts};
  for (size_t i = 0; i < all->n_passes; i++) {
    const energy_pass *const pass = &all->pass[i];
    const double symbols = energy_held_symbols(options, pass);
    sum.sends += pass->sends;
    sum.reads += pass->reads;
    sum.mixes += pass->mixes;
    sum.light += symbols * pass->light;
    sum.symbols += (size_t)symbols;
  }
  return sum;
}

double energy_vectors(const cuonn_energy_options *o, cuonn_energy_operation operation) {
  const bool matrix = operation == CUONN_OPERATION_GRADIENT && o->measurement == CUONN_MEASUREMENT_MATRIX;
  return (double)(matrix ? o->n_modes : o->batch);
}

double energy_tap_readings(const cuonn_energy_options *o) {
  return o->tap_reading == CUONN_TAPS_EXAMPLE ? energy_vectors(o, CUONN_OPERATION_GRADIENT) : 1;
}

double energy_of_products(const cuonn_energy_options *o) {
  if (o->measurement != CUONN_MEASUREMENT_MATRIX) return 0;
  return 3 * (double)o->batch * (double)o->n_modes * (double)o->n_modes * o->product_energy * 1e-12;
}

void cuonn_energy_follow_training(cuonn_energy_options *options, const cuonn_training_options *training) {
  const cuonn_gradient_method method = training->gradient;
  if (!cuonn_gradient_is_measured(method) && !cuonn_gradient_is_perturbed(method)) return;
  options->measurement = training->chip.measurement;
  if (method == CUONN_GRADIENT_DIGITAL)
    options->scheme = CUONN_SCHEME_DIGITAL;
  else if (method == CUONN_GRADIENT_ANALOG && options->scheme == CUONN_SCHEME_DIGITAL)
    options->scheme = CUONN_SCHEME_ANALOG;
}
