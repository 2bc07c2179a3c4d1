#include "reference/features.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <fftw3.h>
#include <pthread.h>

#include "base/error.h"
#include "base/memory.h"
#include "features/frequencies.h"
#include "features/zoom.h"

/* Divides the N amplitudes of one example by their mean modulus; zeros stay zero. */
static void normalize(double *out, size_t n) {
  double sum = 0;
  for (size_t k = 0; k < n; k++) sum += hypot(out[2 * k], out[2 * k + 1]);
  if (sum == 0) return;
  const double mean = sum / (double)n;
  for (size_t k = 0; k < 2 * n; k++) out[k] /= mean;
}

static double pixel(const cuonn_examples *images, size_t i) {
  return images->pixels ? images->pixels[i] : images->grey[i];
}

static pthread_mutex_t plan_mutex = PTHREAD_MUTEX_INITIALIZER;

static cuonn_status fourier(double *out, size_t n_modes, size_t n, const cuonn_examples *images,
                            const cuonn_features_options *options) {
  const size_t h = images->height, w = images->width;
  cuonn_status status = CUONN_OK;
  int(*frequencies)[2] = NULL;
  fftw_complex *image = NULL, *spectrum = NULL;
  fftw_plan plan = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&frequencies, n, sizeof *frequencies));
  CUONN_TRY_DONE(features_frequencies(frequencies, options, h, w));
  CUONN_TRY_DONE(cuonn_allocate(&image, h * w, sizeof *image));
  CUONN_TRY_DONE(cuonn_allocate(&spectrum, h * w, sizeof *spectrum));
  /* estimated, not measured: the choice, and with it every bit, must not depend on timing. FFTW plans one at a time. */
  pthread_mutex_lock(&plan_mutex);
  plan = fftw_plan_dft_2d((int)h, (int)w, image, spectrum, FFTW_FORWARD, FFTW_ESTIMATE);
  pthread_mutex_unlock(&plan_mutex);
  CUONN_CHECK_DONE(plan != NULL, CUONN_E_INTERNAL, "FFTW has no plan for images of %zu x %zu pixels", h, w);

  for (size_t e = 0; e < images->n_examples; e++) {
    for (size_t i = 0; i < h * w; i++) image[i] = pixel(images, e * h * w + i);
    fftw_execute(plan);
    double *const example = out + e * 2 * n_modes;
    for (size_t k = 0; k < n; k++) {
      const int v = frequencies[k][0], u = frequencies[k][1];
      const size_t row = v < 0 ? h - (size_t)-v : (size_t)v, column = u < 0 ? w - (size_t)-u : (size_t)u;
      example[2 * k] = creal(spectrum[row * w + column]);
      example[2 * k + 1] = cimag(spectrum[row * w + column]);
    }
    normalize(example, n);
  }

done:
  pthread_mutex_lock(&plan_mutex);
  fftw_destroy_plan(plan);
  pthread_mutex_unlock(&plan_mutex);
  free(spectrum);
  free(image);
  free(frequencies);
  return status;
}

static cuonn_status resample(double *out, size_t n_modes, size_t n, const cuonn_examples *images,
                             const cuonn_features_options *options) {
  cuonn_status status = CUONN_OK;
  double *scratch = NULL, *zoomed = NULL;
  features_zoom zoom;
  CUONN_TRY_DONE(features_zoom_create(&zoom, options, images));
  CUONN_TRY_DONE(cuonn_allocate(&scratch, zoom.side * zoom.columns, sizeof *scratch));
  CUONN_TRY_DONE(cuonn_allocate(&zoomed, n, sizeof *zoomed));

  for (size_t e = 0; e < images->n_examples; e++) {
    features_zoom_apply(zoomed, scratch, &zoom, images, e);
    double *const example = out + e * 2 * n_modes;
    for (size_t k = 0; k < n; k++) {
      example[2 * k] = zoomed[k];
      example[2 * k + 1] = 0;
    }
    normalize(example, n);
  }

done:
  free(zoomed);
  free(scratch);
  features_zoom_free(&zoom);
  return status;
}

cuonn_status reference_features(double *out, const cuonn_examples *images, const cuonn_features_options *options) {
  const size_t n_modes = cuonn_features_modes(options), n = n_modes - options->reference;
  CUONN_TRY(options->kind == CUONN_FEATURES_RESAMPLE ? resample(out, n_modes, n, images, options)
                                                     : fourier(out, n_modes, n, images, options));
  for (size_t e = 0; options->reference && e < images->n_examples; e++) {
    out[2 * (e * n_modes + n)] = 1;
    out[2 * (e * n_modes + n) + 1] = 0;
  }
  return CUONN_OK;
}
