/* IDX files: images in three dimensions, labels in one.
 *
 *   00 00  element type  number of dimensions  size of each dimension (4 bytes, big-endian)  data, big-endian
 *
 * zlib's gz functions read both kinds of file: what begins with the gzip magic is decompressed, all else is passed
 * through; libdeflate decompresses the data of a good gzip file in half the time, and what it does not take, zlib reads
 * or refuses. A header is never believed before the data has arrived: memory grows with what was really read, and with
 * the size of the file. */
#include "dataset/idx.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "dataset/inflate.h"

enum {
  kMaxDims = 3,
  kMaxSide = 4096,       /* pixels */
  kGzipBuffer = 1 << 17, /* bytes of zlib's input buffer */
  kFirstPiece = 1 << 20, /* bytes of data for which memory is taken on the header's word alone, ... */
  kExpansion = 8,        /* ... and for each byte of the file; most gzipped images have fewer */
  kLargestRead = 1 << 30 /* gzread counts in int */
};
static const uint64_t kMaxBytes = UINT64_C(1) << 34;

/* Element types. */
typedef enum {
  IDX_UNSIGNED_BYTE = 0x08,
  IDX_BYTE = 0x09,
  IDX_SHORT = 0x0B,
  IDX_INT = 0x0C,
  IDX_FLOAT = 0x0D,
  IDX_DOUBLE = 0x0E
} idx_type;

/* The content of one file. */
typedef struct {
  idx_type type;
  uint32_t size[kMaxDims];
  uint64_t n_bytes;
  uint8_t *bytes; /* owner: whoever holds the struct */
} idx_array;

/* Bytes of an element; 0: there is no such type. */
static unsigned type_size(unsigned type) {
  switch (type) {
    case IDX_UNSIGNED_BYTE:
    case IDX_BYTE: return 1;
    case IDX_SHORT: return 2;
    case IDX_INT:
    case IDX_FLOAT: return 4;
    case IDX_DOUBLE: return 8;
    default: return 0;
  }
}

/* What zlib's code means for the file. */
static cuonn_status stream_status(int code, const char *reason, const char *path) {
  switch (code) {
    case Z_OK: return CUONN_OK;
    case Z_BUF_ERROR: return cuonn_fail(CUONN_E_DATA, "%s: the gzip stream is cut off; copy the file again", path);
    case Z_ERRNO: return cuonn_fail(CUONN_E_IO, "%s: cannot be read: %s", path, strerror(errno));
    case Z_MEM_ERROR: return cuonn_fail(CUONN_E_MEMORY, "%s: not enough memory to decompress it", path);
    default: return cuonn_fail(CUONN_E_DATA, "%s: damaged gzip stream (%s); copy the file again", path, reason);
  }
}

/* Reads n bytes, or fewer where the content ends; an end that is no proper end of a gzip stream is refused. */
static cuonn_status read_bytes(uint64_t *got, void *out, uint64_t n, gzFile file, const char *path) {
  uint64_t have = 0;
  int last;
  do {
    const uint64_t left = n - have;
    last = gzread(file, (uint8_t *)out + have, (unsigned)(left < kLargestRead ? left : kLargestRead));
    if (last > 0) have += (uint64_t)last;
  } while (last > 0 && have < n);
  *got = have;
  if (have == n) return CUONN_OK;
  int code = Z_OK;
  const char *reason = gzerror(file, &code);
  if (strncmp(reason, "<fd:", 4) == 0 && strchr(reason, ' '))
    reason = strchr(reason, ' ') + 1; /* zlib's name of the file */
  return stream_status(code, reason, path);
}

/* An open file. */
typedef struct {
  gzFile file;
  int descriptor; /* of the same file */
  uint64_t size;  /* bytes of the file, which may be gzipped */
} idx_stream;

static cuonn_status open_stream(idx_stream *out, const char *path) {
  *out = (idx_stream){0};
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer must not block */
  CUONN_CHECK(fd >= 0, CUONN_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
  struct stat about = {0};
  if (fstat(fd, &about) == 0 && !S_ISREG(about.st_mode)) {
    close(fd);
    return cuonn_fail(CUONN_E_IO, "%s: is %s, expected an IDX file", path,
                      S_ISDIR(about.st_mode) ? "a folder" : "not a regular file");
  }
  out->file = gzdopen(fd, "rb");
  if (out->file == NULL) {
    close(fd);
    return cuonn_fail(CUONN_E_MEMORY, "%s: not enough memory to read it", path);
  }
  gzbuffer(out->file, kGzipBuffer);
  out->descriptor = fd;
  out->size = (uint64_t)about.st_size;
  return CUONN_OK;
}

static uint32_t big_endian(const uint8_t b[4]) {
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Sizes of the n_dims dimensions, within bounds. */
static cuonn_status read_header(idx_array *array, unsigned n_dims, gzFile file, const char *path) {
  uint8_t head[4], sizes[4 * kMaxDims];
  const size_t n_size_bytes = 4 * (size_t)n_dims;
  uint64_t got;
  CUONN_TRY(read_bytes(&got, head, sizeof head, file, path));
  CUONN_CHECK(got > 0, CUONN_E_DATA, "%s: is empty, expected an IDX file", path);
  CUONN_CHECK(got == sizeof head, CUONN_E_DATA, "%s: is not an IDX file: it has only %u bytes", path, (unsigned)got);
  CUONN_CHECK(head[0] == 0 && head[1] == 0, CUONN_E_DATA,
              "%s: is not an IDX file: it begins with %02x %02x %02x %02x, expected 00 00 08 %02x", path, head[0],
              head[1], head[2], head[3], n_dims);
  array->type = head[2];
  CUONN_CHECK(type_size(head[2]) > 0, CUONN_E_DATA,
              "%s: IDX element type is 0x%02x; the types are 0x08 (unsigned byte), 0x09 (byte), 0x0b (short), 0x0c "
              "(int), 0x0d (float) and 0x0e (double)",
              path, head[2]);
  CUONN_CHECK(head[3] == n_dims, CUONN_E_DATA, "%s: IDX file with %u dimensions, expected %u (%s)", path, head[3],
              n_dims, n_dims == 3 ? "images, rows, columns" : "labels");
  CUONN_TRY(read_bytes(&got, sizes, n_size_bytes, file, path));
  CUONN_CHECK(got == n_size_bytes, CUONN_E_DATA, "%s: ends inside its header, after %llu bytes of %zu", path,
              (unsigned long long)(sizeof head + got), sizeof head + n_size_bytes);

  array->n_bytes = type_size(array->type);
  for (size_t d = 0; d < n_dims; d++) {
    const uint32_t size = array->size[d] = big_endian(sizes + 4 * d);
    CUONN_CHECK(size > 0, CUONN_E_DATA, "%s: dimension %zu of %u has size 0, expected at least 1", path, d + 1, n_dims);
    CUONN_CHECK(d == 0 || size <= kMaxSide, CUONN_E_DATA, "%s: images with a side of %u pixels, at most %d are allowed",
                path, size, kMaxSide);
    array->n_bytes *= size;
  }
  CUONN_CHECK(array->n_bytes <= kMaxBytes, CUONN_E_DATA, "%s: announces %llu bytes of data, at most %llu are allowed",
              path, (unsigned long long)array->n_bytes, (unsigned long long)kMaxBytes);
  return CUONN_OK;
}

/* Bytes of data for which a file is large enough to be believed. */
static uint64_t believed(const idx_stream *stream) { return kFirstPiece + kExpansion * stream->size; }

/* All data of a gzipped file at once. False where that cannot be, and where anything is wrong: then nothing is taken.
 */
static bool read_at_once(idx_array *array, unsigned n_dims, const idx_stream *stream) {
  const size_t header = 4 + 4 * (size_t)n_dims;
  const uint64_t whole = header + array->n_bytes;
  uint8_t *bytes;
  if (gzdirect(stream->file) || whole > believed(stream)) return false;
  if (cuonn_allocate(&bytes, (size_t)whole, 1) != CUONN_OK) return false;
  if (!inflate_file(bytes, (size_t)whole, stream->descriptor, (size_t)stream->size)) {
    free(bytes);
    return false;
  }
  memmove(bytes, bytes + header, (size_t)array->n_bytes);
  array->bytes = bytes;
  return true;
}

/* Exactly the announced data, in pieces: when one has arrived in full, there is memory for as much again. */
static cuonn_status read_data(idx_array *array, const idx_stream *stream, const char *path) {
  uint64_t have = 0;
  while (have < array->n_bytes) {
    const uint64_t twice = have > 0 ? 2 * have : believed(stream);
    const uint64_t room = twice < array->n_bytes ? twice : array->n_bytes;
    uint8_t *larger;
    CUONN_TRY(cuonn_allocate(&larger, (size_t)room, 1));
    if (have > 0) memcpy(larger, array->bytes, (size_t)have);
    free(array->bytes);
    array->bytes = larger;

    uint64_t got;
    CUONN_TRY(read_bytes(&got, larger + have, room - have, stream->file, path));
    have += got;
    CUONN_CHECK(have == room, CUONN_E_DATA, "%s: is truncated: %llu bytes of data, its header announces %llu", path,
                (unsigned long long)have, (unsigned long long)array->n_bytes);
  }
  uint8_t beyond;
  uint64_t more; /* this read also makes zlib check the end of a gzip stream */
  CUONN_TRY(read_bytes(&more, &beyond, 1, stream->file, path));
  CUONN_CHECK(more == 0, CUONN_E_DATA, "%s: is longer than the %llu bytes of data that its header announces", path,
              (unsigned long long)array->n_bytes);
  return CUONN_OK;
}

static cuonn_status read_array(idx_array *array, unsigned n_dims, const char *path) {
  cuonn_status status = CUONN_OK;
  idx_stream stream;
  *array = (idx_array){0};
  CUONN_TRY_DONE(open_stream(&stream, path));
  CUONN_TRY_DONE(read_header(array, n_dims, stream.file, path));
  if (!read_at_once(array, n_dims, &stream)) CUONN_TRY_DONE(read_data(array, &stream, path));

done:
  if (stream.file != NULL) {
    const int code = gzclose_r(stream.file);
    if (status == CUONN_OK) status = stream_status(code, "at its end", path);
  }
  if (status != CUONN_OK) {
    free(array->bytes);
    *array = (idx_array){0};
  }
  return status;
}

/* Element i of an array as a number. */
static double element(const idx_array *array, size_t i) {
  const unsigned size = type_size(array->type);
  const uint8_t *const at = array->bytes + i * size;
  uint64_t bits = 0;
  assert(array->bytes != NULL);
  for (unsigned b = 0; b < size; b++) bits = bits << 8 | at[b];
  switch (array->type) {
    case IDX_UNSIGNED_BYTE: return (double)bits;
    case IDX_BYTE: return (int8_t)bits;
    case IDX_SHORT: return (int16_t)bits;
    case IDX_INT: return (int32_t)bits;
    case IDX_FLOAT: {
      const uint32_t half = (uint32_t)bits;
      float value;
      memcpy(&value, &half, sizeof value);
      return (double)value;
    }
    case IDX_DOUBLE: {
      double value;
      memcpy(&value, &bits, sizeof value);
      return value;
    }
  }
  return 0;
}

/* Unsigned bytes are taken over; other types become grey values. */
static cuonn_status take_images(cuonn_examples *out, idx_array *images, const char *path) {
  out->n_examples = images->size[0];
  out->height = images->size[1];
  out->width = images->size[2];
  if (images->type == IDX_UNSIGNED_BYTE) {
    out->pixels = images->bytes;
    images->bytes = NULL;
    return CUONN_OK;
  }
  const size_t pixels = out->height * out->width, count = out->n_examples * pixels;
  CUONN_TRY(cuonn_allocate(&out->grey, count, sizeof *out->grey));
  for (size_t i = 0; i < count; i++) {
    out->grey[i] = element(images, i);
    CUONN_CHECK(isfinite(out->grey[i]), CUONN_E_NONFINITE, "%s: image %zu is %g at row %zu, column %zu", path,
                i / pixels, out->grey[i], i % pixels / out->width, i % out->width);
  }
  return CUONN_OK;
}

static cuonn_status take_labels(cuonn_examples *out, idx_array *labels, const char *path) {
  if (labels->type == IDX_UNSIGNED_BYTE) {
    out->labels = labels->bytes;
    labels->bytes = NULL;
    return CUONN_OK;
  }
  CUONN_TRY(cuonn_allocate(&out->labels, out->n_examples, 1));
  for (size_t e = 0; e < out->n_examples; e++) {
    const double label = element(labels, e);
    CUONN_CHECK(label >= 0 && label <= UINT8_MAX && label == floor(label), CUONN_E_DATA,
                "%s: label %zu is %g; labels are integers from 0 to 255", path, e, label);
    out->labels[e] = (uint8_t)label;
  }
  return CUONN_OK;
}

/* What came of reading one file. */
typedef struct {
  const char *path;
  idx_array array;
  cuonn_status status;
  char *message; /* of a failure; NULL: no memory for it */
} idx_file;

/* Reads a file on any thread, and keeps the text of a failure, which is that thread's own. */
static void read_file(idx_file *file, unsigned n_dims) {
  file->status = read_array(&file->array, n_dims, file->path);
  if (file->status != CUONN_OK) file->message = strdup(cuonn_last_error());
}

/* The failure of a file, told to the present thread. */
static cuonn_status outcome(const idx_file *file) {
  if (file->status == CUONN_OK) return CUONN_OK;
  return cuonn_fail(file->status, "%s", file->message ? file->message : file->path);
}

/* One set of what was read; both arrays are taken over, or stay with the files. */
static cuonn_status take_set(cuonn_examples *out, idx_file *images, idx_file *labels) {
  CUONN_TRY(outcome(images));
  CUONN_TRY(outcome(labels));
  CUONN_CHECK(images->array.size[0] == labels->array.size[0], CUONN_E_DATA, "%s: %u images, but %s has %u labels",
              images->path, images->array.size[0], labels->path, labels->array.size[0]);
  CUONN_TRY(take_images(out, &images->array, images->path));
  CUONN_TRY(take_labels(out, &labels->array, labels->path));
  out->source = strdup(labels->path);
  CUONN_CHECK(out->source != NULL, CUONN_E_MEMORY, "%s: not enough memory to keep its name", labels->path);
  return CUONN_OK;
}

cuonn_status idx_load(cuonn_examples *const *out, const char *const (*paths)[2], size_t n_sets) {
  cuonn_status status = CUONN_OK;
  idx_file files[2 * IDX_SETS] = {0};
  assert(n_sets <= IDX_SETS);
  for (size_t s = 0; s < n_sets; s++) *out[s] = (cuonn_examples){0};
#pragma omp parallel for schedule(dynamic)
  for (size_t i = 0; i < 2 * n_sets; i++) {
    files[i].path = paths[i / 2][i % 2];
    read_file(&files[i], i % 2 == 0 ? 3 : 1);
  }
  for (size_t s = 0; s < n_sets; s++) CUONN_TRY_DONE(take_set(out[s], &files[2 * s], &files[2 * s + 1]));

done:
  for (size_t i = 0; i < 2 * n_sets; i++) {
    free(files[i].message);
    free(files[i].array.bytes);
  }
  for (size_t s = 0; status != CUONN_OK && s < n_sets; s++) cuonn_examples_free(out[s]);
  return status;
}

cuonn_status cuonn_images_load(cuonn_examples *out, const char *images_path, const char *labels_path) {
  const char *const paths[1][2] = {{images_path, labels_path}};
  return idx_load(&out, paths, 1);
}
