/* Fabricated chips on the cuda backend: phases by drive curves and by crosstalk between any shifters, and gradients on
 * their way back, against src/chip/phases.c and the reference; models on one chip, on others and on none side by side.
 */
#include <stdlib.h>

#include "support/on_chip.h"

#include "chip/phases.h"
#include "cuda/chip.h"
#include "cuda/device.h"
#include "cuda/prepare.h"
#include "cuonn/model.h"
#include "support/far_chip.h"

#include <simt.h>

static const cuonn_backend *const cuda = &cuonn_backend_cuda;

/* Any voltage; 2^5 of them; less than a period for most shifters. */
static const cuonn_driver fine = {.2, 6, 0}, coarse = {0, 6, 5}, short_of = {.5, 3, 7};

/* ---- phases and their gradients alone ---- */

enum { kModels = 5 };

/* Chips of models: the first and the third have one, two are fabricated without curves and without crosstalk, and one
 * is not; law: crosstalk by the law where there is no other. */
static void chips_of(cuonn_chip_options chips[kModels], cuonn_fabricated made[3], const cuonn_mesh_shape *shape,
                     cuonn_phase_style style, const cuonn_driver *driver, double law) {
  static const int of[kModels] = {0, 1, 0, 2, -1};
  far_chip(&made[0], shape, style, kLayers, driver, true, 1);
  far_chip(&made[1], shape, style, kLayers, &coarse, false, 2);
  far_chip(&made[2], shape, style, kLayers, NULL, true, 4);
  for (size_t m = 0; m < kModels; m++) {
    chips[m] = (cuonn_chip_options)CUONN_CHIP_OPTIONS_INIT;
    chips[m].seed = m;
    chips[m].phase_error = m % 2 ? .1 : 0;
    chips[m].fabricated = of[m] < 0 ? NULL : &made[of[m]];
    if (m >= 3) chips[m].phase_bits = 6;
    if (m == 1 || m == 4) chips[m].crosstalk = law;
  }
}

/* What the host makes of one layer against the device's applied phases and pulled gradients, [place]. Sums of some
 * hundred terms of double in another order; a gradient is rounded to float. Phases may differ by a period where a layer
 * has no crosstalk and others do. */
static void same_layer(const cuda_state *s, const cuonn_chip_options *chip, size_t layer, const double2 *applied,
                       const float2 *pulled, const float2 *in) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t nodes = s->meshes.n_nodes;
  const cuonn_mesh *const mesh = &s->models->network.layers[layer];
  double *const want = calloc(4 * nodes, sizeof *want), *const back = want + 2 * nodes;
  chip_phases phases;
  assert_non_null(want);
  OK(chip_phases_create(&phases, chip, (uint32_t)layer, shape->mesh, shape->style));
  chip_phases_apply(want, want + nodes, &phases, mesh->theta, mesh->phi);
  for (size_t k = 0; k < nodes; k++) {
    back[k] = (double)in[s->meshes.place[k]].x;
    back[nodes + k] = (double)in[s->meshes.place[k]].y;
  }
  chip_phases_pull_back(back, back + nodes, &phases);
  for (size_t k = 0; k < nodes; k++) {
    const double2 p = applied[s->meshes.place[k]];
    const float2 d = pulled[s->meshes.place[k]];
    const double off[] = {remainder(p.x - want[k], phases.period.theta),
                          remainder(p.y - want[nodes + k], phases.period.phi)};
    const double got[] = {(double)d.x, (double)d.y}, d_want[] = {back[k], back[nodes + k]}, none[2] = {0, 0};
    CLOSE(off, none, 2, .abs = 1e-13);
    CLOSE(got, d_want, 2, .rel = FLT_EPSILON, .abs = 1e-14);
  }
  chip_phases_free(&phases);
  free(want);
}

/* Phases and gradients of all models, which have the same phases and other chips. */
static void same_phases(cuda_state *s, const cuonn_chip_options *chips) {
  const size_t n = kModels * kLayers * s->meshes.places;
  double2 *const applied = calloc(n, sizeof *applied);
  float2 *const in = calloc(n, sizeof *in), *const pulled = calloc(n, sizeof *pulled);
  chance c = {n};
  assert_true(applied && in && pulled);
  OK(cuda_prepare(s));
  for (size_t i = 0; i < n; i++) in[i] = (float2){(float)chance_normal(&c), (float)chance_normal(&c)};
  for (size_t i = 0; i < kModels * kLayers * s->meshes.n_nodes; i++) { /* nothing is where there is no node */
    const size_t at = i / s->meshes.n_nodes * s->meshes.places + s->meshes.place[i % s->meshes.n_nodes];
    assert_int_equal(cudaMemcpy(applied + at, s->chip.applied + at, sizeof *applied, cudaMemcpyDeviceToHost),
                     cudaSuccess);
  }
  if (s->chip.mixes) {
    const phases_task task = cuda_phases_task(s, 0, kModels);
    assert_int_equal(cudaMemcpy(s->steps.derived, in, n * sizeof *in, cudaMemcpyHostToDevice), cudaSuccess);
    assert_int_equal(launch_pull_back(s->steps.pulled, s->steps.derived, &task, s->session->stream), cudaSuccess);
    assert_int_equal(cudaStreamSynchronize(s->session->stream), cudaSuccess);
    assert_int_equal(cudaMemcpy(pulled, s->steps.pulled, n * sizeof *in, cudaMemcpyDeviceToHost), cudaSuccess);
  }
  for (size_t i = 0; i < kModels * kLayers; i++) {
    const size_t at = i * s->meshes.places;
    same_layer(s, &chips[i / kLayers], i % kLayers, applied + at, s->chip.mixes ? pulled + at : in + at, in + at);
  }
  free(pulled);
  free(in);
  free(applied);
}

/* Chips that models share are on the device once. */
static void shared(const cuda_state *s) {
  shifter_curves on[kModels];
  assert_int_equal(cudaMemcpy(on, s->chip.curves, sizeof on, cudaMemcpyDeviceToHost), cudaSuccess);
  assert_memory_equal(&on[0], &on[2], sizeof on[0]);
  assert_non_null(on[0].slope);
  assert_true(on[1].slope && on[1].slope != on[0].slope && !on[1].gets.first);
  assert_true(on[3].gets.first && on[3].gets.first != on[0].gets.first && !on[3].slope);
  assert_true(!on[4].slope && !on[4].gets.first && !on[4].gives.first);
}

static void phases_of(size_t n, const cuonn_mesh_shape *shape, cuonn_phase_style style, const cuonn_driver *driver,
                      double law) {
  cuonn_chip_options chips[kModels];
  cuonn_fabricated made[3];
  fixture f;
  void *state;
  create_shaped(&f, n, shape, style, 0);
  chips_of(chips, made, f.network.shape.mesh, style, driver, law);
  OK(cuda->create(&state, &(backend_problem){.n_models = kModels, .shape = f.network.shape, .batch_size = 8}));
  for (size_t m = 0; m < kModels; m++) {
    static const cuonn_optimizer_options sgd = {.kind = CUONN_OPTIMIZER_SGD, .learning_rate = .5};
    OK(cuda->set_model(state, m, &(backend_model){.network = &f.network, .optimizer = &sgd, .chip = &chips[m]}));
  }
  same_phases(state, chips);
  shared(state);
  cuda->destroy(state);
  for (size_t i = 0; i < 3; i++) cuonn_fabricated_free(&made[i]);
  release(&f);
}

/* One, two and four pairs of waveguides a lane; with the law beside shares, and without it. */
static void test_phases__as_on_the_host(void **unused) {
  (void)unused;
  const size_t sizes[] = {5, 9, 18, 33};
  const cuonn_driver *const drivers[] = {&fine, &coarse, &short_of};
  for (size_t i = 0; i < 12; i++) {
    simt_schedule((int)i % SIMT_SCHEDULES);
    phases_of(sizes[i % 4], NULL, (cuonn_phase_style)(i / 3), drivers[i % 3], i % 2 ? .05 : 0);
  }
  simt_schedule(0);
}

/* Nodes that join any two waveguides, and columns that do not stand as on the device. */
static void test_phases__of_other_shapes(void **unused) {
  (void)unused;
  const size_t counts[] = {2, 1, 2};
  const uint32_t pairs[][2] = {{0, 1}, {3, 4}, {3, 4}, {1, 2}, {4, 5}};
  cuonn_mesh_shape *shapes[3];
  OK(cuonn_mesh_shape_make(&shapes[0], CUONN_ARCHITECTURE_BUTTERFLY, 16, 0));
  OK(cuonn_mesh_shape_make(&shapes[1], CUONN_ARCHITECTURE_TRIANGULAR, 7, 0));
  OK(cuonn_mesh_shape_create(&shapes[2], 6, 3, counts, pairs));
  for (size_t i = 0; i < 3; i++) {
    phases_of(cuonn_mesh_shape_modes(shapes[i]), shapes[i], CUONN_STYLE_SYMMETRIC, &coarse, 0);
    cuonn_mesh_shape_free(shapes[i]);
  }
}

/* ---- training ---- */

static void like_reference(fixture *f, const cuonn_chip_options *chip, cuonn_gradient_method method) {
  outcome want, got;
  compute(&want, &cuonn_backend_reference, f, chip, method, 1);
  compute(&got, cuda, f, chip, method, 1);
  same_outcome(&got, &want, f, method);
}

static void test_training__as_the_reference(void **unused) {
  (void)unused;
  static const cuonn_gradient_method methods[] = {CUONN_GRADIENT_EXACT, CUONN_GRADIENT_IDEAL, CUONN_GRADIENT_ANALOG,
                                                  CUONN_GRADIENT_DIGITAL};
  for (size_t i = 0; i < 16; i++) {
    const size_t n = i % 3 ? 9 : 18;
    const cuonn_phase_style style = i % 4 < 2 ? (cuonn_phase_style)(i / 4) : CUONN_STYLE_TOP;
    cuonn_fabricated made;
    fixture f;
    create(&f, n, style, i % 2 ? .3 : 0);
    far_chip(&made, f.network.shape.mesh, style, kLayers, i % 3 == 2 ? NULL : i % 2 ? &fine : &coarse, i % 5 != 4, i);
    cuonn_chip_options chip = noisy(i);
    chip.phase_error = .05;
    chip.fabricated = &made;
    like_reference(&f, &chip, methods[i % 4]);
    cuonn_fabricated_free(&made);
    release(&f);
  }
}

/* By the handle, of the second layer, whose curves and shares are its own. */
static void test_layer__as_the_reference(void **unused) {
  (void)unused;
  enum { kN = 9, kNodes = kN * (kN - 1) / 2, kFields = 2 * kN * kTest };
  const char *const names[2] = {"reference", "cuda"};
  static double out[2][kFields], d[2][2 * kNodes + kN];
  fixture f;
  cuonn_fabricated made;
  create(&f, kN, CUONN_STYLE_TOP, .3);
  far_chip(&made, f.network.shape.mesh, CUONN_STYLE_TOP, kLayers, &coarse, true, 1);
  for (size_t b = 0; b < 2; b++) {
    cuonn_context *context;
    cuonn_model *model;
    cuonn_model_options options = CUONN_MODEL_OPTIONS_INIT;
    cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
    options.shape = f.network.shape;
    settings.chip.fabricated = &made;
    OK(cuonn_context_create(&context, names[b], 1));
    OK(cuonn_model_create(&model, context, &options));
    OK(cuonn_model_set(model, 0, &f.network, NULL, &settings));
    const cuonn_buffer x = {f.fields[1].values, CUONN_COMPLEX128, CUONN_HOST, kFields / 2};
    const cuonn_buffer y = {out[b], CUONN_COMPLEX128, CUONN_HOST, kFields / 2};
    const cuonn_phase_buffers gradient = {{d[b], CUONN_FLOAT64, CUONN_HOST, kNodes},
                                          {d[b] + kNodes, CUONN_FLOAT64, CUONN_HOST, kNodes},
                                          {d[b] + 2 * kNodes, CUONN_FLOAT64, CUONN_HOST, kN}};
    OK(cuonn_model_propagate(&y, model, 0, 1, &x, false, NULL));
    OK(cuonn_model_vjp(&gradient, NULL, model, 0, 1, &x, &x, NULL));
    cuonn_model_destroy(model);
    cuonn_context_free(context);
  }
  const double unit = FLT_EPSILON / 2 * sqrt((double)(3 * kN));
  CLOSE(out[1], out[0], kFields, .rel = 32 * unit);
  CLOSE(d[1], d[0], 2 * kNodes + kN, .rel = 32 * unit);
  cuonn_fabricated_free(&made);
  release(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_phases__as_on_the_host),
      cmocka_unit_test(test_phases__of_other_shapes),
      cmocka_unit_test(test_training__as_the_reference),
      cmocka_unit_test(test_layer__as_the_reference),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  cuda_release();
  return failed;
}
