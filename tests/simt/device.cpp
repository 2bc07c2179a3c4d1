/* The emulated device does what CUDA does: reductions, graphs, limits, libraries, and faults that tests plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <cmocka.h>
}
#include <cublas_v2.h>
#include <cufft.h>
#include <nvtx3/nvToolsExt.h>
#include <simt.h>

#include <vector>

#include "device.h"

namespace {

/* --- Kernels: sums of integers that floats hold exactly --- */

/* One sum per block: over each warp, then over the warps by the first of them. */
DEVICE float block_sum(float v) {
  float *s = shared_memory<float>();
  const unsigned lane = threadIdx.x % CUONN_WARP, warp = threadIdx.x / CUONN_WARP;
  v = warp_sum(v);
  if (lane == 0) s[warp] = v;
  sync_block();
  v = lane < blockDim.x / CUONN_WARP ? s[lane] : 0.0f;
  sync_block();
  return warp_sum(v);
}

KERNEL k_block_sums(float *sums, const float *in) {
  const float sum = block_sum(in[blockIdx.x * blockDim.x + threadIdx.x]);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

/* The whole sum in one cooperative launch; the count of threads that came by, in an integer. */
KERNEL k_grid_sum(float *total, unsigned *count, float *sums, const float *in) {
  const float sum = block_sum(in[blockIdx.x * blockDim.x + threadIdx.x]);
  atomic_add(count, 1);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
  sync_grid();
  if (blockIdx.x == 0 && threadIdx.x < CUONN_WARP) {
    const float v = warp_sum(threadIdx.x < gridDim.x ? sums[threadIdx.x] : 0.0f);
    if (threadIdx.x == 0) *total = v;
  }
}

KERNEL k_double(float *values, int n) {
  const int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) values[i] *= 2;
}

/* Every exchange, as CUDA defines it: one row of 32 numbers each. */
KERNEL k_exchanges(double *out) {
  const int lane = (int)threadIdx.x;
  const double row[] = {(double)shuffle(lane, (lane * 7 + 3) % CUONN_WARP),
                        (double)shuffle_up((float)lane, 3),
                        (double)shuffle_down((unsigned)lane, 5),
                        shuffle_xor((double)lane, 9),
                        (double)which_lanes(lane % 3 == 0),
                        (double)any_lane(lane == 31),
                        (double)any_lane(lane == 32),
                        (double)all_lanes(lane < 32),
                        (double)all_lanes(lane < 31),
                        (double)warp_sum(lane)};
  for (int i = 0; i < 10; i++) out[i * CUONN_WARP + lane] = row[i];
}

KERNEL k_places(unsigned *out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned at = block * blockDim.x * blockDim.y * blockDim.z + thread;
  out[at] = at;
}

template <class T>
struct on_device {
  T *data = nullptr;
  size_t n;
  explicit on_device(size_t n_) : n(n_) { assert_int_equal(cudaMalloc(&data, n * sizeof(T)), cudaSuccess); }
  explicit on_device(const std::vector<T> &from) : on_device(from.size()) {
    assert_int_equal(cudaMemcpy(data, from.data(), n * sizeof(T), cudaMemcpyHostToDevice), cudaSuccess);
  }
  ~on_device() { cudaFree(data); }
  on_device(const on_device &) = delete;
  on_device &operator=(const on_device &) = delete;
  std::vector<T> get() const {
    std::vector<T> values(n);
    assert_int_equal(cudaMemcpy(values.data(), data, n * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
    return values;
  }
};

std::vector<float> counting(size_t n) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; i++) values[i] = (float)(i % 97);
  return values;
}

void test_device__sums(void **) {
  const unsigned blocks = 6, threads = 128;
  const std::vector<float> values = counting(blocks * threads);
  float want = 0;
  for (float v : values) want += v;
  const on_device<float> in(values);
  for (int s = 0; s < SIMT_SCHEDULES; s++) {
    simt_schedule(s);
    on_device<float> sums(blocks), total(1);
    on_device<unsigned> count(std::vector<unsigned>{0});
    const size_t shared = threads / CUONN_WARP * sizeof(float);
    assert_int_equal(CUONN_LAUNCH(k_block_sums, blocks, threads, shared, nullptr, sums.data, in.data), cudaSuccess);
    float got = 0;
    for (float v : sums.get()) got += v;
    assert_true(got == want);
    assert_int_equal(CUONN_LAUNCH_COOPERATIVE(k_grid_sum, blocks, threads, shared, nullptr, total.data, count.data,
                                              sums.data, in.data),
                     cudaSuccess);
    assert_true(total.get()[0] == want);
    assert_int_equal(count.get()[0], blocks * threads);
  }
}

void test_device__exchanges(void **) {
  on_device<double> out(10 * CUONN_WARP);
  for (int s = 0; s < SIMT_SCHEDULES; s++) {
    simt_schedule(s);
    assert_int_equal(CUONN_LAUNCH(k_exchanges, 1, CUONN_WARP, 0, nullptr, out.data), cudaSuccess);
    const std::vector<double> got = out.get();
    for (int l = 0; l < CUONN_WARP; l++) {
      const double want[] = {(double)((l * 7 + 3) % 32),
                             (double)(l < 3 ? l : l - 3),
                             (double)(l > 26 ? l : l + 5),
                             (double)(l ^ 9),
                             (double)0x49249249u,
                             1,
                             0,
                             1,
                             0,
                             496};
      for (int i = 0; i < 10; i++) {
        if (!(got[i * CUONN_WARP + l] == want[i])) fail_msg("exchange %d, lane %d: %g", i, l, got[i * CUONN_WARP + l]);
      }
    }
  }
}

void test_device__places(void **) {
  on_device<unsigned> out(2 * 3 * 2 * 4 * 5 * 3);
  assert_int_equal(CUONN_LAUNCH(k_places, dim3(2, 3, 2), dim3(4, 5, 3), 0, nullptr, out.data), cudaSuccess);
  const std::vector<unsigned> got = out.get();
  for (unsigned i = 0; i < got.size(); i++) assert_int_equal(got[i], i);
}

/* --- Graphs --- */

void test_device__graph(void **) {
  cudaStream_t stream, other;
  cudaEvent_t fork, join;
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  const size_t before = simt_alive();
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
  cudaEventCreateWithFlags(&fork, cudaEventDisableTiming);
  cudaEventCreateWithFlags(&join, cudaEventDisableTiming);
  {
    on_device<float> values(std::vector<float>{1, 2, 3});
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    assert_int_equal(CUONN_LAUNCH(k_double, 1, 32, 0, stream, values.data, 3), cudaSuccess);
    cudaEventRecord(fork, stream);
    cudaStreamWaitEvent(other, fork, 0);
    assert_int_equal(CUONN_LAUNCH(k_double, 1, 32, 0, other, values.data + 1, 1), cudaSuccess);
    cudaEventRecord(join, other);
    cudaStreamWaitEvent(stream, join, 0);
    assert_int_equal(cudaMemsetAsync(values.data + 2, 0, sizeof(float), stream), cudaSuccess);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    assert_true(values.get()[0] == 1); /* recorded, not run */
    assert_int_equal(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    cudaGraphDestroy(graph);
    for (int i = 0; i < 3; i++) assert_int_equal(cudaGraphLaunch(exec, stream), cudaSuccess);
    cudaStreamSynchronize(stream);
    const std::vector<float> got = values.get();
    assert_true(got[0] == 8 && got[1] == 2 * 64 && got[2] == 0);

    /* A stream that forked and did not come back. */
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
    cudaEventRecord(fork, stream);
    cudaStreamWaitEvent(other, fork, 0);
    CUONN_LAUNCH(k_double, 1, 32, 0, other, values.data, 3);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureUnjoined);
  }
  cudaGetLastError();
  cudaGraphExecDestroy(exec);
  cudaEventDestroy(fork);
  cudaEventDestroy(join);
  cudaStreamDestroy(other);
  cudaStreamDestroy(stream);
  assert_int_equal(simt_alive(), before);
}

/* --- Limits --- */

KERNEL k_shared_edge(float *out, unsigned last) {
  float *s = shared_memory<float>();
  if (threadIdx.x == 0) s[last] = 1;
  sync_block();
  out[threadIdx.x] = s[last];
}

void test_device__limits(void **) {
  on_device<float> out(64);
  const auto edge = [&out](size_t bytes) {
    return CUONN_LAUNCH(k_shared_edge, 1, 64, bytes, nullptr, out.data, (unsigned)(bytes / 4 - 1));
  };
  assert_int_equal(edge(227 * 1024), cudaSuccess);
  assert_int_equal(edge(228 * 1024), cudaErrorInvalidValue);
  simt_device(4, 99 * 1024);
  assert_int_equal(edge(99 * 1024), cudaSuccess);
  assert_int_equal(edge(100 * 1024), cudaErrorInvalidValue);
  int value = 0;
  cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0);
  assert_int_equal(value, 4);
  cudaDeviceGetAttribute(&value, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
  assert_int_equal(value, 99 * 1024);

  /* 48 KiB unasked: k_places never asked for more. */
  on_device<unsigned> places(64);
  unsigned *data = places.data;
  const auto places_with = [data](size_t bytes) {
    return simt_launch((const void *)k_places, 1, 64, bytes, nullptr, false, [data] { k_places(data); });
  };
  assert_int_equal(places_with(48 * 1024), cudaSuccess);
  assert_int_equal(places_with(48 * 1024 + 4), cudaErrorInvalidValue);

  /* Two blocks of 1024 threads a multiprocessor, or one that takes most of the shared memory. */
  int blocks = 0;
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, k_places, 1024, 0);
  assert_int_equal(blocks, 2);
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, k_shared_edge, 64, 60 * 1024);
  assert_int_equal(blocks, 1);
  on_device<unsigned> more(9 * 1024);
  const auto together = [&more](unsigned n) {
    return CUONN_LAUNCH_COOPERATIVE(k_places, n, 1024, 0, nullptr, more.data);
  };
  assert_int_equal(together(8), cudaSuccess);
  assert_int_equal(together(9), cudaErrorCooperativeLaunchTooLarge);
  assert_int_equal(CUONN_LAUNCH(k_places, 1, 1025, 0, nullptr, more.data), cudaErrorInvalidConfiguration);
  assert_int_equal(CUONN_LAUNCH(k_places, 0, 32, 0, nullptr, more.data), cudaErrorInvalidConfiguration);
  for (const dim3 grid : {dim3(1u << 31), dim3(1, 65536), dim3(1, 1, 65536)}) {
    assert_int_equal(CUONN_LAUNCH(k_places, grid, 32, 0, nullptr, more.data), cudaErrorInvalidConfiguration);
  }
  assert_int_equal(CUONN_LAUNCH(k_places, 1, dim3(1, 1, 65), 0, nullptr, more.data), cudaErrorInvalidConfiguration);
  assert_int_equal(CUONN_LAUNCH(k_double, dim3(1, 65535), 1, 0, nullptr, out.data, 64), cudaSuccess);
  assert_int_equal(cudaPeekAtLastError(), cudaSuccess); /* the launch told it, and kept nothing */
  simt_reset();
}

void test_device__memory(void **) {
  size_t free_bytes, total;
  float host[4] = {0}, *a, *b;
  simt_memory(1000);
  assert_int_equal(cudaMalloc(&a, 16), cudaSuccess);
  cudaMemGetInfo(&free_bytes, &total);
  assert_int_equal(free_bytes, 984);
  assert_int_equal(total, 1000);
  assert_int_equal(cudaMalloc(&b, 985), cudaErrorMemoryAllocation);
  assert_int_equal(cudaGetLastError(), cudaErrorMemoryAllocation);
  assert_int_equal(cudaGetLastError(), cudaSuccess);

  assert_int_equal(cudaMemcpy(a, host, 20, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  assert_int_equal(cudaMemcpy(a, host, 16, cudaMemcpyDeviceToHost), cudaErrorInvalidMemcpyDirection);
  assert_int_equal(cudaMemcpy(host, host, 16, cudaMemcpyHostToDevice), cudaErrorInvalidMemcpyDirection);
  assert_int_equal(cudaMemsetAsync(host, 0, 16, nullptr), cudaErrorInvalidValue);
  assert_int_equal(cudaFree(host), cudaErrorInvalidValue);
  assert_int_equal(cudaFree(a), cudaSuccess);
  assert_int_equal(cudaFree(nullptr), cudaSuccess);

  simt_fail_malloc_after(1);
  assert_int_equal(cudaMalloc(&a, 8), cudaSuccess);
  assert_int_equal(cudaMallocHost((void **)&b, 8), cudaErrorMemoryAllocation);
  cudaFree(a);
  simt_reset();
}

/* Whether a thread's float or double, in memory and in shared memory, is no number; leaves numbers there. */
template <class T>
KERNEL k_no_number(float *out, T *memory) {
  T *s = shared_memory<T>();
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = s[threadIdx.x] != s[threadIdx.x] && memory[i] != memory[i];
  s[threadIdx.x] = memory[i] = 1;
}

/* Fresh memory is no number, whatever was there before: an earlier allocation, an earlier block. */
template <class T>
void is_fresh() {
  for (int round = 0; round < 3; round++) {
    on_device<T> memory(64);
    const on_device<float> out(64);
    assert_int_equal(CUONN_LAUNCH(k_no_number<T>, 2, 32, 32 * sizeof(T), nullptr, out.data, memory.data), cudaSuccess);
    for (float v : out.get()) assert_true(v == 1);
  }
}
void test_device__fresh(void **) {
  is_fresh<float>();
  is_fresh<double>();
}

/* What an asynchronous copy brings to pinned memory is there when the host has waited for it, by whatever way; and
 * until then the host may not touch what is being copied. */
void test_device__copies(void **) {
  cudaStream_t stream, other;
  cudaEvent_t event;
  float *pinned;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
  cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  assert_int_equal(cudaMallocHost((void **)&pinned, 2 * sizeof(float)), cudaSuccess);
  on_device<float> values(std::vector<float>{1, 2});
  for (int way = 0; way < 5; way++) {
    cudaMemcpyAsync(pinned, values.data, sizeof(float), cudaMemcpyDeviceToHost, stream);
    cudaEventRecord(event, stream);
    cudaMemcpyAsync(pinned + 1, values.data + 1, sizeof(float), cudaMemcpyDeviceToHost, stream);
    assert_true(isnan(pinned[0]) && isnan(pinned[1]));
    cudaStreamSynchronize(other);
    assert_true(isnan(pinned[0]) && isnan(pinned[1]));
    if (way == 0) cudaStreamSynchronize(stream);
    if (way == 1) cudaDeviceSynchronize();
    if (way == 2) cudaEventSynchronize(event);
    if (way == 3) cudaStreamWaitEvent(other, event, 0), cudaStreamSynchronize(other);
    if (way == 4) values.get(), cudaStreamSynchronize(stream);
    assert_true(pinned[0] == 1);
    if (way == 2 || way == 3) assert_true(isnan(pinned[1])); /* it began after the event */
    assert_int_equal(cudaStreamSynchronize(stream), cudaSuccess);
    assert_true(pinned[1] == 2);
  }

  /* In a graph it belongs to the stream that the graph is launched in. */
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
  cudaMemcpyAsync(pinned, values.data + 1, sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamEndCapture(stream, &graph);
  cudaGraphInstantiate(&exec, graph, 0);
  cudaGraphLaunch(exec, other);
  cudaStreamSynchronize(stream);
  assert_true(isnan(pinned[0]));
  cudaStreamSynchronize(other);
  assert_true(pinned[0] == 2);
  cudaGraphExecDestroy(exec);
  cudaGraphDestroy(graph);

  /* One copy may write over what another of its stream reads. */
  cudaMemcpyAsync(values.data, pinned, sizeof(float), cudaMemcpyHostToDevice, stream);
  cudaMemcpyAsync(pinned, values.data, sizeof(float), cudaMemcpyDeviceToHost, stream);
  assert_int_equal(cudaStreamSynchronize(stream), cudaSuccess);
  assert_true(pinned[0] == 2);
  cudaMemcpyAsync(values.data, pinned, sizeof(float), cudaMemcpyHostToDevice, stream);
  pinned[0] = 5;
  assert_int_equal(cudaMemcpyAsync(pinned, values.data, sizeof(float), cudaMemcpyDeviceToHost, stream),
                   cudaErrorUnknown);
  simt_reset();
  cudaMemcpyAsync(values.data, pinned, sizeof(float), cudaMemcpyHostToDevice, other);
  cudaMemcpyAsync(pinned, values.data, sizeof(float), cudaMemcpyDeviceToHost, stream);
  assert_int_equal(cudaStreamSynchronize(other), cudaErrorUnknown);
  simt_reset();

  cudaMemcpyAsync(values.data, pinned, sizeof(float), cudaMemcpyHostToDevice, stream);
  pinned[0] = 6;
  assert_int_equal(cudaStreamSynchronize(stream), cudaErrorUnknown);
  assert_non_null(strstr(simt_error(), "while it was being copied"));
  simt_reset();
  cudaFreeHost(pinned);
  cudaEventDestroy(event);
  cudaStreamDestroy(other);
  cudaStreamDestroy(stream);
}

void test_device__missing(void **) {
  const struct {
    simt_kind kind;
    cudaError_t count;
    int driver;
  } kinds[] = {{SIMT_NO_GPU, cudaErrorNoDevice, 13000},
               {SIMT_NO_DRIVER, cudaErrorInsufficientDriver, 0},
               {SIMT_OLD_DRIVER, cudaErrorInsufficientDriver, 12020},
               {SIMT_OLD_GPU, cudaSuccess, 13000}};
  for (const auto &k : kinds) {
    int n = -1, version = -1;
    simt_no_device(k.kind);
    assert_int_equal(cudaGetDeviceCount(&n), k.count);
    assert_int_equal(n, k.count == cudaSuccess);
    cudaDriverGetVersion(&version);
    assert_int_equal(version, k.driver);
    float *p;
    assert_int_equal(cudaMalloc(&p, 4), k.count);
    if (k.count == cudaSuccess) cudaFree(p);
  }
  assert_int_equal(CUONN_LAUNCH(k_double, 1, 32, 0, nullptr, nullptr, 0), cudaErrorNoKernelImageForDevice);
  simt_reset();
}

/* The device is lost at the second launch, and stays lost. */
void test_device__lost(void **) {
  on_device<float> values(std::vector<float>{1});
  simt_fail_launch_after(1);
  assert_int_equal(CUONN_LAUNCH(k_double, 1, 32, 0, nullptr, values.data, 1), cudaSuccess);
  assert_int_equal(CUONN_LAUNCH(k_double, 1, 32, 0, nullptr, values.data, 1), cudaErrorLaunchFailure);
  assert_int_equal(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  assert_string_equal(cudaGetErrorName(cudaGetLastError()), "cudaErrorLaunchFailure");
  assert_int_equal(cudaGetLastError(), cudaErrorLaunchFailure);
  simt_reset();
  assert_true(values.get()[0] == 2);
}

/* --- Libraries: a transform and a product that can be done by hand --- */

void test_device__libraries(void **) {
  /* Two 2x2 images; real forward, then the first again as complex in place, and back. */
  on_device<float> in(std::vector<float>{1, 2, 3, 4, 0, 1, 0, 0});
  on_device<cufftComplex> out(8);
  cufftHandle plan;
  int n[] = {2, 2};
  assert_int_equal(cufftPlanMany(&plan, 2, n, nullptr, 1, 0, nullptr, 1, 0, CUFFT_R2C, 2), CUFFT_SUCCESS);
  assert_int_equal(cufftExecR2C(plan, in.data, out.data), CUFFT_SUCCESS);
  const float want[] = {10, -2, -4, 0, 1, -1, 1, -1};
  const std::vector<cufftComplex> got = out.get();
  for (int i = 0; i < 8; i++) assert_true(got[i].x == want[i] && got[i].y == 0);
  assert_int_equal(cufftExecC2C(plan, out.data, out.data, CUFFT_FORWARD), CUFFT_INVALID_TYPE);
  cufftDestroy(plan);

  size_t bytes;
  cufftCreate(&plan);
  cufftSetAutoAllocation(plan, 0);
  assert_int_equal(cufftMakePlanMany(plan, 2, n, n, 1, 4, n, 1, 4, CUFFT_C2C, 1, &bytes), CUFFT_SUCCESS);
  assert_int_equal(cufftExecC2C(plan, out.data, out.data, CUFFT_INVERSE), CUFFT_EXEC_FAILED); /* no work area */
  on_device<char> area(bytes);
  assert_int_equal(cufftSetWorkArea(plan, area.data), CUFFT_SUCCESS);
  assert_int_equal(cufftExecC2C(plan, out.data, out.data, CUFFT_INVERSE), CUFFT_SUCCESS);
  const std::vector<cufftComplex> back = out.get();
  for (int i = 0; i < 4; i++) assert_true(back[i].x == 4 * (float)(i + 1) && back[i].y == 0);
  cufftDestroy(plan);

  /* (1 i; 0 2) x (1; i) = (0; 2i), columns first, conjugated: (1 0; -i 2)(1; i) = (1; i). */
  cublasHandle_t handle;
  assert_int_equal(cublasCreate(&handle), CUBLAS_STATUS_SUCCESS);
  on_device<cuComplex> a(std::vector<cuComplex>{{1, 0}, {0, 0}, {0, 1}, {2, 0}});
  on_device<cuComplex> b(std::vector<cuComplex>{{1, 0}, {0, 1}}), c(2);
  const cuComplex one = {1, 0}, zero = {0, 0};
  assert_int_equal(cublasCgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 2, 1, 2, &one, a.data, 2, b.data, 2, &zero, c.data, 2),
                   CUBLAS_STATUS_SUCCESS);
  const std::vector<cuComplex> product = c.get();
  assert_true(product[0].x == 0 && product[0].y == 0 && product[1].x == 0 && product[1].y == 2);
  assert_int_equal(cublasCgemm(handle, CUBLAS_OP_C, CUBLAS_OP_N, 2, 1, 2, &one, a.data, 2, b.data, 2, &zero, c.data, 2),
                   CUBLAS_STATUS_SUCCESS);
  const std::vector<cuComplex> turned = c.get();
  assert_true(turned[0].x == 1 && turned[0].y == 0 && turned[1].x == 0 && turned[1].y == 1);
  assert_int_equal(cublasCgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, a.data, 2, b.data, 2, &zero, c.data, 2),
                   CUBLAS_STATUS_EXECUTION_FAILED); /* beyond b and c */
  cublasDestroy(handle);

  assert_int_equal(nvtxRangePushA("outer"), 0);
  assert_int_equal(simt_ranges(), 1);
  assert_int_equal(nvtxRangePop(), 0);
  assert_int_equal(simt_ranges(), 0);
}

}  // namespace

int main() {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_device__sums),      cmocka_unit_test(test_device__exchanges),
      cmocka_unit_test(test_device__places),    cmocka_unit_test(test_device__graph),
      cmocka_unit_test(test_device__limits),    cmocka_unit_test(test_device__memory),
      cmocka_unit_test(test_device__fresh),     cmocka_unit_test(test_device__copies),
      cmocka_unit_test(test_device__missing),   cmocka_unit_test(test_device__lost),
      cmocka_unit_test(test_device__libraries),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
