/* IDX files: any bytes as images and as labels; and gzipped they must mean the same as plain. */
#include <zlib.h>

#include "cuonn/dataset.h"
#include "input.h"

static const uint8_t kLabels[] = {0, 0, 8, 1, 0, 0, 0, 2, 3, 9};                         /* two labels */
static const uint8_t kImages[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 8}; /* two images of one pixel */

static const char *gzipped(unsigned slot, const uint8_t *bytes, size_t size) {
  uint8_t room[1 << 16];
  z_stream stream = {
      .next_in = (uint8_t *)(uintptr_t)bytes, .avail_in = (uInt)size, .next_out = room, .avail_out = sizeof room};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
  const int whole = deflate(&stream, Z_FINISH);
  deflateEnd(&stream);
  return whole == Z_STREAM_END ? input_file(slot, room, stream.total_out) : NULL;
}

/* Bytes, or grey values of another element type. */
static bool same_values(const cuonn_examples *a, const cuonn_examples *b) {
  const size_t count = a->n_examples * a->height * a->width;
  if (a->pixels) return b->pixels && memcmp(a->pixels, b->pixels, count) == 0;
  return b->grey && memcmp(a->grey, b->grey, count * sizeof *a->grey) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  cuonn_examples plain, packed;
  const char *const input = input_file(0, bytes, size), *const labels = input_file(1, kLabels, sizeof kLabels);
  const char *const images = input_file(2, kImages, sizeof kImages);
  const cuonn_status as_images = cuonn_images_load(&plain, input, labels);
  const char *const gzip = size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b ? NULL : gzipped(3, bytes, size);
  if (gzip) {
    if (cuonn_images_load(&packed, gzip, labels) != as_images) abort();
    if (as_images == CUONN_OK && (packed.n_examples != plain.n_examples || packed.height != plain.height ||
                                  packed.width != plain.width || !same_values(&packed, &plain)))
      abort();
    cuonn_examples_free(&packed);
  }
  cuonn_examples_free(&plain);

  cuonn_images_load(&plain, images, input);
  cuonn_examples_free(&plain);
  return 0;
}
