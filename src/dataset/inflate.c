#include "dataset/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <libdeflate.h>

static bool read_all(uint8_t *out, size_t size, int file) {
  for (size_t done = 0; done < size;) {
    const ssize_t n = pread(file, out + done, size - done, (off_t)done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += (size_t)n;
  }
  return true;
}

bool inflate_file(uint8_t *out, size_t size, int file, size_t file_size) {
  size_t taken = 0, made = 0;
  uint8_t *const packed = malloc(file_size);
  struct libdeflate_decompressor *const decompressor = packed ? libdeflate_alloc_decompressor() : NULL;
  const bool good =
      decompressor && read_all(packed, file_size, file) &&
      libdeflate_gzip_decompress_ex(decompressor, packed, file_size, out, size, &taken, &made) == LIBDEFLATE_SUCCESS;
  if (decompressor) libdeflate_free_decompressor(decompressor);
  free(packed);
  return good && taken == file_size && made == size;
}
