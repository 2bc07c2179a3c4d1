/* Features of images in float: FFTW's single-precision transform, or the spline zoom (features/zoom.h). */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <fftw3.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/state.h"
#include "features/zoom.h"

/* Divides the amplitudes of one example, [2][n], by their mean modulus; zeros stay zero. */
static void normalize(float *values, size_t n) {
  double sum = 0;
  for (size_t k = 0; k < n; k++) sum += hypot((double)values[k], (double)values[n + k]);
  if (sum == 0) return;
  const float scale = (float)((double)n / sum);
  for (size_t k = 0; k < 2 * n; k++) values[k] *= scale;
}

/* Central square of the shifted spectrum: frequencies -radius .. radius - 1 along both axes. half: [h][w / 2 + 1], the
 * frequencies that a transform of real numbers gives; the others are their conjugates at the opposite frequency. */
static void cut_out(float *values, fftwf_complex *half, size_t h, size_t w, size_t radius) {
  const size_t side = 2 * radius, n = side * side, stride = w / 2 + 1;
  for (size_t p = 0; p < side; p++) {
    const size_t row = (p + h - radius) % h, opposite_row = (h - row) % h;
    for (size_t q = 0; q < side; q++) {
      const size_t column = (q + w - radius) % w;
      const bool there = column < stride;
      const float *const z = half[there ? row * stride + column : opposite_row * stride + w - column];
      values[p * side + q] = z[0];
      values[n + p * side + q] = there ? z[1] : -z[1];
    }
  }
}

static cuonn_status fourier(float *values, const cuonn_images *images, size_t radius, int threads) {
  const size_t h = images->height, w = images->width, stride = (h * w + 15) / 16 * 16, n = 4 * radius * radius;
  const size_t half_stride = (h * (w / 2 + 1) + 15) / 16 * 16;
  cuonn_status status = CUONN_OK;
  float *image = NULL;
  fftwf_complex *half = NULL;
  fftwf_plan plan = NULL;
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
    for (size_t i = 0; i < h * w; i++) own_image[i] = images->pixels[e * h * w + i];
    fftwf_execute_dft_r2c(plan, own_image, own_half);
    cut_out(values + e * 2 * n, own_half, h, w, radius);
    normalize(values + e * 2 * n, n);
  }

done:
#pragma omp critical(cpu_features_plan)
  fftwf_destroy_plan(plan);
  free(half);
  free(image);
  return status;
}

static cuonn_status resample(float *values, const cuonn_images *images, size_t side, size_t border, int threads) {
  const size_t width = images->width, pixels = width - 2 * border, n = side * side;
  cuonn_status status = CUONN_OK;
  double *matrix = NULL, *scratch = NULL, *zoomed = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&matrix, side * pixels, sizeof *matrix));
  CUONN_TRY_DONE(cuonn_allocate(&scratch, (size_t)threads * side * pixels, sizeof *scratch));
  CUONN_TRY_DONE(cuonn_allocate(&zoomed, (size_t)threads * n, sizeof *zoomed));
  CUONN_TRY_DONE(features_zoom_matrix(matrix, side, pixels));

#pragma omp parallel for schedule(static) num_threads(threads)
  for (size_t e = 0; e < images->n_examples; e++) {
    const size_t thread = (size_t)omp_get_thread_num();
    double *const own = zoomed + thread * n;
    features_zoom(own, scratch + thread * side * pixels, images->pixels + e * width * width, width, border, matrix,
                  side, pixels);
    float *const example = values + e * 2 * n;
    for (size_t k = 0; k < n; k++) {
      example[k] = (float)own[k];
      example[n + k] = 0;
    }
    normalize(example, n);
  }

done:
  free(zoomed);
  free(scratch);
  free(matrix);
  return status;
}

cuonn_status cpu_features(float *values, const cuonn_images *images, const cuonn_features_options *options,
                          int threads) {
  return options->kind == CUONN_FEATURES_FOURIER ? fourier(values, images, options->radius, threads)
                                                 : resample(values, images, options->side, options->border, threads);
}
