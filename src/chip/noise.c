#include "chip/noise.h"

#include <math.h>

#include "base/random.h"

bool chip_reads_exactly(const cuonn_chip_options *chip) { return chip->io_amplitude == 0 && chip->io_phase == 0; }

/* Frozen noise has no step, and tests read with the same errors as training, unless each use has its own. */
static random_place place_of(const chip_reading *r) {
  static const random_purpose purposes[] = {
      [CHIP_TRAINING] = RANDOM_FORWARD, [CHIP_MEASUREMENT] = RANDOM_BACKWARD, [CHIP_TEST] = RANDOM_TEST};
  const bool shared = r->chip->noise_draw == CUONN_NOISE_FROZEN && r->use == CHIP_TEST;
  const bool fresh = r->chip->noise_draw == CUONN_NOISE_FRESH;
  return (random_place){r->chip->seed, shared ? RANDOM_FORWARD : purposes[r->use], r->layer, fresh ? r->step : 0};
}

/* A detector that is off by a frozen error is off by it for every example; the matrix keeps an error for each element. */
void chip_read_factor(double factor[2], const chip_reading *r, size_t example, size_t waveguide, size_t n_modes) {
  const bool by_place = r->chip->noise_draw != CUONN_NOISE_FRESH && r->chip->measurement == CUONN_MEASUREMENT_EXAMPLE;
  double normal[2];
  random_normals(normal, place_of(r), (uint32_t)(by_place ? waveguide : example * n_modes + waveguide));
  const double amplitude = fabs(1 + r->chip->io_amplitude * normal[0]), phase = M_PI * r->chip->io_phase * normal[1];
  factor[0] = amplitude * cos(phase);
  factor[1] = amplitude * sin(phase);
}

void chip_tap_normals(double normals[2], const chip_reading *r, size_t place) {
  random_place at = place_of(r);
  at.purpose = RANDOM_TAP;
  random_normals(normals, at, (uint32_t)place);
}
