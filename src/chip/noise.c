#include "chip/noise.h"

#include <math.h>

bool chip_reads_exactly(const cuonn_chip_options *chip) { return chip->io_amplitude == 0 && chip->io_phase == 0; }

random_purpose chip_read_purpose(cuonn_noise_draw draw, chip_use use) {
  static const random_purpose own[] = {
      [CHIP_TRAINING] = RANDOM_FORWARD, [CHIP_MEASUREMENT] = RANDOM_BACKWARD, [CHIP_TEST] = RANDOM_TEST};
  const bool as_training = draw == CUONN_NOISE_FROZEN_SHARED || (draw == CUONN_NOISE_FROZEN && use == CHIP_TEST);
  return own[as_training ? CHIP_TRAINING : use];
}

bool chip_noise_has_steps(const cuonn_chip_options *chip) { return chip->noise_draw == CUONN_NOISE_FRESH; }

bool chip_noise_has_layers(const cuonn_chip_options *chip) { return chip->noise_draw != CUONN_NOISE_FROZEN_SHARED; }

bool chip_noise_has_examples(const cuonn_chip_options *chip) {
  return chip_noise_has_steps(chip) || chip->measurement == CUONN_MEASUREMENT_MATRIX;
}

static random_place place_of(const chip_reading *r, random_purpose purpose) {
  const bool fresh = chip_noise_has_steps(r->chip);
  const uint32_t layer = chip_noise_has_layers(r->chip) ? r->layer : 0, pass = fresh ? r->pass : 0;
  return (random_place){r->chip->seed, purpose, pass * CUONN_LAYERS_MAX + layer, fresh ? r->step : 0};
}

random_place chip_read_place(const chip_reading *r) {
  return place_of(r, chip_read_purpose(r->chip->noise_draw, r->use));
}

random_place chip_tap_place(const chip_reading *r) { return place_of(r, RANDOM_TAP); }

void chip_read_factor(double factor[2], const chip_reading *r, size_t example, size_t waveguide, size_t n_modes) {
  const size_t before = chip_noise_has_examples(r->chip) ? example * n_modes : 0;
  double normal[2];
  random_normals(normal, chip_read_place(r), (uint32_t)(before + waveguide));
  const double amplitude = fabs(1 + r->chip->io_amplitude * normal[0]), phase = M_PI * r->chip->io_phase * normal[1];
  factor[0] = amplitude * cos(phase);
  factor[1] = amplitude * sin(phase);
}

void chip_tap_normals(double normals[2], const chip_reading *r, size_t place) {
  random_normals(normals, chip_tap_place(r), (uint32_t)place);
}
