/* Several devices: what belongs to one is of no use on another, and handles compute on the one that they were made for,
 * from any thread, whose own device stays. */
#define HANDLE_MODES 6
#include <pthread.h>

#include "cuda/device.h"
#include "kernels/machine.h"
#include "support/handle.h"

#include <simt.h>

enum { kDevices = 4, kCount = kExamples * kModes };

/* --- The emulated runtime --- */

/* What was made while device 0 was the current one. */
typedef struct {
  cudaStream_t stream;
  cudaEvent_t event;
  cublasHandle_t blas;
  cufftHandle plan;
  cudaGraphExec_t graph;
  float4 *memory;
} belongings;

static cuonn_status set_memory(const void *with) {
  const belongings *const of = with;
  CUONN_CUDA(cudaMemsetAsync(of->memory, 0, sizeof *of->memory, of->stream));
  return CUONN_OK;
}

static belongings make_belongings(void) {
  belongings b = {0};
  int sides[2] = {2, 2};
  assert_int_equal(cudaStreamCreateWithFlags(&b.stream, cudaStreamNonBlocking), cudaSuccess);
  assert_int_equal(cudaEventCreate(&b.event), cudaSuccess);
  assert_int_equal(cudaMalloc((void **)&b.memory, 4 * sizeof *b.memory), cudaSuccess);
  assert_int_equal(cudaMemset(b.memory, 0, 4 * sizeof *b.memory), cudaSuccess);
  assert_int_equal(cublasCreate(&b.blas), CUBLAS_STATUS_SUCCESS);
  assert_int_equal(cufftPlanMany(&b.plan, 2, sides, NULL, 1, 0, NULL, 1, 0, CUFFT_C2C, 1), CUFFT_SUCCESS);
  OK(cuda_record(&b.graph, b.stream, set_memory, &b));
  return b;
}

static void free_belongings(belongings *b) {
  assert_int_equal(cudaGraphExecDestroy(b->graph), cudaSuccess);
  assert_int_equal(cufftDestroy(b->plan), CUFFT_SUCCESS);
  assert_int_equal(cublasDestroy(b->blas), CUBLAS_STATUS_SUCCESS);
  assert_int_equal(cudaFree(b->memory), cudaSuccess);
  assert_int_equal(cudaEventDestroy(b->event), cudaSuccess);
  assert_int_equal(cudaStreamDestroy(b->stream), cudaSuccess);
}

/* How many of these calls succeed, of which each uses one thing that is device 0's, and else what is the current's. */
static int count_uses(const belongings *zero, const belongings *own) {
  const float one = 1, zeros[4] = {0};
  float *const m = (float *)zero->memory, *const o = (float *)own->memory;
  int n = 0;
  n += cudaMemsetAsync(own->memory, 0, 4, zero->stream) == cudaSuccess;
  n += cudaMemsetAsync(zero->memory, 0, 4, own->stream) == cudaSuccess;
  n += cudaMemcpyAsync(o, zeros, 4, cudaMemcpyHostToDevice, zero->stream) == cudaSuccess;
  n += cudaMemcpyAsync(m, zeros, 4, cudaMemcpyHostToDevice, own->stream) == cudaSuccess;
  n += cudaMemcpyAsync(o, m, 4, cudaMemcpyDeviceToDevice, own->stream) == cudaSuccess;
  n += launch_copy(own->memory, own->memory + 1, 1, zero->stream) == cudaSuccess;
  n += cudaEventRecord(zero->event, own->stream) == cudaSuccess;
  n += cudaEventRecord(own->event, zero->stream) == cudaSuccess;
  n += cudaGraphLaunch(zero->graph, own->stream) == cudaSuccess;
  n += cudaGraphLaunch(own->graph, zero->stream) == cudaSuccess;
  n +=
      cublasSgemm(zero->blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, o, 1, o, 1, &one, o, 1) == CUBLAS_STATUS_SUCCESS;
  n += cublasSgemm(own->blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, m, 1, o, 1, &one, o, 1) == CUBLAS_STATUS_SUCCESS;
  n += cufftExecC2C(zero->plan, (cufftComplex *)o, (cufftComplex *)o, CUFFT_FORWARD) == CUFFT_SUCCESS;
  n += cufftExecC2C(own->plan, (cufftComplex *)m, (cufftComplex *)o, CUFFT_FORWARD) == CUFFT_SUCCESS;
  (void)cudaGetLastError();
  return n;
}

static void test_runtime__refuses_what_belongs_to_another_device(void **unused) {
  (void)unused;
  belongings b[2];
  for (int d = 0; d < 2; d++) {
    assert_int_equal(cudaSetDevice(d), cudaSuccess);
    b[d] = make_belongings();
  }
  assert_int_equal(count_uses(&b[0], &b[1]), 0);
  assert_int_equal(cudaSetDevice(0), cudaSuccess);
  assert_int_equal(count_uses(&b[0], &b[0]), 14);
  struct cudaPointerAttributes of;
  for (int d = 0; d < 2; d++) {
    assert_int_equal(cudaPointerGetAttributes(&of, b[d].memory), cudaSuccess);
    assert_true(of.type == cudaMemoryTypeDevice && of.device == d);
    free_belongings(&b[d]);
  }
}

static void test_runtime__devices_are_counted_and_seen(void **unused) {
  (void)unused;
  const char *const listed[] = {"2,0", "1", "", "3,9,1", "x"};
  const int want[] = {2, 1, 0, 1, 0};
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    setenv("CUDA_VISIBLE_DEVICES", listed[i], 1);
    setenv("CUONN_SIMT_NAMES", "ABCD", 1);
    simt_devices(kDevices);
    assert_int_equal(cuonn_backend_devices("cuda"), want[i]);
    if (i == 0) {
      char line[256];
      OK(cuonn_backend_device(line, sizeof line, "cuda", 0));
      assert_non_null(strstr(line, "device C"));
    }
  }
  REFUSED(cuonn_backend_device(NULL, 0, "cuda", 0), CUONN_E_DEVICE, "no NVIDIA GPU can be used");
  unsetenv("CUDA_VISIBLE_DEVICES");
  unsetenv("CUONN_SIMT_NAMES");
  simt_devices(kDevices);
  assert_int_equal(cuonn_backend_devices("cuda"), kDevices);
  assert_int_equal(cuonn_backend_devices("cpu"), 1);
  assert_int_equal(cuonn_backend_devices("gpu"), 0);
}

/* --- Contexts and handles --- */

static void test_context__refuses_a_device_that_is_not_there(void **unused) {
  (void)unused;
  cuonn_context *context;
  OK(cuonn_context_create(&context, "cuda", 0));
  assert_int_equal(cuonn_context_device(context), 0);
  REFUSED(cuonn_context_set_device(context, kDevices), CUONN_E_ARGUMENT,
          "there is no device 4: backend cuda has 4, numbered from 0");
  REFUSED(cuonn_context_set_device(context, -1), CUONN_E_ARGUMENT, "there is no device -1");
  OK(cuonn_context_set_device(context, kDevices - 1));
  assert_int_equal(cuonn_context_device(context), kDevices - 1);
  cuonn_context_free(context);
  OK(cuonn_context_create(&context, "cuda:2", 0));
  assert_int_equal(cuonn_context_device(context), 2);
  cuonn_context_free(context);
  const char *const wrong[] = {"cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda:9999999", ":1", "longname:1"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    REFUSED(cuonn_context_create(&context, wrong[i], 0), CUONN_E_ARGUMENT, "is unknown");
    assert_null(context);
  }
  REFUSED(cuonn_context_create(&context, "cuda:4", 0), CUONN_E_ARGUMENT, "there is no device 4");
  assert_null(context);
  OK(cuonn_context_create(&context, "cpu", 0));
  REFUSED(cuonn_context_set_device(context, 1), CUONN_E_ARGUMENT, "backend cpu has 1");
  OK(cuonn_context_set_device(context, 0));
  cuonn_context_free(context);
}

/* As where device 0 is another's, or an old one. */
static void test_context__of_one_device_asks_no_other(void **unused) {
  (void)unused;
  cuonn_context *context;
  float4 *memory;
  assert_int_equal(cudaSetDevice(0), cudaSuccess);
  assert_int_equal(cudaMalloc((void **)&memory, sizeof *memory), cudaSuccess);
  simt_fail_launch_after(0);
  assert_int_not_equal(launch_copy(memory, memory, 1, 0), cudaSuccess);
  assert_int_equal(cudaSetDevice(1), cudaSuccess);
  REFUSED(cuonn_context_create(&context, "cuda:0", 0), CUONN_E_DEVICE, "the GPU failed");
  const char *const usable[] = {"cuda:2", "auto:2"};
  for (size_t i = 0; i < sizeof usable / sizeof *usable; i++) {
    OK(cuonn_context_create(&context, usable[i], 0));
    assert_string_equal(cuonn_context_backend(context), "cuda");
    assert_int_equal(cuonn_context_device(context), 2);
    cuonn_context_free(context);
  }
  simt_reset();
  simt_devices(kDevices);
  assert_int_equal(cudaSetDevice(0), cudaSuccess);
  assert_int_equal(cudaFree(memory), cudaSuccess);
}

static void test_context__auto_passes_over_a_device_that_is_not_there(void **unused) {
  (void)unused;
  cuonn_context *context;
  OK(cuonn_context_create(&context, "auto:4", 0));
  assert_string_equal(cuonn_context_backend(context), "cpu");
  assert_int_equal(cuonn_context_device(context), 0);
  assert_non_null(strstr(cuonn_context_note(context), "there is no device 4: backend cuda has 4, numbered from 0"));
  cuonn_context_free(context);
}

/* What a device gives: a training, a mesh's fields, and images' features. */
typedef struct {
  cuonn_context *context;
  cuonn_status status;
  char why[256];
  double losses[kSteps], y[2 * kCount], loss;
} work;

static cuonn_status train(work *w, cuonn_context *context) {
  const cuonn_model_options wanted = options(1);
  const cuonn_model_settings settings = settings_of(0);
  cuonn_network network = network_of(0);
  cuonn_step steps[kSteps];
  cuonn_evaluation evaluation = {0};
  cuonn_model *model = NULL;
  cuonn_fields x = {kExamples, kModes, values}, y = {kExamples, kModes, w->y};
  cuonn_status status = CUONN_OK;
  plan(steps);
  CUONN_TRY_DONE(cuonn_model_create(&model, context, &wanted));
  CUONN_TRY_DONE(cuonn_model_set_examples(model, CUONN_SPLIT_TRAIN, &examples, NULL));
  CUONN_TRY_DONE(cuonn_model_set(model, 0, &network, NULL, &settings));
  CUONN_TRY_DONE(cuonn_model_step(w->losses, model, steps, kSteps));
  CUONN_TRY_DONE(cuonn_model_evaluate(&evaluation, model, 0, CUONN_SPLIT_TRAIN));
  CUONN_TRY_DONE(cuonn_propagate(&y, NULL, context, &network.layers[0], &x, false));
  w->loss = evaluation.loss;
done:
  cuonn_model_destroy(model);
  cuonn_network_free(&network);
  return status;
}

static work work_on(int device) {
  work w = {0};
  OK(cuonn_context_create(&w.context, "cuda", 1));
  OK(cuonn_context_set_device(w.context, device));
  return w;
}

static void *compute(void *with) {
  work *const w = with;
  w->status = train(w, w->context);
  if (w->status != CUONN_OK) snprintf(w->why, sizeof w->why, "%s", cuonn_last_error());
  cuonn_context_free(w->context);
  return NULL;
}

static void check_equal(const work *got, const work *want) {
  if (got->status != CUONN_OK) fail_msg("%s", got->why);
  assert_memory_equal(got->losses, want->losses, sizeof got->losses);
  assert_memory_equal(got->y, want->y, sizeof got->y);
  assert_memory_equal(&got->loss, &want->loss, sizeof got->loss);
}

static size_t free_bytes(int device) {
  size_t available, total;
  assert_int_equal(cudaSetDevice(device), cudaSuccess);
  assert_int_equal(cudaMemGetInfo(&available, &total), cudaSuccess);
  return available;
}

static void test_handle__computes_on_its_device(void **unused) {
  (void)unused;
  cuda_release();
  work first = work_on(0), other = work_on(2);
  compute(&first);
  const size_t before[2] = {free_bytes(0), free_bytes(2)};
  assert_int_equal(cudaSetDevice(1), cudaSuccess);
  compute(&other);
  check_equal(&other, &first);
  int now;
  assert_int_equal(cudaGetDevice(&now), cudaSuccess);
  assert_int_equal(now, 1);                /* the thread's own is as it was */
  assert_true(free_bytes(0) == before[0]); /* all memory came from device 2, whose cuBLAS keeps some */
  assert_true(free_bytes(2) < before[1]);
  assert_int_equal(cudaSetDevice(0), cudaSuccess);
}

static void test_threads__one_for_each_device(void **unused) {
  (void)unused;
  work alone = work_on(0), all[kDevices];
  pthread_t threads[kDevices];
  compute(&alone);
  for (int lost = -1; lost < 2; lost++) { /* of the devices; the others go on */
    for (int d = 0; d < kDevices; d++) all[d] = work_on(d);
    if (lost >= 0) {
      assert_int_equal(cudaSetDevice(lost), cudaSuccess);
      simt_fail_launch_after(5);
      assert_int_equal(cudaSetDevice(0), cudaSuccess);
    }
    for (int d = 0; d < kDevices; d++) assert_int_equal(pthread_create(&threads[d], NULL, compute, &all[d]), 0);
    for (int d = 0; d < kDevices; d++) assert_int_equal(pthread_join(threads[d], NULL), 0);
    for (int d = 0; d < kDevices; d++) {
      if (d != lost) check_equal(&all[d], &alone);
    }
    if (lost >= 0) {
      assert_int_equal(all[lost].status, CUONN_E_DEVICE);
      assert_non_null(strstr(all[lost].why, "the GPU failed"));
    }
    simt_reset();
  }
}

/* A handle of device 1, and buffers of device 0. */
static void test_buffers__of_another_device_are_refused(void **unused) {
  (void)unused;
  const cuonn_model_options wanted = options(1);
  const cuonn_model_settings settings = settings_of(0);
  cuonn_network network = network_of(0);
  cuonn_context *context;
  cuonn_model *model;
  OK(cuonn_context_create(&context, "cuda", 0));
  OK(cuonn_context_set_device(context, 1));
  OK(cuonn_model_create(&model, context, &wanted));
  OK(cuonn_model_set(model, 0, &network, NULL, &settings));
  for (int d = 0; d < 2; d++) {
    cuonn_buffer x = {NULL, CUONN_COMPLEX64, CUONN_DEVICE, kCount}, y = x;
    assert_int_equal(cudaSetDevice(d), cudaSuccess);
    assert_int_equal(cudaMalloc(&x.data, kCount * sizeof(float2)), cudaSuccess);
    assert_int_equal(cudaMalloc(&y.data, kCount * sizeof(float2)), cudaSuccess);
    assert_int_equal(cudaMemset(x.data, 0, kCount * sizeof(float2)), cudaSuccess);
    if (d == 0)
      REFUSED(cuonn_model_propagate(&y, model, 0, 0, &x, false, NULL), CUONN_E_ARGUMENT,
              "a buffer lies on device 0, and the handle computes on device 1");
    else
      OK(cuonn_model_propagate(&y, model, 0, 0, &x, false, NULL));
    assert_int_equal(cudaDeviceSynchronize(), cudaSuccess);
    assert_int_equal(cudaFree(y.data), cudaSuccess);
    assert_int_equal(cudaFree(x.data), cudaSuccess);
  }
  assert_int_equal(cudaSetDevice(0), cudaSuccess);
  cuonn_model_destroy(model);
  cuonn_context_free(context);
  cuonn_network_free(&network);
}

static void test_all__is_freed(void **unused) {
  (void)unused;
  cuda_release();
  assert_int_equal(simt_alive(), 0);
}

int main(void) {
  simt_devices(kDevices);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runtime__refuses_what_belongs_to_another_device),
      cmocka_unit_test(test_runtime__devices_are_counted_and_seen),
      cmocka_unit_test(test_context__refuses_a_device_that_is_not_there),
      cmocka_unit_test(test_context__of_one_device_asks_no_other),
      cmocka_unit_test(test_context__auto_passes_over_a_device_that_is_not_there),
      cmocka_unit_test(test_handle__computes_on_its_device),
      cmocka_unit_test(test_threads__one_for_each_device),
      cmocka_unit_test(test_buffers__of_another_device_are_refused),
      cmocka_unit_test(test_all__is_freed),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
