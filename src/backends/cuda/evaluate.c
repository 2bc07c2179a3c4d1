/* Evaluation by matrix products, models side by side: every layer's matrix is built once, by sending unit vectors
 * through it, and the examples go through it with cuBLAS, in float32. Where fields are real, behind what detects light,
 * a complex matrix of N x N, whose parts lie next to each other, is a real one of 2 N x N: half the multiplications. Of
 * the last layer only the rows that are read take part. A chip with noise reads the matrices, or every example's fields
 * behind each product. The host waits once, for the losses of all examples and the predictions that were counted. */
#include "cuda/evaluate.h"

#include <nvtx3/nvToolsExt.h>

#include "chip/noise.h"
#include "cuda/graphs.h"
#include "cuda/outputs.h"
#include "cuda/prepare.h"
#include "cuda/products.h"
#include "kernels/columns.h"
#include "kernels/dense.h"
#include "network/layer.h"

enum { kRoomBytes = 128 << 20 }; /* of the fields of examples that go through the layers at once */

static size_t blocks_of(size_t n_examples) {
  return (n_examples + CUONN_READOUT_EXAMPLES - 1) / CUONN_READOUT_EXAMPLES;
}

/* Of the fields that go into layers behind the first. */
static size_t input_bytes(const cuda_state *s) {
  return network_keeps_phases(&s->problem.shape) ? sizeof(float2) : sizeof(float);
}

/* Examples at once: all, or whole blocks of them, so that the losses of a block are the same sums. */
static size_t examples_at_once(const cuda_state *s, size_t n_models, size_t n_examples) {
  const size_t each = n_models * s->problem.shape.n_modes * (sizeof(float2) + input_bytes(s));
  const size_t blocks = kRoomBytes / (each * CUONN_READOUT_EXAMPLES);
  const size_t most = (blocks < 1 ? 1 : blocks) * CUONN_READOUT_EXAMPLES;
  return most < n_examples ? most : n_examples;
}

/* Losses, counts and batch where the host reads and writes them. */
typedef struct {
  double *losses; /* [model][block] */
  network_batch *batch;
  unsigned *confusion; /* [model][class][class] */
} host_side;

static host_side host_side_of(const cuda_state *s, size_t n_models, size_t n_examples) {
  double *const losses = s->evaluation.pinned.data;
  network_batch *const batch = (network_batch *)(losses + n_models * blocks_of(n_examples));
  return (host_side){losses, batch, (unsigned *)(batch + 1)};
}

void cuda_evaluation_free(cuda_evaluation *e) {
  cuda_room *const rooms[] = {&e->matrices, &e->y, &e->h, &e->losses, &e->confusion, &e->batch, &e->pinned};
  for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) cuda_memory_free(&rooms[i]->memory);
}

cuonn_status cuda_evaluation_widen(cuda_state *s, size_t n_models, size_t n_examples) {
  cuda_evaluation *const e = &s->evaluation;
  cudaStream_t stream = s->session->stream;
  const size_t n = s->problem.shape.n_modes,
               counts = n_models * s->problem.shape.n_classes * s->problem.shape.n_classes;
  const size_t fields = n_models * examples_at_once(s, n_models, n_examples) * n;
  const size_t matrices = n_models * s->problem.shape.n_layers * n * s->stride;
  const size_t losses = n_models * blocks_of(n_examples);
  const size_t pinned = losses * sizeof(double) + sizeof(network_batch) + counts * sizeof(unsigned);
  cublasHandle_t blas;
  bool moved = false;
  CUONN_TRY(cuda_blas(&blas, s->session)); /* here, because it cannot be made while work is recorded */
  CUONN_TRY(cuda_widen(&e->matrices, matrices, sizeof(float2), "the layers' matrices", stream, &moved));
  CUONN_TRY(cuda_widen(&e->y, fields, sizeof(float2), "the fields of examples", stream, &moved));
  CUONN_TRY(cuda_widen(&e->h, fields, input_bytes(s), "the fields of examples", stream, &moved));
  CUONN_TRY(cuda_widen(&e->losses, losses, sizeof(double), "the losses", stream, &moved));
  CUONN_TRY(cuda_widen(&e->confusion, counts, sizeof(unsigned), "the confusion matrix", stream, &moved));
  CUONN_TRY(cuda_widen(&e->batch, 1, sizeof(network_batch), "the losses", stream, &moved));
  if (moved) cuda_drop_graphs(s);
  return cuda_widen_pinned(&e->pinned, pinned, 1, stream);
}

/* ------------------------------------------------------------------------------------------------------------- work */

/* Whether one of the models reads fields with noise, in so many matrices or behind every example. */
static bool reads(const cuda_state *s, const cuda_work *work, cuonn_measurement measurement) {
  for (size_t m = work->first; m < work->first + work->n_models; m++) {
    const cuonn_chip_options *const chip = &s->models[m].chip;
    if (!chip_reads_exactly(chip) && chip->measurement == measurement) return true;
  }
  return false;
}

/* to [model][example][rows] = matrix of a layer x fields: the examples x, which models share, in the first layer, and
 * [model][example][N] behind it, complex where they have kept their phases. */
static cuonn_status multiply(float2 *to, const cuda_state *s, cublasHandle_t blas, size_t layer, const void *fields,
                             int rows, size_t count, int n_models) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const int n = (int)shape->n_modes, stride = (int)s->stride, examples = (int)count;
  const size_t mesh = (size_t)n * s->stride;
  const float2 *const matrix = (const float2 *)s->evaluation.matrices.data + layer * mesh;
  const long long distance = (long long)shape->n_layers * (long long)mesh, to_distance = (long long)count * rows;
  if (products_take_complex(shape, layer)) {
    const cuComplex one = {1, 0}, zero = {0, 0};
    CUONN_BLAS(cublasCgemmStridedBatched(
        blas, CUBLAS_OP_N, CUBLAS_OP_N, rows, examples, n, &one, matrix, stride, distance, fields,
        layer == 0 ? stride : n, layer == 0 ? 0 : (long long)count * n, &zero, to, rows, to_distance, n_models));
  } else {
    const float one = 1, zero = 0;
    CUONN_BLAS(cublasSgemmStridedBatched(
        blas, CUBLAS_OP_N, CUBLAS_OP_N, 2 * rows, examples, n, &one, (const float *)matrix, 2 * stride, 2 * distance,
        fields, n, (long long)count * n, &zero, (float *)to, 2 * rows, 2 * to_distance, n_models));
  }
  return CUONN_OK;
}

/* Reads the matrices, or fields behind a layer, of the models that do so. */
static cuonn_status read_test(const cuda_state *s, const cuda_work *work, float2 *fields, bool of_matrices,
                              size_t layer, size_t n_layers, size_t first, size_t count, size_t n_read, size_t stride) {
  const reading_task task = {.fields = fields,
                             .readers = s->chip.readers + work->first,
                             .use = READ_TEST,
                             .of_matrices = of_matrices,
                             .batch = s->evaluation.batch.data,
                             .n_models = (int)work->n_models,
                             .n_modes = (int)s->problem.shape.n_modes,
                             .first_layer = (int)layer,
                             .n_layers = (int)n_layers,
                             .first_example = (int)first,
                             .n_examples = (int)count,
                             .n_read = (int)n_read,
                             .stride = (int)stride};
  CUONN_CUDA(launch_read(&task, s->session->stream));
  return CUONN_OK;
}

/* Examples first .. first + count - 1 of the set. */
static cuonn_status run_chunk(const cuda_state *s, cublasHandle_t blas, const cuda_work *work, size_t first,
                              size_t count) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const cuda_set *const set = s->sets + work->split;
  const cuda_evaluation *const e = &s->evaluation;
  const bool reads_examples = reads(s, work, CUONN_MEASUREMENT_EXAMPLE);
  const field_law law = products_law(&shape->nonlinearity);
  const void *in = set->fields + first * s->stride;
  float2 *y = e->y.data;
  void *other = e->h.data;
  for (size_t l = 0; l < shape->n_layers; l++) {
    const bool last = l + 1 == shape->n_layers;
    const size_t rows = last ? shape->n_classes : shape->n_modes;
    CUONN_TRY(multiply(y, s, blas, l, in, (int)rows, count, (int)work->n_models));
    if (reads_examples) CUONN_TRY(read_test(s, work, y, false, l, 1, first, count, rows, rows));
    if (last) break;
    if (cuonn_network_has_nonlinearity(shape, l)) {
      CUONN_CUDA(launch_pass(other, y, work->n_models * count * rows, &law, s->session->stream));
      in = other;
    } else { /* fields go on as they are, and those behind the next layer into the other room */
      float2 *const here = y;
      in = here;
      y = other;
      other = here;
    }
  }
  const readout_task task = {.y = y,
                             .labels = set->labels + first,
                             .n_classes = (int)shape->n_classes,
                             .n_examples = (int)count,
                             .n_models = (int)work->n_models,
                             .squared = shape->loss == CUONN_LOSS_SQUARED_ERROR,
                             .losses = (double *)e->losses.data + first / CUONN_READOUT_EXAMPLES,
                             .losses_distance = blocks_of(set->n_examples),
                             .confusion = e->confusion.data};
  CUONN_CUDA(launch_readout(&task, s->session->stream));
  return CUONN_OK;
}

static cuonn_status launch(const cuda_state *s, const cuda_work *work) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t n = shape->n_modes, n_examples = s->sets[work->split].n_examples;
  const size_t at_once = examples_at_once(s, work->n_models, n_examples);
  const device_meshes meshes = cuda_meshes_view(&s->meshes, work->first * shape->n_layers);
  float2 *const matrices = s->evaluation.matrices.data;
  cublasHandle_t blas;
  CUONN_TRY(cuda_blas(&blas, s->session));
  CUONN_CUDA(launch_columns(matrices, &meshes, (int)(work->n_models * shape->n_layers), NULL, (int)n, false, false,
                            s->session->stream));
  if (s->outputs.any) {
    const output_factors factors = cuda_outputs_factors(s, &s->meshes, work->first, work->n_models);
    CUONN_CUDA(launch_outputs(matrices, matrices, &factors, s->session->stream));
  }
  if (reads(s, work, CUONN_MEASUREMENT_MATRIX)) {
    CUONN_TRY(read_test(s, work, matrices, true, 0, shape->n_layers, 0, n, n, s->stride));
  }
  CUONN_CUDA(cudaMemsetAsync(s->evaluation.confusion.data, 0,
                             work->n_models * shape->n_classes * shape->n_classes * sizeof(unsigned),
                             s->session->stream));
  for (size_t first = 0; first < n_examples; first += at_once) {
    const size_t left = n_examples - first;
    CUONN_TRY(run_chunk(s, blas, work, first, left < at_once ? left : at_once));
  }
  return CUONN_OK;
}

/* ---------------------------------------------------------------------------------------------------------- results */

/* One model's sums of blocks, and its counts. */
static void take(cuonn_evaluation *out, const double *losses, const unsigned *confusion,
                 const cuonn_network_shape *shape, size_t n_examples) {
  const size_t classes = shape->n_classes;
  double loss = 0;
  for (size_t i = 0; i < blocks_of(n_examples); i++) loss += losses[i];
  out->n_correct = 0;
  for (size_t c = 0; c < classes; c++) out->n_correct += confusion[c * classes + c];
  for (size_t i = 0; out->confusion && i < classes * classes; i++) out->confusion[i] = confusion[i];
  out->n_examples = n_examples;
  out->loss = loss / (double)n_examples / (shape->loss_per_class ? (double)classes : 1);
}

static cuonn_status evaluate(cuonn_evaluation *out, cuda_state *s, const cuda_work *work) {
  const size_t n_examples = s->sets[work->split].n_examples, blocks = blocks_of(n_examples), models = work->n_models;
  const size_t counts = s->problem.shape.n_classes * s->problem.shape.n_classes;
  cudaStream_t stream = s->session->stream;
  CUONN_TRY(cuda_prepare_chip(s));
  CUONN_TRY(cuda_evaluation_widen(s, models, n_examples));
  const host_side host = host_side_of(s, models, n_examples);
  *host.batch = (network_batch){.number = s->chip.steps_done};
  CUONN_CUDA(cudaMemcpyAsync(s->evaluation.batch.data, host.batch, sizeof *host.batch, cudaMemcpyHostToDevice, stream));
  CUONN_TRY(cuda_run(s, work, launch));
  CUONN_CUDA(cudaMemcpyAsync(host.losses, s->evaluation.losses.data, models * blocks * sizeof *host.losses,
                             cudaMemcpyDeviceToHost, stream));
  CUONN_CUDA(cudaMemcpyAsync(host.confusion, s->evaluation.confusion.data, models * counts * sizeof *host.confusion,
                             cudaMemcpyDeviceToHost, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  for (size_t m = 0; m < models; m++) {
    take(out + m, host.losses + m * blocks, host.confusion + m * counts, &s->problem.shape, n_examples);
  }
  return CUONN_OK;
}

cuonn_status cuda_evaluate(cuonn_evaluation *out, void *state, size_t first, size_t n_models, cuonn_split split) {
  const cuda_work work = {.kind = CUDA_EVALUATION, .first = first, .n_models = n_models, .split = split};
  nvtxRangePushA("evaluate");
  const cuonn_status status = evaluate(out, state, &work);
  nvtxRangePop();
  return status;
}
