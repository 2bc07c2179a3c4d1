/* Gradients that a chip measures on itself against values of an independent program: noise-free ones, the variance of
 * tap shot noise, and means and deviations over many draws.
 *
 * Tolerances: noise-free 1e-10, which is far above the rounding of some dozen columns (1e-14). Sampled means and
 * deviations: 4000 draws on either side, so that means differ by sqrt(2 / 4000) deviations, and deviations by a share
 * of sqrt(1 / 4000), or for io noise, whose sums are not quite normal, somewhat more; 6 of these, 7 for io, are
 * allowed. With 500 comparisons in all, a correct program fails for less than one seed in 10^6. */
#include <complex.h>
#include <string.h>

#include "reference/in_situ.h"
#include "support/close.h"
#include "support/golden_mesh.h"

enum { kExamples = 5, kDraws = 4000, kMostModes = 8, kMostPhases = 64 };

/* The chip of one size: its mesh with errors, its twin without, a batch. */
typedef struct {
  size_t n, nodes, n_phases;
  cuonn_mesh mesh;
  reference_mesh lossy, lossless;
  complex_t *x, *g;
} fixture;

static void fixture_create(fixture *f, size_t n) {
  char group[64];
  snprintf(group, sizeof group, "in_situ/%zu", n);
  const size_t nodes = cuonn_mesh_nodes(n);
  *f = (fixture){.n = n, .nodes = nodes, .n_phases = 2 * nodes + n};
  cuonn_mesh *const mesh = &f->mesh;
  golden_read_mesh(mesh, group, n);
  OK(reference_mesh_create(&f->lossy, mesh->shape));
  OK(reference_mesh_create(&f->lossless, mesh->shape));
  reference_mesh_set(&f->lossy, mesh);
  memset(mesh->coupler_error, 0, 2 * nodes * sizeof(double));
  memset(mesh->loss_db, 0, 2 * nodes * sizeof(double));
  reference_mesh_set(&f->lossless, mesh);
  f->x = (complex_t *)golden_read_n("golden.nc", group, "input", 2 * kExamples * n);
  f->g = (complex_t *)golden_read_n("golden.nc", group, "cotangent", 2 * kExamples * n);
}

static void fixture_free(fixture *f) {
  free(f->g);
  free(f->x);
  reference_mesh_free(&f->lossless);
  reference_mesh_free(&f->lossy);
  cuonn_mesh_free(&f->mesh);
}

/* All gradients in one array, theta, phi, gamma, as the golden file has them. */
static void measure(double *all, const fixture *f, const reference_mesh *mesh, cuonn_gradient_method method,
                    const cuonn_chip_options *chip, uint32_t step) {
  cuonn_mesh_gradient gradient = {all, all + f->nodes, all + 2 * f->nodes, NULL};
  const chip_reading reading = {chip, CHIP_MEASUREMENT, 0, step, 0};
  if (chip->measurement == CUONN_MEASUREMENT_EXAMPLE) {
    OK(reference_measure(&gradient, NULL, mesh, f->x, f->g, kExamples, method, &reading));
    return;
  }
  complex_t units[kMostModes * kMostModes] = {0}, sums[kMostModes * kMostModes] = {0};
  for (size_t j = 0; j < f->n; j++) {
    units[j * f->n + j] = 1;
    for (size_t e = 0; e < kExamples; e++) {
      for (size_t k = 0; k < f->n; k++) sums[j * f->n + k] += f->g[e * f->n + k] * f->x[e * f->n + j];
    }
  }
  OK(reference_measure(&gradient, NULL, mesh, units, sums, f->n, method, &reading));
}

static void noise_free(const fixture *f, const char *name, cuonn_gradient_method method,
                       const cuonn_chip_options *chip) {
  char group[64];
  double got[kMostPhases], want[kMostPhases];
  snprintf(group, sizeof group, "in_situ/%zu/%s", f->n, name);
  const struct {
    const char *name;
    size_t at, n;
  } parts[] = {{"d_theta", 0, f->nodes}, {"d_phi", f->nodes, f->nodes}, {"d_gamma", 2 * f->nodes, f->n}};
  for (size_t i = 0; i < 3; i++) {
    double *const values = golden_read_n("golden.nc", group, parts[i].name, parts[i].n);
    memcpy(want + parts[i].at, values, parts[i].n * sizeof *values);
    free(values);
  }
  measure(got, f, &f->lossy, method, chip, 0);
  CLOSE(got, want, f->n_phases, .rel = 1e-10);
}

static void test_measure__lossy_chip_without_noise(void **unused) {
  (void)unused;
  for (size_t n = 6; n <= 8; n += 2) {
    fixture f;
    fixture_create(&f, n);
    for (int scale = 0; scale < 2; scale++) {
      cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
      chip.scale = (cuonn_measurement_scale)scale;
      noise_free(&f, "analog", CUONN_GRADIENT_ANALOG, &chip);
      /* lossy and digital: powers of the backward field do not cancel, and their share is that of the scales */
      if (chip.scale == CUONN_SCALE_EXAMPLE) noise_free(&f, "digital", CUONN_GRADIENT_DIGITAL, &chip);
      chip.measurement = CUONN_MEASUREMENT_MATRIX;
      noise_free(&f, "matrix_analog", CUONN_GRADIENT_ANALOG, &chip);
    }
    fixture_free(&f);
  }
}

/* The variance that a measurement used: its noise is one normal, which is known, times the deviation. Normals do not
 * depend on the scheme, so each has a step of its own. */
static void variance(const fixture *f, const reference_mesh *mesh, const char *name, cuonn_gradient_method method,
                     cuonn_chip_options chip) {
  char group[64];
  double clean[kMostPhases], got[kMostPhases];
  const double shot = .02;
  const uint32_t step = method == CUONN_GRADIENT_ANALOG ? 7 : 8;
  snprintf(group, sizeof group, "in_situ/%zu/%s", f->n,
           chip.measurement == CUONN_MEASUREMENT_MATRIX ? "matrix_analog" : "tap_shot_0.02");
  double *const want = golden_read_n("golden.nc", group, name, f->n_phases);
  measure(clean, f, mesh, method, &chip, step);
  chip.tap_shot = 1; /* large, so that rounding does not show */
  measure(got, f, mesh, method, &chip, step);
  const chip_reading reading = {&chip, CHIP_MEASUREMENT, 0, step, 0};
  for (size_t k = 0; k < f->n_phases; k++) {
    double normal[2];
    const bool phi = k >= f->nodes && k < 2 * f->nodes;
    chip_tap_normals(normal, &reading, k < f->nodes ? k : k - f->nodes);
    got[k] = pow(shot * (got[k] - clean[k]) / normal[phi], 2);
  }
  CLOSE(got, want, f->n_phases, .rel = 1e-10);
  free(want);
}

static void test_measure__shot_noise_has_the_closed_variance(void **unused) {
  (void)unused;
  for (size_t n = 6; n <= 8; n += 2) {
    fixture f;
    fixture_create(&f, n);
    cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
    variance(&f, &f.lossy, "lossy_analog_example_variance", CUONN_GRADIENT_ANALOG, chip);
    variance(&f, &f.lossless, "lossless_digital_example_variance", CUONN_GRADIENT_DIGITAL, chip);
    chip.scale = CUONN_SCALE_STUDY;
    variance(&f, &f.lossy, "lossy_analog_study_variance", CUONN_GRADIENT_ANALOG, chip);
    variance(&f, &f.lossless, "lossless_digital_study_variance", CUONN_GRADIENT_DIGITAL, chip);
    chip.measurement = CUONN_MEASUREMENT_MATRIX;
    variance(&f, &f.lossless, "tap_0.02_variance", CUONN_GRADIENT_ANALOG, chip);
    fixture_free(&f);
  }
}

/* Analog, on the lossless chip. The program that made the golden values draws every reading of every example. */
static void sampled(const fixture *f, const char *name, const cuonn_chip_options *chip, double allowed) {
  char group[64];
  double sum[kMostPhases] = {0}, squares[kMostPhases] = {0}, first[kMostPhases], got[kMostPhases];
  snprintf(group, sizeof group, "in_situ/%zu/%s", f->n, name);
  double *const want_mean = golden_read_n("golden.nc", group, "gradient_mean", f->n_phases);
  double *const want_std = golden_read_n("golden.nc", group, "gradient_std", f->n_phases);
  measure(first, f, &f->lossless, CUONN_GRADIENT_ANALOG, chip, 0);
  for (uint32_t step = 0; step < kDraws; step++) {
    measure(got, f, &f->lossless, CUONN_GRADIENT_ANALOG, chip, step);
    for (size_t k = 0; k < f->n_phases; k++) {
      const double off = got[k] - first[k];
      sum[k] += off;
      squares[k] += off * off;
    }
  }
  for (size_t k = 0; k < f->n_phases; k++) {
    const double mean = sum[k] / kDraws, std = sqrt(squares[k] / kDraws - mean * mean), at = mean + first[k];
    CLOSE(&at, &want_mean[k], 1, .abs = allowed * sqrt(2.0 / kDraws) * want_std[k]);
    CLOSE(&std, &want_std[k], 1, .rel = allowed * sqrt(1.0 / kDraws));
  }
  free(want_std);
  free(want_mean);
}

static void test_measure__noise_has_mean_and_deviation(void **unused) {
  (void)unused;
  for (size_t n = 6; n <= 8; n += 2) {
    fixture f;
    fixture_create(&f, n);
    cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
    chip.tap_shot = .02;
    sampled(&f, "tap_shot_0.02", &chip, 6);
    chip.tap_shot = 0;
    chip.io_amplitude = chip.io_phase = .05;
    sampled(&f, "io_0.05", &chip, 7);
    fixture_free(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_measure__lossy_chip_without_noise),
      cmocka_unit_test(test_measure__shot_noise_has_the_closed_variance),
      cmocka_unit_test(test_measure__noise_has_mean_and_deviation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
