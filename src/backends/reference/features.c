#include "reference/features.h"

#include <math.h>
#include <stdlib.h>

#include <cblas.h>

#include "base/error.h"
#include "base/memory.h"
#include "features/waves.h"
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

/* c = a b, row by row; a: [m][k], b: [k][n], c: [m][n]. */
static void multiply(double *c, const double *a, const double *b, size_t m, size_t k, size_t n) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)n, (int)k, 1, a, (int)k, b, (int)n, 0, c, (int)n);
}

/* f = sum over pixels of q exp(-i (a + b)), a = 2 pi u y / h, b = 2 pi v x / w, from the sums of |u| and |v|. */
static void pick(double f[2], const double *sums, size_t across, const int frequency[2]) {
  const int u = frequency[0], v = frequency[1];
  const double *const cosine = sums + (size_t)(2 * abs(u)) * across + (size_t)(2 * abs(v));
  const double *const sine = cosine + across;
  const double up = u < 0 ? -1 : 1, right = v < 0 ? -1 : 1;
  f[0] = cosine[0] - up * right * sine[1];
  f[1] = -(up * sine[0] + right * cosine[1]);
}

static cuonn_status fourier(double *out, size_t n_modes, const cuonn_examples *images,
                            const cuonn_features_options *options) {
  cuonn_status status = CUONN_OK;
  const size_t h = images->height, w = images->width;
  double *image = NULL, *through = NULL, *sums = NULL;
  features_waves waves;
  CUONN_TRY_DONE(features_waves_create(&waves, options, h, w));
  CUONN_TRY_DONE(cuonn_allocate(&image, h * w, sizeof *image));
  CUONN_TRY_DONE(cuonn_allocate(&through, h * waves.across, sizeof *through));
  CUONN_TRY_DONE(cuonn_allocate(&sums, waves.down * waves.across, sizeof *sums));
  for (size_t e = 0; e < images->n_examples; e++) {
    double *const example = out + e * 2 * n_modes;
    for (size_t i = 0; i < h * w; i++) image[i] = pixel(images, e * h * w + i);
    multiply(through, image, waves.columns, h, w, waves.across);
    multiply(sums, waves.rows, through, waves.down, h, waves.across);
    for (size_t k = 0; k < waves.n; k++) pick(example + 2 * k, sums, waves.across, waves.frequencies[k]);
    normalize(example, waves.n);
  }

done:
  free(sums);
  free(through);
  free(image);
  features_waves_free(&waves);
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
                                                     : fourier(out, n_modes, images, options));
  for (size_t e = 0; options->reference && e < images->n_examples; e++) {
    out[2 * (e * n_modes + n)] = 1;
    out[2 * (e * n_modes + n) + 1] = 0;
  }
  return CUONN_OK;
}
