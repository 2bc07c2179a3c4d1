#include "reference/features.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <fftw3.h>

#include "base/error.h"
#include "base/memory.h"
#include "features/zoom.h"

/* Divides the N amplitudes of one example by their mean modulus; zeros stay zero. */
static void normalize(double *out, size_t n) {
  double sum = 0;
  for (size_t k = 0; k < n; k++) sum += hypot(out[2 * k], out[2 * k + 1]);
  if (sum == 0) return;
  const double mean = sum / (double)n;
  for (size_t k = 0; k < 2 * n; k++) out[k] /= mean;
}

/* Row p of the shifted spectrum holds frequency (p - floor(h/2)) mod h; the square begins at p = floor(h/2) - r, which
 * is frequency -r. The same holds for columns. */
static cuonn_status fourier(double *out, const cuonn_images *images, size_t radius) {
  const size_t h = images->height, w = images->width, side = 2 * radius;
  cuonn_status status = CUONN_OK;
  fftw_complex *image = NULL, *spectrum = NULL;
  fftw_plan plan = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&image, h * w, sizeof *image));
  CUONN_TRY_DONE(cuonn_allocate(&spectrum, h * w, sizeof *spectrum));
  /* estimated, not measured: the choice, and with it every bit, must not depend on timing */
  plan = fftw_plan_dft_2d((int)h, (int)w, image, spectrum, FFTW_FORWARD, FFTW_ESTIMATE);
  CUONN_CHECK_DONE(plan != NULL, CUONN_E_INTERNAL, "FFTW has no plan for images of %zu x %zu pixels", h, w);

  for (size_t e = 0; e < images->n_examples; e++) {
    for (size_t i = 0; i < h * w; i++) image[i] = images->pixels[e * h * w + i];
    fftw_execute(plan);
    double *const example = out + e * 2 * side * side;
    for (size_t p = 0; p < side; p++) {
      for (size_t q = 0; q < side; q++) {
        const double complex f = spectrum[(p + h - radius) % h * w + (q + w - radius) % w];
        example[2 * (p * side + q)] = creal(f);
        example[2 * (p * side + q) + 1] = cimag(f);
      }
    }
    normalize(example, side * side);
  }

done:
  fftw_destroy_plan(plan);
  free(spectrum);
  free(image);
  return status;
}

static cuonn_status resample(double *out, const cuonn_images *images, size_t side, size_t border) {
  const size_t width = images->width, pixels = width - 2 * border;
  cuonn_status status = CUONN_OK;
  double *matrix = NULL, *scratch = NULL, *zoomed = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&matrix, side * pixels, sizeof *matrix));
  CUONN_TRY_DONE(cuonn_allocate(&scratch, side * pixels, sizeof *scratch));
  CUONN_TRY_DONE(cuonn_allocate(&zoomed, side * side, sizeof *zoomed));
  CUONN_TRY_DONE(features_zoom_matrix(matrix, side, pixels));

  for (size_t e = 0; e < images->n_examples; e++) {
    features_zoom(zoomed, scratch, images->pixels + e * width * width, width, border, matrix, side, pixels);
    double *const example = out + e * 2 * side * side;
    for (size_t k = 0; k < side * side; k++) {
      example[2 * k] = zoomed[k];
      example[2 * k + 1] = 0;
    }
    normalize(example, side * side);
  }

done:
  free(zoomed);
  free(scratch);
  free(matrix);
  return status;
}

cuonn_status reference_features(double *out, const cuonn_images *images, const cuonn_features_options *options) {
  return options->kind == CUONN_FEATURES_FOURIER ? fourier(out, images, options->radius)
                                                 : resample(out, images, options->side, options->border);
}
