/* A batch of examples through the matrices of models and back, wherever the matrices come from.
 *
 * It is cut into blocks and chunks of blocks by its size alone; chunks are added in a fixed tree (tree.h), so that
 * results depend neither on the number of threads nor on that of processes. */
#ifndef CPU_DENSE_BATCH_H
#define CPU_DENSE_BATCH_H

#include "cpu/method.h"

/* How the examples of a batch are divided. */
typedef struct {
  const cpu_batch *batch;
  size_t examples, n_blocks, n_chunks;
  double share; /* of one example in the loss */
} dense_division;

dense_division dense_divide(const cpu_state *s, const cpu_batch *batch);

/* By the matrices of a group's models: losses of chunks, for cpu_total_loss(); sums of chunks, if wanted; predictions
 * [example of the set] unless NULL. Of several processes each does its own chunks. To be called by all threads of a
 * team, which meet at its end. */
void dense_run(const cpu_group *group, const dense_division *d, uint32_t *predictions, bool sums);
/* After it, what cpu_share_sums() is for sums of nodes. */
size_t dense_share_sums(const cpu_group *group, size_t n_chunks);

#endif
