/* Labelled sets: features of images by cuFFT, or fields as they are. */
#include "cuda/sets.h"

#include <math.h>
#include <nvtx3/nvToolsExt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cuda/prepare.h"
#include "features/frequencies.h"
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
static cuonn_status make_set(cuda_state *s, cuonn_split split, size_t n_examples, const uint8_t *labels) {
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
  if (split == CUONN_SPLIT_TRAIN && s->problem.order == CUONN_ORDER_SHUFFLED && s->problem.batch_size > 0) {
    cuda_memory_free(&steps->order_memory);
    steps->order_epoch = -1;
    CUONN_TRY(cuda_allocate(&steps->order, &steps->order_memory, s->problem.n_models * n_examples, sizeof(unsigned),
                            "the order of examples"));
  }
  set->n_examples = n_examples;
  return CUONN_OK;
}

cuonn_status cuda_set_fields(void *state, cuonn_split split, const cuonn_fields *fields, const uint8_t *labels) {
  cuda_state *const s = state;
  CUONN_TRY(make_set(s, split, fields->n_examples, labels));
  return cuda_upload(s->sets[split].fields, fields->values, fields->n_examples, fields->n_modes, s->stride,
                     s->session->stream);
}

/* As many images at once as half of the free memory holds: bytes (or none), floats, and the spectrum twice, once for
 * cuFFT. */
static cuonn_status images_at_once(size_t *out, const cuonn_examples *images) {
  const size_t pixels = images->height * images->width, half = images->height * (images->width / 2 + 1);
  const size_t each = pixels * (1 + sizeof(float)) + half * 2 * sizeof(float2);
  size_t available, total;
  CUONN_CUDA(cudaMemGetInfo(&available, &total));
  *out = available / 2 / each;
  if (*out < 1) *out = 1;
  if (*out > images->n_examples) *out = images->n_examples;
  return CUONN_OK;
}

/* Pixels first .. first + count - 1, counted over all images, as floats on the device. bytes: room on the device;
 * chunk: room here, for grey values. */
static cuonn_status upload_pixels(float *values, uint8_t *bytes, float *chunk, const cuonn_examples *images,
                                  size_t first, size_t count, cudaStream_t stream) {
  if (images->pixels) {
    CUONN_CUDA(cudaMemcpyAsync(bytes, images->pixels + first, count, cudaMemcpyHostToDevice, stream));
    CUONN_CUDA(launch_pixels(values, bytes, count, stream));
    return CUONN_OK;
  }
  CUONN_CUDA(cudaStreamSynchronize(stream)); /* the last chunk has been read */
  for (size_t i = 0; i < count; i++) chunk[i] = (float)images->grey[first + i];
  CUONN_CUDA(cudaMemcpyAsync(values, chunk, count * sizeof *values, cudaMemcpyHostToDevice, stream));
  return CUONN_OK;
}

/* The frequencies that become features, on the device. */
static cuonn_status upload_frequencies(int **out, cuda_memory *memory, const cuonn_features_options *options, size_t n,
                                       const cuonn_examples *images, cudaStream_t stream) {
  cuonn_status status = CUONN_OK;
  int(*frequencies)[2] = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&frequencies, n, sizeof *frequencies));
  CUONN_TRY_DONE(features_frequencies(frequencies, options, images->height, images->width));
  CUONN_TRY_DONE(cuda_allocate(out, memory, 2 * n, sizeof **out, "the frequencies"));
  CUONN_CUDA_DONE(cudaMemcpyAsync(*out, frequencies, n * sizeof *frequencies, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
done:
  free(frequencies);
  return status;
}

static cuonn_status fourier(cuda_state *s, cuda_set *set, const cuonn_examples *images,
                            const cuonn_features_options *options, size_t n) {
  const size_t height = images->height, width = images->width, pixels = height * width;
  cudaStream_t stream = s->session->stream;
  cuonn_status status = CUONN_OK;
  cuda_memory memory = {0};
  size_t at_once = 0;
  int *frequencies = NULL;
  uint8_t *bytes = NULL;
  float *values = NULL, *chunk = NULL;
  float2 *half = NULL;
  cufftHandle plan;
  CUONN_TRY_DONE(upload_frequencies(&frequencies, &memory, options, n, images, stream));
  CUONN_TRY_DONE(images_at_once(&at_once, images));
  if (images->pixels)
    CUONN_TRY_DONE(cuda_allocate(&bytes, &memory, at_once * pixels, 1, "the images"));
  else
    CUONN_TRY_DONE(cuonn_allocate(&chunk, at_once * pixels, sizeof *chunk));
  CUONN_TRY_DONE(cuda_allocate(&values, &memory, at_once * pixels, sizeof *values, "the images"));
  CUONN_TRY_DONE(cuda_allocate(&half, &memory, at_once * height * (width / 2 + 1), sizeof *half, "their spectra"));
  for (size_t first = 0; first < images->n_examples; first += at_once) {
    const size_t left = images->n_examples - first, count = left < at_once ? left : at_once;
    CUONN_TRY_DONE(cuda_plan(&plan, s->session, height, width, count));
    CUONN_TRY_DONE(upload_pixels(values, bytes, chunk, images, first * pixels, count * pixels, stream));
    CUONN_TRY_DONE(cuda_check_fft(cufftExecR2C(plan, values, half), "cufftExecR2C", __FILE__, __LINE__));
    CUONN_CUDA_DONE(launch_crop(set->fields + first * s->stride, half, frequencies, (int)height, (int)width, (int)n,
                                options->reference, (int)s->stride, (int)count, stream));
  }
  CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
done:
  cuda_memory_free(&memory);
  free(chunk);
  return status;
}

/* The zoom rounds to whole numbers, for which double is needed; the processor does it (features/zoom.h). */
static cuonn_status resample(cuda_state *s, cuda_set *set, const cuonn_examples *images,
                             const cuonn_features_options *options, size_t n) {
  const size_t n_modes = n + options->reference;
  cuonn_status status = CUONN_OK;
  double *scratch = NULL, *zoomed = NULL, *fields = NULL;
  features_zoom zoom;
  CUONN_TRY_DONE(features_zoom_create(&zoom, options, images));
  CUONN_TRY_DONE(cuonn_allocate(&scratch, zoom.side * zoom.columns, sizeof *scratch));
  CUONN_TRY_DONE(cuonn_allocate(&zoomed, n, sizeof *zoomed));
  CUONN_TRY_DONE(cuonn_allocate(&fields, 2 * images->n_examples * n_modes, sizeof *fields));
  for (size_t e = 0; e < images->n_examples; e++) {
    double sum = 0, *const example = fields + 2 * e * n_modes;
    features_zoom_apply(zoomed, scratch, &zoom, images, e);
    for (size_t k = 0; k < n; k++) sum += fabs(zoomed[k]);
    for (size_t k = 0; k < n; k++) example[2 * k] = sum == 0 ? 0 : zoomed[k] * (double)n / sum;
    if (options->reference) example[2 * n] = 1;
  }
  CUONN_TRY_DONE(cuda_upload(set->fields, fields, images->n_examples, n_modes, s->stride, s->session->stream));
done:
  free(fields);
  free(zoomed);
  free(scratch);
  features_zoom_free(&zoom);
  return status;
}

cuonn_status cuda_set_images(void *state, cuonn_split split, const cuonn_examples *images,
                             const cuonn_features_options *options) {
  cuda_state *const s = state;
  const size_t n = cuonn_features_modes(options) - options->reference;
  CUONN_TRY(make_set(s, split, images->n_examples, images->labels));
  nvtxRangePushA("features");
  const cuonn_status status = options->kind == CUONN_FEATURES_RESAMPLE
                                  ? resample(s, s->sets + split, images, options, n)
                                  : fourier(s, s->sets + split, images, options, n);
  nvtxRangePop();
  return status;
}

cuonn_status cuda_get_features(double *out, void *state, cuonn_split split) {
  cuda_state *const s = state;
  return cuda_download(out, s->sets[split].fields, s->sets[split].n_examples, s->problem.shape.n_modes, s->stride,
                       s->session->stream);
}
