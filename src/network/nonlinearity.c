/* What happens to light between two meshes, and its derivative: one description, in double, for all that is not a hot
 * loop. */
#include <complex.h>
#include <math.h>

#include "base/error.h"
#include "base/name.h"
#include "cuonn/network.h"

static const char *const kind_names[] = {[CUONN_NONLINEARITY_MODULUS] = "modulus",
                                         [CUONN_NONLINEARITY_SQUARE] = "square",
                                         [CUONN_NONLINEARITY_SATURABLE] = "saturable",
                                         [CUONN_NONLINEARITY_ELECTRO_OPTIC] = "electro-optic"};
enum { kKinds = sizeof kind_names / sizeof *kind_names };

const char *cuonn_nonlinearity_name(cuonn_nonlinearity_kind kind) {
  return (unsigned)kind < kKinds ? kind_names[kind] : NULL;
}

cuonn_status cuonn_nonlinearity_parse(cuonn_nonlinearity_kind *out, const char *name) {
  size_t at;
  CUONN_TRY(name_find(&at, "nonlinearity", kind_names, kKinds, name));
  *out = (cuonn_nonlinearity_kind)at;
  return CUONN_OK;
}

cuonn_status cuonn_nonlinearity_check(const cuonn_nonlinearity *f) {
  CUONN_CHECK(cuonn_nonlinearity_name(f->kind), CUONN_E_ARGUMENT, "nonlinearity %d is not one of the four",
              (int)f->kind);
  if (f->kind == CUONN_NONLINEARITY_SATURABLE) {
    CUONN_CHECK(f->optical_depth >= 0 && isfinite(f->optical_depth), CUONN_E_ARGUMENT,
                "optical_depth is %g; it is at least 0", f->optical_depth);
    CUONN_CHECK(f->saturation_power > 0 && isfinite(f->saturation_power), CUONN_E_ARGUMENT,
                "saturation_power is %g; it is above 0", f->saturation_power);
  }
  if (f->kind == CUONN_NONLINEARITY_ELECTRO_OPTIC) {
    CUONN_CHECK(f->tap >= 0 && f->tap < 1, CUONN_E_ARGUMENT, "tap is %g; it is 0 up to but not 1", f->tap);
    CUONN_CHECK(isfinite(f->gain) && isfinite(f->bias), CUONN_E_ARGUMENT, "gain is %g and bias %g; they are finite",
                f->gain, f->bias);
  }
  return CUONN_OK;
}

bool cuonn_nonlinearity_equal(const cuonn_nonlinearity *a, const cuonn_nonlinearity *b) {
  if (a->kind != b->kind) return false;
  switch (a->kind) {
    case CUONN_NONLINEARITY_SATURABLE:
      return a->optical_depth == b->optical_depth && a->saturation_power == b->saturation_power;
    case CUONN_NONLINEARITY_ELECTRO_OPTIC: return a->tap == b->tap && a->gain == b->gain && a->bias == b->bias;
    default: return true;
  }
}

bool cuonn_nonlinearity_keeps_phase(cuonn_nonlinearity_kind kind) {
  return kind == CUONN_NONLINEARITY_SATURABLE || kind == CUONN_NONLINEARITY_ELECTRO_OPTIC;
}

/* t(P) of those that let light pass, and its derivative. */
typedef struct {
  double complex t, slope;
} passage;

static passage passage_of(const cuonn_nonlinearity *f, double power) {
  if (f->kind == CUONN_NONLINEARITY_SATURABLE) {
    const double unsaturated = 1 / (1 + power / f->saturation_power), half = f->optical_depth / 2;
    const double t = exp(-half * unsaturated);
    return (passage){t, t * half * unsaturated * unsaturated / f->saturation_power};
  }
  const double psi = M_PI / 2 * (f->gain * power + f->bias), rest = sqrt(1 - f->tap);
  return (passage){I * rest * cexp(-I * psi) * cos(psi), M_PI / 2 * f->gain * rest * cexp(-2 * I * psi)};
}

static double power_of(const double y[2]) { return y[0] * y[0] + y[1] * y[1]; }

static double complex number(const double z[2]) { return z[0] + I * z[1]; }

void cuonn_nonlinearity_apply(double h[2], const cuonn_nonlinearity *f, const double y[2]) {
  if (!cuonn_nonlinearity_keeps_phase(f->kind)) {
    h[0] = f->kind == CUONN_NONLINEARITY_MODULUS ? hypot(y[0], y[1]) : power_of(y);
    h[1] = 0;
    return;
  }
  const double complex passed = passage_of(f, power_of(y)).t * number(y);
  h[0] = creal(passed);
  h[1] = cimag(passed);
}

/* d|y| = Re(conj(y) dy) / |y|, dP = 2 Re(conj(y) dy), and d(t y) = t dy + t' y dP. */
void cuonn_nonlinearity_pull_back(double g[2], const cuonn_nonlinearity *f, const double y[2], const double of_h[2]) {
  const double real = of_h[0];
  if (f->kind == CUONN_NONLINEARITY_MODULUS) {
    const double size = hypot(y[0], y[1]);
    g[0] = size == 0 ? 0 : real * y[0] / size; /* == so that NaN stays NaN */
    g[1] = size == 0 ? 0 : real * -y[1] / size;
  } else if (f->kind == CUONN_NONLINEARITY_SQUARE) {
    g[0] = 2 * real * y[0];
    g[1] = 2 * real * -y[1];
  } else {
    const passage p = passage_of(f, power_of(y));
    const double of_power = creal(number(of_h) * p.slope * number(y));
    const double complex of_y = p.t * number(of_h) + 2 * of_power * conj(number(y));
    g[0] = creal(of_y);
    g[1] = cimag(of_y);
  }
}

static const char *const loss_names[] = {
    [CUONN_LOSS_CROSS_ENTROPY] = "cross-entropy", [CUONN_LOSS_SQUARED_ERROR] = "squared-error"};
enum { kLosses = sizeof loss_names / sizeof *loss_names };

const char *cuonn_loss_name(cuonn_loss loss) { return (unsigned)loss < kLosses ? loss_names[loss] : NULL; }

cuonn_status cuonn_loss_parse(cuonn_loss *out, const char *name) {
  size_t at;
  CUONN_TRY(name_find(&at, "loss", loss_names, kLosses, name));
  *out = (cuonn_loss)at;
  return CUONN_OK;
}
