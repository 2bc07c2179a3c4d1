/* What goes wrong with a GPU, and what the cuda backend says of it. */
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "cuda/device.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/far_chip.h"

#include <simt.h>

enum { kModes = 10, kExamples = 20, kSteps = 3 };

/* A context of "cuda" is refused, and "auto" takes the cpu backend and gives the same reason. */
static void without(simt_kind kind, const char *reason) {
  cuonn_context *context;
  simt_no_device(kind);
  REFUSED(cuonn_context_create(&context, "cuda", 0), CUONN_E_DEVICE, reason);
  assert_null(context);
  OK(cuonn_context_create(&context, "auto", 0));
  assert_string_equal(cuonn_context_backend(context), "cpu");
  assert_non_null(strstr(cuonn_context_note(context), reason));
  cuonn_context_free(context);
  simt_reset();
}

static void test_no_driver(void **unused) { (void)unused, without(SIMT_NO_DRIVER, "no driver is installed"); }
static void test_no_gpu(void **unused) { (void)unused, without(SIMT_NO_GPU, "no NVIDIA GPU can be used"); }
static void test_old_driver(void **unused) {
  (void)unused, without(SIMT_OLD_DRIVER, "knows CUDA 12.2, this build needs 13.0");
}
static void test_old_gpu(void **unused) { (void)unused, without(SIMT_OLD_GPU, "has compute capability 7."); }

/* Whatever a driver says where a build has neither machine code nor PTX that it could compile. */
static void test_no_code_for_the_gpu(void **unused) {
  (void)unused;
  const cudaError_t errors[] = {cudaErrorInvalidDeviceFunction,  cudaErrorInvalidKernelImage,
                                cudaErrorNoKernelImageForDevice, cudaErrorInvalidPtx,
                                cudaErrorJitCompilerNotFound,    cudaErrorUnsupportedPtxVersion,
                                cudaErrorJitCompilationDisabled};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    cuonn_context *context;
    simt_no_code((int)errors[i]);
    REFUSED(cuonn_context_create(&context, "cuda", 0), CUONN_E_DEVICE, "compute capability 7.");
    assert_non_null(strstr(cuonn_last_error(), "this build holds " CUONN_CUDA_ARCHITECTURES ","));
    assert_non_null(strstr(cuonn_last_error(), cudaGetErrorName(errors[i])));
    assert_non_null(strstr(cuonn_last_error(), "build cuonn with CMAKE_CUDA_ARCHITECTURES=7"));
    simt_reset();
  }
}

static void test_a_gpu_is_described(void **unused) {
  (void)unused;
  char text[256];
  cuonn_context *context;
  OK(cuonn_backend_device(text, sizeof text, "cuda", 0));
  assert_non_null(strstr(text, "compute capability 9.0, 2 multiprocessors"));
  OK(cuonn_backend_device(text, sizeof text, "cpu", 0));
  assert_string_equal(text, "");
  OK(cuonn_context_create(&context, "auto", 0));
  assert_string_equal(cuonn_context_backend(context), "cuda");
  assert_string_equal(cuonn_context_note(context), "");
  cuonn_context_free(context);
}

/* "auto" gives way to cpu where cuda does not compute such meshes, and says so; a backend by its name stays. */
static void fits(const char *backend, size_t n_modes, const cuonn_mesh_shape *shape, const char *taken) {
  cuonn_context *context;
  OK(cuonn_context_create(&context, backend, 0));
  const cuonn_network_shape network = {.n_modes = n_modes, .n_layers = 1, .mesh = shape};
  cuonn_context_fit(context, &network);
  assert_string_equal(cuonn_context_backend(context), taken);
  const char *const note = cuonn_context_note(context);
  if (strcmp(taken, "cpu") == 0)
    assert_string_equal(note, "backend cuda does not compute meshes of this size and shape");
  else
    assert_string_equal(note, "");
  cuonn_context_free(context);
}

static void test_auto_fits_meshes(void **unused) {
  (void)unused;
  cuonn_mesh_shape *near, *far;
  OK(cuonn_mesh_shape_make(&near, CUONN_ARCHITECTURE_TRIANGULAR, 8, 0));
  OK(cuonn_mesh_shape_make(&far, CUONN_ARCHITECTURE_BUTTERFLY, 8, 0));
  fits("auto", 8, NULL, "cuda");
  fits("auto", 8, near, "cuda");
  fits("auto", 8, far, "cuda");
  fits("auto", cuonn_backend_cuda.modes_max, NULL, "cuda");
  fits("auto", cuonn_backend_cuda.modes_max + 1, NULL, "cpu");
  fits("cuda", cuonn_backend_cuda.modes_max + 1, NULL, "cuda");
  cuonn_mesh_shape_free(far);
  cuonn_mesh_shape_free(near);
}

/* Losses of moved phases are cpu's: "auto" gives way, and cuda by its name refuses. */
static void test_moved_phases_are_refused(void **unused) {
  static const cuonn_gradient_method methods[] = {CUONN_GRADIENT_SPSA, CUONN_GRADIENT_FINITE_DIFFERENCE};
  (void)unused;
  for (size_t i = 0; i < 2; i++) {
    const cuonn_model_options options = {.n_models = 1, .shape = CUONN_NETWORK_SHAPE_INIT, .gradient = methods[i]};
    cuonn_context *context;
    OK(cuonn_context_create(&context, "cuda", 0));
    cuonn_context_fit_gradient(context, methods[i]);
    REFUSED(cuonn_model_check_options(context, &options), CUONN_E_ARGUMENT,
            "backend cuda has no gradients from the losses of moved phases (spsa, finite-difference); use backend cpu");
    cuonn_context_free(context);
    OK(cuonn_context_create(&context, "auto", 0));
    cuonn_context_fit_gradient(context, CUONN_GRADIENT_DIGITAL);
    assert_string_equal(cuonn_context_backend(context), "cuda");
    cuonn_context_fit_gradient(context, methods[i]);
    assert_string_equal(cuonn_context_backend(context), "cpu");
    assert_string_equal(cuonn_context_note(context), "backend cuda has no gradients from the losses of moved phases");
    OK(cuonn_model_check_options(context, &options));
    cuonn_context_free(context);
  }
}

/* A state with a set and a model, and steps to take. */
typedef struct {
  cuonn_network network;
  cuonn_fields fields;
  uint8_t labels[kExamples];
  void *state;
  cuonn_step steps[kSteps];
  double losses[kSteps];
  cuonn_fabricated made;
} job;

static const cuonn_optimizer_options sgd = {.kind = CUONN_OPTIMIZER_SGD, .learning_rate = 0.1};

/* By matrices with all that a network can have of its own there. */
static void prepare(job *j, cuonn_method method) {
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, 2, 3, CUONN_STYLE_TOP, false, NULL);
  if (method == CUONN_METHOD_DENSE) {
    shape.layer = CUONN_LAYER_SVD;
    shape.nonlinearity.kind = CUONN_NONLINEARITY_SATURABLE;
  }
  chance c = {1};
  memset(j, 0, sizeof *j);
  OK(cuonn_network_create(&j->network, &shape));
  OK(cuonn_network_initialize(&j->network, CUONN_START_HAAR_PHASES, 1));
  for (size_t l = 0; l < 2; l++) j->network.layers[l].loss_db[0] = 8; /* so that fields are kept, too */
  OK(cuonn_fields_create(&j->fields, kExamples, kModes));
  chance_normals(j->fields.values, 2 * kExamples * kModes, &c);
  for (size_t e = 0; e < kExamples; e++) j->labels[e] = (uint8_t)chance_index(&c, 3);
  far_chip(&j->made, j->network.shape.mesh, CUONN_STYLE_TOP, 2, &(cuonn_driver){0, 6, 0}, true, 1);
  for (size_t i = 0; i < kSteps; i++) j->steps[i] = (cuonn_step){.count = kExamples, .rate_factor = 1};
}

/* Everything that a training does with a device, in order, until something fails; with exact gradients, by columns on a
 * fabricated chip, or with those that a noisy chip measures. */
static cuonn_status run(job *j, cuonn_gradient_method gradient, cuonn_method method) {
  const cuonn_backend *const cuda = &cuonn_backend_cuda;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.io_phase = chip.crosstalk = gradient == CUONN_GRADIENT_EXACT ? 0 : .01;
  if (gradient == CUONN_GRADIENT_EXACT && method != CUONN_METHOD_DENSE) chip.fabricated = &j->made;
  const backend_model model = {.network = &j->network, .optimizer = &sgd, .gradient = gradient, .chip = &chip};
  cuonn_evaluation evaluation = {0};
  cuonn_status status = cuda->create(&j->state, &(backend_problem){.n_models = 1,
                                                                   .shape = j->network.shape,
                                                                   .batch_size = kExamples,
                                                                   .order = CUONN_ORDER_SHUFFLED,
                                                                   .method = method,
                                                                   .gradient = gradient});
  if (status == CUONN_OK) status = cuda->set_fields(j->state, CUONN_SPLIT_TRAIN, &j->fields, j->labels);
  if (status == CUONN_OK) status = cuda->set_model(j->state, 0, &model);
  if (status == CUONN_OK) status = cuda->train_steps(j->losses, j->state, j->steps, kSteps);
  if (status == CUONN_OK) status = cuda->evaluate(&evaluation, j->state, 0, 1, CUONN_SPLIT_TRAIN);
  if (status == CUONN_OK) status = cuda->get_model(&(backend_model){.network = &j->network}, j->state, 0);
  return status;
}

static void finish(job *j) {
  cuonn_backend_cuda.destroy(j->state);
  cuonn_fields_free(&j->fields);
  cuonn_network_free(&j->network);
  cuonn_fabricated_free(&j->made);
}

/* Whichever allocation fails: a status with the reason, and nothing is left behind. */
static void every_allocation_fails(cuonn_gradient_method gradient, cuonn_method method) {
  cuda_release();
  for (long n = 0;; n++) {
    job j;
    prepare(&j, method);
    simt_fail_malloc_after(n);
    const cuonn_status status = run(&j, gradient, method);
    simt_fail_malloc_after(-1);
    if (status != CUONN_OK) {
      assert_int_equal(status, CUONN_E_MEMORY);
      assert_non_null(strstr(cuonn_last_error(), "not enough device memory"));
    }
    finish(&j);
    cuda_release();
    assert_int_equal(simt_alive(), 0);
    if (status == CUONN_OK) {
      assert_true(n > 20);
      break;
    }
  }
}

static void test_memory__every_allocation_may_fail(void **unused) {
  (void)unused;
  every_allocation_fails(CUONN_GRADIENT_EXACT, CUONN_METHOD_COLUMNS);
  every_allocation_fails(CUONN_GRADIENT_EXACT, CUONN_METHOD_DENSE);
  every_allocation_fails(CUONN_GRADIENT_ANALOG, CUONN_METHOD_COLUMNS);
}

static void test_memory__says_how_much_and_what_to_lower(void **unused) {
  (void)unused;
  void *state;
  const backend_problem problem = {
      .n_models = 1, .shape = {64, 3, 10, CUONN_STYLE_TOP, true}, .batch_size = 4096, .order = CUONN_ORDER_FIXED};
  simt_memory(1 << 20);
  REFUSED(cuonn_backend_cuda.create(&state, &problem), CUONN_E_MEMORY, "the gradients of a batch takes 24.0 MiB");
  assert_non_null(strstr(cuonn_last_error(), "lower the batch size"));
  assert_null(state);
  simt_reset();
  simt_memory((size_t)1 << 30);
}

/* The device is lost at any kernel: a status with the reason, and the state can still be released. */
static void lost_at_every_kernel(cuonn_gradient_method gradient, cuonn_method method) {
  for (long n = 0;; n++) {
    job j;
    prepare(&j, method);
    simt_fail_launch_after(n);
    const cuonn_status status = run(&j, gradient, method);
    if (status != CUONN_OK) {
      assert_int_equal(status, CUONN_E_DEVICE);
      const char *const text = cuonn_last_error();
      assert_true(strstr(text, "the GPU failed: ") || strstr(text, "cuBLAS failed: "));
    }
    finish(&j);
    cuda_release();
    simt_reset();
    if (status == CUONN_OK) {
      assert_true(n > 3 * kSteps);
      break;
    }
  }
  job j; /* and the next one works again */
  prepare(&j, method);
  OK(run(&j, gradient, method));
  finish(&j);
}

static void test_lost__at_every_kernel(void **unused) {
  (void)unused;
  lost_at_every_kernel(CUONN_GRADIENT_EXACT, CUONN_METHOD_COLUMNS);
  lost_at_every_kernel(CUONN_GRADIENT_EXACT, CUONN_METHOD_DENSE);
  lost_at_every_kernel(CUONN_GRADIENT_DIGITAL, CUONN_METHOD_COLUMNS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_driver),
      cmocka_unit_test(test_no_gpu),
      cmocka_unit_test(test_old_driver),
      cmocka_unit_test(test_old_gpu),
      cmocka_unit_test(test_no_code_for_the_gpu),
      cmocka_unit_test(test_a_gpu_is_described),
      cmocka_unit_test(test_auto_fits_meshes),
      cmocka_unit_test(test_moved_phases_are_refused),
      cmocka_unit_test(test_memory__every_allocation_may_fail),
      cmocka_unit_test(test_memory__says_how_much_and_what_to_lower),
      cmocka_unit_test(test_lost__at_every_kernel),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  cuda_release();
  return failed;
}
