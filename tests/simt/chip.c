/* Noisy chips on the cuda backend: the same noise, gradients and trainings as the reference (double) with the same
 * seeds; the golden gradients of one mesh; models that do not meet; the same bits in every order of threads. */
#include <stdlib.h>

#include "support/golden_mesh.h"
#include "support/on_chip.h"

#include "chip/noise.h"
#include "cuda/device.h"
#include "kernels/chip.h"
#include "kernels/coefficients.h"
#include "kernels/derivatives.h"
#include "kernels/measure.h"
#include "kernels/scales.h"
#include "reference/in_situ.h"

#include <simt.h>

static const cuonn_backend *const cuda = &cuonn_backend_cuda;

static void like_reference(fixture *f, const cuonn_chip_options *chip, cuonn_gradient_method method) {
  outcome want, got;
  compute(&want, &cuonn_backend_reference, f, chip, method, 1);
  compute(&got, cuda, f, chip, method, 1);
  same_outcome(&got, &want, f, method);
}

static void test_chip__same_noise_as_reference(void **unused) {
  (void)unused;
  const size_t sizes[] = {4, 5, 18, 33};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * 6; i++) {
    fixture f;
    create(&f, sizes[i / 6], i % 2 ? CUONN_STYLE_BOTTOM : CUONN_STYLE_TOP, .3);
    const cuonn_chip_options chip = noisy(i);
    like_reference(&f, &chip, i / 3 % 2 ? CUONN_GRADIENT_DIGITAL : CUONN_GRADIENT_ANALOG);
    release(&f);
  }
}

static void test_chip__computed_gradients_of_programmed_phases(void **unused) {
  (void)unused;
  compare_computed_gradients(like_reference);
}

/* Measured on a chip whose phases are mixed, where the first kind of node would do without errors. */
static void test_chip__measured_gradient_of_programmed_phases(void **unused) {
  (void)unused;
  for (size_t i = 0; i < 2; i++) {
    fixture f;
    create(&f, 10, CUONN_STYLE_TOP, 0);
    for (size_t l = 0; l < kLayers; l++) {
      memset(f.network.layers[l].coupler_error, 0, 2 * f.nodes * sizeof(double));
      memset(f.network.layers[l].loss_db, 0, 2 * f.nodes * sizeof(double));
    }
    cuonn_chip_options chip = noisy(i);
    chip.crosstalk = .02;
    chip.phase_error = .05;
    like_reference(&f, &chip, CUONN_GRADIENT_ANALOG);
    release(&f);
  }
}

/* Meshes whose nodes join any two waveguides: measured by both ways and computed, with all errors that a chip may have
 * but crosstalk; and the exact gradient beside measured ones. */
static void far_like_reference(fixture *f, size_t i) {
  const cuonn_step step = {.epoch = 1, .first = 7, .count = 83, .number = 12};
  const cuonn_chip_options chip = noisy(i);
  cuonn_chip_options programmed = chip;
  programmed.phase_error = .05;
  programmed.phase_bits = 3;
  like_reference(f, &programmed, i % 2 ? CUONN_GRADIENT_EXACT : CUONN_GRADIENT_IDEAL);
  if (f->network.shape.style != CUONN_STYLE_TOP && f->network.shape.style != CUONN_STYLE_BOTTOM) return;
  const cuonn_gradient_method method = i / 2 % 2 ? CUONN_GRADIENT_DIGITAL : CUONN_GRADIENT_ANALOG;
  like_reference(f, &chip, method);

  static outcome beside[2][2]; /* exact, then measured; cuda, reference */
  memset(beside, 0, sizeof beside);
  for (size_t side = 0; side < 2; side++) {
    computing c = open_backend(side ? &cuonn_backend_reference : cuda, f, &chip, method, 1);
    for (size_t measured = 0; measured < 2; measured++) {
      cuonn_mesh_gradient gradients[kLayers];
      for (size_t l = 0; l < kLayers; l++) {
        double *const at = beside[measured][side].gradient[l];
        gradients[l] = (cuonn_mesh_gradient){at, at + f->nodes, at + 2 * f->nodes, NULL};
      }
      OK(c.backend->gradient(beside[measured][side].losses, gradients, c.state, 0, 1, CUONN_SPLIT_TRAIN, &step,
                             measured ? method : CUONN_GRADIENT_EXACT));
    }
    c.backend->destroy(c.state);
  }
  same_outcome(&beside[0][0], &beside[0][1], f, CUONN_GRADIENT_EXACT);
  same_outcome(&beside[1][0], &beside[1][1], f, method);
}

static void test_chip__far_pairs(void **unused) {
  (void)unused;
  const size_t sizes[] = {8, 9, 18, 33};
  const double losses[] = {0, 1.5, 3};
  for (size_t i = 0; i < 24; i++) {
    const size_t n = sizes[i % 4];
    cuonn_mesh_shape *shape;
    fixture f;
    OK(cuonn_mesh_shape_make(&shape, i % 4 ? CUONN_ARCHITECTURE_TREE : CUONN_ARCHITECTURE_BUTTERFLY, n, 0));
    create_shaped(&f, n, shape, (cuonn_phase_style)(i / 4 % 4), losses[i / 8]);
    far_like_reference(&f, i);
    release(&f);
    cuonn_mesh_shape_free(shape);
  }
}

/* Single calls, for which a state is made that does not train. */
static void test_chip__public_functions(void **unused) {
  (void)unused;
  const char *const names[2] = {"reference", "cuda"};
  for (size_t i = 0; i < 2; i++) {
    fixture f;
    create(&f, 9, CUONN_STYLE_TOP, .3);
    cuonn_chip_options chip = noisy(i);
    chip.phase_error = .05;
    double loss[2][2], d_theta[2][kLayers][36], unused_phases[36], unused_gamma[9];
    for (size_t b = 0; b < 2; b++) {
      cuonn_context *context;
      cuonn_evaluation evaluation = {0};
      cuonn_mesh_gradient gradients[kLayers];
      for (size_t l = 0; l < kLayers; l++)
        gradients[l] = (cuonn_mesh_gradient){d_theta[b][l], unused_phases, unused_gamma, NULL};
      OK(cuonn_context_create(&context, names[b], 1));
      OK(cuonn_evaluate_on_chip(&evaluation, context, &f.network, &chip, &f.fields[1], f.labels));
      OK(cuonn_gradient_on_chip(&loss[b][1], gradients, context, &f.network, &chip, CUONN_GRADIENT_ANALOG, &f.fields[1],
                                f.labels));
      loss[b][0] = evaluation.loss;
      cuonn_context_free(context);
    }
    const double unit = FLT_EPSILON / 2 * sqrt((double)(3 * kLayers * f.n));
    CLOSE(loss[1], loss[0], 2, .rel = 32 * unit);
    for (size_t l = 0; l < kLayers; l++) CLOSE(d_theta[1][l], d_theta[0][l], f.nodes, .rel = 32 * unit);
    release(&f);
  }
}

/* --- Models side by side have the bits that each has alone, in every order of threads --- */

enum { kModels = 3 };

static void *open_models(const fixture *f, const cuonn_chip_options *chips, size_t first, size_t count,
                         cuonn_gradient_method method) {
  static const cuonn_optimizer_options sgd = {.kind = CUONN_OPTIMIZER_SGD, .learning_rate = .5};
  void *state;
  OK(cuda->create(&state, &(backend_problem){.n_models = count,
                                             .shape = f->network.shape,
                                             .batch_size = 40,
                                             .order = CUONN_ORDER_SHUFFLED,
                                             .gradient = method,
                                             .measurement = chips[0].measurement}));
  OK(cuda->set_fields(state, CUONN_SPLIT_TRAIN, &f->fields[0], f->labels));
  OK(cuda->set_fields(state, CUONN_SPLIT_TEST, &f->fields[1], f->labels));
  for (size_t m = 0; m < count; m++) {
    const cuonn_gradient_method own = method == CUONN_GRADIENT_EXACT ? method
                                      : first + m == 1               ? CUONN_GRADIENT_DIGITAL
                                                                     : CUONN_GRADIENT_ANALOG;
    OK(cuda->set_model(state, m,
                       &(backend_model){.network = (cuonn_network *)&f->network,
                                        .optimizer = &sgd,
                                        .seed = first + m,
                                        .gradient = own,
                                        .chip = &chips[first + m]}));
  }
  return state;
}

static void train_models(double *losses, double *test, void *state, size_t count) {
  cuonn_step steps[kSteps];
  cuonn_evaluation evaluation = {0};
  for (size_t i = 0; i < kSteps; i++) steps[i] = (cuonn_step){0, 40 * i, i == 2 ? 30 : 40, 1, i, (uint32_t)i};
  OK(cuda->train_steps(losses, state, steps, kSteps));
  for (size_t m = 0; m < count; m++) {
    OK(cuda->evaluate(&evaluation, state, m, 1, CUONN_SPLIT_TEST));
    test[m] = evaluation.loss;
  }
}

static void do_not_meet(cuonn_measurement measurement, cuonn_gradient_method method) {
  fixture f;
  create(&f, 9, CUONN_STYLE_TOP, .3);
  cuonn_chip_options chips[kModels];
  double together[kSteps * kModels], alone[kSteps], tests[kModels], test;
  for (size_t m = 0; m < kModels; m++) {
    chips[m] = noisy(m);
    chips[m].measurement = measurement;
    chips[m].phase_error = m == 1 ? .1 : 0;
  }
  void *const all = open_models(&f, chips, 0, kModels, method);
  train_models(together, tests, all, kModels);
  cuda->destroy(all);
  /* cuBLAS may sum products of one model in another order than those of several */
  const double tolerance = method == CUONN_GRADIENT_EXACT ? 0 : kSteps * 32 * FLT_EPSILON;
  for (size_t m = 0; m < kModels; m++) {
    void *const one = open_models(&f, chips, m, 1, method);
    simt_schedule((int)m + 1);
    train_models(alone, &test, one, 1);
    for (size_t i = 0; i < kSteps; i++) CLOSE(&alone[i], &together[i * kModels + m], 1, .rel = tolerance);
    CLOSE(&test, &tests[m], 1, .rel = tolerance);
    cuda->destroy(one);
  }
  simt_schedule(0);
  release(&f);
}

static void test_models__do_not_meet(void **unused) {
  (void)unused;
  do_not_meet(CUONN_MEASUREMENT_EXAMPLE, CUONN_GRADIENT_ANALOG);
  do_not_meet(CUONN_MEASUREMENT_MATRIX, CUONN_GRADIENT_ANALOG);
  do_not_meet(CUONN_MEASUREMENT_MATRIX, CUONN_GRADIENT_EXACT);
}

/* Kernels of a step, products not counted, are as many for all models as for one. */
static void test_step__kernels(void **unused) {
  static const size_t want[] = {
      [CUONN_MEASUREMENT_EXAMPLE] = 4 + 4 * kLayers, [CUONN_MEASUREMENT_MATRIX] = 8 + 2 * (kLayers - 1)};
  (void)unused;
  fixture f;
  create(&f, 9, CUONN_STYLE_TOP, .3);
  for (size_t i = 0; i < 2 * 2; i++) {
    const cuonn_measurement measurement = i % 2 ? CUONN_MEASUREMENT_MATRIX : CUONN_MEASUREMENT_EXAMPLE;
    const size_t count = i / 2 ? kModels : 1;
    const cuonn_step steps[2] = {{0, 0, 40, 1, 0, 0}, {0, 40, 40, 1, 1, 1}};
    cuonn_chip_options chips[kModels];
    double losses[kModels];
    for (size_t m = 0; m < kModels; m++) {
      chips[m] = noisy(m);
      chips[m].measurement = measurement;
      chips[m].phase_error = 0;
    }
    void *const state = open_models(&f, chips, 0, count, CUONN_GRADIENT_ANALOG);
    OK(cuda->train_steps(losses, state, steps, 1)); /* after which it is recorded */
    const size_t before = simt_launches();
    OK(cuda->train_steps(losses, state, steps + 1, 1));
    if (before > 0) assert_int_equal(simt_launches() - before, want[measurement]); /* a real device does not count */
    cuda->destroy(state);
  }
  release(&f);
}

/* Device memory that ends with the test. */
static void *on_device(cuda_memory *memory, const void *host, size_t bytes) {
  void *device;
  OK(cuda_allocate(&device, memory, bytes, 1, "a test"));
  if (host) assert_int_equal(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice), cudaSuccess);
  return device;
}

/* --- Readings alone: the factors that the host draws --- */

enum { kChips = 8, kModes = 7, kReadings = 5, kFirst = 3, kRead = 6, kStride = 8, kStep = 9 };

/* Readers of chips that draw in every way; chip 5 reads without errors. */
static void readers_of(chip_reader *readers, cuonn_chip_options *chips) {
  for (size_t m = 0; m < kChips; m++) {
    static const unsigned purposes[][3] = {{7, 9, 8}, {7, 9, 7}, {7, 9, 8}, {7, 7, 7}}; /* [draw] */
    chips[m] = noisy(m);
    const cuonn_noise_draw draw = chips[m].noise_draw;
    if (m == 5) chips[m].io_amplitude = chips[m].io_phase = 0;
    readers[m] = (chip_reader){.seed = m,
                               .io_amplitude = chips[m].io_amplitude,
                               .io_phase = chips[m].io_phase,
                               .purposes = {purposes[draw][0], purposes[draw][1], purposes[draw][2]},
                               .has_steps = draw == CUONN_NOISE_FRESH,
                               .has_layers = draw != CUONN_NOISE_FROZEN_SHARED,
                               .has_examples = draw == CUONN_NOISE_FRESH || m % 2 == 1};
  }
}

typedef float2 readings[kChips][2][kReadings][kStride];

/* Layers 1 and 2, examples from `first` on. */
static void same_factors(readings got, const cuonn_chip_options *chips, chip_use use, size_t first, size_t n_read) {
  for (size_t i = 0; i < kChips * 2 * kReadings * n_read; i++) {
    const size_t m = i / n_read / kReadings / 2, l = i / n_read / kReadings % 2, e = i / n_read % kReadings,
                 w = i % n_read;
    const chip_reading reading = {&chips[m], use, (uint32_t)(1 + l), kStep, 0};
    const double factor[2] = {(double)got[m][l][e][w].x, (double)got[m][l][e][w].y};
    double want[2];
    chip_read_factor(want, &reading, first + e, w, kModes);
    CLOSE(factor, want, 2, .rel = FLT_EPSILON); /* rounded to float, and the last bits of sine and cosine */
  }
}

/* Of fields, here all 1, with their moduli. */
static void test_read__same_factors(void **unused) {
  (void)unused;
  cuda_memory memory = {0};
  chip_reader readers[kChips];
  cuonn_chip_options chips[kChips];
  readings got, ones;
  const network_batch batch = {.number = kStep};
  float moduli[kChips][2][kReadings][kStride] = {0};
  readers_of(readers, chips);
  for (size_t i = 0; i < sizeof ones / sizeof(float2); i++) ((float2 *)ones)[i] = (float2){1, 0};
  reading_task task = {.moduli = on_device(&memory, moduli, sizeof moduli),
                       .readers = on_device(&memory, readers, sizeof readers),
                       .batch = on_device(&memory, &batch, sizeof batch),
                       .n_models = kChips,
                       .n_modes = kModes,
                       .first_layer = 1,
                       .n_layers = 2,
                       .first_example = kFirst,
                       .n_examples = kReadings,
                       .n_read = kRead,
                       .stride = kStride};
  for (task.use = READ_TRAINING; task.use < READ_USES; task.use++) {
    static const chip_use uses[] = {CHIP_TRAINING, CHIP_MEASUREMENT, CHIP_TEST};
    task.fields = on_device(&memory, ones, sizeof ones);
    assert_int_equal(launch_read(&task, NULL), cudaSuccess);
    assert_int_equal(cudaMemcpy(got, task.fields, sizeof got, cudaMemcpyDeviceToHost), cudaSuccess);
    assert_int_equal(cudaMemcpy(moduli, task.moduli, sizeof moduli, cudaMemcpyDeviceToHost), cudaSuccess);
    same_factors(got, chips, uses[task.use], kFirst, kRead);
    for (size_t i = 0; i < sizeof moduli / sizeof(float); i++) {
      const float2 field = ((float2 *)got)[i];
      if (i % kStride >= kRead) continue; /* not read */
      assert_true(((float *)moduli)[i] == sqrtf(field.x * field.x + field.y * field.y));
    }
  }
  cuda_memory_free(&memory);
}

/* Fields, all 1, as they are read from the first example on. */
static void read_ones(readings got, cuda_memory *memory, const chip_reader *readers, reading_use use) {
  const network_batch batch = {.number = kStep};
  readings ones;
  for (size_t i = 0; i < sizeof ones / sizeof(float2); i++) ((float2 *)ones)[i] = (float2){1, 0};
  const reading_task task = {.fields = on_device(memory, ones, sizeof ones),
                             .readers = on_device(memory, readers, kChips * sizeof *readers),
                             .use = use,
                             .batch = on_device(memory, &batch, sizeof batch),
                             .n_models = kChips,
                             .n_modes = kModes,
                             .first_layer = 1,
                             .n_layers = 2,
                             .n_examples = kReadings,
                             .n_read = kRead,
                             .stride = kStride};
  assert_int_equal(launch_read(&task, NULL), cudaSuccess);
  assert_int_equal(cudaMemcpy(got, task.fields, sizeof(readings), cudaMemcpyDeviceToHost), cudaSuccess);
}

/* Factors that are kept are those that are drawn, to the last bit; afterwards they do not depend on the seed. */
static void test_read__keeps_frozen_factors(void **unused) {
  (void)unused;
  enum { kAll = 3 * kModes * kModes };
  chip_reader readers[kChips];
  cuonn_chip_options chips[kChips];
  readings drawn, kept;
  readers_of(readers, chips);
  for (int use = 0; use < READ_USES; use++) {
    cuda_memory memory = {0};
    chip_reader frozen[kChips];
    memcpy(frozen, readers, sizeof frozen);
    for (size_t m = 0; m < kChips; m++) {
      if (!frozen[m].has_steps) frozen[m].frozen[use] = on_device(&memory, NULL, kAll * sizeof(double2));
    }
    const chip_reader *const device = on_device(&memory, frozen, sizeof frozen);
    assert_int_equal(launch_freeze(device, kModes, 3, kChips, NULL), cudaSuccess);
    for (size_t m = 0; m < kChips; m++) frozen[m].seed += !frozen[m].has_steps;
    read_ones(drawn, &memory, readers, (reading_use)use);
    read_ones(kept, &memory, frozen, (reading_use)use);
    assert_memory_equal(kept, drawn, sizeof drawn);
    cuda_memory_free(&memory);
  }
}

/* Of the fields that will return, drawn beside the scales; the digital scheme reads none. */
static void test_scales__same_factors(void **unused) {
  (void)unused;
  cuda_memory memory = {0};
  chip_reader readers[kChips];
  cuonn_chip_options chips[kChips];
  readings got, fields;
  double2 scales[kChips][2];
  const network_batch batch = {.number = kStep};
  readers_of(readers, chips);
  readers[kChips - 1].digital = true;
  for (size_t i = 0; i < sizeof fields / sizeof(float2); i++)
    ((float2 *)fields)[i] = (float2){0, (float)(i / (2 * kReadings * kStride) + 1)};
  const measure_task task = {.layout = mesh_layout_of(kModes),
                             .readers = on_device(&memory, readers, sizeof readers),
                             .batch = on_device(&memory, &batch, sizeof batch),
                             .n_models = kChips,
                             .n_layers = 4,
                             .first_layer = 1,
                             .n_here = 2,
                             .n_examples = kReadings,
                             .c = on_device(&memory, fields, sizeof fields),
                             .factors = on_device(&memory, fields, sizeof fields),
                             .scales = on_device(&memory, NULL, sizeof scales)};
  assert_int_equal(launch_scales(&task, NULL), cudaSuccess);
  assert_int_equal(cudaMemcpy(got, task.factors, sizeof got, cudaMemcpyDeviceToHost), cudaSuccess);
  assert_int_equal(cudaMemcpy(scales, task.scales, sizeof scales, cudaMemcpyDeviceToHost), cudaSuccess);
  assert_memory_equal(got[kChips - 1], fields[kChips - 1], sizeof got[0]);
  for (size_t l = 0; l < 2; l++) {
    for (size_t e = 0; e < kReadings; e++) {
      for (size_t w = 0; w < kModes; w++) {
        const chip_reading reading = {&chips[kChips - 1], CHIP_MEASUREMENT, (uint32_t)(1 + l), kStep, 0};
        double factor[2];
        chip_read_factor(factor, &reading, e, w, kModes);
        got[kChips - 1][l][e][w] = (float2){(float)factor[0], (float)factor[1]};
      }
    }
  }
  same_factors(got, chips, CHIP_MEASUREMENT, 0, kModes);
  for (size_t m = 0; m < kChips; m++) { /* all waveguides of all readings are equally bright */
    const double most = sqrt(readers[m].by_example ? kModes : kReadings) * (double)(m + 1);
    for (size_t l = 0; l < 2; l++) {
      assert_true(scales[m][l].x == 1);
      CLOSE(&scales[m][l].y, &most, 1, .rel = 1e-15);
    }
  }
  cuda_memory_free(&memory);
}

/* --- One mesh against golden values, by the kernels alone --- */

/* [place] of a mesh, with nodes' values in pairs. */
static double2 *by_place(const cuonn_mesh *mesh, mesh_layout layout) {
  double2 *const out = calloc(mesh_places(layout), sizeof *out);
  assert_non_null(out);
  for (size_t c = 0, k = 0; c < mesh->n_modes; c++) {
    for (size_t top = c % 2; top + 1 < mesh->n_modes; top += 2, k++)
      out[mesh_place(layout, (int)c, (int)top)] = (double2){mesh->theta[k], mesh->phi[k]};
  }
  return out;
}

static node_constants *constants_of(const cuonn_mesh *mesh, mesh_layout layout) {
  node_constants *const out = calloc(mesh_places(layout), sizeof *out);
  assert_non_null(out);
  for (size_t c = 0, k = 0; c < mesh->n_modes; c++) {
    for (size_t top = c % 2; top + 1 < mesh->n_modes; top += 2, k++) {
      const double left = M_PI / 4 + mesh->coupler_error[2 * k], right = M_PI / 4 + mesh->coupler_error[2 * k + 1];
      out[mesh_place(layout, (int)c, (int)top)] = (node_constants){{cos(left), sin(left)},
                                                                   {cos(right), sin(right)},
                                                                   pow(10, -mesh->loss_db[2 * k] / 20),
                                                                   pow(10, -mesh->loss_db[2 * k + 1] / 20)};
    }
  }
  return out;
}

/* [example][stride] floats, of n_modes complex numbers each; conjugate: of them. */
static float2 *as_floats(const double *from, size_t n_examples, size_t n_modes, size_t stride, bool conjugate) {
  float2 *const out = calloc(n_examples * stride, sizeof *out);
  assert_non_null(out);
  for (size_t e = 0; e < n_examples; e++) {
    for (size_t w = 0; w < n_modes; w++) {
      const double *const at = from + 2 * (e * n_modes + w);
      out[e * stride + w] = (float2){(float)at[0], (float)(conjugate ? -at[1] : at[1])};
    }
  }
  return out;
}

enum { kExamples = 5 };

/* Derivatives of theta, phi and gamma of one mesh, all inputs and cotangents sent through it. */
static void measure_mesh(double *const got[3], const cuonn_mesh *mesh, const double *input, const double *cotangent,
                         const chip_reader *reader) {
  const size_t n = mesh->n_modes;
  const mesh_layout layout = mesh_layout_of((int)n);
  const size_t places = mesh_places(layout), stride = (size_t)mesh_stride(layout);
  const bool bottom = mesh->style == CUONN_STYLE_BOTTOM;
  const style_arms arms = bottom ? (style_arms){{0, 1}, {0, 1}} : (style_arms){{1, 0}, {1, 0}};
  const network_batch batch = {.share = .5, .n_chunks = 2};
  const double losses[2] = {1, 2};
  double loss;
  cuda_memory memory = {0};
  int limit;
  double2 *const phases = by_place(mesh, layout);
  node_constants *const constants = constants_of(mesh, layout);
  float2 *const x = as_floats(input, kExamples, n, stride, false);
  float2 *const c = as_floats(cotangent, kExamples, n, stride, true);
  float4 *const taps = on_device(&memory, NULL, 2 * places * sizeof *taps);
  float2 *const gammas = on_device(&memory, NULL, n * sizeof *gammas);
  float2 *const pairs = calloc(places, sizeof *pairs);
  assert_non_null(pairs);
  float2 *const gradient = on_device(&memory, pairs, places * sizeof *pairs); /* of places without a node: 0 */
  float *const d_gamma = on_device(&memory, NULL, n * sizeof *d_gamma);
  assert_int_equal(cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0), cudaSuccess);
  const measure_task task = {.layout = layout,
                             .n_nodes = (unsigned)mesh->n_nodes,
                             .bottom = bottom,
                             .nodes = taps,
                             .gammas = gammas,
                             .readers = on_device(&memory, reader, sizeof *reader),
                             .batch = on_device(&memory, &batch, sizeof batch),
                             .n_models = 1,
                             .n_layers = 1,
                             .n_here = 1,
                             .n_examples = kExamples,
                             .x = on_device(&memory, x, kExamples * stride * sizeof *x),
                             .c = on_device(&memory, c, kExamples * stride * sizeof *c),
                             .scales = on_device(&memory, NULL, sizeof(double2)),
                             .n_chunks = kExamples > network_block_examples(layout) ? 2 : 1,
                             .sums = on_device(&memory, NULL, 2 * places * sizeof(float4)),
                             .outputs = on_device(&memory, NULL, 2 * n * sizeof(float2)),
                             .shared_limit = (size_t)limit};
  const finish_task finish = {.loss = on_device(&memory, NULL, sizeof loss),
                              .losses = {on_device(&memory, losses, sizeof losses), 2, task.batch},
                              .gradient = gradient,
                              .d_gamma = d_gamma};
  assert_int_equal(
      launch_general_nodes(
          &(node_tables){.taps = taps, .gammas = gammas}, on_device(&memory, phases, places * sizeof *phases),
          on_device(&memory, mesh->gamma, n * sizeof(double)),
          &(node_parts){.constants = on_device(&memory, constants, places * sizeof *constants)}, layout, arms, 1, NULL),
      cudaSuccess);
  assert_int_equal(launch_scales(&task, NULL), cudaSuccess);
  assert_int_equal(launch_measure(&task, NULL), cudaSuccess);
  assert_int_equal(launch_finish(&finish, &task, NULL), cudaSuccess);

  float *const gammas_got = calloc(n, sizeof *gammas_got);
  assert_non_null(gammas_got);
  assert_int_equal(cudaMemcpy(pairs, gradient, places * sizeof *pairs, cudaMemcpyDeviceToHost), cudaSuccess);
  assert_int_equal(cudaMemcpy(gammas_got, d_gamma, n * sizeof *gammas_got, cudaMemcpyDeviceToHost), cudaSuccess);
  assert_int_equal(cudaMemcpy(&loss, finish.loss, sizeof loss, cudaMemcpyDeviceToHost), cudaSuccess);
  assert_true(loss == 1.5);
  for (size_t column = 0, k = 0; column < n; column++) {
    for (size_t top = column % 2; top + 1 < n; top += 2, k++) {
      const float2 at = pairs[mesh_place(layout, (int)column, (int)top)];
      got[0][k] = (double)at.x;
      got[1][k] = (double)at.y;
    }
  }
  for (size_t w = 0; w < n; w++) got[2][w] = (double)gammas_got[w];
  cuda_memory_free(&memory);
  free(gammas_got);
  free(pairs);
  free(c);
  free(x);
  free(constants);
  free(phases);
}

static void golden_mesh(size_t n, const char *name, bool digital) {
  enum { kMost = 28 };
  const size_t nodes = cuonn_mesh_nodes(n);
  char group[64];
  snprintf(group, sizeof group, "in_situ/%zu", n);
  cuonn_mesh mesh;
  golden_read_mesh(&mesh, group, n);
  double *const input = golden_read_n("golden.nc", group, "input", 2 * kExamples * n);
  double *const cotangent = golden_read_n("golden.nc", group, "cotangent", 2 * kExamples * n);
  const char *const names[3] = {"d_theta", "d_phi", "d_gamma"};
  double got[3][kMost];
  measure_mesh((double *const[]){got[0], got[1], got[2]}, &mesh, input, cotangent,
               &(chip_reader){.digital = digital, .by_example = true});
  snprintf(group, sizeof group, "in_situ/%zu/%s", n, name);
  for (size_t i = 0; i < 3; i++) {
    const size_t count = i < 2 ? nodes : n;
    double *const want = golden_read_n("golden.nc", group, names[i], count);
    CLOSE(got[i], want, count, .rel = 1e-5); /* some 10 roundings of 6e-8 */
    free(want);
  }
  free(cotangent);
  free(input);
  cuonn_mesh_free(&mesh);
}

static void test_measure__golden(void **unused) {
  (void)unused;
  for (size_t n = 6; n <= 8; n += 2) {
    golden_mesh(n, "analog", false);
    golden_mesh(n, "digital", true);
  }
}

/* One size for every number of waveguides that a lane may hold; shot noise, too. */
static void like_reference_mesh(size_t n, cuonn_gradient_method method) {
  const size_t nodes = cuonn_mesh_nodes(n), size = 2 * nodes + n;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.seed = n;
  chip.scale = CUONN_SCALE_STUDY;
  chip.tap_shot = .02;
  const chip_reader reader = {.seed = n,
                              .tap_shot = .02,
                              .tap_purpose = 10,
                              .has_steps = true,
                              .has_layers = true,
                              .digital = method == CUONN_GRADIENT_DIGITAL};
  chance c = {n};
  cuonn_mesh mesh;
  OK(cuonn_mesh_create(&mesh, n, n % 4 ? CUONN_STYLE_BOTTOM : CUONN_STYLE_TOP));
  dense_random(&mesh, &c, .1, .01);
  double *const fields = malloc(4 * kExamples * n * sizeof *fields), *const both = malloc(2 * size * sizeof *both);
  assert_true(fields && both);
  double *const input = fields, *const cotangent = fields + 2 * kExamples * n;
  chance_normals(fields, 4 * kExamples * n, &c);
  double *const got[3] = {both, both + nodes, both + 2 * nodes};
  cuonn_mesh_gradient want = {both + size, both + size + nodes, both + size + 2 * nodes, NULL};
  measure_mesh(got, &mesh, input, cotangent, &reader);
  reference_mesh exact;
  OK(reference_mesh_create(&exact, mesh.shape));
  reference_mesh_set(&exact, &mesh);
  const chip_reading reading = {&chip, CHIP_MEASUREMENT, 0, 0, 0};
  OK(reference_measure(&want, NULL, &exact, (const complex_t *)input, (const complex_t *)cotangent, kExamples, method,
                       &reading));
  const double rel = (method == CUONN_GRADIENT_DIGITAL ? 128 : 32) * FLT_EPSILON / 2 * sqrt((double)(3 * n));
  CLOSE(both, both + size, size, .rel = rel);
  reference_mesh_free(&exact);
  free(both);
  free(fields);
  cuonn_mesh_free(&mesh);
}

static void test_measure__every_layout(void **unused) {
  (void)unused;
  const size_t sizes[] = {7, 16, 31, 66, 131, 258, 514};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    like_reference_mesh(sizes[i], i % 2 ? CUONN_GRADIENT_DIGITAL : CUONN_GRADIENT_ANALOG);
    if (sizes[i] < 100) like_reference_mesh(sizes[i], i % 2 ? CUONN_GRADIENT_ANALOG : CUONN_GRADIENT_DIGITAL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_chip__same_noise_as_reference),
      cmocka_unit_test(test_chip__computed_gradients_of_programmed_phases),
      cmocka_unit_test(test_chip__measured_gradient_of_programmed_phases),
      cmocka_unit_test(test_chip__far_pairs),
      cmocka_unit_test(test_chip__public_functions),
      cmocka_unit_test(test_models__do_not_meet),
      cmocka_unit_test(test_read__keeps_frozen_factors),
      cmocka_unit_test(test_step__kernels),
      cmocka_unit_test(test_read__same_factors),
      cmocka_unit_test(test_scales__same_factors),
      cmocka_unit_test(test_measure__golden),
      cmocka_unit_test(test_measure__every_layout),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  cuda_release();
  return failed;
}
