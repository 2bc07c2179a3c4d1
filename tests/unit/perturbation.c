/* Gradients from the losses of moved phases: against the formula, with losses that are evaluated one by one, and
 * against exact gradients. */
#include "chip/perturbation.h"

#include <string.h>

#include "cuonn/model.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"

enum { kModes = 4, kNodes = 6, kLayers = 2, kClasses = 3, kExamples = 9, kPlaces = 2 * kNodes };

static const char *const backends[] = {"reference", "cpu"};
static const cuonn_gradient_method methods[] = {CUONN_GRADIENT_SPSA, CUONN_GRADIENT_FINITE_DIFFERENCE};

typedef struct {
  cuonn_context *context;
  cuonn_network network;
  cuonn_fields input;
  uint8_t labels[kExamples];
  double values[kLayers][kPlaces + kModes]; /* gradients: theta, phi, gamma */
  cuonn_mesh_gradient gradients[kLayers];
} fixture;

static void create(fixture *f, const char *backend, size_t n_modes, size_t n_classes) {
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(n_modes, kLayers, n_classes, CUONN_STYLE_TOP, false, NULL);
  const size_t nodes = cuonn_mesh_nodes(n_modes);
  chance c = {5};
  OK(cuonn_context_create(&f->context, backend, 2));
  OK(cuonn_network_create(&f->network, &shape));
  OK(cuonn_fields_create(&f->input, kExamples, n_modes));
  for (size_t l = 0; l < kLayers; l++) dense_random(&f->network.layers[l], &c, .1, .3);
  chance_normals(f->input.values, 2 * kExamples * n_modes, &c);
  for (size_t e = 0; e < kExamples; e++) f->labels[e] = (uint8_t)(e % n_classes);
  for (size_t l = 0; l < kLayers; l++)
    f->gradients[l] = (cuonn_mesh_gradient){f->values[l], f->values[l] + nodes, f->values[l] + 2 * nodes, NULL};
}

static void release(fixture *f) {
  cuonn_fields_free(&f->input);
  cuonn_network_free(&f->network);
  cuonn_context_free(f->context);
}

/* An imperfect chip that is read without noise. */
static cuonn_chip_options imperfect(void) {
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.phase_bits = 7;
  chip.crosstalk = .02;
  chip.phase_error = .05;
  chip.perturbation = .2;
  chip.estimates = 3;
  return chip;
}

/* A model whose signs have a seed. */
static cuonn_model *model_of(fixture *f, const cuonn_chip_options *chip, cuonn_gradient_method method, uint64_t seed) {
  const cuonn_model_options options = {
      .n_models = 1, .shape = f->network.shape, .batch_size = kExamples, .gradient = method};
  const cuonn_examples all = {.n_examples = kExamples, .labels = f->labels, .fields = f->input};
  cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
  settings.gradient = method;
  settings.seed = seed;
  settings.chip = *chip;
  cuonn_model *model;
  OK(cuonn_model_create(&model, f->context, &options));
  OK(cuonn_model_set(model, 0, &f->network, NULL, &settings));
  OK(cuonn_model_set_examples(model, CUONN_SPLIT_TRAIN, &all, NULL));
  memset(f->values, 0xff, sizeof f->values); /* NaN */
  return model;
}

/* The gradient of one step. */
static double gradient_at(fixture *f, const cuonn_chip_options *chip, cuonn_gradient_method method, uint64_t seed,
                          uint32_t number) {
  cuonn_model *const model = model_of(f, chip, method, seed);
  double loss;
  const cuonn_step step = {.count = kExamples, .number = number};
  OK(cuonn_model_gradient(&loss, f->gradients, model, 0, CUONN_SPLIT_TRAIN, &step, method));
  cuonn_model_destroy(model);
  return loss;
}

/* Loss with all phases moved by so many radians along a direction. */
static double loss_at(fixture *f, const cuonn_chip_options *chip, const chip_perturbation *p, size_t direction,
                      double by) {
  cuonn_evaluation out = {0};
  cuonn_network moved;
  OK(cuonn_network_create(&moved, &f->network.shape));
  for (size_t l = 0; l < kLayers; l++) {
    const cuonn_mesh *const mesh = &moved.layers[l];
    OK(cuonn_mesh_copy(&moved.layers[l], &f->network.layers[l]));
    for (size_t k = 0; k < mesh->n_nodes; k++) {
      mesh->theta[k] += by * chip_direction(p, direction, l, k);
      mesh->phi[k] += by * chip_direction(p, direction, l, mesh->n_nodes + k);
    }
  }
  OK(cuonn_evaluate_on_chip(&out, f->context, &moved, chip, &f->input, f->labels));
  cuonn_network_free(&moved);
  return out.loss;
}

/* g = sum over directions of share x direction x (loss moved up - loss moved down) / 2c. The same losses give the same
 * differences: reference to rounding of sums, cpu to that of floats, some u = 6e-8 in a loss of 1, over c. */
static void test_gradient__is_the_formula(void **unused) {
  (void)unused;
  for (size_t i = 0; i < 4; i++) {
    const cuonn_chip_options chip = imperfect();
    const double c = chip.perturbation;
    fixture f;
    create(&f, backends[i / 2], kModes, kClasses);
    const chip_perturbation p = {&chip, methods[i % 2], 8, 21, kLayers, kPlaces};
    const size_t n = chip_directions(&p);
    assert_int_equal(n, i % 2 ? (size_t)kLayers * kPlaces : 3);
    double want[kLayers][kPlaces + kModes] = {{0}}, mean = 0;
    for (size_t d = 0; d < n; d++) {
      const double up = loss_at(&f, &chip, &p, d, c), down = loss_at(&f, &chip, &p, d, -c);
      mean += (up + down) / (2 * (double)n);
      for (size_t k = 0; k < (size_t)kLayers * kPlaces; k++) {
        const double part = chip_direction(&p, d, k / kPlaces, k % kPlaces);
        assert_true(i % 2 ? part == (k == d) : part == 1 || part == -1);
        want[k / kPlaces][k % kPlaces] += part * (up - down) / (2 * c) * (i % 2 ? 1 : 1. / 3);
      }
    }
    const double loss = gradient_at(&f, &chip, methods[i % 2], 8, 21), off = i / 2 ? 1e-6 : 1e-14;
    for (size_t l = 0; l < kLayers; l++) CLOSE(f.values[l], want[l], kPlaces + kModes, .abs = off / c);
    CLOSE(&loss, &mean, 1, .rel = off);
    release(&f);
  }
}

/* Largest distance of the gradient by finite differences from the exact one. */
static double distance(fixture *f, double perturbation) {
  cuonn_chip_options chip = imperfect();
  chip.phase_bits = 0;
  chip.perturbation = perturbation;
  double exact[kLayers][kPlaces + kModes], largest = 0;
  gradient_at(f, &chip, CUONN_GRADIENT_EXACT, 0, 0);
  memcpy(exact, f->values, sizeof exact);
  gradient_at(f, &chip, CUONN_GRADIENT_FINITE_DIFFERENCE, 0, 0);
  for (size_t l = 0; l < kLayers; l++)
    for (size_t k = 0; k < kPlaces; k++) largest = fmax(largest, fabs(f->values[l][k] - exact[l][k]));
  return largest;
}

/* The central difference is the derivative and c^2 / 6 of the third one, to O(c^4): half the perturbation leaves a
 * quarter of the error, to some c^2; below c = 1e-5 the rounding of the loss, 1e-16 / c, is more. */
static void test_finite_difference__comes_to_the_exact_gradient(void **unused) {
  (void)unused;
  fixture f;
  create(&f, "reference", kModes, kClasses);
  const double wide = distance(&f, .004), narrow = distance(&f, .002);
  assert_true(narrow > 1e-8 && fabs(wide / narrow - 4) < .02);
  assert_true(distance(&f, 1e-5) < 1e-9);
  release(&f);
}

/* Two layers of one node: four phases, sixteen patterns of signs, each as a step draws it. Over all of them,
 *   mean of sign_k (L(p + c sign) - L(p - c sign)) / 2c
 * is the central difference along k, averaged over the corners of the cube of the other phases, which are patterns,
 * too; what is along other phases cancels. */
static void test_spsa__mean_over_all_signs_is_the_central_difference(void **unused) {
  enum { kPhases = 4, kPatterns = 16 };
  (void)unused;
  cuonn_chip_options chip = imperfect();
  chip.estimates = 1;
  chip.phase_bits = 0;
  for (size_t i = 0; i < 2; i++) {
    chip.perturbation = i ? 1e-4 : .3;
    double got[kPhases] = {0}, corner[kPatterns], want[kPhases] = {0};
    size_t n_seen = 0;
    bool seen[kPatterns] = {0};
    fixture f;
    create(&f, "reference", 2, 2);
    for (uint32_t step = 0; n_seen < kPatterns; step++) {
      const chip_perturbation p = {&chip, CUONN_GRADIENT_SPSA, 1, step, kLayers, 2};
      size_t pattern = 0;
      for (size_t k = 0; k < kPhases; k++) pattern += (size_t)(chip_direction(&p, 0, k / 2, k % 2) > 0) << k;
      assert_true(step < 1000);
      if (seen[pattern]) continue;
      seen[pattern] = true;
      n_seen++;
      corner[pattern] = loss_at(&f, &chip, &p, 0, chip.perturbation);
      gradient_at(&f, &chip, CUONN_GRADIENT_SPSA, 1, step);
      for (size_t k = 0; k < kPhases; k++) got[k] += f.values[k / 2][k % 2] / kPatterns;
    }
    for (size_t k = 0; k < kPhases; k++) /* pairs of corners along k, 2c apart */
      for (size_t a = 0; a < kPatterns; a++)
        if (!(a >> k & 1))
          want[k] += (corner[a | (size_t)1 << k] - corner[a]) / (2 * chip.perturbation) / (kPatterns / 2);
    CLOSE(got, want, kPhases, .abs = 1e-14 / chip.perturbation);
    gradient_at(&f, &chip, CUONN_GRADIENT_EXACT, 0, 0);
    for (size_t k = 0; i == 1 && k < kPhases; k++) CLOSE(&got[k], &f.values[k / 2][k % 2], 1, .abs = 1e-7);
    release(&f);
  }
}

/* Signs depend on seed, step, layer and estimate, and both come as often: of n, sqrt(n) more or less. */
static void test_spsa__draws_signs(void **unused) {
  enum { kDraws = 10000 };
  (void)unused;
  const cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  const chip_perturbation first = {&chip, CUONN_GRADIENT_SPSA, 3, 4, 2, kDraws};
  chip_perturbation other[2] = {first, first};
  other[0].seed++;
  other[1].step++;
  double sum = 0, same[4] = {0};
  for (size_t k = 0; k < kDraws; k++) {
    const double sign = chip_direction(&first, 0, 0, k);
    sum += sign;
    for (size_t i = 0; i < 2; i++) same[i] += sign * chip_direction(&other[i], 0, 0, k);
    same[2] += sign * chip_direction(&first, 1, 0, k);
    same[3] += sign * chip_direction(&first, 0, 1, k);
  }
  assert_true(fabs(sum) < 4 * sqrt(kDraws));
  for (size_t i = 0; i < 4; i++) assert_true(fabs(same[i]) < 4 * sqrt(kDraws));
}

/* Phases hardly move: what remains is noise, which every pass draws anew unless it is frozen. */
static void test_gradient__has_noise_of_every_pass(void **unused) {
  (void)unused;
  for (size_t i = 0; i < 8; i++) {
    cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
    fixture f;
    create(&f, "reference", kModes, kClasses);
    chip.io_amplitude = .01;
    chip.perturbation = 1e-6;
    chip.measurement = (cuonn_measurement)(i % 2);
    chip.noise_draw = i / 2 % 2 ? CUONN_NOISE_FROZEN : CUONN_NOISE_FRESH;
    gradient_at(&f, &chip, methods[i / 4], 0, 0);
    for (size_t l = 0; l < kLayers; l++)
      for (size_t k = 0; k < kPlaces; k++)
        assert_true((fabs(f.values[l][k]) > 10) == (chip.noise_draw == CUONN_NOISE_FRESH));
    release(&f);
  }
}

/* Losses and exact gradients of a model are the same before and after its phases have been moved. */
static void test_gradient__leaves_phases_where_they_were(void **unused) {
  (void)unused;
  for (size_t i = 0; i < 8; i++) {
    const cuonn_gradient_method method = methods[i % 2];
    cuonn_chip_options chip = imperfect();
    fixture f;
    create(&f, backends[i / 4], kModes, kClasses);
    chip.noise_draw = CUONN_NOISE_FROZEN;
    chip.io_phase = i / 2 % 2 ? .05 : 0;
    cuonn_model *const model = model_of(&f, &chip, method, 3);
    const cuonn_step step = {.count = kExamples};
    double loss[3], exact[kLayers][kPlaces + kModes];
    cuonn_evaluation test[2] = {{0}, {0}};
    OK(cuonn_model_gradient(&loss[0], f.gradients, model, 0, CUONN_SPLIT_TRAIN, &step, CUONN_GRADIENT_EXACT));
    memcpy(exact, f.values, sizeof exact);
    OK(cuonn_model_evaluate(&test[0], model, 0, CUONN_SPLIT_TRAIN));
    OK(cuonn_model_gradient(&loss[1], f.gradients, model, 0, CUONN_SPLIT_TRAIN, &step, method));
    OK(cuonn_model_evaluate(&test[1], model, 0, CUONN_SPLIT_TRAIN));
    OK(cuonn_model_gradient(&loss[2], f.gradients, model, 0, CUONN_SPLIT_TRAIN, &step, CUONN_GRADIENT_EXACT));
    assert_true(loss[0] == loss[2] && test[0].loss == test[1].loss);
    assert_memory_equal(exact, f.values, sizeof exact);
    cuonn_model_destroy(model);
    release(&f);
  }
}

static void test_gradient__refuses_what_moves_nothing(void **unused) {
  (void)unused;
  for (size_t i = 0; i < 2; i++) {
    cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
    chip.perturbation = 0;
    REFUSED(cuonn_chip_check(&chip, methods[i], CUONN_STYLE_TOP), CUONN_E_ARGUMENT, "chip.perturbation is 0 radians");
    OK(cuonn_chip_check(&chip, CUONN_GRADIENT_ANALOG, CUONN_STYLE_TOP));
    chip.perturbation = NAN;
    REFUSED(cuonn_chip_check(&chip, methods[i], CUONN_STYLE_TOP), CUONN_E_ARGUMENT, "chip.perturbation is nan radians");
    chip.perturbation = .1;
    chip.estimates = 0;
    REFUSED(cuonn_chip_check(&chip, methods[i], CUONN_STYLE_TOP), CUONN_E_ARGUMENT,
            "chip.estimates is 0; it must be 1");
    chip.estimates = 1;
    for (cuonn_phase_style style = CUONN_STYLE_TOP; style <= CUONN_STYLE_DIFFERENTIAL; style++)
      OK(cuonn_chip_check(&chip, methods[i], style));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradient__is_the_formula),
      cmocka_unit_test(test_finite_difference__comes_to_the_exact_gradient),
      cmocka_unit_test(test_spsa__mean_over_all_signs_is_the_central_difference),
      cmocka_unit_test(test_spsa__draws_signs),
      cmocka_unit_test(test_gradient__has_noise_of_every_pass),
      cmocka_unit_test(test_gradient__leaves_phases_where_they_were),
      cmocka_unit_test(test_gradient__refuses_what_moves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
