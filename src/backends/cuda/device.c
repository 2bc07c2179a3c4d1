#include "cuda/device.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/machine.h"

/* --------------------------------------------------------------------------------------------------------- failures */

static const char *base_name(const char *path) {
  const char *const slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

cuonn_status cuda_check(cudaError_t result, const char *text, const char *file, int line) {
  if (result == cudaSuccess) return CUONN_OK;
  (void)cudaGetLastError(); /* told here, not again by the next call */
  if (result == cudaErrorMemoryAllocation) {
    return cuonn_fail(CUONN_E_MEMORY, "not enough device memory: %s (%s:%d)", text, base_name(file), line);
  }
  return cuonn_fail(CUONN_E_DEVICE, "the GPU failed: %s (%s) in %s (%s:%d)", cudaGetErrorString(result),
                    cudaGetErrorName(result), text, base_name(file), line);
}

cuonn_status cuda_check_blas(cublasStatus_t result, const char *text, const char *file, int line) {
  if (result == CUBLAS_STATUS_SUCCESS) return CUONN_OK;
  return cuonn_fail(result == CUBLAS_STATUS_ALLOC_FAILED ? CUONN_E_MEMORY : CUONN_E_DEVICE,
                    "cuBLAS failed: %s in %s (%s:%d)", cublasGetStatusString(result), text, base_name(file), line);
}

cuonn_status cuda_check_fft(cufftResult result, const char *text, const char *file, int line) {
  if (result == CUFFT_SUCCESS) return CUONN_OK;
  return cuonn_fail(result == CUFFT_ALLOC_FAILED ? CUONN_E_MEMORY : CUONN_E_DEVICE,
                    "cuFFT failed with result %d in %s (%s:%d)", (int)result, text, base_name(file), line);
}

static cuonn_status find_driver(int *driver) {
  *driver = 0;
  const cudaError_t asked = cudaDriverGetVersion(driver);
  CUONN_CHECK(asked == cudaSuccess && *driver > 0, CUONN_E_DEVICE,
              "backend cuda needs an NVIDIA GPU with its driver, and no driver is installed");
  CUONN_CHECK(*driver / 1000 >= CUDART_VERSION / 1000, CUONN_E_DEVICE,
              "the NVIDIA driver knows CUDA %d.%d, this build needs %d.0: install a newer driver", *driver / 1000,
              *driver % 1000 / 10, CUDART_VERSION / 1000);
  return CUONN_OK;
}

/* Errors of a device for whose chip a build has no machine code, and no PTX that its driver can compile. */
static bool says_no_code(cudaError_t error) {
  switch ((int)error) {
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorInvalidKernelImage:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidPtx:
    case cudaErrorJitCompilerNotFound:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilationDisabled: return true;
    default: return false;
  }
}

void cuda_leave(int before, int device) {
  if (before >= 0 && before != device) (void)cudaSetDevice(before);
}

cudaError_t cuda_enter(int *before, int device) {
  if (cudaGetDevice(before) != cudaSuccess) { /* that one was lost, and need not be given back */
    (void)cudaGetLastError();
    *before = -1;
  }
  if (*before == device) return cudaSuccess;
  const cudaError_t entered = cudaSetDevice(device);
  if (entered != cudaSuccess) cuda_leave(*before, device);
  return entered;
}

int cuda_count(void) {
  int count = 0;
  const cudaError_t counted = cudaGetDeviceCount(&count);
  (void)cudaGetLastError();
  return counted == cudaSuccess ? count : 0;
}

/* find_kernels() asks the current device. */
static cuonn_status look_for_kernels(cudaError_t *found, int device) {
  int before;
  CUONN_CUDA(cuda_enter(&before, device));
  *found = find_kernels();
  cuda_leave(before, device);
  return CUONN_OK;
}

cuonn_status cuda_probe(char *line, size_t size, int device) {
  int driver, count = 0;
  cudaError_t found;
  struct cudaDeviceProp properties;
  CUONN_TRY(find_driver(&driver));
  const cudaError_t counted = cudaGetDeviceCount(&count);
  (void)cudaGetLastError();
  CUONN_CHECK(counted == cudaSuccess && count > 0, CUONN_E_DEVICE, "no NVIDIA GPU can be used: %s",
              counted == cudaSuccess ? "none is visible" : cudaGetErrorString(counted));
  CUONN_CUDA(cudaGetDeviceProperties(&properties, device));
  CUONN_TRY(look_for_kernels(&found, device));
  if (says_no_code(found)) {
    (void)cudaGetLastError();
    return cuonn_fail(CUONN_E_DEVICE,
                      "%s has compute capability %d.%d, and this build holds " CUONN_CUDA_ARCHITECTURES
                      ", no code for it (%s): build cuonn with CMAKE_CUDA_ARCHITECTURES=%d%d-real (80 is the oldest "
                      "that works)",
                      properties.name, properties.major, properties.minor, cudaGetErrorName(found), properties.major,
                      properties.minor);
  }
  CUONN_CUDA(found);
  if (line) {
    snprintf(line, size, "%s, compute capability %d.%d, %d multiprocessors, %.1f GiB, driver for CUDA %d.%d",
             properties.name, properties.major, properties.minor, properties.multiProcessorCount,
             (double)properties.totalGlobalMem / 1073741824, driver / 1000, driver % 1000 / 10);
  }
  return CUONN_OK;
}

/* --------------------------------------------------------------------------------------------------------- sessions */

static cuda_session *idle; /* list of those that wait for use */
static pthread_mutex_t idle_mutex = PTHREAD_MUTEX_INITIALIZER;

static void drop_blas(cuda_session *session) {
  if (session->blas) cublasDestroy(session->blas);
  if (session->blas_space) (void)cudaFree(session->blas_space);
  session->blas = NULL;
  session->blas_space = NULL;
}

static void destroy(cuda_session *session) {
  drop_blas(session);
  if (session->plan_images > 0) cufftDestroy(session->plan);
  if (session->stream) cudaStreamDestroy(session->stream);
  free(session);
}

/* One of a device that waits for use; NULL: there is none. */
static cuda_session *take_idle(int device) {
  cuda_session **at = &idle;
  pthread_mutex_lock(&idle_mutex);
  while (*at && (*at)->device != device) at = &(*at)->next;
  cuda_session *const found = *at;
  if (found) *at = found->next;
  pthread_mutex_unlock(&idle_mutex);
  return found;
}

cuonn_status cuda_session_open(cuda_session **out) {
  cuonn_status status = CUONN_OK;
  int limit = 0, processors = 0, device;
  CUONN_CUDA(cudaGetDevice(&device));
  cuda_session *session = *out = take_idle(device);
  if (session) return CUONN_OK;

  CUONN_TRY(cuonn_allocate(&session, 1, sizeof *session));
  session->device = device;
  session->among_several = cuda_count() > 1;
  CUONN_CUDA_DONE(cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  session->shared_limit = (size_t)limit;
  CUONN_CUDA_DONE(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  session->n_processors = (size_t)processors;
  CUONN_CUDA_DONE(cudaStreamCreateWithFlags(&session->stream, cudaStreamNonBlocking));
done:
  if (status != CUONN_OK) destroy(session);
  *out = status == CUONN_OK ? session : NULL;
  return status;
}

void cuda_session_close(cuda_session *session) {
  if (!session) return;
  if (cudaStreamSynchronize(session->stream) != cudaSuccess) {
    (void)cudaGetLastError();
    destroy(session);
    return;
  }
  pthread_mutex_lock(&idle_mutex);
  session->next = idle;
  idle = session;
  pthread_mutex_unlock(&idle_mutex);
}

void cuda_release(void) {
  pthread_mutex_lock(&idle_mutex);
  while (idle) {
    cuda_session *const session = idle;
    int before;
    const int device = session->device;
    const bool entered = cuda_enter(&before, device) == cudaSuccess;
    idle = session->next;
    destroy(session);
    if (entered) cuda_leave(before, device);
  }
  pthread_mutex_unlock(&idle_mutex);
}

static cuonn_status make_blas(cuda_session *session) {
  enum { kSpace = 32 << 20 }; /* what cuBLAS has by itself on the largest devices */
  cuonn_status status = CUONN_OK;
  CUONN_BLAS_DONE(cublasCreate(&session->blas));
  CUONN_CUDA_DONE(cudaMalloc(&session->blas_space, kSpace));
  CUONN_BLAS_DONE(cublasSetStream(session->blas, session->stream)); /* drops the space, so it comes first */
  CUONN_BLAS_DONE(cublasSetWorkspace(session->blas, session->blas_space, kSpace));
  CUONN_BLAS_DONE(cublasSetMathMode(session->blas, CUBLAS_PEDANTIC_MATH)); /* float32 all through, never TF32 */
done:
  if (status != CUONN_OK) drop_blas(session);
  return status;
}

cuonn_status cuda_blas(cublasHandle_t *out, cuda_session *session) {
  if (!session->blas) CUONN_TRY(make_blas(session));
  *out = session->blas;
  return CUONN_OK;
}

cuonn_status cuda_plan(cufftHandle *out, size_t *n_images, cuda_session *session, size_t height, size_t width) {
  int sides[2] = {(int)height, (int)width};
  const int images = (int)*n_images;
  const bool same = session->plan_height == sides[0] && session->plan_width == sides[1];
  if (!same || session->plan_images < images) {
    if (session->plan_images > 0) {
      session->plan_images = 0;
      CUONN_FFT(cufftDestroy(session->plan));
    }
    CUONN_FFT(cufftPlanMany(&session->plan, 2, sides, NULL, 1, 0, NULL, 1, 0, CUFFT_R2C, images));
    session->plan_height = sides[0];
    session->plan_width = sides[1];
    session->plan_images = images;
    CUONN_FFT(cufftSetStream(session->plan, session->stream));
  }
  *n_images = (size_t)session->plan_images;
  *out = session->plan;
  return CUONN_OK;
}

/* ----------------------------------------------------------------------------------------------------------- memory */

cuonn_status cuda_allocate(void *to, cuda_memory *memory, size_t count, size_t size, const char *what) {
  void *pointer = NULL;
  memcpy(to, &pointer, sizeof pointer);
  CUONN_CHECK(memory->count < sizeof memory->pointers / sizeof *memory->pointers, CUONN_E_INTERNAL,
              "too many allocations of device memory in one group");
  const size_t bytes = count > 0 ? count * size : size;
  const cudaError_t result = cudaMalloc(&pointer, bytes);
  if (result == cudaErrorMemoryAllocation) {
    size_t available = 0, total = 0;
    (void)cudaGetLastError();
    CUONN_CUDA(cudaMemGetInfo(&available, &total));
    return cuonn_fail(
        CUONN_E_MEMORY,
        "not enough device memory: %s takes %.1f MiB, %.1f of %.1f MiB are free; lower the batch size, the "
        "number of waveguides or of layers",
        what, (double)bytes / 1048576, (double)available / 1048576, (double)total / 1048576);
  }
  CUONN_CUDA(result);
  memory->pointers[memory->count++] = pointer;
  memcpy(to, &pointer, sizeof pointer);
  return CUONN_OK;
}

cuonn_status cuda_allocate_pinned(void *to, cuda_memory *memory, size_t count, size_t size) {
  void *pointer = NULL;
  memcpy(to, &pointer, sizeof pointer);
  CUONN_CHECK(memory->n_pinned < sizeof memory->pinned / sizeof *memory->pinned, CUONN_E_INTERNAL,
              "too many allocations of pinned memory in one group");
  CUONN_CUDA(cudaMallocHost(&pointer, count * size));
  memory->pinned[memory->n_pinned++] = pointer;
  memcpy(to, &pointer, sizeof pointer);
  return CUONN_OK;
}

void cuda_memory_free(cuda_memory *memory) {
  while (memory->count > 0) (void)cudaFree(memory->pointers[--memory->count]);
  while (memory->n_pinned > 0) (void)cudaFreeHost(memory->pinned[--memory->n_pinned]);
  (void)cudaGetLastError(); /* a device that was lost says so here again */
}

cuonn_status cuda_record(cudaGraphExec_t *out, cudaStream_t stream, cuonn_status (*launch)(const void *with),
                         const void *with) {
  cuonn_status status = CUONN_OK;
  cudaGraph_t graph = NULL;
  CUONN_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  const cuonn_status launched = launch(with);
  const cudaError_t ended = cudaStreamEndCapture(stream, &graph);
  CUONN_TRY_DONE(launched);
  CUONN_CUDA_DONE(ended);
  CUONN_CUDA_DONE(cudaGraphInstantiate(out, graph, 0));
done:
  if (graph) (void)cudaGraphDestroy(graph);
  return status;
}

/* Whether it is large enough; else it is empty afterwards. */
static cuonn_status make_way(bool *fits, cuda_room *room, size_t bytes, cudaStream_t stream) {
  *fits = room->data && bytes <= room->bytes;
  if (*fits) return CUONN_OK;
  CUONN_CUDA(cudaStreamSynchronize(stream));
  cuda_memory_free(&room->memory);
  *room = (cuda_room){0};
  return CUONN_OK;
}

cuonn_status cuda_widen(cuda_room *room, size_t count, size_t size, const char *what, cudaStream_t stream,
                        bool *moved) {
  bool fits;
  CUONN_TRY(make_way(&fits, room, count * size, stream));
  if (fits) return CUONN_OK;
  if (moved) *moved = true;
  CUONN_TRY(cuda_allocate(&room->data, &room->memory, count, size, what));
  room->bytes = count * size;
  return CUONN_OK;
}

cuonn_status cuda_widen_pinned(cuda_room *room, size_t count, size_t size, cudaStream_t stream) {
  bool fits;
  CUONN_TRY(make_way(&fits, room, count * size, stream));
  if (fits) return CUONN_OK;
  CUONN_TRY(cuda_allocate_pinned(&room->data, &room->memory, count, size));
  room->bytes = count * size;
  return CUONN_OK;
}
