/* Features of images in float: sums of waves by products of matrices (features/waves.h), or the spline zoom
 * (features/zoom.h). */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/features.h"
#include "cpu/product.h"
#include "features/waves.h"
#include "features/zoom.h"

/* Divides the n amplitudes of one example, [2][n_modes], by their mean modulus; zeros stay zero. Squares of floats are
 * doubles that neither overflow nor vanish; sums side by side need not wait for one another. */
static void normalize(float *values, size_t n, size_t n_modes) {
  enum { kSums = 8 };
  double sums[kSums] = {0}, sum = 0;
  for (size_t first = 0; first < n; first += kSums) {
    const size_t count = n - first < kSums ? n - first : kSums;
    for (size_t i = 0; i < count; i++) {
      const double re = (double)values[first + i], im = (double)values[n_modes + first + i];
      sums[i] += sqrt(re * re + im * im);
    }
  }
  for (size_t i = 0; i < kSums; i++) sum += sums[i];
  if (sum == 0) return;
  const float scale = (float)((double)n / sum);
  for (size_t k = 0; k < n; k++) {
    values[k] *= scale;
    values[n_modes + k] *= scale;
  }
}

/* The amplitudes from sums: [down][across]. */
static void pick(float *values, size_t n_modes, const float *sums, const features_waves *waves) {
  for (size_t k = 0; k < waves->n; k++) {
    const int u = waves->frequencies[k][0], v = waves->frequencies[k][1];
    const float *const cosine = sums + (size_t)(2 * abs(u)) * waves->across + (size_t)(2 * abs(v));
    const float *const sine = cosine + waves->across;
    const float up = u < 0 ? -1 : 1, right = v < 0 ? -1 : 1;
    values[k] = cosine[0] - up * right * sine[1];
    values[n_modes + k] = -(up * sine[0] + right * cosine[1]);
  }
}

static void widen(float *out, const cuonn_examples *images, size_t at, size_t n) {
  if (images->pixels) {
    for (size_t i = 0; i < n; i++) out[i] = images->pixels[at + i];
  } else {
    for (size_t i = 0; i < n; i++) out[i] = (float)images->grey[at + i];
  }
}

/* The waves in float, [down][height] and [width][across]. */
static cuonn_status narrow(float **rows, float **columns, const features_waves *waves, size_t height, size_t width) {
  CUONN_TRY(cuonn_allocate(rows, waves->down * height, sizeof **rows));
  CUONN_TRY(cuonn_allocate(columns, width * waves->across, sizeof **columns));
  for (size_t i = 0; i < waves->down * height; i++) (*rows)[i] = (float)waves->rows[i];
  for (size_t i = 0; i < width * waves->across; i++) (*columns)[i] = (float)waves->columns[i];
  return CUONN_OK;
}

/* Floats of so many, up to the next cache line, so that threads do not share one. */
static size_t apart(size_t n) { return (n + 15) / 16 * 16; }

static cuonn_status fourier(float *values, size_t n_modes, const cuonn_examples *images,
                            const cuonn_features_options *options, int threads) {
  const size_t h = images->height, w = images->width;
  cuonn_status status = CUONN_OK;
  float *rows = NULL, *columns = NULL, *scratch = NULL;
  features_waves waves;
  CUONN_TRY_DONE(features_waves_create(&waves, options, h, w));
  CUONN_TRY_DONE(narrow(&rows, &columns, &waves, h, w));
  const size_t n = waves.across, image_size = apart(h * w), through_size = apart(h * n);
  const size_t own = image_size + through_size + apart(waves.down * n);
  CUONN_TRY_DONE(cuonn_allocate(&scratch, (size_t)threads * own, sizeof *scratch));
  /* row-major matrices are column-major ones turned: through^T = columns^T q^T, sums^T = through^T rows^T */
  const cpu_product across = cpu_product_of((product_size){.m = n, .n = h, .k = w, .lda = n, .ldb = w, .ldc = n});
  const cpu_product down =
      cpu_product_of((product_size){.m = n, .n = waves.down, .k = h, .lda = n, .ldb = h, .ldc = n});

#pragma omp parallel for schedule(static) num_threads(threads)
  for (size_t e = 0; e < images->n_examples; e++) {
    float *const image = scratch + (size_t)omp_get_thread_num() * own;
    float *const through = image + image_size, *const sums = through + through_size;
    float *const example = values + e * 2 * n_modes;
    widen(image, images, e * h * w, h * w);
    cpu_product_run(&across, through, columns, image);
    cpu_product_run(&down, sums, through, rows);
    pick(example, n_modes, sums, &waves);
    normalize(example, waves.n, n_modes);
  }

done:
  free(scratch);
  free(columns);
  free(rows);
  features_waves_free(&waves);
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
  if (images->n_examples < (size_t)threads) threads = (int)images->n_examples;
  CUONN_TRY(options->kind == CUONN_FEATURES_RESAMPLE ? resample(values, n_modes, n, images, options, threads)
                                                     : fourier(values, n_modes, images, options, threads));
  for (size_t e = 0; options->reference && e < images->n_examples; e++) {
    values[2 * e * n_modes + n] = 1;
    values[(2 * e + 1) * n_modes + n] = 0;
  }
  return CUONN_OK;
}
