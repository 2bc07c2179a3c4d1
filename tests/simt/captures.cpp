/* What CUDA refuses while a stream is being captured, and whether the capture is lost by it; what it lets pass; and
 * graphs that hold memory which is not theirs to keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <cmocka.h>
}
#include <cublas_v2.h>
#include <cufft.h>
#include <simt.h>
#include <stdlib.h>

#include "device.h"

namespace {

enum { kCount = 32, kBytes = kCount * sizeof(float) };

KERNEL k_double(float *values) { values[threadIdx.x] *= 2; }

/* What calls work with. `stream` is being captured when they come. */
struct scene {
  cudaStream_t stream, other;
  cudaEvent_t inside, outside, elsewhere; /* recorded in the capture; before it; in a second capture */
  float *device, *pinned, *pageable;
  cublasHandle_t blas;
  cufftHandle plan, empty;
  cudaGraph_t graph = nullptr; /* of an earlier capture */

  scene() {
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
    for (cudaEvent_t *event : {&inside, &outside, &elsewhere}) cudaEventCreate(event);
    pageable = static_cast<float *>(calloc(1, kBytes));
    cudaMalloc(&device, kBytes);
    cudaMallocHost(reinterpret_cast<void **>(&pinned), kBytes);
    cudaMemset(device, 0, kBytes);
    cublasCreate(&blas);
    int n[] = {4};
    cufftPlanMany(&plan, 1, n, nullptr, 1, 0, nullptr, 1, 0, CUFFT_C2C, 1);
    cufftCreate(&empty);
    cudaEventRecord(outside, stream);
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
    cudaStreamEndCapture(stream, &graph);
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    cudaEventRecord(inside, stream);
  }
  ~scene() {
    cudaGetLastError();
    cudaGraphDestroy(graph);
    cufftDestroy(empty);
    cufftDestroy(plan);
    cublasDestroy(blas);
    cudaFreeHost(pinned);
    cudaFree(device);
    free(pageable);
    for (cudaEvent_t event : {inside, outside, elsewhere}) cudaEventDestroy(event);
    cudaStreamDestroy(other);
    cudaStreamDestroy(stream);
  }
  scene(const scene &) = delete;
  scene &operator=(const scene &) = delete;
};

struct call {
  const char *text;
  int result; /* of CUDA, cuFFT or cuBLAS */
  int (*make)(scene &);
};
#define CALL(result, ...)                                                       \
  call {                                                                        \
#__VA_ARGS__, result, [](scene & s) -> int { return (void)s, __VA_ARGS__; } \
  }

/* Calls with more than one expression. */
void *got;
int make_plan(scene &s) {
  int n[] = {4};
  size_t bytes;
  return cufftMakePlanMany(s.empty, 1, n, nullptr, 1, 0, nullptr, 1, 0, CUFFT_C2C, 1, &bytes);
}
int wait_for_another_capture(scene &s) {
  cudaGraph_t graph;
  cudaStreamBeginCapture(s.other, cudaStreamCaptureModeThreadLocal);
  cudaEventRecord(s.elsewhere, s.other);
  const cudaError_t waited = cudaStreamWaitEvent(s.stream, s.elsewhere, 0);
  assert_int_equal(cudaStreamEndCapture(s.other, &graph), cudaErrorStreamCaptureInvalidated);
  return waited;
}
int make_and_destroy(scene &) {
  cudaStream_t stream;
  cudaEvent_t event;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaEventCreate(&event);
  const cudaError_t recorded = cudaEventRecord(event, stream), waits = cudaStreamWaitEvent(stream, event, 0);
  cudaEventDestroy(event);
  cudaStreamDestroy(stream);
  return recorded != cudaSuccess ? recorded : waits;
}
int ask_for_kernel(scene &) {
  cudaFuncAttributes attributes;
  int blocks;
  cudaFuncGetAttributes(&attributes, k_double);
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, k_double, 32, 0);
  return cudaFuncSetAttribute(k_double, cudaFuncAttributeMaxDynamicSharedMemorySize, 64 * 1024);
}
int ask_for_capture(scene &s) {
  cudaStreamCaptureStatus status;
  cudaStreamIsCapturing(s.stream, &status);
  return status == cudaStreamCaptureStatusActive ? cudaGetLastError() : cudaErrorUnknown;
}
int multiply(scene &s) {
  const float one = 1, zero = 0;
  cublasSetStream(s.blas, s.stream);
  return cublasSgemm(s.blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, s.device, 1, s.device, 1, &zero, s.device + 1, 1);
}
int transform(scene &s) {
  cufftComplex *const z = reinterpret_cast<cufftComplex *>(s.device);
  cufftSetStream(s.plan, s.stream);
  return cufftExecC2C(s.plan, z, z, CUFFT_FORWARD);
}

const call refused[] = {
    /* allocating and freeing, also by libraries */
    CALL(cudaErrorStreamCaptureUnsupported, cudaMalloc(&got, kBytes)),
    CALL(cudaErrorStreamCaptureUnsupported, cudaMallocHost(&got, kBytes)),
    CALL(cudaErrorStreamCaptureUnsupported, cudaFree(s.device)),
    CALL(cudaErrorStreamCaptureUnsupported, cudaFreeHost(s.pinned)),
    CALL(CUBLAS_STATUS_NOT_INITIALIZED, cublasCreate(reinterpret_cast<cublasHandle_t *>(&got))),
    CALL(CUBLAS_STATUS_EXECUTION_FAILED, cublasDestroy(s.blas)),
    CALL(CUFFT_INTERNAL_ERROR, make_plan(s)),
    CALL(CUFFT_INTERNAL_ERROR, cufftDestroy(s.plan)),
    CALL(cudaErrorStreamCaptureUnsupported,
         cudaGraphInstantiate(reinterpret_cast<cudaGraphExec_t *>(&got), s.graph, 0)),
    /* waiting and querying */
    CALL(cudaErrorStreamCaptureUnsupported, cudaDeviceSynchronize()),
    CALL(cudaErrorStreamCaptureUnsupported, cudaStreamSynchronize(s.stream)),
    CALL(cudaErrorStreamCaptureUnsupported, cudaStreamQuery(s.stream)),
    CALL(cudaErrorCapturedEvent, cudaEventSynchronize(s.inside)),
    CALL(cudaErrorCapturedEvent, cudaEventQuery(s.inside)),
    CALL(cudaErrorStreamCaptureUnsupported, cudaEventQuery(s.outside)),
    CALL(cudaErrorStreamCaptureIsolation, cudaStreamWaitEvent(s.stream, s.outside, 0)),
    CALL(cudaErrorStreamCaptureMerge, wait_for_another_capture(s)),
    /* the legacy stream, and what uses it */
    CALL(cudaErrorStreamCaptureImplicit, CUONN_LAUNCH(k_double, 1, kCount, 0, nullptr, s.device)),
    CALL(cudaErrorStreamCaptureImplicit, cudaMemcpy(s.pinned, s.device, kBytes, cudaMemcpyDeviceToHost)),
    CALL(cudaErrorStreamCaptureImplicit, cudaMemset(s.device, 0, kBytes)),
    CALL(cudaErrorStreamCaptureImplicit, cudaMemsetAsync(s.device, 0, kBytes, nullptr)),
    CALL(cudaErrorStreamCaptureImplicit, cudaEventRecord(s.outside, nullptr)),
    CALL(cudaErrorStreamCaptureImplicit, cudaStreamWaitEvent(nullptr, s.inside, 0)),
    CALL(cudaErrorStreamCaptureImplicit, cudaStreamSynchronize(nullptr)),
    /* memory of the host that may be gone when the graph runs */
    CALL(cudaErrorStreamCaptureUnsupported,
         cudaMemcpyAsync(s.device, s.pageable, kBytes, cudaMemcpyHostToDevice, s.stream)),
    CALL(cudaErrorStreamCaptureUnsupported,
         cudaMemcpyAsync(s.pageable, s.device, kBytes, cudaMemcpyDeviceToHost, s.stream)),
};

const call allowed[] = {
    CALL(cudaSuccess, ask_for_capture(s)),
    CALL(cudaSuccess, ask_for_kernel(s)),
    CALL(cudaSuccess, make_and_destroy(s)),
    CALL(cudaSuccess, CUONN_LAUNCH(k_double, 1, kCount, 0, s.stream, s.device)),
    CALL(cudaSuccess, CUONN_LAUNCH(k_double, 1, kCount, 0, s.other, s.device)),
    CALL(cudaSuccess, cudaStreamSynchronize(s.other)),
    CALL(cudaSuccess, cudaMemcpyAsync(s.device, s.pinned, kBytes, cudaMemcpyHostToDevice, s.stream)),
    CALL(cudaSuccess, cudaMemcpyAsync(s.pageable, s.device, kBytes, cudaMemcpyDeviceToHost, s.other)),
    CALL(cudaSuccess, cudaMemsetAsync(s.device, 0, kBytes, s.stream)),
    CALL(cudaSuccess, cudaStreamWaitEvent(s.stream, s.inside, 0)),
    CALL(CUBLAS_STATUS_SUCCESS, multiply(s)),
    CALL(CUFFT_SUCCESS, transform(s)),
};

/* What is refused is not done, the capture takes nothing more, and its end gives no graph. */
void test_captures__are_spoiled(void **) {
  const size_t before = simt_alive();
  for (const call &c : refused) {
    scene s;
    cudaGraph_t graph;
    const size_t alive = simt_alive();
    const int result = c.make(s);
    if (result != c.result) fail_msg("%s: %d, should be %d", c.text, result, c.result);
    assert_int_equal(simt_alive(), alive);
    const cudaError_t later = CUONN_LAUNCH(k_double, 1, kCount, 0, s.stream, s.device);
    const cudaError_t ended = cudaStreamEndCapture(s.stream, &graph);
    if (later != cudaErrorStreamCaptureInvalidated || ended != cudaErrorStreamCaptureInvalidated || graph) {
      fail_msg("%s did not spoil the capture: %d, %d", c.text, later, ended);
    }
    assert_int_equal(CUONN_LAUNCH(k_double, 1, kCount, 0, s.stream, s.device), cudaSuccess);
  }
  assert_int_equal(simt_alive(), before);
}

void test_captures__allow(void **) {
  for (const call &c : allowed) {
    scene s;
    cudaGraph_t graph = nullptr;
    const int result = c.make(s);
    const cudaError_t ended = cudaStreamEndCapture(s.stream, &graph);
    if (result != c.result || ended != cudaSuccess) fail_msg("%s: %d, and then %d", c.text, result, ended);
    cudaGraphDestroy(graph);
  }
}

/* A graph holds addresses: what stands there must be there when it runs. */
void test_captures__memory_that_is_gone(void **) {
  for (int which = 0; which < 3; which++) {
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    {
      scene s;
      if (which == 0) cudaMemcpyAsync(s.device, s.pinned, kBytes, cudaMemcpyHostToDevice, s.stream);
      if (which == 1) cudaMemcpyAsync(s.pinned, s.device, kBytes, cudaMemcpyDeviceToHost, s.stream);
      if (which == 2) cudaMemsetAsync(s.device, 0, kBytes, s.stream);
      assert_int_equal(cudaStreamEndCapture(s.stream, &graph), cudaSuccess);
      cudaGraphInstantiate(&exec, graph, 0);
      assert_int_equal(cudaGraphLaunch(exec, s.stream), cudaSuccess);
    }
    assert_int_equal(cudaGraphLaunch(exec, nullptr), cudaErrorIllegalAddress);
    assert_non_null(strstr(simt_error(), "memory that was freed"));
    simt_reset();
    cudaGraphExecDestroy(exec);
    cudaGraphDestroy(graph);
  }
}

}  // namespace

int main() {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_captures__are_spoiled),
                                     cmocka_unit_test(test_captures__allow),
                                     cmocka_unit_test(test_captures__memory_that_is_gone)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
