/* Features of images in float: FFTW's single-precision transform, or the spline zoom (features/zoom.h). */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <fftw3.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/features.h"
#include "cpu/state.h"
#include "features/frequencies.h"
#include "features/zoom.h"

/* Divides the n amplitudes of one example, [2][n_modes], by their mean modulus; zeros stay zero. */
static void normalize(float *values, size_t n, size_t n_modes) {
  double sum = 0;
  for (size_t k = 0; k < n; k++) sum += hypot((double)values[k], (double)values[n_modes + k]);
  if (sum == 0) return;
  const float scale = (float)((double)n / sum);
  for (size_t k = 0; k < n; k++) {
    values[k] *= scale;
    values[n_modes + k] *= scale;
  }
}

/* Frequencies of the spectrum. half: [h][w / 2 + 1], those that a transform of real numbers gives; the others are their
 * conjugates at the opposite frequency. */
static void cut_out(float *values, size_t n_modes, fftwf_complex *half, size_t h, size_t w, const int (*frequencies)[2],
                    size_t n) {
  const size_t stride = w / 2 + 1;
  for (size_t k = 0; k < n; k++) {
    const int v = frequencies[k][0], u = frequencies[k][1];
    const size_t row = v < 0 ? h - (size_t)-v : (size_t)v, column = u < 0 ? w - (size_t)-u : (size_t)u;
    const bool there = column < stride;
    const float *const z = half[there ? row * stride + column : (h - row) % h * stride + w - column];
    values[k] = z[0];
    values[n_modes + k] = there ? z[1] : -z[1];
  }
}

static void widen(float *out, const cuonn_examples *images, size_t at, size_t n) {
  if (images->pixels) {
    for (size_t i = 0; i < n; i++) out[i] = images->pixels[at + i];
  } else {
    for (size_t i = 0; i < n; i++) out[i] = (float)images->grey[at + i];
  }
}

static cuonn_status fourier(float *values, size_t n_modes, size_t n, const cuonn_examples *images,
                            const cuonn_features_options *options, int threads) {
  const size_t h = images->height, w = images->width, stride = (h * w + 15) / 16 * 16;
  const size_t half_stride = (h * (w / 2 + 1) + 15) / 16 * 16;
  cuonn_status status = CUONN_OK;
  int(*frequencies)[2] = NULL;
  float *image = NULL;
  fftwf_complex *half = NULL;
  fftwf_plan plan = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&frequencies, n, sizeof *frequencies));
  CUONN_TRY_DONE(features_frequencies(frequencies, options, h, w));
  CUONN_TRY_DONE(cuonn_allocate(&image, (size_t)threads * stride, sizeof *image));
  CUONN_TRY_DONE(cuonn_allocate(&half, (size_t)threads * half_stride, sizeof *half));
  /* estimated, not measured: the choice, and with it every bit, must not depend on timing. FFTW plans one at a time. */
#pragma omp critical(cpu_features_plan)
  plan = fftwf_plan_dft_r2c_2d((int)h, (int)w, image, half, FFTW_ESTIMATE);
  CUONN_CHECK_DONE(plan, CUONN_E_INTERNAL, "FFTW has no plan for images of %zu x %zu pixels", h, w);

#pragma omp parallel for schedule(static) num_threads(threads)
  for (size_t e = 0; e < images->n_examples; e++) {
    float *const own_image = image + (size_t)omp_get_thread_num() * stride;
    fftwf_complex *const own_half = half + (size_t)omp_get_thread_num() * half_stride;
    widen(own_image, images, e * h * w, h * w);
    fftwf_execute_dft_r2c(plan, own_image, own_half);
    cut_out(values + e * 2 * n_modes, n_modes, own_half, h, w, (const int(*)[2])frequencies, n);
    normalize(values + e * 2 * n_modes, n, n_modes);
  }

done:
#pragma omp critical(cpu_features_plan)
  fftwf_destroy_plan(plan);
  free(half);
  free(image);
  free(frequencies);
  return status;
}

static cuonn_status resample(float *values, size_t n_modes, size_t n, const cuonn_examples *images,
                             const cuonn_features_options *options, int threads) {
  cuonn_status status = CUONN_OK;
  double *scratch = NULL, *zoomed = NULL;
  features_zoom zoom;
  CUONN_TRY_DONE(features_zoom_create(&zoom, options, images));
  const size_t own_scratch = zoom.side * zoom.columns;
  CUONN_TRY_DONE(cuonn_allocate(&scratch, (size_t)threads * own_scratch, sizeof *scratch));
  CUONN_TRY_DONE(cuonn_allocate(&zoomed, (size_t)threads * n, sizeof *zoomed));

#pragma omp parallel for schedule(static) num_threads(threads)
  for (size_t e = 0; e < images->n_examples; e++) {
    const size_t thread = (size_t)omp_get_thread_num();
    double *const own = zoomed + thread * n;
    features_zoom_apply(own, scratch + thread * own_scratch, &zoom, images, e);
    float *const example = values + e * 2 * n_modes;
    for (size_t k = 0; k < n; k++) {
      example[k] = (float)own[k];
      example[n_modes + k] = 0;
    }
    normalize(example, n, n_modes);
  }

done:
  free(zoomed);
  free(scratch);
  features_zoom_free(&zoom);
  return status;
}

cuonn_status cpu_features(float *values, const cuonn_examples *images, const cuonn_features_options *options,
                          int threads) {
  const size_t n_modes = cuonn_features_modes(options), n = n_modes - options->reference;
  CUONN_TRY(options->kind == CUONN_FEATURES_RESAMPLE ? resample(values, n_modes, n, images, options, threads)
                                                     : fourier(values, n_modes, n, images, options, threads));
  for (size_t e = 0; options->reference && e < images->n_examples; e++) {
    values[2 * e * n_modes + n] = 1;
    values[(2 * e + 1) * n_modes + n] = 0;
  }
  return CUONN_OK;
}
