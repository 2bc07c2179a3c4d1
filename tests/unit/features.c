/* Options of features, the spline zoom, and the features of reference and cpu against plain sums. */
#include <complex.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/features.h"
#include "cuonn/features.h"
#include "cuonn/fields.h"
#include "features/frequencies.h"
#include "features/zoom.h"
#include "reference/features.h"
#include "support/close.h"

enum { kMaxPixels = 40, kMaxSide = 64 };

static cuonn_features_options fourier(size_t radius) {
  return (cuonn_features_options){.kind = CUONN_FEATURES_FOURIER, .radius = radius};
}

static cuonn_features_options resample(size_t side, size_t border) {
  return (cuonn_features_options){.kind = CUONN_FEATURES_RESAMPLE, .side = side, .border = border};
}

static void test_modes(void **state) {
  (void)state;
  const cuonn_features_options study = CUONN_FEATURES_OPTIONS_INIT;
  const cuonn_features_options f3 = fourier(3), r5 = resample(5, 2);
  const cuonn_features_options wide = {.kind = CUONN_FEATURES_RESAMPLE, .side = 5, .width = 3, .reference = true};
  const cuonn_features_options radial = {.kind = CUONN_FEATURES_RADIAL, .frequencies = 37};
  assert_int_equal(cuonn_features_modes(&wide), 16);
  assert_int_equal(cuonn_features_modes(&radial), 37);
  assert_int_equal(cuonn_features_modes(&study), 64);
  assert_int_equal(cuonn_features_modes(&f3), 36);
  assert_int_equal(cuonn_features_modes(&r5), 25);
}

static void test_check__accepts_what_just_fits(void **state) {
  (void)state;
  const cuonn_features_options f14 = fourier(14), f1 = fourier(1), r1 = resample(1, 13), r100 = resample(100, 0);
  OK(cuonn_features_check(&f14, 28, 28));
  OK(cuonn_features_check(&f14, 29, 300));
  OK(cuonn_features_check(&f1, 2, 3));
  OK(cuonn_features_check(&r1, 28, 28));
  OK(cuonn_features_check(&r100, 2, 2));
}

static void test_check__refuses(void **state) {
  (void)state;
  const cuonn_features_options f0 = fourier(0), f15 = fourier(15), huge = fourier(SIZE_MAX);
  REFUSED(cuonn_features_check(&f0, 28, 28), CUONN_E_ARGUMENT, "radius 0");
  REFUSED(cuonn_features_check(&f15, 28, 28), CUONN_E_SHAPE, "at least 30 x 30 pixels, these have 28 x 28");
  REFUSED(cuonn_features_check(&f15, 64, 29), CUONN_E_SHAPE, "at most 14");
  REFUSED(cuonn_features_check(&f15, 29, 64), CUONN_E_SHAPE, "at most 14");
  REFUSED(cuonn_features_check(&huge, 28, 28), CUONN_E_SHAPE, "fourier");

  const cuonn_features_options r0 = resample(0, 0), r8 = resample(8, 0), b14 = resample(8, 14),
                               all = resample(8, SIZE_MAX);
  REFUSED(cuonn_features_check(&r0, 28, 28), CUONN_E_ARGUMENT, "side 0");
  REFUSED(cuonn_features_check(&r8, 28, 29), CUONN_E_SHAPE, "square images, these have 28 x 29");
  REFUSED(cuonn_features_check(&b14, 28, 28), CUONN_E_SHAPE, "use a border of at most 13");
  REFUSED(cuonn_features_check(&b14, 29, 29), CUONN_E_SHAPE, "fewer than 2 of 29 pixels");
  REFUSED(cuonn_features_check(&all, 28, 28), CUONN_E_SHAPE, "fewer than 2");
  REFUSED(cuonn_features_check(&r8, 1, 1), CUONN_E_SHAPE, "fewer than 2");

  const cuonn_features_options none = {.kind = CUONN_FEATURES_RADIAL},
                               many = {.kind = CUONN_FEATURES_RADIAL, .frequencies = 785};
  const cuonn_features_options wide = {.kind = CUONN_FEATURES_RESAMPLE, .side = 8, .width = 4};
  REFUSED(cuonn_features_check(&none, 28, 28), CUONN_E_ARGUMENT, "radial features of 0");
  REFUSED(cuonn_features_check(&many, 28, 28), CUONN_E_SHAPE, "have no more than 784");
  OK(cuonn_features_check(&wide, 28, 29));
  cuonn_features_options unknown = fourier(4);
  unknown.kind = (cuonn_features_kind)7;
  REFUSED(cuonn_features_check(&unknown, 28, 28), CUONN_E_ARGUMENT, "unknown kind of features: 7");
}

static void test_fields__start_at_zero_and_free_twice(void **state) {
  (void)state;
  cuonn_fields fields;
  OK(cuonn_fields_create(&fields, 3, 5));
  assert_int_equal(fields.n_examples, 3);
  assert_int_equal(fields.n_modes, 5);
  for (size_t i = 0; i < 30; i++) assert_true(fields.values[i] == 0);
  cuonn_fields_free(&fields);
  assert_null(fields.values);
  assert_int_equal(fields.n_examples, 0);
  cuonn_fields_free(&fields);
  cuonn_fields_free(NULL);
}

static void test_fields__refuse_sizes_that_overflow(void **state) {
  (void)state;
  cuonn_fields fields;
  REFUSED(cuonn_fields_create(&fields, SIZE_MAX / 4, 8), CUONN_E_MEMORY, "more than can be addressed");
  assert_null(fields.values);
  REFUSED(cuonn_fields_create(&fields, SIZE_MAX / 8, 2), CUONN_E_MEMORY, "more than can be addressed");
}

/* A constant goes through a B-spline unchanged, so each row sums to 1: up to 40 terms below 1.3, rounded at 1e-16. */
static void test_zoom_matrix__rows_sum_to_one(void **state) {
  (void)state;
  static double matrix[kMaxSide * kMaxPixels];
  for (size_t pixels = 2; pixels <= kMaxPixels; pixels++) {
    for (size_t side = 1; side <= kMaxSide; side++) {
      OK(features_zoom_matrix(matrix, side, pixels));
      for (size_t i = 0; i < side; i++) {
        double sum = 0;
        for (size_t k = 0; k < pixels; k++) sum += matrix[i * pixels + k];
        CLOSE(&sum, (double[]){1}, 1, .abs = 1e-14);
      }
    }
  }
}

/* An interpolating spline goes through its data: output pixels that fall on input pixels copy them. */
static void test_zoom_matrix__copies_at_whole_positions(void **state) {
  (void)state;
  static double matrix[kMaxSide * kMaxPixels], unit[kMaxPixels];
  for (size_t pixels = 2; pixels <= kMaxPixels; pixels++) {
    for (size_t side = 2; side <= kMaxSide; side++) {
      OK(features_zoom_matrix(matrix, side, pixels));
      for (size_t i = 0; i < side; i++) {
        if (i * (pixels - 1) % (side - 1) != 0) continue;
        memset(unit, 0, sizeof unit);
        unit[i * (pixels - 1) / (side - 1)] = 1;
        CLOSE(matrix + i * pixels, unit, pixels, .abs = 1e-14);
      }
    }
  }
}

/* The mirrored spline through f(k) = cos(pi q k / (m - 1)) has coefficients in proportion to f, because f is even about
 * both ends: 6 f(k) = a (f(k-1) + 4 f(k) + f(k+1)), a = 6 / (4 + 2 cos w). Its values in between follow from the basis
 * directly. */
static void test_zoom_matrix__interpolates_cosines(void **state) {
  (void)state;
  static double matrix[kMaxSide * kMaxPixels], got[kMaxSide], want[kMaxSide];
  const size_t pixels = 24, side = 37;
  OK(features_zoom_matrix(matrix, side, pixels));
  for (size_t q = 0; q < pixels; q++) {
    const double w = 3.141592653589793 * (double)q / (double)(pixels - 1), a = 6 / (4 + 2 * cos(w));
    for (size_t i = 0; i < side; i++) {
      got[i] = want[i] = 0;
      for (size_t k = 0; k < pixels; k++) got[i] += matrix[i * pixels + k] * cos(w * (double)k);
      const double x = (double)(i * (pixels - 1)) / (double)(side - 1);
      for (int k = -2; k < (int)pixels + 2; k++) {
        const double d = fabs(x - k);
        const double spline = d < 1 ? 2. / 3 - d * d + d * d * d / 2 : d < 2 ? (2 - d) * (2 - d) * (2 - d) / 6 : 0;
        want[i] += a * cos(w * k) * spline;
      }
    }
    CLOSE(got, want, side, .abs = 1e-13);
  }
}

/* One image through the zoom of resample features. */
static void zoom(double *out, uint8_t *image, size_t height, size_t width, cuonn_features_options options) {
  const cuonn_examples images = {.n_examples = 1, .height = height, .width = width, .pixels = image};
  features_zoom maps;
  OK(features_zoom_create(&maps, &options, &images));
  double *const scratch = malloc(maps.side * maps.columns * sizeof *scratch);
  assert_non_null(scratch);
  features_zoom_apply(out, scratch, &maps, &images, 0);
  free(scratch);
  features_zoom_free(&maps);
}

static void test_zoom__leaves_an_image_of_the_same_size_alone(void **state) {
  (void)state;
  enum { kWidth = 28 };
  static uint8_t image[kWidth * kWidth];
  static double out[kWidth * kWidth], want[kWidth * kWidth];
  for (size_t i = 0; i < sizeof image; i++) image[i] = (uint8_t)(i * 2654435761u >> 24);
  for (size_t border = 0; border < 14; border++) {
    const size_t pixels = kWidth - 2 * border;
    zoom(out, image, kWidth, kWidth, resample(pixels, border));
    for (size_t i = 0; i < pixels * pixels; i++) {
      want[i] = image[(border + i / pixels) * kWidth + border + i % pixels];
    }
    CLOSE(out, want, pixels * pixels, .abs = 0);
  }
}

static void test_zoom__keeps_constant_images(void **state) {
  (void)state;
  enum { kWidth = 28, kSide = 41 };
  static uint8_t image[kWidth * kWidth];
  static double out[kSide * kSide], want[kSide * kSide];
  for (int value = 0; value <= 255; value += 5) {
    memset(image, value, sizeof image);
    for (size_t i = 0; i < kSide * kSide; i++) want[i] = value;
    zoom(out, image, kWidth, kWidth, resample(kSide, 0));
    CLOSE(out, want, kSide * kSide, .abs = 0);
  }
}

/* Two pixels a side: the mirrored spline from a to b is a + (b - a) (3 t^2 - 2 t^3). In the middle of 4 by 7 that is a
 * tie. */
static void test_zoom__rounds_ties_up_and_stays_in_range(void **state) {
  (void)state;
  double out[9];
  uint8_t image[4] = {4, 7, 4, 7};
  zoom(out, image, 2, 2, resample(3, 0));
  CLOSE(out, ((double[]){4, 6, 7, 4, 6, 7, 4, 6, 7}), 9, .abs = 0);

  /* a sharp edge overshoots on both sides */
  static uint8_t edge[12 * 12];
  static double wide[31 * 12], zoomed[31 * 31];
  for (size_t i = 0; i < sizeof edge; i++) edge[i] = i % 12 < 6 ? 0 : 255;
  OK(features_zoom_matrix(wide, 31, 12));
  double least = 0, most = 0;
  for (size_t i = 0; i < 31; i++) {
    double value = 0;
    for (size_t k = 6; k < 12; k++) value += wide[i * 12 + k] * 255;
    least = fmin(least, value);
    most = fmax(most, value);
  }
  assert_true(least < -1 && most > 256);
  zoom(zoomed, edge, 12, 12, resample(31, 0));
  for (size_t i = 0; i < 31 * 31; i++) {
    assert_true(zoomed[i] >= 0 && zoomed[i] <= 255 && zoomed[i] == floor(zoomed[i]));
  }
}

/* Images with every grey value in no order; the last one is black. */
static cuonn_examples make_images(size_t n, size_t height, size_t width) {
  cuonn_examples images = {.n_examples = n, .height = height, .width = width, .pixels = malloc(n * height * width)};
  assert_non_null(images.pixels);
  for (size_t i = 0; i < n * height * width; i++) images.pixels[i] = (uint8_t)((i + 7) * 2654435761u >> 24);
  memset(images.pixels + (n - 1) * height * width, 0, height * width);
  return images;
}

/* The definition: f(u, v) = sum over pixels of q(y, x) exp(-2 pi i (u y / h + v x / w)), not yet divided. Angles are
 * taken modulo one turn in whole numbers. */
static double complex direct_sum(const uint8_t *q, size_t height, size_t width, const int frequency[2]) {
  const long long h = (long long)height, w = (long long)width;
  double complex sum = 0;
  for (long long y = 0; y < h; y++) {
    for (long long x = 0; x < w; x++) {
      const double turns =
          (double)(frequency[0] * y % h) / (double)height + (double)(frequency[1] * x % w) / (double)width;
      sum += q[y * w + x] * cexp(-6.283185307179586 * I * turns);
    }
  }
  return sum;
}

/* Both backends in host memory. A sum along x and then one along y, each term rounded at most once when it is added:
 * the error of an amplitude is at most (h + w + 6) u times the sum of all pixels, with 6 for waves, the last
 * differences, and the division by the mean modulus. */
static void check_against_direct_sum(size_t height, size_t width, cuonn_features_options options) {
  enum { kImages = 3 };
  OK(cuonn_features_check(&options, height, width));
  cuonn_examples images = make_images(kImages, height, width);
  const size_t n = cuonn_features_modes(&options), pixels = height * width;
  int(*const frequencies)[2] = malloc(n * sizeof *frequencies);
  double complex *const want = malloc(n * sizeof *want);
  double *const got = malloc(kImages * n * 2 * sizeof *got), *const wide = malloc(n * 2 * sizeof *wide);
  float *const of_cpu = malloc(kImages * n * 2 * sizeof *of_cpu);
  assert_true(frequencies && want && got && wide && of_cpu);
  OK(features_frequencies(frequencies, &options, height, width));
  OK(reference_features(got, &images, &options));
  OK(cpu_features(of_cpu, &images, &options, 2));
  for (size_t e = 0; e < kImages; e++) {
    double mean = 0, sum = 0;
    for (size_t k = 0; k < n; k++) {
      want[k] = direct_sum(images.pixels + e * pixels, height, width, frequencies[k]);
      mean += cabs(want[k]) / (double)n;
    }
    for (size_t i = 0; i < pixels; i++) sum += images.pixels[e * pixels + i];
    for (size_t k = 0; k < n; k++) want[k] /= mean > 0 ? mean : 1;
    for (size_t k = 0; k < n; k++) {
      wide[2 * k] = of_cpu[(2 * e) * n + k];
      wide[2 * k + 1] = of_cpu[(2 * e + 1) * n + k];
    }
    const double terms = (double)(height + width + 6) * (mean > 0 ? sum / mean : 0);
    CLOSE(got + e * n * 2, (const double *)want, 2 * n, .abs = 2 * terms * DBL_EPSILON); /* those of the test, too */
    CLOSE(wide, (const double *)want, 2 * n, .abs = terms * FLT_EPSILON / 2);
  }
  free(of_cpu);
  free(wide);
  free(got);
  free(want);
  free(frequencies);
  free(images.pixels);
}

static void test_fourier__is_the_direct_sum(void **state) {
  (void)state;
  static const size_t sizes[][3] = {{13, 13, 3}, {13, 13, 6}, {12, 12, 6}, {9, 16, 4},
                                    {16, 9, 2},  {28, 28, 4}, {2, 3, 1},   {64, 31, 15}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    check_against_direct_sum(sizes[i][0], sizes[i][1], fourier(sizes[i][2]));
}

static void test_radial__is_the_direct_sum(void **state) {
  (void)state;
  static const size_t sizes[][3] = {{28, 28, 37}, {12, 12, 144}, {5, 10, 50}, {7, 9, 63},
                                    {1, 9, 9},    {30, 1, 11},   {1, 1, 1},   {17, 4, 3}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    check_against_direct_sum(sizes[i][0], sizes[i][1],
                             (cuonn_features_options){.kind = CUONN_FEATURES_RADIAL, .frequencies = sizes[i][2]});
}

/* Of frequencies 0 and, where the size is even, -size / 2 along both axes, the amplitude is real to the last bit; those
 * of opposite frequencies are conjugates to the last bit. */
static void test_fourier__has_the_symmetry_of_real_images(void **state) {
  (void)state;
  enum { kRadius = 6, kSide = 2 * kRadius, kN = kSide * kSide };
  cuonn_examples images = make_images(2, kSide, kSide);
  const cuonn_features_options options = fourier(kRadius);
  static double out[2 * kN * 2];
  static float of_cpu[2 * 2 * kN];
  OK(reference_features(out, &images, &options));
  OK(cpu_features(of_cpu, &images, &options, 1));
  const float *const re = of_cpu, *const im = of_cpu + kN;
  static const size_t real[] = {0, kRadius, kRadius * kSide, kRadius * kSide + kRadius};
  for (size_t i = 0; i < 4; i++) assert_true(out[2 * real[i] + 1] == 0 && im[real[i]] == 0);
  for (size_t u = 1; u < kSide; u++) {
    for (size_t v = 1; v < kSide; v++) {
      const size_t k = u * kSide + v, opposite = (kSide - u) * kSide + kSide - v;
      assert_true(out[2 * k] == out[2 * opposite] && out[2 * k + 1] == -out[2 * opposite + 1]);
      assert_true(re[k] == re[opposite] && im[k] == -im[opposite]);
    }
  }
  free(images.pixels);
}

/* The order as physics.md says it, by hand: rings of one radius, each by the frequency down, then by the one across. */
static void test_radial__goes_from_zero_outwards(void **state) {
  (void)state;
  static const int want[21][2] = {{0, 0},  {-1, 0},  {0, -1}, {0, 1},  {1, 0}, {-1, -1}, {-1, 1},
                                  {1, -1}, {1, 1},   {-2, 0}, {0, -2}, {0, 2}, {2, 0},   {-2, -1},
                                  {-2, 1}, {-1, -2}, {-1, 2}, {1, -2}, {1, 2}, {2, -1},  {2, 1}};
  for (size_t n = 1; n <= 21; n++) {
    int got[21][2];
    const cuonn_features_options options = {.kind = CUONN_FEATURES_RADIAL, .frequencies = n};
    OK(features_frequencies(got, &options, 28, 15));
    assert_memory_equal(got, want, n * sizeof *got);
  }
}

/* All frequencies of an image, each once, from -size / 2 to (size - 1) / 2; and those of a line, which reach far. */
static void test_radial__has_every_frequency_once(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{6, 7}, {2, 30}, {1, 9}, {9, 1}};
  for (size_t i = 0; i < 4; i++) {
    const size_t h = sizes[i][0], w = sizes[i][1];
    int got[64][2], found[64] = {0};
    const cuonn_features_options options = {.kind = CUONN_FEATURES_RADIAL, .frequencies = h * w};
    OK(cuonn_features_check(&options, h, w));
    OK(features_frequencies(got, &options, h, w));
    for (size_t k = 0; k < h * w; k++) {
      const int row = got[k][0] + (int)(h / 2), column = got[k][1] + (int)(w / 2);
      assert_in_range(row, 0, h - 1);
      assert_in_range(column, 0, w - 1);
      found[row * (int)w + column]++;
      if (k == 0) continue;
      const int here = got[k][0] * got[k][0] + got[k][1] * got[k][1];
      assert_true(here >= got[k - 1][0] * got[k - 1][0] + got[k - 1][1] * got[k - 1][1]);
    }
    for (size_t k = 0; k < h * w; k++) assert_int_equal(found[k], 1);
  }
}

/* The same amplitudes as the square that holds the disc, but for their mean modulus. */
static void test_radial__picks_the_transform_s_amplitudes(void **state) {
  (void)state;
  enum { kN = 21, kRadius = 3, kSquare = 36 };
  cuonn_examples images = make_images(2, 12, 15);
  const cuonn_features_options radial = {.kind = CUONN_FEATURES_RADIAL, .frequencies = kN}, square = fourier(kRadius);
  double got[2 * 2 * kN], of_square[2 * 2 * kSquare], want[2 * kN], mean = 0;
  int frequencies[kN][2];
  OK(reference_features(got, &images, &radial));
  OK(reference_features(of_square, &images, &square));
  OK(features_frequencies(frequencies, &radial, 12, 15));
  for (size_t k = 0; k < kN; k++) {
    const int at = (frequencies[k][0] + kRadius) * 2 * kRadius + frequencies[k][1] + kRadius;
    want[2 * k] = of_square[2 * at];
    want[2 * k + 1] = of_square[2 * at + 1];
    mean += hypot(want[2 * k], want[2 * k + 1]) / kN;
  }
  for (size_t k = 0; k < 2 * kN; k++) want[k] /= mean;
  CLOSE(got, want, 2 * kN, .rel = 1e-14);
  free(images.pixels);
}

/* The reference stands behind the features, which are those without it, and is constant, black image or not. */
static void test_reference__is_one_behind_the_features(void **state) {
  (void)state;
  cuonn_features_options all[] = {fourier(2), resample(4, 1), {.kind = CUONN_FEATURES_RADIAL, .frequencies = 16}};
  cuonn_examples images = make_images(3, 10, 10);
  for (size_t i = 0; i < 3; i++) {
    double without[3 * 16 * 2], with[3 * 17 * 2];
    OK(reference_features(without, &images, &all[i]));
    all[i].reference = true;
    assert_int_equal(cuonn_features_modes(&all[i]), 17);
    OK(reference_features(with, &images, &all[i]));
    for (size_t e = 0; e < 3; e++) {
      assert_memory_equal(with + e * 34, without + e * 32, 32 * sizeof *with);
      assert_true(with[e * 34 + 32] == 1 && with[e * 34 + 33] == 0);
    }
  }
  free(images.pixels);
}

/* Grey values are taken as they are: no rounding, no cut at 0 or 255, and no scale is left after the normalisation. */
static void test_grey__is_neither_rounded_nor_cut_off(void **state) {
  (void)state;
  enum { kSide = 6 };
  double grey[kSide * kSide], out[2 * kSide * kSide], want[2 * kSide * kSide] = {0}, mean = 0;
  for (size_t i = 0; i < kSide * kSide; i++) {
    grey[i] = 1e-3 * ((double)i - 17.3);
    want[2 * i] = grey[i];
    mean += fabs(grey[i]) / (kSide * kSide);
  }
  for (size_t i = 0; i < 2 * kSide * kSide; i++) want[i] /= mean;
  const cuonn_examples images = {.n_examples = 1, .height = kSide, .width = kSide, .grey = grey};
  const cuonn_features_options same = resample(kSide, 0);
  OK(reference_features(out, &images, &same));
  CLOSE(out, want, 2 * kSide * kSide, .rel = 1e-13);
}

/* A rectangle of an image that is no square: each axis by itself. */
static void test_resample__makes_rectangles(void **state) {
  (void)state;
  cuonn_examples images = make_images(1, 7, 9);
  double zoomed[5 * 3], want[5 * 3] = {0}, down[5 * 5], across[3 * 7];
  for (size_t i = 0; i < 63; i++) images.pixels[i] = (uint8_t)((i + 7) * 2654435761u >> 24);
  zoom(zoomed, images.pixels, 7, 9,
       (cuonn_features_options){.kind = CUONN_FEATURES_RESAMPLE, .side = 5, .width = 3, .border = 1});
  OK(features_zoom_matrix(down, 5, 5));
  OK(features_zoom_matrix(across, 3, 7));
  for (size_t i = 0; i < 5; i++) {
    for (size_t j = 0; j < 3; j++) {
      double sum = 0;
      for (size_t y = 0; y < 5; y++)
        for (size_t x = 0; x < 7; x++) sum += down[i * 5 + y] * images.pixels[(1 + y) * 9 + 1 + x] * across[j * 7 + x];
      want[i * 3 + j] = floor(fmin(fmax(sum + 0.5, 0), 255));
    }
  }
  CLOSE(zoomed, want, 15, .abs = 0);
  free(images.pixels);
}

static void check_normalisation(cuonn_features_options options) {
  cuonn_examples images = make_images(4, 15, 15);
  const size_t n = cuonn_features_modes(&options);
  double *const out = malloc(4 * n * 2 * sizeof *out);
  assert_non_null(out);
  for (size_t i = 0; i < 4 * n * 2; i++) out[i] = NAN;
  OK(reference_features(out, &images, &options));
  for (size_t e = 0; e < 3; e++) {
    double mean = 0;
    for (size_t k = e * n; k < (e + 1) * n; k++) mean += hypot(out[2 * k], out[2 * k + 1]) / (double)n;
    CLOSE(&mean, (double[]){1}, 1, .abs = 1e-14);
  }
  for (size_t i = 3 * n * 2; i < 4 * n * 2; i++) assert_true(out[i] == 0); /* black, and no NaN */
  free(out);
  free(images.pixels);
}

static void test_features__have_mean_modulus_one_and_black_stays_zero(void **state) {
  (void)state;
  check_normalisation(fourier(1));
  check_normalisation(fourier(7));
  check_normalisation(resample(1, 0));
  check_normalisation(resample(6, 2));
  check_normalisation(resample(20, 4));
}

/* The zoom is symmetric in rows and columns as long as none is swapped for the other. */
static void test_resample__keeps_rows_and_columns_apart(void **state) {
  (void)state;
  enum { kWidth = 5 };
  uint8_t pixels[kWidth * kWidth];
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(40 * (i / kWidth) + 1 + i % kWidth);
  const cuonn_examples images = {.n_examples = 1, .height = kWidth, .width = kWidth, .pixels = pixels};
  const cuonn_features_options options = resample(kWidth - 2, 1);
  double out[9 * 2], want[9 * 2] = {0}, mean = 0;
  for (size_t k = 0; k < 9; k++) {
    want[2 * k] = pixels[(1 + k / 3) * kWidth + 1 + k % 3];
    mean += want[2 * k] / 9;
  }
  for (size_t k = 0; k < 9; k++) want[2 * k] /= mean;
  OK(reference_features(out, &images, &options));
  CLOSE(out, want, 18, .rel = 1e-15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_modes),
      cmocka_unit_test(test_check__accepts_what_just_fits),
      cmocka_unit_test(test_check__refuses),
      cmocka_unit_test(test_fields__start_at_zero_and_free_twice),
      cmocka_unit_test(test_fields__refuse_sizes_that_overflow),
      cmocka_unit_test(test_zoom_matrix__rows_sum_to_one),
      cmocka_unit_test(test_zoom_matrix__copies_at_whole_positions),
      cmocka_unit_test(test_zoom_matrix__interpolates_cosines),
      cmocka_unit_test(test_zoom__leaves_an_image_of_the_same_size_alone),
      cmocka_unit_test(test_zoom__keeps_constant_images),
      cmocka_unit_test(test_zoom__rounds_ties_up_and_stays_in_range),
      cmocka_unit_test(test_fourier__is_the_direct_sum),
      cmocka_unit_test(test_radial__is_the_direct_sum),
      cmocka_unit_test(test_fourier__has_the_symmetry_of_real_images),
      cmocka_unit_test(test_features__have_mean_modulus_one_and_black_stays_zero),
      cmocka_unit_test(test_resample__keeps_rows_and_columns_apart),
      cmocka_unit_test(test_radial__goes_from_zero_outwards),
      cmocka_unit_test(test_radial__has_every_frequency_once),
      cmocka_unit_test(test_radial__picks_the_transform_s_amplitudes),
      cmocka_unit_test(test_reference__is_one_behind_the_features),
      cmocka_unit_test(test_grey__is_neither_rounded_nor_cut_off),
      cmocka_unit_test(test_resample__makes_rectangles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
