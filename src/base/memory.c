#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { kAlignment = 64 };

cuonn_status cuonn_allocate(void *out, size_t count, size_t size) {
  void *block = NULL;
  memcpy(out, &block, sizeof block);
  if (size != 0 && count > (SIZE_MAX - kAlignment) / size) {
    return cuonn_fail(CUONN_E_MEMORY, "%zu elements of %zu bytes are more than can be addressed", count, size);
  }
  const size_t bytes = (count * size + kAlignment - 1) / kAlignment * kAlignment;
  block = aligned_alloc(kAlignment, bytes ? bytes : kAlignment);
  if (!block) {
    return cuonn_fail(CUONN_E_MEMORY, "not enough memory: %.1f MiB were needed; lower the batch size or the modes",
                      (double)bytes / 1048576.0);
  }
  memset(block, 0, bytes ? bytes : kAlignment);
  memcpy(out, &block, sizeof block);
  return CUONN_OK;
}
