/* Labelled sets: features of images by cuFFT, or fields as they are. */
#include "cuda/sets.h"

#include <math.h>
#include <nvtx3/nvToolsExt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cuda/evaluate.h"
#include "cuda/graphs.h"
#include "features/frequencies.h"
#include "features/zoom.h"
#include "kernels/fourier.h"

enum { kChunkBytes = 64 << 20 }; /* for conversions, and for images on the device */

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

void cuda_sets_free(cuda_state *s) {
  cuda_room *const images[] = {&s->images.frequencies, &s->images.bytes, &s->images.values, &s->images.half};
  for (size_t i = 0; i < sizeof images / sizeof *images; i++) cuda_memory_free(&images[i]->memory);
  for (int split = 0; split < CUONN_SPLITS; split++) {
    for (int i = 0; i < 2; i++) cuda_memory_free(&s->sets[split].rooms[i].memory);
  }
}

/* Room for a set, and for what is asked of sets. */
static cuonn_status widen_set(cuda_state *s, cuda_set *set, size_t n_examples, bool *moved) {
  cuda_steps *const steps = &s->steps;
  cudaStream_t stream = s->session->stream;
  CUONN_TRY(cuda_widen(&set->rooms[0], n_examples * s->stride, sizeof(float2), "the features", stream, moved));
  CUONN_TRY(cuda_widen(&set->rooms[1], n_examples, 1, "the labels", stream, moved));
  set->fields = set->rooms[0].data;
  set->labels = set->rooms[1].data;
  if (set == &s->sets[CUONN_SPLIT_TRAIN] && s->problem.order == CUONN_ORDER_SHUFFLED && s->problem.batch_size > 0) {
    CUONN_TRY(cuda_widen(&steps->order_room, s->problem.n_models * n_examples, sizeof(unsigned),
                         "the order of examples", stream, moved));
    steps->order = steps->order_room.data;
    steps->order_epoch = -1;
  }
  if (s->problem.n_models == 0) return CUONN_OK;                    /* features alone */
  return cuda_evaluation_widen(s, s->problem.n_models, n_examples); /* here, where too little memory costs no epoch */
}

/* An empty set in place of an earlier one. */
static cuonn_status make_set(cuda_state *s, cuonn_split split, size_t n_examples, const uint8_t *labels) {
  cuda_set *const set = s->sets + split;
  cudaStream_t stream = s->session->stream;
  const size_t before = set->n_examples;
  bool moved = false;
  set->n_examples = 0;
  CUONN_TRY(widen_set(s, set, n_examples, &moved));
  if (moved || n_examples != before) cuda_drop_graphs(s);
  CUONN_CUDA(cudaMemcpyAsync(set->labels, labels, n_examples, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaMemsetAsync(set->fields, 0, n_examples * s->stride * sizeof(float2), stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  set->n_examples = n_examples;
  return CUONN_OK;
}

cuonn_status cuda_set_fields(void *state, cuonn_split split, const cuonn_fields *fields, const uint8_t *labels) {
  cuda_state *const s = state;
  CUONN_TRY(make_set(s, split, fields->n_examples, labels));
  return cuda_upload(s->sets[split].fields, fields->values, fields->n_examples, fields->n_modes, s->stride,
                     s->session->stream);
}

/* Floats of one image on the way: itself, and the spectrum twice, once for cuFFT. */
static size_t floats_of(const cuonn_examples *images) {
  return images->height * images->width + images->height * (images->width / 2 + 1) * 4;
}

/* Pixels first .. first + count - 1, counted over all images, as floats on the device. chunk: room here, for grey
 * values. */
static cuonn_status upload_pixels(const cuda_images *room, float *chunk, const cuonn_examples *images, size_t first,
                                  size_t count, cudaStream_t stream) {
  if (images->pixels) {
    CUONN_CUDA(cudaMemcpyAsync(room->bytes.data, images->pixels + first, count, cudaMemcpyHostToDevice, stream));
    CUONN_CUDA(launch_pixels(room->values.data, room->bytes.data, count, stream));
    return CUONN_OK;
  }
  CUONN_CUDA(cudaStreamSynchronize(stream)); /* the last chunk has been read */
  for (size_t i = 0; i < count; i++) chunk[i] = (float)images->grey[first + i];
  CUONN_CUDA(cudaMemcpyAsync(room->values.data, chunk, count * sizeof(float), cudaMemcpyHostToDevice, stream));
  return CUONN_OK;
}

/* Room for so many images at once; those that a plan transforms without being there are 0, or of an earlier call. */
static cuonn_status widen_images(cuda_images *room, const cuonn_examples *images, size_t at_once, size_t n,
                                 cudaStream_t stream) {
  const size_t pixels = at_once * images->height * images->width;
  const size_t half = at_once * images->height * (images->width / 2 + 1);
  bool moved = false;
  CUONN_TRY(cuda_widen(&room->frequencies, 2 * n, sizeof(int), "the frequencies", stream, NULL));
  if (images->pixels) CUONN_TRY(cuda_widen(&room->bytes, pixels, 1, "the images", stream, NULL));
  CUONN_TRY(cuda_widen(&room->values, pixels, sizeof(float), "the images", stream, &moved));
  CUONN_TRY(cuda_widen(&room->half, half, sizeof(float2), "their spectra", stream, NULL));
  if (moved) CUONN_CUDA(cudaMemsetAsync(room->values.data, 0, pixels * sizeof(float), stream));
  return CUONN_OK;
}

static cuonn_status fourier(cuda_state *s, cuda_set *set, const cuonn_examples *images,
                            const cuonn_features_options *options, size_t n) {
  const size_t height = images->height, width = images->width, pixels = height * width;
  const size_t fit = kChunkBytes / (floats_of(images) * sizeof(float)) + 1;
  const cuda_images *const room = &s->images;
  cudaStream_t stream = s->session->stream;
  cuonn_status status = CUONN_OK;
  size_t at_once = fit < images->n_examples ? fit : images->n_examples;
  int(*frequencies)[2] = NULL;
  float *chunk = NULL;
  cufftHandle plan;
  CUONN_TRY_DONE(cuonn_allocate(&frequencies, n, sizeof *frequencies));
  CUONN_TRY_DONE(features_frequencies(frequencies, options, height, width));
  CUONN_TRY_DONE(cuda_plan(&plan, &at_once, s->session, height, width));
  CUONN_TRY_DONE(widen_images(&s->images, images, at_once, n, stream));
  if (!images->pixels) CUONN_TRY_DONE(cuonn_allocate(&chunk, at_once * pixels, sizeof *chunk));
  CUONN_CUDA_DONE(
      cudaMemcpyAsync(room->frequencies.data, frequencies, n * sizeof *frequencies, cudaMemcpyHostToDevice, stream));
  for (size_t first = 0; first < images->n_examples; first += at_once) {
    const size_t left = images->n_examples - first, count = left < at_once ? left : at_once;
    CUONN_TRY_DONE(upload_pixels(room, chunk, images, first * pixels, count * pixels, stream));
    CUONN_TRY_DONE(
        cuda_check_fft(cufftExecR2C(plan, room->values.data, room->half.data), "cufftExecR2C", __FILE__, __LINE__));
    CUONN_CUDA_DONE(launch_crop(set->fields + first * s->stride, room->half.data, room->frequencies.data, (int)height,
                                (int)width, (int)n, options->reference, (int)s->stride, (int)count, stream));
  }
done:;
  const cudaError_t waited = cudaStreamSynchronize(stream); /* what is freed here may be on its way */
  if (status == CUONN_OK) status = cuda_check(waited, "cudaStreamSynchronize", __FILE__, __LINE__);
  free(chunk);
  free(frequencies);
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
