/* Which features fit which images; backends make them. */
#include "cuonn/features.h"

#include "base/error.h"

/* Amplitudes without the reference. */
static size_t own_modes(const cuonn_features_options *options) {
  switch (options->kind) {
    case CUONN_FEATURES_FOURIER: return 4 * options->radius * options->radius;
    case CUONN_FEATURES_RESAMPLE: return options->side * (options->width > 0 ? options->width : options->side);
    case CUONN_FEATURES_RADIAL: return options->frequencies;
  }
  return 0;
}

size_t cuonn_features_modes(const cuonn_features_options *options) { return own_modes(options) + options->reference; }

static cuonn_status check_fourier(size_t radius, size_t height, size_t width) {
  CUONN_CHECK(radius > 0, CUONN_E_ARGUMENT, "fourier features of radius 0, expected at least 1");
  const size_t shorter = height < width ? height : width;
  CUONN_CHECK(
      radius <= shorter / 2, CUONN_E_SHAPE,
      "fourier features of radius %zu need images of at least %zu x %zu pixels, these have %zu x %zu: use a radius of "
      "at most %zu",
      radius, 2 * radius, 2 * radius, height, width, shorter / 2);
  return CUONN_OK;
}

static cuonn_status check_radial(size_t frequencies, size_t height, size_t width) {
  CUONN_CHECK(frequencies > 0, CUONN_E_ARGUMENT, "radial features of 0 frequencies, expected at least 1");
  CUONN_CHECK(frequencies <= height * width, CUONN_E_SHAPE,
              "radial features of %zu frequencies, but images of %zu x %zu pixels have no more than %zu", frequencies,
              height, width, height * width);
  return CUONN_OK;
}

static cuonn_status check_resample(const cuonn_features_options *options, size_t height, size_t width) {
  const size_t border = options->border, shorter = height < width ? height : width;
  CUONN_CHECK(options->side > 0, CUONN_E_ARGUMENT, "resample features of side 0, expected at least 1");
  CUONN_CHECK(
      height == width || options->width > 0, CUONN_E_SHAPE,
      "resample features need square images, these have %zu x %zu pixels; data.width makes rectangles of side x width",
      height, width);
  CUONN_CHECK(border < shorter && shorter - border >= border + 2, CUONN_E_SHAPE,
              "a border of %zu leaves fewer than 2 of %zu pixels a side: use a border of at most %zu", border, shorter,
              shorter > 2 ? (shorter - 2) / 2 : 0);
  return CUONN_OK;
}

void cuonn_features_options_init(cuonn_features_options *out) {
  *out = (cuonn_features_options)CUONN_FEATURES_OPTIONS_INIT;
}

cuonn_status cuonn_features_check(const cuonn_features_options *options, size_t height, size_t width) {
  switch (options->kind) {
    case CUONN_FEATURES_FOURIER: return check_fourier(options->radius, height, width);
    case CUONN_FEATURES_RESAMPLE: return check_resample(options, height, width);
    case CUONN_FEATURES_RADIAL: return check_radial(options->frequencies, height, width);
  }
  return cuonn_fail(CUONN_E_ARGUMENT, "unknown kind of features: %d", (int)options->kind);
}
