/* Networks on chips: the cpu backend (float, threads) against the reference (double), with the same seeds and so the
 * same noise; the golden gradients of one mesh; and bits that do not depend on the number of threads.
 * Tolerances: tests/support/on_chip.h. */
#include <stdlib.h>

#include "cpu/in_situ.h"
#include "cpu/level.h"
#include "support/golden_mesh.h"
#include "support/on_chip.h"

static void compare(fixture *f, const cuonn_chip_options *chip, cuonn_gradient_method method) {
  outcome want, got, alone;
  compute(&want, &cuonn_backend_reference, f, chip, method, 1);
  compute(&got, &cuonn_backend_cpu, f, chip, method, 3);
  compute(&alone, &cuonn_backend_cpu, f, chip, method, 1);
  assert_memory_equal(&got, &alone, sizeof got);
  same_outcome(&got, &want, f, method);
}

static void test_chip__same_noise_as_reference(void **unused) {
  (void)unused;
  const size_t sizes[] = {4, 5, 16, 33};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * 6; i++) {
    fixture f;
    create(&f, sizes[i / 6], i % 2 ? CUONN_STYLE_BOTTOM : CUONN_STYLE_TOP, .3);
    cuonn_chip_options chip = noisy(i);
    compare(&f, &chip, CUONN_GRADIENT_ANALOG);
    chip.seed += 100; /* the schemes have the same normals at the same seed */
    compare(&f, &chip, CUONN_GRADIENT_DIGITAL);
    release(&f);
  }
}

static void test_chip__computed_gradients_of_programmed_phases(void **unused) {
  (void)unused;
  compare_computed_gradients(compare);
}

/* A difference of losses over twice the perturbation: what the losses are off by (on_chip.h), over that. */
static void test_chip__losses_of_moved_phases_as_reference(void **unused) {
  (void)unused;
  for (size_t i = 0; i < 16; i++) {
    const cuonn_gradient_method method = i / 8 ? CUONN_GRADIENT_SPSA : CUONN_GRADIENT_FINITE_DIFFERENCE;
    fixture f;
    outcome want, got, alone;
    create(&f, i % 2 ? 5 : 4, (cuonn_phase_style)(i % 4), i % 3 ? .3 : 0);
    cuonn_chip_options chip = i % 8 < 6 ? noisy(i / 2) : (cuonn_chip_options)CUONN_CHIP_OPTIONS_INIT;
    if (chip.measurement == CUONN_MEASUREMENT_EXAMPLE) /* where gamma is seen */
      f.network.shape.nonlinearity.kind = i / 4 % 2 ? CUONN_NONLINEARITY_ELECTRO_OPTIC : CUONN_NONLINEARITY_MODULUS;
    chip.crosstalk = .02;
    chip.phase_error = .05;
    chip.phase_bits = i % 2 ? 0 : 4;
    chip.perturbation = .3;
    chip.estimates = 1 + i % 3;
    compute(&want, &cuonn_backend_reference, &f, &chip, method, 1);
    compute(&got, &cuonn_backend_cpu, &f, &chip, method, 3);
    compute(&alone, &cuonn_backend_cpu, &f, &chip, method, 1);
    assert_memory_equal(&got, &alone, sizeof got);
    const double off = 32 * FLT_EPSILON / 2 * sqrt((double)(3 * kLayers * f.n)), slope = off / chip.perturbation;
    for (size_t l = 0; l < kLayers; l++) {
      CLOSE(got.gradient[l], want.gradient[l], 2 * f.nodes + f.n, .abs = slope);
      CLOSE(got.phases[l], want.phases[l], 2 * f.nodes + f.n, .abs = kSteps * slope);
    }
    CLOSE(got.losses, want.losses, kSteps + 2, .rel = kSteps * off);
    CLOSE(&got.correct, &want.correct, 1, .abs = 1);
    release(&f);
  }
}

/* Models side by side, with gradients of every kind, have the bits that each has alone. */
static void test_chip__models_do_not_meet(void **unused) {
  enum { kModels = 6 };
  (void)unused;
  static const cuonn_optimizer_options sgd = {.kind = CUONN_OPTIMIZER_SGD, .learning_rate = .5};
  const cuonn_backend *const cpu = &cuonn_backend_cpu;
  fixture f;
  create(&f, 9, CUONN_STYLE_TOP, .3);
  cuonn_chip_options chips[kModels];
  double together[kSteps * kModels], alone[kSteps];
  void *all, *one;
  OK(cpu->create(&all, &(backend_problem){.n_models = kModels,
                                          .shape = f.network.shape,
                                          .batch_size = 100,
                                          .order = CUONN_ORDER_SHUFFLED,
                                          .place.threads = 3}));
  OK(cpu->set_fields(all, CUONN_SPLIT_TRAIN, &f.fields[0], f.labels));
  cuonn_step steps[kSteps];
  backend_model models[kModels];
  for (size_t i = 0; i < kSteps; i++) steps[i] = (cuonn_step){0, 40 * i, 40, 1, i, (uint32_t)i};
  for (size_t m = 0; m < kModels; m++) {
    chips[m] = noisy(m);
    models[m] = (backend_model){
        .network = &f.network, .optimizer = &sgd, .seed = m, .gradient = (cuonn_gradient_method)m, .chip = &chips[m]};
    OK(cpu->set_model(all, m, &models[m]));
  }
  OK(cpu->train_steps(together, all, steps, kSteps));
  for (size_t m = 0; m < kModels; m++) {
    OK(cpu->create(&one, &(backend_problem){.n_models = 1,
                                            .shape = f.network.shape,
                                            .batch_size = 100,
                                            .order = CUONN_ORDER_SHUFFLED,
                                            .place.threads = 2}));
    OK(cpu->set_fields(one, CUONN_SPLIT_TRAIN, &f.fields[0], f.labels));
    OK(cpu->set_model(one, 0, &models[m]));
    OK(cpu->train_steps(alone, one, steps, kSteps));
    for (size_t i = 0; i < kSteps; i++) assert_true(alone[i] == together[i * kModels + m]);
    cpu->destroy(one);
  }
  cpu->destroy(all);
  release(&f);
}

/* --- One mesh against golden values --- */

static void to_tiles(float *to, const double *from, const cpu_tiling *t) {
  memset(to, 0, t->n_tiles * cpu_tile_size(t) * sizeof *to);
  for (size_t e = 0; e < t->count; e++) {
    for (size_t w = 0; w < t->n_modes; w++) {
      float *const at = to + e / t->lanes * cpu_tile_size(t) + w * 2 * t->lanes + e % t->lanes;
      at[0] = (float)from[2 * (e * t->n_modes + w)];
      at[t->lanes] = (float)from[2 * (e * t->n_modes + w) + 1];
    }
  }
}

static void golden_mesh(size_t n, const char *name, cuonn_gradient_method method) {
  enum { kExamples = 5 };
  const size_t nodes = cuonn_mesh_nodes(n);
  char group[64];
  snprintf(group, sizeof group, "in_situ/%zu", n);
  cuonn_mesh mesh;
  golden_read_mesh(&mesh, group, n);
  double *const input = golden_read_n("golden.nc", group, "input", 2 * kExamples * n);
  double *const cotangent = golden_read_n("golden.nc", group, "cotangent", 2 * kExamples * n);
  snprintf(group, sizeof group, "in_situ/%zu/%s", n, name);
  double *const d_theta = golden_read_n("golden.nc", group, "d_theta", nodes);
  double *const d_phi = golden_read_n("golden.nc", group, "d_phi", nodes);
  double *const d_gamma = golden_read_n("golden.nc", group, "d_gamma", n);

  const cpu_tiling t = cpu_tiling_of(kExamples, n);
  const size_t size = t.n_tiles * cpu_tile_size(&t);
  float *const x = aligned_alloc(64, size * sizeof *x), *const g = aligned_alloc(64, size * sizeof *g);
  assert_true(x && g);
  to_tiles(x, input, &t);
  to_tiles(g, cotangent, &t);
  cpu_tap_mesh taps;
  cpu_measure_space space;
  OK(cpu_tap_mesh_create(&taps, mesh.shape));
  cpu_layer layer;
  OK(layer_create(&layer, &mesh, mesh.n_modes));
  cpu_tap_mesh_set(&taps, &mesh, &layer, cpu_kernels_choose());
  layer_free(&layer);
  OK(cpu_measure_space_create(&space, 1, &t, mesh.shape, 2));
  const cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  double got[3][28];
  cuonn_mesh_gradient gradient = {got[0], got[1], got[2], NULL};
  const cpu_measurement of = {&gradient, &taps, {&chip, CHIP_MEASUREMENT, 0, 0, 0}, x, g};
  cpu_team alone;
  cpu_team_create(&alone);
  alone.size = 1;
  cpu_measure(&of, 1, &t, method, &space, cpu_kernels_choose(), &alone, NULL);
  cpu_team_destroy(&alone);
  CLOSE(got[0], d_theta, nodes, .rel = 1e-5); /* a tenth of what is asked: some 10 u by the above */
  CLOSE(got[1], d_phi, nodes, .rel = 1e-5);
  CLOSE(got[2], d_gamma, n, .rel = 1e-5);

  cpu_measure_space_free(&space);
  cpu_tap_mesh_free(&taps);
  free(g);
  free(x);
  free(d_gamma);
  free(d_phi);
  free(d_theta);
  free(cotangent);
  free(input);
  cuonn_mesh_free(&mesh);
}

static void test_measure__golden(void **unused) {
  (void)unused;
  for (size_t n = 6; n <= 8; n += 2) {
    golden_mesh(n, "analog", CUONN_GRADIENT_ANALOG);
    golden_mesh(n, "digital", CUONN_GRADIENT_DIGITAL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_chip__same_noise_as_reference),
      cmocka_unit_test(test_chip__computed_gradients_of_programmed_phases),
      cmocka_unit_test(test_chip__losses_of_moved_phases_as_reference),
      cmocka_unit_test(test_chip__models_do_not_meet),
      cmocka_unit_test(test_measure__golden),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
