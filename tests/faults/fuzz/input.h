/* What the fuzz targets share: files in memory that have a name, and our trailer, which anybody can make. */
#ifndef CUONN_TESTS_FUZZ_INPUT_H
#define CUONN_TESTS_FUZZ_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { kTrailer = 32 };

/* A file in memory; its name is good until the next call with the same slot (0 to 3). */
static inline const char *input_file(unsigned slot, const void *bytes, size_t size) {
  static int files[4] = {-1, -1, -1, -1};
  static char names[4][32];
  if (files[slot] < 0) {
    files[slot] = memfd_create("input", MFD_CLOEXEC);
    snprintf(names[slot], sizeof names[slot], "/proc/self/fd/%d", files[slot]);
  }
  if (files[slot] < 0 || ftruncate(files[slot], 0) != 0) abort();
  if (size > 0 && pwrite(files[slot], bytes, size, 0) != (ssize_t)size) abort();
  return names[slot];
}

/* The same bytes without the trailer that they may have, and with a right one: docs/files.md says what it is. */
static inline const char *input_with_trailer(unsigned slot, const uint8_t *bytes, size_t size) {
  static const char magic[8] = {'c', 'u', 'O', 'N', 'N', 't', 'r', '1'};
  if (size >= kTrailer && memcmp(bytes + size - kTrailer, magic, sizeof magic) == 0) size -= kTrailer;
  uint8_t *const whole = malloc(size + kTrailer);
  XXH128_canonical_t hash;
  if (!whole) abort();
  if (size > 0) memcpy(whole, bytes, size);
  memcpy(whole + size, magic, sizeof magic);
  for (unsigned i = 0; i < 8; i++) whole[size + 8 + i] = (uint8_t)((uint64_t)size >> 8 * i);
  XXH128_canonicalFromHash(&hash, XXH3_128bits(whole, size));
  memcpy(whole + size + 16, hash.digest, sizeof hash.digest);
  const char *const name = input_file(slot, whole, size + kTrailer);
  free(whole);
  return name;
}

#endif
