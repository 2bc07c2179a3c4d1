/* IDX files of unsigned bytes: images in three dimensions, labels in one.
 *
 *   00 00  08 (unsigned byte)  number of dimensions  size of each dimension (4 bytes, big-endian)  data
 *
 * zlib's gz functions read both kinds of file: what begins with the gzip magic is decompressed, all else is passed
 * through. A header is never believed before the data has arrived: memory grows with what was really read. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/dataset.h"

enum {
  kMaxDims = 3,
  kMaxSide = 4096,       /* pixels */
  kUnsignedByte = 0x08,  /* IDX element type */
  kGzipBuffer = 1 << 17, /* bytes of zlib's input buffer */
  kFirstPiece = 1 << 20, /* bytes of data for which memory is taken on the header's word alone */
  kLargestRead = 1 << 30 /* gzread counts in int */
};
static const uint64_t kMaxBytes = UINT64_C(1) << 34;

/* The content of one file. */
typedef struct {
  uint32_t size[kMaxDims];
  uint64_t n_bytes;
  uint8_t *bytes; /* owner: whoever holds the struct */
} idx_array;

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
  const char *const reason = gzerror(file, &code);
  return stream_status(code, reason, path);
}

static cuonn_status open_stream(gzFile *out, const char *path) {
  *out = NULL;
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer must not block */
  CUONN_CHECK(fd >= 0, CUONN_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
  struct stat about;
  if (fstat(fd, &about) == 0 && !S_ISREG(about.st_mode)) {
    close(fd);
    return cuonn_fail(CUONN_E_IO, "%s: is %s, expected an IDX file", path,
                      S_ISDIR(about.st_mode) ? "a folder" : "not a regular file");
  }
  *out = gzdopen(fd, "rb");
  if (*out == NULL) {
    close(fd);
    return cuonn_fail(CUONN_E_MEMORY, "%s: not enough memory to read it", path);
  }
  gzbuffer(*out, kGzipBuffer);
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
  CUONN_CHECK(head[2] == kUnsignedByte, CUONN_E_DATA, "%s: IDX element type is 0x%02x, expected 0x08 (unsigned bytes)",
              path, head[2]);
  CUONN_CHECK(head[3] == n_dims, CUONN_E_DATA, "%s: IDX file with %u dimensions, expected %u (%s)", path, head[3],
              n_dims, n_dims == 3 ? "images, rows, columns" : "labels");
  CUONN_TRY(read_bytes(&got, sizes, n_size_bytes, file, path));
  CUONN_CHECK(got == n_size_bytes, CUONN_E_DATA, "%s: ends inside its header, after %llu bytes of %zu", path,
              (unsigned long long)(sizeof head + got), sizeof head + n_size_bytes);

  array->n_bytes = 1;
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

/* Exactly the announced data, in pieces: when one has arrived in full, there is memory for as much again. */
static cuonn_status read_data(idx_array *array, gzFile file, const char *path) {
  uint64_t have = 0;
  while (have < array->n_bytes) {
    const uint64_t twice = have > 0 ? 2 * have : kFirstPiece;
    const uint64_t room = twice < array->n_bytes ? twice : array->n_bytes;
    uint8_t *larger;
    CUONN_TRY(cuonn_allocate(&larger, (size_t)room, 1));
    if (have > 0) memcpy(larger, array->bytes, (size_t)have);
    free(array->bytes);
    array->bytes = larger;

    uint64_t got;
    CUONN_TRY(read_bytes(&got, larger + have, room - have, file, path));
    have += got;
    CUONN_CHECK(have == room, CUONN_E_DATA, "%s: is truncated: %llu bytes of data, its header announces %llu", path,
                (unsigned long long)have, (unsigned long long)array->n_bytes);
  }
  uint8_t beyond;
  uint64_t more; /* this read also makes zlib check the end of a gzip stream */
  CUONN_TRY(read_bytes(&more, &beyond, 1, file, path));
  CUONN_CHECK(more == 0, CUONN_E_DATA, "%s: is longer than the %llu bytes of data that its header announces", path,
              (unsigned long long)array->n_bytes);
  return CUONN_OK;
}

static cuonn_status read_array(idx_array *array, unsigned n_dims, const char *path) {
  cuonn_status status = CUONN_OK;
  gzFile file = NULL;
  *array = (idx_array){0};
  CUONN_TRY_DONE(open_stream(&file, path));
  CUONN_TRY_DONE(read_header(array, n_dims, file, path));
  CUONN_TRY_DONE(read_data(array, file, path));

done:
  if (file != NULL) {
    const int code = gzclose_r(file);
    if (status == CUONN_OK) status = stream_status(code, "at its end", path);
  }
  if (status != CUONN_OK) {
    free(array->bytes);
    *array = (idx_array){0};
  }
  return status;
}

cuonn_status cuonn_images_load(cuonn_images *out, const char *images_path, const char *labels_path) {
  cuonn_status status = CUONN_OK;
  idx_array images = {0}, labels = {0};
  *out = (cuonn_images){0};
  CUONN_TRY_DONE(read_array(&images, 3, images_path));
  CUONN_TRY_DONE(read_array(&labels, 1, labels_path));
  CUONN_CHECK_DONE(images.size[0] == labels.size[0], CUONN_E_DATA, "%s: %u images, but %s has %u labels", images_path,
                   images.size[0], labels_path, labels.size[0]);
  char *const source = strdup(labels_path);
  CUONN_CHECK_DONE(source != NULL, CUONN_E_MEMORY, "%s: not enough memory to keep its name", labels_path);
  *out = (cuonn_images){.n_examples = images.size[0],
                        .height = images.size[1],
                        .width = images.size[2],
                        .pixels = images.bytes,
                        .labels = labels.bytes,
                        .source = source};
  images.bytes = labels.bytes = NULL;

done:
  free(labels.bytes);
  free(images.bytes);
  return status;
}

cuonn_status cuonn_images_check_labels(const cuonn_images *images, size_t n_classes) {
  for (size_t e = 0; e < images->n_examples; e++) {
    CUONN_CHECK(images->labels[e] < n_classes, CUONN_E_DATA,
                "%s: label %u of example %zu, but there are %zu classes (0 to %zu)",
                images->source ? images->source : "images in memory", images->labels[e], e, n_classes,
                n_classes > 0 ? n_classes - 1 : 0);
  }
  return CUONN_OK;
}

void cuonn_images_free(cuonn_images *images) {
  if (images == NULL) return;
  free(images->source);
  free(images->labels);
  free(images->pixels);
  *images = (cuonn_images){0};
}

/* The four files of a data set; each may carry ".gz". */
static const char *const kNames[4] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                      "t10k-labels-idx1-ubyte"};

/* *out: folder/name if that exists, else folder/name.gz; release with free(). */
static cuonn_status find_file(char **out, const char *folder, const char *name) {
  static const char *const endings[] = {"", ".gz"};
  int missing = 0;
  *out = NULL;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    char *path;
    CUONN_CHECK(asprintf(&path, "%s/%s%s", folder, name, endings[i]) >= 0, CUONN_E_MEMORY,
                "%s: not enough memory for the name of a file in it", folder);
    if (access(path, F_OK) == 0) {
      *out = path;
      return CUONN_OK;
    }
    missing = errno;
    free(path);
  }
  return cuonn_fail(CUONN_E_IO,
                    "%s: has no %s[.gz] (%s); a data folder holds %s, %s, %s and %s, each plain or with .gz", folder,
                    name, strerror(missing), kNames[0], kNames[1], kNames[2], kNames[3]);
}

cuonn_status cuonn_dataset_load(cuonn_dataset *out, const char *folder) {
  cuonn_status status = CUONN_OK;
  char *paths[4] = {0};
  *out = (cuonn_dataset){0};
  for (size_t i = 0; i < 4; i++) CUONN_TRY_DONE(find_file(&paths[i], folder, kNames[i]));
  CUONN_TRY_DONE(cuonn_images_load(&out->train, paths[0], paths[1]));
  CUONN_TRY_DONE(cuonn_images_load(&out->test, paths[2], paths[3]));
  CUONN_CHECK_DONE(out->train.height == out->test.height && out->train.width == out->test.width, CUONN_E_DATA,
                   "%s: training images of %zu x %zu pixels, but %s has test images of %zu x %zu", paths[0],
                   out->train.height, out->train.width, paths[2], out->test.height, out->test.width);

done:
  if (status != CUONN_OK) cuonn_dataset_free(out);
  for (size_t i = 0; i < 4; i++) free(paths[i]);
  return status;
}

void cuonn_dataset_free(cuonn_dataset *dataset) {
  if (dataset == NULL) return;
  cuonn_images_free(&dataset->test);
  cuonn_images_free(&dataset->train);
}
