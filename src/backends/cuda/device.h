/* The device: whether one can be used, what every call needs of it, and its memory. */
#ifndef CUDA_DEVICE_H
#define CUDA_DEVICE_H

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cufft.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A stream with what is slow to make. A state has one for its whole life; after that the next takes it, so that cuBLAS
 * and cuFFT start once a process and device. */
typedef struct cuda_session {
  cudaStream_t stream;
  cublasHandle_t blas; /* made by cuda_blas() */
  void *blas_space;    /* of its own, so that products can be recorded in graphs without allocating */
  cufftHandle plan;    /* of images of plan_height x plan_width, plan_images at once; made by cuda_plan() */
  int plan_height, plan_width, plan_images;
  size_t shared_limit; /* bytes of shared memory that a block may ask for */
  int device;          /* that all of it belongs to */
  bool among_several;  /* devices: a caller's memory may be another's */
  size_t n_processors; /* multiprocessors */
  struct cuda_session *next;
} cuda_session;

/* GPUs that CUDA lets the process see. */
int cuda_count(void);

/* CUONN_OK if that one can be used, else CUONN_E_DEVICE and what is missing. line: unless NULL, one line on it. */
cuonn_status cuda_probe(char *line, size_t size, int device);

/* CUDA's functions act on the current device of the calling thread: makes one the current, and gives back which was. */
cudaError_t cuda_enter(int *before, int device);
/* Makes that one the current again. */
void cuda_leave(int before, int device);

/* Of the current device. */
cuonn_status cuda_session_open(cuda_session **out);
/* Waits for its work. NULL is fine. A session whose device failed is not used again. */
void cuda_session_close(cuda_session *session);
/* Frees the sessions that wait for use. */
void cuda_release(void);

cuonn_status cuda_blas(cublasHandle_t *out, cuda_session *session);
/* A plan for real-to-complex transforms of so many images, or of more, where one was made before: *n_images. */
cuonn_status cuda_plan(cufftHandle *out, size_t *n_images, cuda_session *session, size_t height, size_t width);

/* Turns a library's result into a status; text: the call. */
cuonn_status cuda_check(cudaError_t result, const char *text, const char *file, int line);
cuonn_status cuda_check_blas(cublasStatus_t result, const char *text, const char *file, int line);
cuonn_status cuda_check_fft(cufftResult result, const char *text, const char *file, int line);

#define CUONN_CUDA(call) CUONN_TRY(cuda_check((call), #call, __FILE__, __LINE__))
#define CUONN_CUDA_DONE(call) CUONN_TRY_DONE(cuda_check((call), #call, __FILE__, __LINE__))
#define CUONN_BLAS(call) CUONN_TRY(cuda_check_blas((call), #call, __FILE__, __LINE__))
#define CUONN_BLAS_DONE(call) CUONN_TRY_DONE(cuda_check_blas((call), #call, __FILE__, __LINE__))
#define CUONN_FFT(call) CUONN_TRY(cuda_check_fft((call), #call, __FILE__, __LINE__))

/* A graph of what launch() queues on a stream, which is recorded and not run. with: handed to launch(). */
cuonn_status cuda_record(cudaGraphExec_t *out, cudaStream_t stream, cuonn_status (*launch)(const void *with),
                         const void *with);

/* Allocations that end together. Zeroed, it is empty. */
typedef struct {
  void *pointers[24];
  size_t count;
  void *pinned[4];
  size_t n_pinned;
} cuda_memory;

/* count elements of device memory; *to: a typed pointer. what: for the message if there is not enough. */
cuonn_status cuda_allocate(void *to, cuda_memory *memory, size_t count, size_t size, const char *what);
/* The same of host memory that the device reads and writes by itself. */
cuonn_status cuda_allocate_pinned(void *to, cuda_memory *memory, size_t count, size_t size);
void cuda_memory_free(cuda_memory *memory);

/* Memory that grows with the largest call, and is kept. Zeroed, it is empty. */
typedef struct {
  void *data;
  size_t bytes;
  cuda_memory memory;
} cuda_room;

/* Room for count elements, of which nothing is kept where it has to grow; then the stream is waited for, and *moved,
 * unless NULL, set to true. */
cuonn_status cuda_widen(cuda_room *room, size_t count, size_t size, const char *what, cudaStream_t stream, bool *moved);
/* The same of host memory, as cuda_allocate_pinned(). */
cuonn_status cuda_widen_pinned(cuda_room *room, size_t count, size_t size, cudaStream_t stream);

#endif
