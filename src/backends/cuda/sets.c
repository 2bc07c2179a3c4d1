/* Labelled sets: features of images by cuFFT, or fields as they are. */
#include <nvtx3/nvToolsExt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cuda/state.h"
#include "features/zoom.h"
#include "kernels/fourier.h"

enum { kChunkBytes = 64 << 20 }; /* of host memory for conversions */

cuonn_status cuda_upload(float2 *to, const double *from, size_t n_examples, size_t n_modes, size_t stride,
                         cudaStream_t stream) {
  const size_t at_once = kChunkBytes / (stride * sizeof(float2)) + 1;
  cuonn_status status = CUONN_OK;
  float2 *chunk = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&chunk, (at_once < n_examples ? at_once : n_examples) * stride, sizeof *chunk));
  for (size_t first = 0; first < n_examples; first += at_once) {
    const size_t count = n_examples - first < at_once ? n_examples - first : at_once;
    for (size_t e = 0; e < count; e++) {
      const double *const example = from + 2 * (first + e) * n_modes;
      for (size_t w = 0; w < n_modes; w++) {
        chunk[e * stride + w] = (float2){(float)example[2 * w], (float)example[2 * w + 1]};
      }
    }
    CUONN_CUDA_DONE(
        cudaMemcpyAsync(to + first * stride, chunk, count * stride * sizeof *chunk, cudaMemcpyHostToDevice, stream));
    CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
  }
done:
  free(chunk);
  return status;
}

cuonn_status cuda_download(double *to, const float2 *from, size_t n_examples, size_t n_modes, size_t stride,
                           cudaStream_t stream) {
  const size_t at_once = kChunkBytes / (stride * sizeof(float2)) + 1;
  cuonn_status status = CUONN_OK;
  float2 *chunk = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&chunk, (at_once < n_examples ? at_once : n_examples) * stride, sizeof *chunk));
  for (size_t first = 0; first < n_examples; first += at_once) {
    const size_t count = n_examples - first < at_once ? n_examples - first : at_once;
    CUONN_CUDA_DONE(
        cudaMemcpyAsync(chunk, from + first * stride, count * stride * sizeof *chunk, cudaMemcpyDeviceToHost, stream));
    CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
    for (size_t e = 0; e < count; e++) {
      double *const example = to + 2 * (first + e) * n_modes;
      for (size_t w = 0; w < n_modes; w++) {
        example[2 * w] = (double)chunk[e * stride + w].x;
        example[2 * w + 1] = (double)chunk[e * stride + w].y;
      }
    }
  }
done:
  free(chunk);
  return status;
}

/* An empty set in place of an earlier one. */
static cuonn_status make_set(cuda_state *s, backend_split split, size_t n_examples, const uint8_t *labels) {
  cuda_set *const set = s->sets + split;
  cuda_steps *const steps = &s->steps;
  cudaStream_t stream = s->session->stream;
  CUONN_CUDA(cudaStreamSynchronize(stream));
  cuda_memory_free(&set->memory);
  cuda_drop_graphs(s);
  set->n_examples = 0;
  CUONN_TRY(cuda_allocate(&set->fields, &set->memory, n_examples * s->stride, sizeof(float2), "the features"));
  CUONN_TRY(cuda_allocate(&set->labels, &set->memory, n_examples, 1, "the labels"));
  CUONN_CUDA(cudaMemcpyAsync(set->labels, labels, n_examples, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaMemsetAsync(set->fields, 0, n_examples * s->stride * sizeof(float2), stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  if (split == BACKEND_TRAIN && s->problem.order == CUONN_ORDER_SHUFFLED && s->problem.batch_size > 0) {
    cuda_memory_free(&steps->order_memory);
    steps->order_epoch = -1;
    CUONN_TRY(cuda_allocate(&steps->order, &steps->order_memory, s->problem.n_models * n_examples, sizeof(unsigned),
                            "the order of examples"));
  }
  set->n_examples = n_examples;
  return CUONN_OK;
}

cuonn_status cuda_set_fields(void *state, backend_split split, const cuonn_fields *fields, const uint8_t *labels) {
  cuda_state *const s = state;
  CUONN_TRY(make_set(s, split, fields->n_examples, labels));
  return cuda_upload(s->sets[split].fields, fields->values, fields->n_examples, fields->n_modes, s->stride,
                     s->session->stream);
}

/* As many images at once as half of the free memory holds: bytes, floats, and the spectrum twice, once for cuFFT. */
static cuonn_status images_at_once(size_t *out, const cuonn_images *images) {
  const size_t pixels = images->height * images->width, half = images->height * (images->width / 2 + 1);
  const size_t each = pixels * (1 + sizeof(float)) + half * 2 * sizeof(float2);
  size_t available, total;
  CUONN_CUDA(cudaMemGetInfo(&available, &total));
  *out = available / 2 / each;
  if (*out < 1) *out = 1;
  if (*out > images->n_examples) *out = images->n_examples;
  return CUONN_OK;
}

static cuonn_status fourier(cuda_state *s, cuda_set *set, const cuonn_images *images, size_t radius) {
  const size_t height = images->height, width = images->width, pixels = height * width;
  cudaStream_t stream = s->session->stream;
  cuonn_status status = CUONN_OK;
  cuda_memory memory = {0};
  size_t at_once = 0;
  uint8_t *bytes = NULL;
  float *values = NULL;
  float2 *half = NULL;
  cufftHandle plan;
  CUONN_TRY_DONE(images_at_once(&at_once, images));
  CUONN_TRY_DONE(cuda_allocate(&bytes, &memory, at_once * pixels, 1, "the images"));
  CUONN_TRY_DONE(cuda_allocate(&values, &memory, at_once * pixels, sizeof *values, "the images"));
  CUONN_TRY_DONE(cuda_allocate(&half, &memory, at_once * height * (width / 2 + 1), sizeof *half, "their spectra"));
  for (size_t first = 0; first < images->n_examples; first += at_once) {
    const size_t left = images->n_examples - first, count = left < at_once ? left : at_once;
    CUONN_TRY_DONE(cuda_plan(&plan, s->session, height, width, count));
    CUONN_CUDA_DONE(
        cudaMemcpyAsync(bytes, images->pixels + first * pixels, count * pixels, cudaMemcpyHostToDevice, stream));
    CUONN_CUDA_DONE(launch_pixels(values, bytes, count * pixels, stream));
    CUONN_TRY_DONE(cuda_check_fft(cufftExecR2C(plan, values, half), "cufftExecR2C", __FILE__, __LINE__));
    CUONN_CUDA_DONE(launch_crop(set->fields + first * s->stride, half, (int)height, (int)width, (int)radius,
                                (int)s->stride, (int)count, stream));
  }
  CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
done:
  cuda_memory_free(&memory);
  return status;
}

/* The zoom rounds to whole numbers, for which double is needed; the processor does it (features/zoom.h). */
static cuonn_status resample(cuda_state *s, cuda_set *set, const cuonn_images *images, size_t side, size_t border) {
  const size_t width = images->width, pixels = width - 2 * border, n = side * side;
  cuonn_status status = CUONN_OK;
  double *matrix = NULL, *scratch = NULL, *zoomed = NULL, *fields = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&matrix, side * pixels, sizeof *matrix));
  CUONN_TRY_DONE(cuonn_allocate(&scratch, side * pixels, sizeof *scratch));
  CUONN_TRY_DONE(cuonn_allocate(&zoomed, n, sizeof *zoomed));
  CUONN_TRY_DONE(cuonn_allocate(&fields, 2 * images->n_examples * n, sizeof *fields));
  CUONN_TRY_DONE(features_zoom_matrix(matrix, side, pixels));
  for (size_t e = 0; e < images->n_examples; e++) {
    double sum = 0;
    features_zoom(zoomed, scratch, images->pixels + e * width * width, width, border, matrix, side, pixels);
    for (size_t k = 0; k < n; k++) sum += zoomed[k];
    for (size_t k = 0; k < n; k++) {
      fields[2 * (e * n + k)] = sum == 0 ? 0 : zoomed[k] * (double)n / sum;
      fields[2 * (e * n + k) + 1] = 0;
    }
  }
  CUONN_TRY_DONE(cuda_upload(set->fields, fields, images->n_examples, n, s->stride, s->session->stream));
done:
  free(fields);
  free(zoomed);
  free(scratch);
  free(matrix);
  return status;
}

cuonn_status cuda_set_images(void *state, backend_split split, const cuonn_images *images,
                             const cuonn_features_options *options) {
  cuda_state *const s = state;
  CUONN_TRY(make_set(s, split, images->n_examples, images->labels));
  nvtxRangePushA("features");
  const cuonn_status status = options->kind == CUONN_FEATURES_FOURIER
                                  ? fourier(s, s->sets + split, images, options->radius)
                                  : resample(s, s->sets + split, images, options->side, options->border);
  nvtxRangePop();
  return status;
}

cuonn_status cuda_get_features(double *out, void *state, backend_split split) {
  cuda_state *const s = state;
  return cuda_download(out, s->sets[split].fields, s->sets[split].n_examples, s->problem.shape.n_modes, s->stride,
                       s->session->stream);
}
