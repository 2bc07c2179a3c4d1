/* Evaluation by matrix products: every layer's matrix is built once, by sending unit vectors through it, and the
 * examples go through it with cuBLAS, in float32. From the second layer on fields are real, so that a complex matrix of
 * N x N, whose parts lie next to each other, is a real one of 2 N x N: half the multiplications. Of the last layer only
 * the rows that are read take part. A chip with noise reads the matrices, or every example's fields behind each
 * product. */
#include "cuda/matrices.h"

#include <nvtx3/nvToolsExt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cuda/chip.h"
#include "kernels/columns.h"
#include "kernels/dense.h"

enum { kRoomBytes = 128 << 20 };

static size_t at_most(size_t a, size_t b) { return a < b ? a : b; }

static cuonn_status make_room(cuda_state *s, size_t n_examples) {
  cuda_evaluation *const d = &s->evaluation;
  const size_t n = s->problem.shape.n_modes, classes = s->problem.shape.n_classes;
  size_t most = kRoomBytes / (n * (sizeof(float2) + sizeof(float)));
  most = at_most(most < 1 ? 1 : most, n_examples);
  if (d->most_examples >= most) return CUONN_OK;
  cuda_memory_free(&d->memory);
  memset(d, 0, sizeof *d);
  CUONN_TRY(cuda_allocate(&d->matrices, &d->memory, s->problem.shape.n_layers * n * s->stride, sizeof(float2),
                          "the layers' matrices"));
  CUONN_TRY(cuda_allocate(&d->y, &d->memory, most * n, sizeof(float2), "the fields of examples"));
  CUONN_TRY(cuda_allocate(&d->h, &d->memory, most * n, sizeof(float), "the fields of examples"));
  CUONN_TRY(cuda_allocate(&d->losses, &d->memory, most / CUONN_READOUT_EXAMPLES + 1, sizeof(double), "the losses"));
  CUONN_TRY(cuda_allocate(&d->confusion, &d->memory, classes * classes, sizeof(unsigned), "the confusion matrix"));
  d->most_examples = most;
  return CUONN_OK;
}

/* y [example][rows] = matrix of a layer x fields; the first layer takes complex ones, x, the others real ones, h. */
static cuonn_status multiply(const cuda_state *s, cublasHandle_t blas, size_t layer, const float2 *x, int rows,
                             int count) {
  const int n = (int)s->problem.shape.n_modes, stride = (int)s->stride;
  const float2 *const matrix = s->evaluation.matrices + layer * (size_t)n * s->stride;
  if (layer == 0) {
    const cuComplex one = {1, 0}, zero = {0, 0};
    CUONN_BLAS(cublasCgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, rows, count, n, &one, matrix, stride, x, stride, &zero,
                           s->evaluation.y, rows));
  } else {
    const float one = 1, zero = 0;
    CUONN_BLAS(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2 * rows, count, n, &one, (const float *)matrix, 2 * stride,
                           s->evaluation.h, n, &zero, (float *)s->evaluation.y, 2 * rows));
  }
  return CUONN_OK;
}

/* first: of the examples in their set. */
static cuonn_status forward_layer(const cuda_state *s, cublasHandle_t blas, size_t model, size_t layer, const float2 *x,
                                  size_t first, size_t count, bool reads) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const bool last = layer + 1 == shape->n_layers;
  const size_t rows = last ? shape->n_classes : shape->n_modes;
  CUONN_TRY(multiply(s, blas, layer, x, (int)rows, (int)count));
  if (reads && s->models[model].chip.measurement == CUONN_MEASUREMENT_EXAMPLE) {
    CUONN_TRY(cuda_read_test(s, s->evaluation.y, model, layer, 1, first, count, rows, rows));
  }
  if (!last) CUONN_CUDA(launch_modulus(s->evaluation.h, s->evaluation.y, count * shape->n_modes, s->session->stream));
  return CUONN_OK;
}

/* Examples first .. first + count - 1: their losses go to d->losses, their predictions to d->confusion. */
static cuonn_status run_chunk(const cuda_state *s, cublasHandle_t blas, size_t model, const cuda_set *set, size_t first,
                              size_t count, bool reads) {
  char name[48];
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    snprintf(name, sizeof name, "forward layer %zu", l);
    nvtxRangePushA(name);
    const cuonn_status status = forward_layer(s, blas, model, l, set->fields + first * s->stride, first, count, reads);
    nvtxRangePop();
    CUONN_TRY(status);
  }
  CUONN_CUDA(launch_readout(s->evaluation.losses, s->evaluation.confusion, s->evaluation.y, set->labels + first,
                            (int)s->problem.shape.n_classes, (int)count, s->session->stream));
  return CUONN_OK;
}

/* Sum of the losses of one chunk. */
static cuonn_status take_losses(double *loss, double *scratch, const cuda_state *s, size_t count) {
  const size_t blocks = (count + CUONN_READOUT_EXAMPLES - 1) / CUONN_READOUT_EXAMPLES;
  CUONN_CUDA(cudaMemcpyAsync(scratch, s->evaluation.losses, blocks * sizeof *scratch, cudaMemcpyDeviceToHost,
                             s->session->stream));
  CUONN_CUDA(cudaStreamSynchronize(s->session->stream));
  for (size_t i = 0; i < blocks; i++) *loss += scratch[i];
  return CUONN_OK;
}

static cuonn_status take_confusion(cuonn_evaluation *out, unsigned *scratch, const cuda_state *s) {
  const size_t classes = s->problem.shape.n_classes;
  CUONN_CUDA(cudaMemcpyAsync(scratch, s->evaluation.confusion, classes * classes * sizeof *scratch,
                             cudaMemcpyDeviceToHost, s->session->stream));
  CUONN_CUDA(cudaStreamSynchronize(s->session->stream));
  out->n_correct = 0;
  for (size_t c = 0; c < classes; c++) out->n_correct += scratch[c * classes + c];
  for (size_t i = 0; out->confusion && i < classes * classes; i++) out->confusion[i] = scratch[i];
  return CUONN_OK;
}

cuonn_status cuda_matrices_evaluate(cuonn_evaluation *out, cuda_state *s, size_t model, const cuda_set *set,
                                    bool reads) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t classes = shape->n_classes;
  cublasHandle_t blas;
  cuonn_status status = CUONN_OK;
  double loss = 0, *losses = NULL;
  unsigned *confusion = NULL;
  CUONN_TRY_DONE(cuda_blas(&blas, s->session));
  CUONN_TRY_DONE(make_room(s, set->n_examples));
  const size_t most = s->evaluation.most_examples;
  CUONN_TRY_DONE(cuonn_allocate(&losses, most / CUONN_READOUT_EXAMPLES + 1, sizeof *losses));
  CUONN_TRY_DONE(cuonn_allocate(&confusion, classes * classes, sizeof *confusion));
  const device_meshes meshes = cuda_meshes_view(&s->meshes, model * shape->n_layers);
  CUONN_CUDA_DONE(launch_columns(s->evaluation.matrices, &meshes, (int)shape->n_layers, NULL, (int)shape->n_modes,
                                 false, false, s->session->stream));
  if (reads && s->models[model].chip.measurement == CUONN_MEASUREMENT_MATRIX) {
    CUONN_TRY_DONE(cuda_read_test(s, s->evaluation.matrices, model, 0, shape->n_layers, 0, shape->n_modes,
                                  shape->n_modes, s->stride));
  }
  CUONN_CUDA_DONE(
      cudaMemsetAsync(s->evaluation.confusion, 0, classes * classes * sizeof *confusion, s->session->stream));
  for (size_t first = 0; first < set->n_examples; first += most) {
    const size_t count = at_most(most, set->n_examples - first);
    CUONN_TRY_DONE(run_chunk(s, blas, model, set, first, count, reads));
    CUONN_TRY_DONE(take_losses(&loss, losses, s, count));
  }
  CUONN_TRY_DONE(take_confusion(out, confusion, s));
  out->n_examples = set->n_examples;
  out->loss = loss / (double)set->n_examples / (shape->loss_per_class ? (double)classes : 1);
done:
  free(confusion);
  free(losses);
  return status;
}
