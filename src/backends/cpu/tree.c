#include "cpu/tree.h"

static void add(char *to, const char *part, size_t count, size_t width) {
  if (width == sizeof(double)) {
    double *const sum = (double *)to;
    const double *const more = (const double *)part;
    for (size_t i = 0; i < count; i++) sum[i] += more[i];
  } else {
    float *const sum = (float *)to;
    const float *const more = (const float *)part;
    for (size_t i = 0; i < count; i++) sum[i] += more[i];
  }
}

/* Chunk behind the subtree of so many leaves. */
static size_t subtree_end(size_t chunk, size_t leaves, size_t n) { return leaves < n - chunk ? chunk + leaves : n; }

void cpu_tree_add(const cpu_terms *terms, size_t from, size_t count, size_t n, cpu_chunks of) {
  enum { kTogether = 1024 }; /* bytes of each chunk, so that all stay in the first cache */
  const size_t most = kTogether / terms->width, end = from + count;
  for (; from < end; from += most) {
    const size_t few = end - from < most ? end - from : most;
    char *const at = terms->first + from * terms->width;
    for (size_t leaves = 1; leaves < n; leaves *= 2) {
      for (size_t c = 0; c + leaves < of.end; c += 2 * leaves) {
        if (c >= of.first && subtree_end(c, 2 * leaves, n) <= of.end)
          add(at + c * terms->stride, at + (c + leaves) * terms->stride, few, terms->width);
      }
    }
  }
}

double cpu_tree_total(const double *values, size_t step, size_t n) {
  double sums[kMostChunks] = {0};
  for (size_t c = 0; c < n; c++) sums[c] = values[c * step];
  for (size_t leaves = 1; leaves < n; leaves *= 2) {
    for (size_t c = 0; c + leaves < n; c += 2 * leaves) sums[c] += sums[c + leaves];
  }
  return *sums;
}

size_t cpu_tree_root_end(size_t chunk, size_t n, cpu_chunks of) {
  size_t leaves = 1;
  while (leaves < n && chunk % (2 * leaves) == 0 && subtree_end(chunk, 2 * leaves, n) <= of.end) leaves *= 2;
  return subtree_end(chunk, leaves, n);
}

void cpu_tree_add_rest(char *const *parts, size_t count, size_t width, size_t n, const size_t *owners) {
  for (size_t leaves = 1; leaves < n; leaves *= 2) {
    for (size_t c = 0; c + leaves < n; c += 2 * leaves) {
      if (owners[c] != owners[subtree_end(c, 2 * leaves, n) - 1]) add(parts[c], parts[c + leaves], count, width);
    }
  }
}
