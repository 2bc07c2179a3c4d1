/* The most efficient number of modes: beyond it, the optical loss costs more than a larger mesh saves. */
#include <math.h>

#include "base/error.h"
#include "energy/conversion.h"
#include "energy/holding.h"
#include "energy/light.h"
#include "energy/scheme.h"

/* Energy of an operation, times K, over N: (c + a exp(alpha N)) / N + share P_hold(N) + floor, J. */
typedef struct {
  double c, a, alpha;
  double share; /* s, that the phases are held for each operation */
  double floor; /* what no choice of N changes */
} terms;

static terms terms_of(const cuonn_energy_options *o, cuonn_energy_operation operation) {
  const bool gradient = operation == CUONN_OPERATION_GRADIENT;
  const cuonn_energy_passes passes = cuonn_energy_passes_of(o, operation);
  const energy_lit lit = energy_lit_symbols(o, operation);
  const energy_light light = energy_light_of(o);
  const double sends = (double)passes.sends, reads = (double)passes.reads;
  const double mixes = (double)passes.mixes * (double)o->channels * o->mixer * 1e-12;
  const double taps = (double)passes.readouts * o->tap * 1e-12 * energy_tap_readings(o) / (double)o->batch;
  return (terms){
      .c = sends * energy_to_send(o, lit.sends / sends) + reads * energy_to_read(o, lit.reads / reads) + mixes +
           passes.light * light.oscillator,
      .a = passes.light * light.mesh,
      .alpha = light.alpha,
      .share = (double)passes.symbols / (o->symbol_rate * 1e9),
      .floor = gradient ? taps : 0,
  };
}

/* W(x) for x >= 0: w exp(w) = x. Newton's steps from log(1 + x), which is above W; the function is convex there, so
 * that they come down to the root without passing it. */
static double lambert_w(double x) {
  double w = log1p(x);
  for (int i = 0; i < 64; i++) {
    const double step = (w - x * exp(-w)) / (1 + w);
    w -= step;
    if (fabs(step) <= 1e-15 * (1 + w)) break;
  }
  return w;
}

static double energy(const terms *t, const cuonn_energy_options *o, double n) {
  return (t->c + t->a * exp(t->alpha * n)) / n + t->share * energy_holding_power(o, n) + t->floor;
}

/* Heaters of Haar-random phases take a little less in a larger mesh, which moves the best N up from where it would be.
 * Golden section between that and the largest mesh. */
static double with_heaters(const terms *t, const cuonn_energy_options *o, double from) {
  const double shrink = (sqrt(5) - 1) / 2;
  double low = fmax(from, 2), high = fmax(low, CUONN_MODES_MAX);
  while (high - low > 1e-9 * high) {
    const double left = high - shrink * (high - low), right = low + shrink * (high - low);
    if (energy(t, o, left) <= energy(t, o, right)) /* also where both are infinite */
      high = right;
    else
      low = left;
  }
  return low;
}

/* Where the matrix is measured, N vectors are sent for any batch: the smallest mesh is the best. */
static cuonn_energy_peak of_matrix(const terms *t, const cuonn_energy_options *o) {
  const double batch = (double)o->batch, products = 3 * o->product_energy * 1e-12;
  const bool each = o->tap_reading == CUONN_TAPS_EXAMPLE;
  const double joules = (t->c + t->a) / batch + (each ? 0 : t->floor) + products;
  return (cuonn_energy_peak){0, 1e-12 * (double)o->operations / joules};
}

cuonn_status cuonn_energy_operation_peak(cuonn_energy_peak *out, const cuonn_energy_options *options,
                                         cuonn_energy_operation operation) {
  CUONN_TRY(cuonn_energy_options_check(options));
  CUONN_CHECK(cuonn_energy_operation_name(operation), CUONN_E_ARGUMENT, "there is no energy operation %d",
              (int)operation);
  const cuonn_energy_options *o = options;
  const terms t = terms_of(o, operation);
  const double k = 1e-12 * (double)o->operations;
  if (energy_has_shape(o)) {
    *out = (cuonn_energy_peak){NAN, NAN};
  } else if (isinf(t.a)) {
    *out = (cuonn_energy_peak){0, 0};
  } else if (operation == CUONN_OPERATION_GRADIENT && o->measurement == CUONN_MEASUREMENT_MATRIX) {
    *out = of_matrix(&t, o);
  } else if (t.a == 0 || t.alpha == 0) {
    *out = (cuonn_energy_peak){INFINITY, k / (t.share * energy_holding_power(o, INFINITY) + t.floor)};
  } else {
    const double best = (1 + lambert_w(t.c / (t.a * exp(1)))) / t.alpha; /* where phases cost the same for any N */
    const bool haar = o->holding == CUONN_HOLDING_HEATER && !o->phases_known && o->holding_power > 0;
    const double modes = haar ? with_heaters(&t, o, best) : best;
    /* at `best` the first is the second, and does not overflow where losses are small */
    const double shared =
        modes == best ? t.alpha * t.a * exp(t.alpha * best) : (t.c + t.a * exp(t.alpha * modes)) / modes;
    const double rest = shared + t.share * energy_holding_power(o, fmax(modes, 2)) + t.floor;
    *out = (cuonn_energy_peak){modes, k / rest};
  }
  return CUONN_OK;
}
