#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { kAlignment = 64, kLarge = 1 << 26 };

/* Memory that can still be had without swapping, as the system tells it; SIZE_MAX if it does not. */
static size_t available(void) {
  FILE *const file = fopen("/proc/meminfo", "re");
  char line[128];
  unsigned long long kibibytes;
  size_t found = SIZE_MAX;
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "MemAvailable: %llu", &kibibytes) == 1) found = (size_t)kibibytes * 1024;
  }
  if (file) fclose(file);
  return found;
}

cuonn_status cuonn_allocate(void *out, size_t count, size_t size) {
  void *block = NULL;
  memcpy(out, &block, sizeof block);
  if (size != 0 && count > (SIZE_MAX - kAlignment) / size) {
    return cuonn_fail(CUONN_E_MEMORY, "%zu elements of %zu bytes are more than can be addressed", count, size);
  }
  const size_t bytes = (count * size + kAlignment - 1) / kAlignment * kAlignment;
  /* Linux promises more than it has and kills who uses it: a large block is asked about first. */
  const bool fits = bytes < kLarge || bytes < available();
  if (fits) block = aligned_alloc(kAlignment, bytes ? bytes : kAlignment);
  if (!block) {
    return cuonn_fail(CUONN_E_MEMORY, "not enough memory: %.1f MiB were needed; lower the batch size or the modes",
                      (double)bytes / 1048576.0);
  }
  memset(block, 0, bytes ? bytes : kAlignment);
  memcpy(out, &block, sizeof block);
  return CUONN_OK;
}
