/* The public handle on the cuda backend: what it has to do on every backend, buffers in device memory on a caller's
 * stream, and what is refused there. */
#ifndef HANDLE_MODES
#define HANDLE_MODES 6 /* even: fields are used where they lie; model_odd.c: odd */
#endif
#include "support/handle.h"

#include <cuda_runtime.h>

#include "cuda/device.h"

#include <simt.h>

enum { kCount = kExamples * kModes };

static void test_models__as_on_every_backend(void **unused) {
  (void)unused;
  for (int schedule = 0; schedule < SIMT_SCHEDULES; schedule++) {
    simt_schedule(schedule);
    side_by_side("cuda");
    all_at_once("cuda");
    go_on("cuda");
    layer_is_mesh("cuda");
    single_precision("cuda");
    new_phases("cuda");
  }
  simt_schedule(0);
}

/* Float against the cpu backend's float: sums of 2 N columns' roundings and of the examples, each 6e-8, of numbers of
 * the order of 1 to 100. */
static void test_models__as_on_the_cpu(void **unused) {
  (void)unused;
  static results want, got;
  run(&want, "cpu", 1, 1);
  run(&got, "cuda", 1, 1);
  CLOSE(got.losses, want.losses, kSteps, .rel = 2e-5);
  CLOSE(got.out, want.out, 2 * kCount, .rel = 5e-6);
  CLOSE(got.back, want.back, 2 * kCount, .rel = 5e-6);
  CLOSE(got.d_phases, want.d_phases, 2 * kNodes + kModes, .rel = 2e-5);
}

/* ---- device memory ---- */

static void *device(const void *from, size_t bytes) {
  void *out = NULL;
  assert_int_equal(cudaMalloc(&out, bytes), cudaSuccess);
  if (from) assert_int_equal(cudaMemcpy(out, from, bytes, cudaMemcpyHostToDevice), cudaSuccess);
  return out;
}

static cuonn_buffer on_device(const void *from, cuonn_number type, size_t count) {
  static const size_t sizes[] = {
      [CUONN_FLOAT32] = 4, [CUONN_FLOAT64] = 8, [CUONN_COMPLEX64] = 8, [CUONN_COMPLEX128] = 16};
  return (cuonn_buffer){device(from, count * sizes[type]), type, CUONN_DEVICE, count};
}

static void fetch(void *to, const cuonn_buffer *from, size_t bytes, cudaStream_t stream) {
  assert_int_equal(cudaMemcpyAsync(to, from->data, bytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  assert_int_equal(cudaStreamSynchronize(stream), cudaSuccess);
}

/* Phases in, fields there and back, derivatives out: the numbers that buffers in host memory give. */
static void on_stream(cuonn_number fields, cuonn_number phases, cudaStream_t stream) {
  static float x32[2 * kCount], g32[2 * kCount], theta32[kNodes];
  static double x64[2 * kCount], g64[2 * kCount], theta64[kNodes];
  static unsigned char want[3][2 * kCount * 8], got[3][2 * kCount * 8], given[2][2 * kCount * 8];
  const bool wide = fields == CUONN_COMPLEX128, wide_phases = phases == CUONN_FLOAT64;
  const size_t bytes = 2 * kCount * (wide ? 8 : 4), d_bytes = (2 * kNodes + kModes) * (wide_phases ? 8 : 4);
  const size_t each = wide_phases ? 8 : 4;
  cuonn_model *const model = make("cuda", 2, 1);
  for (size_t i = 0; i < 2 * kCount; i++) {
    x64[i] = round(1024 * values[i]) / 1024;
    g64[i] = round(1024 * cotangents[i]) / 1024;
    x32[i] = (float)x64[i];
    g32[i] = (float)g64[i];
  }
  for (size_t k = 0; k < kNodes; k++) {
    theta64[k] = round(1024 * values[k]) / 1024;
    theta32[k] = (float)theta64[k];
  }
  void *const x_of = wide ? (void *)x64 : x32, *const g_of = wide ? (void *)g64 : g32;
  void *const theta_of = wide_phases ? (void *)theta64 : theta32;
  for (int there = 0; there < 2; there++) {
    unsigned char *const d = there ? device(NULL, d_bytes) : want[2];
    const cuonn_memory memory = there ? CUONN_DEVICE : CUONN_HOST;
    const cuonn_buffer x = there ? on_device(x_of, fields, kCount) : buffer(x_of, fields, kCount);
    const cuonn_buffer g = there ? on_device(g_of, fields, kCount) : buffer(g_of, fields, kCount);
    const cuonn_buffer y = there ? on_device(NULL, fields, kCount) : buffer(want[0], fields, kCount);
    const cuonn_buffer back = there ? on_device(NULL, fields, kCount) : buffer(want[1], fields, kCount);
    const cuonn_buffer theta = there ? on_device(theta_of, phases, kNodes) : buffer(theta_of, phases, kNodes);
    const cuonn_phase_buffers gradient = {{d, phases, memory, kNodes},
                                          {d + kNodes * each, phases, memory, kNodes},
                                          {d + 2 * kNodes * each, phases, memory, kModes}};
    OK(cuonn_model_set_phases(model, 0, 1, &(cuonn_phase_buffers){.theta = theta}, stream));
    OK(cuonn_model_propagate(&y, model, 0, 1, &x, false, stream));
    OK(cuonn_model_vjp(&gradient, &back, model, 0, 1, &x, &g, stream));
    if (!there) continue;
    fetch(got[0], &y, bytes, stream);
    fetch(got[1], &back, bytes, stream);
    fetch(got[2], &gradient.theta, d_bytes, stream);
    fetch(given[0], &x, bytes, stream);
    fetch(given[1], &g, bytes, stream);
    assert_memory_equal(given[0], x_of, bytes); /* what was given is as it was */
    assert_memory_equal(given[1], g_of, bytes);
    OK(cuonn_model_propagate(&back, model, 0, 1, &x, true, stream));
    fetch(got[1], &back, bytes, stream);
    const cuonn_buffer again = buffer(want[1], fields, kCount), host = buffer(x_of, fields, kCount);
    OK(cuonn_model_propagate(&again, model, 0, 1, &host, true, NULL));
    void *const all[] = {x.data, g.data, y.data, back.data, theta.data, d};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) assert_int_equal(cudaFree(all[i]), cudaSuccess);
  }
  assert_memory_equal(got[0], want[0], bytes);
  assert_memory_equal(got[1], want[1], bytes);
  assert_memory_equal(got[2], want[2], d_bytes);
  cuonn_model_destroy(model);
}

static void test_device__as_in_host_memory(void **unused) {
  (void)unused;
  cudaStream_t stream;
  assert_int_equal(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  on_stream(CUONN_COMPLEX64, CUONN_FLOAT32, stream);
  on_stream(CUONN_COMPLEX128, CUONN_FLOAT64, stream);
  on_stream(CUONN_COMPLEX64, CUONN_FLOAT64, NULL);
  assert_int_equal(cudaStreamDestroy(stream), cudaSuccess);
}

/* A call stands in its place of the stream: it reads what a copy before it brings, a copy behind it takes what it
 * wrote; and it does not wait: a copy to pinned memory that is under way on the stream is under way still when it
 * returns, as one that waited for the stream, or for anything that waits for it, would end it. */
static void test_device__in_the_order_of_the_stream(void **unused) {
  (void)unused;
  static double want[2 * kCount];
  cuonn_model *const model = make("cuda", 2, 1);
  const cuonn_buffer host_x = buffer(values, CUONN_COMPLEX128, kCount), host_y = buffer(want, host_x.type, kCount);
  const cuonn_buffer x = on_device(cotangents, host_x.type, kCount), y = on_device(cotangents, host_x.type, kCount);
  cudaStream_t stream;
  double *pinned, *watch, *in;
  assert_int_equal(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  assert_int_equal(cudaMallocHost((void **)&pinned, sizeof want), cudaSuccess);
  assert_int_equal(cudaMallocHost((void **)&watch, sizeof *watch), cudaSuccess);
  assert_int_equal(cudaMallocHost((void **)&in, sizeof want), cudaSuccess);
  memcpy(in, values, sizeof want);
  OK(cuonn_model_propagate(&host_y, model, 0, 0, &host_x, false, NULL)); /* nothing has to be made afterwards */
  OK(cuonn_model_propagate(&y, model, 0, 0, &x, false, stream));
  assert_int_equal(cudaStreamSynchronize(stream), cudaSuccess);

  assert_int_equal(cudaMemcpyAsync(x.data, in, sizeof want, cudaMemcpyHostToDevice, stream), cudaSuccess);
  assert_int_equal(cudaMemcpyAsync(watch, x.data, sizeof *watch, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  OK(cuonn_model_propagate(&y, model, 0, 0, &x, false, stream));
#ifdef SIMT_EMULATED
  assert_true(isnan(*watch)); /* the emulated device writes NaN until the host waits */
#endif
  assert_int_equal(cudaMemcpyAsync(pinned, y.data, sizeof want, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  assert_int_equal(cudaStreamSynchronize(stream), cudaSuccess);
  assert_memory_equal(pinned, want, sizeof want);

  assert_int_equal(cudaFreeHost(pinned), cudaSuccess);
  assert_int_equal(cudaFreeHost(watch), cudaSuccess);
  assert_int_equal(cudaFreeHost(in), cudaSuccess);
  assert_int_equal(cudaFree(x.data), cudaSuccess);
  assert_int_equal(cudaFree(y.data), cudaSuccess);
  assert_int_equal(cudaStreamDestroy(stream), cudaSuccess);
  cuonn_model_destroy(model);
}

/* Phases that come from the device are in the next steps, and steps are in the next fields. */
static void test_device__between_steps(void **unused) {
  (void)unused;
  static results want, got;
  cuonn_model *const host = make("cuda", 0, 1), *const model = make("cuda", 0, 1);
  cuonn_network from = network_of(3);
  cuonn_step steps[kSteps];
  plan(steps);
  for (int round = 0; round < 2; round++) {
    OK(cuonn_model_step(want.losses, host, steps, kSteps));
    OK(cuonn_model_step(got.losses, model, steps, kSteps));
    if (round == 1) break;
    for (size_t l = 0; l < kLayers; l++) {
      const cuonn_buffer given = on_device(from.layers[l].theta, CUONN_FLOAT64, kNodes);
      const cuonn_phase_buffers here = {.theta = buffer(from.layers[l].theta, CUONN_FLOAT64, kNodes)};
      OK(cuonn_model_set_phases(host, 0, l, &here, NULL));
      OK(cuonn_model_set_phases(model, 0, l, &(cuonn_phase_buffers){.theta = given}, NULL));
      assert_int_equal(cudaDeviceSynchronize(), cudaSuccess);
      assert_int_equal(cudaFree(given.data), cudaSuccess);
    }
  }
  take(&want, host, 0);
  take(&got, model, 0);
  assert_memory_equal(&got, &want, sizeof want);
  cuonn_network_free(&from);
  cuonn_model_destroy(model);
  cuonn_model_destroy(host);
}

static void test_device__refuses_a_stream_in_a_graph(void **unused) {
  (void)unused;
  cuonn_model *const model = make("cuda", 0, 1);
  const cuonn_buffer x = on_device(values, CUONN_COMPLEX128, kCount), y = on_device(values, CUONN_COMPLEX128, kCount);
  cudaStream_t stream;
  cudaGraph_t graph;
  assert_int_equal(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  OK(cuonn_model_propagate(&y, model, 0, 0, &x, false, stream));
  assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  REFUSED(cuonn_model_propagate(&y, model, 0, 0, &x, false, stream), CUONN_E_ARGUMENT,
          "the stream is being captured into a graph; call before the capture begins or after it ends");
  assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess); /* and the capture goes on as if nothing was */
  assert_int_equal(cudaGraphDestroy(graph), cudaSuccess);
  assert_int_equal(cudaStreamDestroy(stream), cudaSuccess);
  assert_int_equal(cudaFree(x.data), cudaSuccess);
  assert_int_equal(cudaFree(y.data), cudaSuccess);
  cuonn_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_models__as_on_every_backend), cmocka_unit_test(test_models__as_on_the_cpu),
      cmocka_unit_test(test_device__as_in_host_memory),   cmocka_unit_test(test_device__in_the_order_of_the_stream),
      cmocka_unit_test(test_device__between_steps),       cmocka_unit_test(test_device__refuses_a_stream_in_a_graph),
  };
  const int failed = cmocka_run_group_tests(tests, setup, NULL);
  cuda_release();
  return failed;
}
