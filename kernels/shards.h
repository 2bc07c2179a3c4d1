/* Arrays of numbers of several leaves of a binary tree, and what some of its additions leave. */
#ifndef CUONN_KERNELS_SHARDS_H
#define CUONN_KERNELS_SHARDS_H

#include <cuda_runtime.h>

#include "mesh.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CUONN_LEAVES = 16 };

/* The shard of a batch (chunks.h) that is a leaf. */
CUONN_HOST_DEVICE unsigned shard_of_leaf(unsigned leaf) {
  return (leaf & 1) << 3 | (leaf & 2) << 1 | (leaf & 4) >> 1 | (leaf & 8) >> 3;
}

/* Additions in a full tree over CUONN_LEAVES leaves, which adds neighbours, then neighbouring pairs, and so on. A bit
 * of present and left for each leaf; of adds for each addition, of pairs first, from the first leaf on: the sum is left
 * in the place of its first leaf. */
typedef struct {
  unsigned present, adds, left;
} leaf_sums;

/* Arrays of count floats: `in` of the leaves that are present, `distance` from one to the next, to `out` of those that
 * are left, in the same way. out may be in. */
cudaError_t launch_leaves(float *out, const float *in, const leaf_sums *sums, size_t count, size_t distance,
                          cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
