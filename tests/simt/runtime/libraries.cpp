/* cuFFT by sums in double, cuBLAS by CBLAS, and NVTX. */
#include <cblas.h>
#include <cublas_v2.h>
#include <cufft.h>
#include <nvtx3/nvToolsExt.h>

#include <cmath>
#include <complex>
#include <map>
#include <vector>

#include "runtime.h"

namespace {

struct fft {
  int rank = 0, batch = 0;
  int n[3], in_embed[3], out_embed[3]; /* embed: the sizes of the arrays that lines are taken from, put into */
  int in_stride = 1, in_distance = 0, out_stride = 1, out_distance = 0;
  bool packed = false; /* no embed was given: arrays follow each other without gaps */
  cufftType type = CUFFT_C2C;
  int device = simt_current;
  cudaStream_t stream = nullptr;
  bool automatic = true;
  void *own_area = nullptr, *area = nullptr;
  size_t work_bytes = 0;

  size_t volume(const int *sizes) const {
    size_t v = 1;
    for (int i = 0; i < rank; i++) v *= static_cast<size_t>(sizes[i]);
    return v;
  }
  /* One past the last element that is read or written. */
  size_t extent(const int *sizes, const int *embed, int stride, int distance) const {
    size_t last = 0;
    for (int i = 0; i < rank; i++) {
      last = last * static_cast<size_t>(i ? embed[i] : 1) + static_cast<size_t>(sizes[i] - 1);
    }
    return last * static_cast<size_t>(stride) + static_cast<size_t>(batch - 1) * static_cast<size_t>(distance) + 1;
  }
};
std::map<cufftHandle, fft> plans;

/* Line by line along each axis. z: [n[0]]...[n[rank - 1]] */
void transform(std::vector<std::complex<double>> &z, const fft &plan, int direction) {
  size_t inner = 1;
  for (int axis = plan.rank; axis-- > 0;) {
    const size_t n = static_cast<size_t>(plan.n[axis]);
    std::vector<std::complex<double>> turns(n), line(n);
    for (size_t k = 0; k < n; k++) {
      const double angle = direction * 6.283185307179586 * static_cast<double>(k) / static_cast<double>(n);
      turns[k] = 2 * k == n ? -1 : std::polar(1.0, angle); /* half a turn is real */
    }
    for (size_t first = 0; first < z.size(); first++) {
      if (first / inner % n != 0) continue;
      for (size_t k = 0; k < n; k++) {
        line[k] = 0;
        for (size_t j = 0; j < n; j++) line[k] += z[first + j * inner] * turns[j * k % n];
      }
      for (size_t k = 0; k < n; k++) z[first + k * inner] = line[k];
    }
    inner *= n;
  }
}

/* Where an element stands, counted within arrays of `sizes`, in arrays of `embed`. False: beyond `part` of them. */
bool place(size_t *at, size_t element, const fft &plan, const int *part, const int *embed, int stride) {
  size_t index[3] = {0, 0, 0};
  for (int axis = plan.rank; axis-- > 0; element /= static_cast<size_t>(plan.n[axis]))
    index[axis] = element % static_cast<size_t>(plan.n[axis]);
  *at = 0;
  for (int axis = 0; axis < plan.rank; axis++) {
    if (index[axis] >= static_cast<size_t>(part[axis])) return false;
    *at = *at * static_cast<size_t>(axis ? embed[axis] : 1) + index[axis];
  }
  *at *= static_cast<size_t>(stride);
  return true;
}

cufftResult run_fft(cufftHandle handle, void *in, cufftComplex *out, cufftType type, int direction) {
  SIMT_TURN;
  const auto found = plans.find(handle);
  if (found == plans.end() || found->second.rank == 0 || found->second.device != simt_current)
    return CUFFT_INVALID_PLAN;
  fft plan = found->second;
  if (plan.type != type) return CUFFT_INVALID_TYPE;
  if (!plan.automatic && !plan.area) return CUFFT_EXEC_FAILED;
  const bool real = type == CUFFT_R2C;
  int spectrum[3];
  std::copy(plan.n, plan.n + plan.rank, spectrum);
  if (real) spectrum[plan.rank - 1] = plan.n[plan.rank - 1] / 2 + 1;
  if (plan.packed) {
    std::copy(plan.n, plan.n + plan.rank, plan.in_embed);
    std::copy(spectrum, spectrum + plan.rank, plan.out_embed);
    if (real && in == out) plan.in_embed[plan.rank - 1] = 2 * spectrum[plan.rank - 1];
    plan.in_stride = plan.out_stride = 1;
    plan.in_distance = static_cast<int>(plan.volume(plan.in_embed));
    plan.out_distance = static_cast<int>(plan.volume(plan.out_embed));
  }
  const size_t in_bytes = plan.extent(plan.n, plan.in_embed, plan.in_stride, plan.in_distance) *
                          (real ? sizeof(cufftReal) : sizeof(cufftComplex));
  const size_t out_bytes =
      plan.extent(spectrum, plan.out_embed, plan.out_stride, plan.out_distance) * sizeof(cufftComplex);
  if (!simt_on_device(in, in_bytes) || !simt_on_device(out, out_bytes)) return CUFFT_INVALID_VALUE;
  const cudaError_t done = simt_perform(plan.stream, [=] {
    const simt_device_open open;
    const size_t volume = plan.volume(plan.n);
    std::vector<std::complex<double>> z(volume);
    size_t at;
    for (int b = 0; b < plan.batch; b++) {
      for (size_t i = 0; i < volume; i++) {
        place(&at, i, plan, plan.n, plan.in_embed, plan.in_stride);
        at += static_cast<size_t>(b) * static_cast<size_t>(plan.in_distance);
        const cufftComplex *const from = static_cast<const cufftComplex *>(in);
        z[i] = real ? std::complex<double>(static_cast<const float *>(in)[at])
                    : std::complex<double>(from[at].x, from[at].y);
      }
      transform(z, plan, direction);
      for (size_t i = 0; i < volume; i++) {
        if (!place(&at, i, plan, spectrum, plan.out_embed, plan.out_stride)) continue;
        at += static_cast<size_t>(b) * static_cast<size_t>(plan.out_distance);
        out[at] = {static_cast<float>(z[i].real()), static_cast<float>(z[i].imag())};
      }
    }
    return cudaSuccess;
  });
  return done == cudaSuccess ? CUFFT_SUCCESS : CUFFT_EXEC_FAILED;
}

}  // namespace

cufftResult cufftGetVersion(int *version) {
  *version = 12000;
  return CUFFT_SUCCESS;
}
cufftResult cufftCreate(cufftHandle *plan) {
  SIMT_TURN;
  static int made;
  if (cudaSetDevice(simt_current) != cudaSuccess) return CUFFT_SETUP_FAILED;
  *plan = ++made;
  plans[*plan] = fft();
  simt_objects++;
  return CUFFT_SUCCESS;
}
cufftResult cufftMakePlanMany(cufftHandle handle, int rank, int *n, int *inembed, int istride, int idist, int *onembed,
                              int ostride, int odist, cufftType type, int batch, size_t *work_bytes) {
  SIMT_TURN;
  const auto found = plans.find(handle);
  if (found == plans.end() || found->second.rank || found->second.device != simt_current) return CUFFT_INVALID_PLAN;
  if (rank < 1 || rank > 3 || batch < 1) return CUFFT_INVALID_VALUE;
  if (simt_spoils_capture()) return CUFFT_INTERNAL_ERROR; /* a plan has tables on the device */
  fft &plan = found->second;
  for (int i = 0; i < rank; i++) {
    if (n[i] < 1) return CUFFT_INVALID_SIZE;
    plan.n[i] = n[i];
    if (inembed) plan.in_embed[i] = inembed[i];
    if (onembed) plan.out_embed[i] = onembed[i];
  }
  plan.packed = !inembed || !onembed;
  plan.batch = batch;
  plan.in_stride = istride;
  plan.in_distance = idist;
  plan.out_stride = ostride;
  plan.out_distance = odist;
  plan.type = type;
  plan.rank = rank;
  /* An area as large as one batch of the output, so that its allocation and its absence can be tested. */
  *work_bytes = plan.work_bytes = plan.volume(plan.n) * static_cast<size_t>(batch) * sizeof(cufftComplex);
  if (plan.automatic && cudaMalloc(&plan.own_area, plan.work_bytes) != cudaSuccess) {
    plan.rank = 0;
    return CUFFT_ALLOC_FAILED;
  }
  return CUFFT_SUCCESS;
}
cufftResult cufftPlanMany(cufftHandle *plan, int rank, int *n, int *inembed, int istride, int idist, int *onembed,
                          int ostride, int odist, cufftType type, int batch) {
  SIMT_TURN;
  cufftResult made = cufftCreate(plan);
  if (made != CUFFT_SUCCESS) return made;
  size_t bytes;
  made = cufftMakePlanMany(*plan, rank, n, inembed, istride, idist, onembed, ostride, odist, type, batch, &bytes);
  if (made != CUFFT_SUCCESS) cufftDestroy(*plan);
  return made;
}
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream) {
  SIMT_TURN;
  if (!plans.count(plan)) return CUFFT_INVALID_PLAN;
  plans[plan].stream = stream;
  return CUFFT_SUCCESS;
}
cufftResult cufftSetAutoAllocation(cufftHandle plan, int automatic) {
  SIMT_TURN;
  if (!plans.count(plan)) return CUFFT_INVALID_PLAN;
  plans[plan].automatic = automatic != 0;
  return CUFFT_SUCCESS;
}
cufftResult cufftGetSize(cufftHandle plan, size_t *work_bytes) {
  SIMT_TURN;
  if (!plans.count(plan)) return CUFFT_INVALID_PLAN;
  *work_bytes = plans[plan].work_bytes;
  return CUFFT_SUCCESS;
}
cufftResult cufftSetWorkArea(cufftHandle plan, void *area) {
  SIMT_TURN;
  if (!plans.count(plan)) return CUFFT_INVALID_PLAN;
  if (!simt_on_device(area, plans[plan].work_bytes)) return CUFFT_INVALID_VALUE;
  plans[plan].area = area;
  return CUFFT_SUCCESS;
}
cufftResult cufftExecC2C(cufftHandle plan, cufftComplex *in, cufftComplex *out, int direction) {
  return run_fft(plan, in, out, CUFFT_C2C, direction);
}
cufftResult cufftExecR2C(cufftHandle plan, cufftReal *in, cufftComplex *out) {
  return run_fft(plan, in, out, CUFFT_R2C, CUFFT_FORWARD);
}
cufftResult cufftDestroy(cufftHandle plan) {
  SIMT_TURN;
  const auto found = plans.find(plan);
  if (found == plans.end()) return CUFFT_INVALID_PLAN;
  if (simt_spoils_capture()) return CUFFT_INTERNAL_ERROR;
  cudaFree(found->second.own_area);
  plans.erase(found);
  simt_objects--;
  return CUFFT_SUCCESS;
}

/* --- cuBLAS: column by column, as CBLAS can do too --- */

struct cublasContext {
  int device;
  cudaStream_t stream;
};

namespace {

void multiply(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, float alpha, const float *a, int lda,
              const float *b, int ldb, float beta, float *c, int ldc) {
  cblas_sgemm(CblasColMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void multiply(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, cuComplex alpha, const cuComplex *a, int lda,
              const cuComplex *b, int ldb, cuComplex beta, cuComplex *c, int ldc) {
  cblas_cgemm(CblasColMajor, ta, tb, m, n, k, &alpha, a, lda, b, ldb, &beta, c, ldc);
}

template <class T>
cublasStatus_t gemm(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                    const T *alpha, const T *a, int lda, long long stride_a, const T *b, int ldb, long long stride_b,
                    const T *beta, T *c, int ldc, long long stride_c, int count) {
  SIMT_TURN;
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (handle->device != simt_current) return CUBLAS_STATUS_EXECUTION_FAILED;
  if (m < 0 || n < 0 || k < 0 || count < 0) return CUBLAS_STATUS_INVALID_VALUE;
  if (m == 0 || n == 0 || count == 0) return CUBLAS_STATUS_SUCCESS;
  const int a_rows = ta == CUBLAS_OP_N ? m : k, a_columns = ta == CUBLAS_OP_N ? k : m;
  const int b_rows = tb == CUBLAS_OP_N ? k : n, b_columns = tb == CUBLAS_OP_N ? n : k;
  if (lda < std::max(1, a_rows) || ldb < std::max(1, b_rows) || ldc < m) return CUBLAS_STATUS_INVALID_VALUE;
  const auto bytes = [count](int rows, int columns, int ld, long long stride) {
    return (size_t(columns - 1) * size_t(ld) + size_t(rows) + size_t(count - 1) * size_t(stride)) * sizeof(T);
  };
  const bool reads = k > 0;
  if ((reads && (!simt_on_device(a, bytes(a_rows, a_columns, lda, stride_a)) ||
                 !simt_on_device(b, bytes(b_rows, b_columns, ldb, stride_b)))) ||
      !simt_on_device(c, bytes(m, n, ldc, stride_c))) {
    return CUBLAS_STATUS_EXECUTION_FAILED;
  }
  static const CBLAS_TRANSPOSE operations[] = {CblasNoTrans, CblasTrans, CblasConjTrans};
  const T alpha_now = *alpha, beta_now = *beta;
  const cudaError_t done = simt_perform(handle->stream, [=] {
    const simt_device_open open;
    for (int i = 0; i < count; i++) {
      multiply(operations[ta], operations[tb], m, n, k, alpha_now, a + i * stride_a, lda, b + i * stride_b, ldb,
               beta_now, c + i * stride_c, ldc);
    }
    return cudaSuccess;
  });
  return done == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace

const char *cublasGetStatusName(cublasStatus_t status) { return cublasGetStatusString(status); }
const char *cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    default: return "another cuBLAS status";
  }
}
cublasStatus_t cublasGetVersion(cublasHandle_t handle, int *version) {
  (void)handle;
  *version = 130000;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasCreate(cublasHandle_t *handle) {
  SIMT_TURN;
  *handle = nullptr;
  if (cudaDeviceSynchronize() != cudaSuccess) return CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = new cublasContext{simt_current, nullptr};
  simt_objects++;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  SIMT_TURN;
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (simt_spoils_capture()) return CUBLAS_STATUS_EXECUTION_FAILED;
  delete handle;
  simt_objects--;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  SIMT_TURN;
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  SIMT_TURN;
  (void)handle;
  return mode == CUBLAS_TF32_TENSOR_OP_MATH ? CUBLAS_STATUS_NOT_SUPPORTED : CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes) {
  SIMT_TURN;
  (void)handle;
  return simt_on_device(workspace, bytes) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                           const float *alpha, const float *a, int lda, const float *b, int ldb, const float *beta,
                           float *c, int ldc) {
  return gemm(handle, ta, tb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}
cublasStatus_t cublasCgemm(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                           const cuComplex *alpha, const cuComplex *a, int lda, const cuComplex *b, int ldb,
                           const cuComplex *beta, cuComplex *c, int ldc) {
  return gemm(handle, ta, tb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}
cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m,
                                         int n, int k, const float *alpha, const float *a, int lda, long long stride_a,
                                         const float *b, int ldb, long long stride_b, const float *beta, float *c,
                                         int ldc, long long stride_c, int count) {
  return gemm(handle, ta, tb, m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b, beta, c, ldc, stride_c, count);
}
cublasStatus_t cublasCgemmStridedBatched(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m,
                                         int n, int k, const cuComplex *alpha, const cuComplex *a, int lda,
                                         long long stride_a, const cuComplex *b, int ldb, long long stride_b,
                                         const cuComplex *beta, cuComplex *c, int ldc, long long stride_c, int count) {
  return gemm(handle, ta, tb, m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b, beta, c, ldc, stride_c, count);
}

/* --- NVTX --- */

namespace {
int open_ranges;
bool overclosed;
}  // namespace

int nvtxRangePushA(const char *name) {
  SIMT_TURN;
  return name ? open_ranges++ : -1;
}
int nvtxRangePop(void) {
  SIMT_TURN;
  overclosed = overclosed || open_ranges == 0;
  return open_ranges > 0 ? --open_ranges : -2;
}
void nvtxMarkA(const char *name) { (void)name; }
int simt_ranges(void) {
  SIMT_TURN;
  return overclosed ? -1 : open_ranges;
}
