/* What the device can do, and how long propagation takes there. */
#include "cuda/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cuda/propagate.h"
#include "cuda/sets.h"
#include "kernels/columns.h"
#include "kernels/machine.h"

enum { kRepeats = 5, kThreads = 256, kMostLaunches = 256 };
static const double kLeastSeconds = 1e-3; /* of a sample: events tell half a microsecond */

/* Work whose time is taken: a function that launches it. */
typedef cudaError_t (*work)(void *with, cudaStream_t stream);

static cuonn_status time_work(double *seconds, work launch, void *with, cudaStream_t stream) {
  cuonn_status status = CUONN_OK;
  cudaEvent_t begin = NULL, end = NULL;
  float milliseconds = 0;
  CUONN_CUDA_DONE(cudaEventCreate(&begin));
  CUONN_CUDA_DONE(cudaEventCreate(&end));
  CUONN_CUDA_DONE(cudaEventRecord(begin, stream));
  CUONN_CUDA_DONE(launch(with, stream));
  CUONN_CUDA_DONE(cudaEventRecord(end, stream));
  CUONN_CUDA_DONE(cudaEventSynchronize(end));
  CUONN_CUDA_DONE(cudaEventElapsedTime(&milliseconds, begin, end));
  *seconds = 1e-3 * (double)milliseconds;
done:
  if (end) (void)cudaEventDestroy(end);
  if (begin) (void)cudaEventDestroy(begin);
  return status;
}

/* The shortest of some times. */
static cuonn_status best_time(double *seconds, work launch, void *with, cudaStream_t stream) {
  for (int i = 0; i < kRepeats; i++) {
    double now;
    CUONN_TRY(time_work(&now, launch, with, stream));
    if (i == 0 || now < *seconds) *seconds = now;
  }
  return CUONN_OK;
}

typedef struct {
  float4 *to, *from;
  size_t count;
} copy_work;

static cudaError_t run_copy(void *with, cudaStream_t stream) {
  const copy_work *const w = with;
  return launch_copy(w->to, w->from, w->count, stream);
}

static cuonn_status measure_bandwidth(double *bytes_per_second, cudaStream_t stream) {
  cuonn_status status = CUONN_OK;
  cuda_memory memory = {0};
  copy_work w = {0};
  size_t available, total;
  double seconds = 0;
  CUONN_CUDA_DONE(cudaMemGetInfo(&available, &total));
  const size_t bytes = available / 4 < ((size_t)1 << 30) ? available / 4 : (size_t)1 << 30;
  w.count = bytes / sizeof(float4);
  CUONN_TRY_DONE(cuda_allocate(&w.to, &memory, w.count, sizeof(float4), "measuring"));
  CUONN_TRY_DONE(cuda_allocate(&w.from, &memory, w.count, sizeof(float4), "measuring"));
  CUONN_CUDA_DONE(cudaMemsetAsync(w.from, 0x3f, w.count * sizeof(float4), stream));
  CUONN_TRY_DONE(best_time(&seconds, run_copy, &w, stream));
  *bytes_per_second = 2 * (double)(w.count * sizeof(float4)) / seconds;
done:
  cuda_memory_free(&memory);
  return status;
}

typedef struct {
  float *out;
  long long *cycles;
  int n_blocks, n_rounds;
} multiply_work;

static cudaError_t run_multiply(void *with, cudaStream_t stream) {
  const multiply_work *const w = with;
  return launch_multiply_adds(w->out, w->cycles, w->n_blocks, w->n_rounds, stream);
}

/* Rounds are doubled until they take some milliseconds. The first block runs from the begin of the launch on, so that
 * its cycles over the time is about the clock; all blocks fit on the device at once. */
static cuonn_status measure_arithmetic(backend_machine *out, const cuda_session *session) {
  cuonn_status status = CUONN_OK;
  cuda_memory memory = {0};
  multiply_work w = {.n_blocks = 4 * (int)session->n_processors, .n_rounds = 1};
  cudaStream_t stream = session->stream;
  long long cycles = 0;
  double seconds = 0;
  CUONN_TRY_DONE(cuda_allocate(&w.out, &memory, (size_t)w.n_blocks * kThreads, sizeof(float), "measuring"));
  CUONN_TRY_DONE(cuda_allocate(&w.cycles, &memory, 1, sizeof(long long), "measuring"));
  CUONN_TRY_DONE(time_work(&seconds, run_multiply, &w, stream)); /* loads the kernel */
  do {
    w.n_rounds *= 2;
    CUONN_TRY_DONE(time_work(&seconds, run_multiply, &w, stream));
  } while (seconds < 5e-3 && w.n_rounds < 1 << 24);
  CUONN_TRY_DONE(best_time(&seconds, run_multiply, &w, stream));
  CUONN_CUDA_DONE(cudaMemcpyAsync(&cycles, w.cycles, sizeof cycles, cudaMemcpyDeviceToHost, stream));
  CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
  out->flops_per_second = 2 * 64.0 * w.n_rounds * kThreads * w.n_blocks / seconds;
  out->clock_hz = (double)cycles / seconds;
done:
  cuda_memory_free(&memory);
  return status;
}

cuonn_status cuda_measure_machine(backend_machine *out) {
  cuonn_status status = CUONN_OK;
  cuda_session *session = NULL;
  struct cudaDeviceProp properties;
  memset(out, 0, sizeof *out);
  CUONN_TRY_DONE(cuda_session_open(&session));
  CUONN_CUDA_DONE(cudaGetDeviceProperties(&properties, session->device));
  snprintf(out->name, sizeof out->name, "%s", properties.name);
  CUONN_TRY_DONE(measure_bandwidth(&out->bytes_per_second, session->stream));
  CUONN_TRY_DONE(measure_arithmetic(out, session));
done:
  cuda_session_close(session);
  return status;
}

typedef struct {
  cuda_single one;
  float2 *x, *y;
  stage_taps taps;
  int n_examples;
  bool by_stages;
} propagation_work;

static cudaError_t run_propagation(void *with, cudaStream_t stream) {
  const propagation_work *const w = with;
  const cuda_meshes *const m = &w->one.state->meshes;
  if (!w->by_stages) return launch_columns(w->y, &m->view, 1, w->x, w->n_examples, false, true, stream);
  return launch_stages(w->y, w->taps, w->one.stages, m->turns, m->layout, m->extras, w->x, w->n_examples, false,
                       stream);
}

static cudaError_t run_graph(void *with, cudaStream_t stream) { return cudaGraphLaunch(with, stream); }

/* `count` propagations in a row, so that in a graph nothing but kernels is between them. */
typedef struct {
  propagation_work *one;
  int count;
  cudaStream_t stream;
} propagations;

static cuonn_status launch_propagations(const void *with) {
  const propagations *const all = with;
  for (int i = 0; i < all->count; i++) CUONN_CUDA(run_propagation(all->one, all->stream));
  return CUONN_OK;
}

/* Samples of as many propagations as take kLeastSeconds, after one by itself and one such graph to warm up. */
static cuonn_status time_propagations(double *seconds, size_t n_samples, propagation_work *w, cudaStream_t stream) {
  cuonn_status status = CUONN_OK;
  cudaGraphExec_t graph = NULL;
  double once;
  for (int i = 0; i < 2; i++) CUONN_TRY(time_work(&once, run_propagation, w, stream));
  const double fit = kLeastSeconds / fmax(once, 1e-9);
  const int count = fit >= kMostLaunches ? kMostLaunches : 1 + (int)fit;
  CUONN_TRY(cuda_record(&graph, stream, launch_propagations, &(propagations){w, count, stream}));
  CUONN_TRY_DONE(time_work(&once, run_graph, graph, stream));
  for (size_t i = 0; i < n_samples; i++) {
    CUONN_TRY_DONE(time_work(seconds + i, run_graph, graph, stream));
    seconds[i] /= count;
  }
done:
  (void)cudaGraphExecDestroy(graph);
  return status;
}

cuonn_status cuda_time_propagation(double *seconds, size_t n_samples, backend_propagation what, const cuonn_mesh *mesh,
                                   const cuonn_fields *in) {
  const size_t n = mesh->n_modes;
  cuonn_status status = CUONN_OK;
  propagation_work w = {.n_examples = (int)in->n_examples, .by_stages = what == BACKEND_ALL_STAGES};
  CUONN_TRY_DONE(cuda_single_open(&w.one, mesh, w.by_stages));
  const cuda_state *const s = w.one.state;
  cudaStream_t stream = s->session->stream;
  const size_t size = in->n_examples * s->stride;
  CUONN_TRY_DONE(cuda_allocate(&w.x, &w.one.memory, size, sizeof(float2), "the fields"));
  CUONN_TRY_DONE(cuda_allocate(&w.y, &w.one.memory, size, sizeof(float2), "the fields"));
  CUONN_CUDA_DONE(cudaMemsetAsync(w.x, 0, size * sizeof(float2), stream));
  CUONN_TRY_DONE(cuda_upload(w.x, in->values, in->n_examples, n, s->stride, stream));
  for (int t = 0; w.by_stages && t < 5; t++) {
    CUONN_TRY_DONE(cuda_allocate(&w.taps.at[t], &w.one.memory, (size_t)s->meshes.layout.n_columns * size,
                                 sizeof(float2), "the fields at the taps"));
  }
  CUONN_TRY_DONE(time_propagations(seconds, n_samples, &w, stream));
done:
  cuda_single_close(&w.one);
  return status;
}
