/* Batches that several processes share, each on a device of its own, and sums over parts of a batch.
 *
 * Parts of a batch are leaves of a tree (kernels/shards.h): the shards of its chunks, or pieces of its examples. Which
 * there are does not depend on the number of processes. Process r of R computes leaves n r / R to n (r + 1) / R, adds
 * what the tree adds of these alone, and sends slices of the few sums that are left, each to the process that adds the
 * rest of the tree there; the totals go to all. All then have the same bits, and go on alike. Between devices the
 * caller exchanges, or, through pinned memory, between hosts. Losses, which are few, go through the hosts. */
#ifndef CUDA_PROCESSES_H
#define CUDA_PROCESSES_H

#include "cuda/method.h"

/* Numbers first .. end - 1. */
typedef struct {
  size_t first, end;
} cuda_range;

/* Those of n leaves, at most CUONN_LEAVES, that this process computes: all where it is alone. */
cuda_range cuda_own_leaves(const cuda_processes *p, size_t n);
/* Those shards of a batch, a bit each. */
unsigned cuda_own_shards(const cuda_processes *p);

static inline bool cuda_is_alone(const cuda_processes *p) { return p->all.size == 0; }

/* Room for a state that shares batches, whose sums are so many floats; nothing for one alone. shards: also for sums of
 * the own shards, p->shards. */
cuonn_status cuda_processes_create(cuda_state *s, size_t count, bool shards);
void cuda_processes_free(cuda_processes *p);

/* Sums of the own leaves, one behind the other. */
typedef struct {
  float *data; /* device */
  size_t n;    /* leaves of the batch, a power of 2 */
  size_t count, distance;
} cuda_leaves;

/* Leaves the sum over all leaves of the batch in `data`. Only launches where a process is alone. */
cuonn_status cuda_share_sums(const cuda_state *s, const cuda_leaves *leaves);

/* Losses of the batch's chunks: those of other processes are filled in. n: the batch's leaves, which are runs of
 * chunks, or, `shards`, shards of them. */
cuonn_status cuda_share_losses(const cuda_state *s, const cuda_batch *batch, size_t n, bool shards);

#endif
