/* Features of the first training images of Fashion-MNIST against NumPy's FFT and SciPy's zoom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/dataset.h"
#include "cuonn/features.h"
#include "reference/features.h"
#include "support/close.h"
#include "support/golden.h"

#define FASHION_MNIST "/usr/share/datasets/fashion-mnist" /* Debian's package dataset-fashion-mnist */

/* The images that the golden values were made from. */
static cuonn_examples chosen;

static int load_chosen(void **state) {
  (void)state;
  cuonn_dataset dataset;
  OK(cuonn_dataset_load(&dataset, FASHION_MNIST, NULL));
  size_t n;
  double *const index = golden_read("golden.nc", "features", "index", &n);
  const size_t n_pixels = dataset.train.height * dataset.train.width;
  chosen = (cuonn_examples){.n_examples = n,
                            .height = dataset.train.height,
                            .width = dataset.train.width,
                            .pixels = malloc(n * n_pixels),
                            .labels = malloc(n)};
  assert_true(chosen.pixels != NULL && chosen.labels != NULL);
  for (size_t e = 0; e < n; e++) {
    memcpy(chosen.pixels + e * n_pixels, dataset.train.pixels + (size_t)index[e] * n_pixels, n_pixels);
    chosen.labels[e] = dataset.train.labels[(size_t)index[e]];
  }
  free(index);
  cuonn_dataset_free(&dataset);
  return 0;
}

static int free_chosen(void **state) {
  (void)state;
  cuonn_examples_free(&chosen);
  return 0;
}

static void test_images_and_labels__are_those_of_the_golden_values(void **state) {
  (void)state;
  double *const label = golden_read_n("golden.nc", "features", "label", chosen.n_examples);
  for (size_t e = 0; e < chosen.n_examples; e++) assert_int_equal(chosen.labels[e], (int)label[e]);
  free(label);
}

/* Relative 1e-12: rounding of a sum over 784 pixels is some 1e-14 of the largest amplitude, and of a zoomed image none.
 */
static void check(const char *variable, cuonn_features_options options) {
  OK(cuonn_features_check(&options, chosen.height, chosen.width));
  const size_t n = 2 * chosen.n_examples * cuonn_features_modes(&options);
  double *const want = golden_read_n("golden.nc", "features", variable, n);
  double *const got = malloc(n * sizeof *got);
  assert_non_null(got);
  OK(reference_features(got, &chosen, &options));
  CLOSE(got, want, n, .rel = 1e-12);
  free(got);
  free(want);
}

static void test_fourier(void **state) {
  (void)state;
  check("radius_2", (cuonn_features_options){.kind = CUONN_FEATURES_FOURIER, .radius = 2});
  check("radius_4", (cuonn_features_options){.kind = CUONN_FEATURES_FOURIER, .radius = 4});
  check("radius_5", (cuonn_features_options){.kind = CUONN_FEATURES_FOURIER, .radius = 5});
}

static void test_resample(void **state) {
  (void)state;
  check("resample_8_border_0", (cuonn_features_options){.kind = CUONN_FEATURES_RESAMPLE, .side = 8});
  check("resample_6_border_2", (cuonn_features_options){.kind = CUONN_FEATURES_RESAMPLE, .side = 6, .border = 2});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_images_and_labels__are_those_of_the_golden_values),
      cmocka_unit_test(test_fourier),
      cmocka_unit_test(test_resample),
  };
  return cmocka_run_group_tests(tests, load_chosen, free_chosen);
}
