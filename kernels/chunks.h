/* Chunks of a batch: the part of each, and sums over them.
 *
 * A block that sums has 32 places and 8 warps: warp w adds chunks w, w + 8, w + 16, ... of the places, and the eight
 * sums are added in their order. Reads are whole lines, of which each warp has kReads in flight (16 are all of its
 * chunks at the study's batch), and the order of the sums is that of the chunks alone. */
#ifndef CUONN_KERNELS_CHUNKS_H
#define CUONN_KERNELS_CHUNKS_H

#include "device.h"

/* Part of 0 .. n - 1 that is chunk number `chunk`; parts differ in length by 1 at most. */
struct chunk_range {
  unsigned first, end;
  DEVICE chunk_range(unsigned chunk, unsigned n, unsigned n_chunks)
      : first(static_cast<unsigned>(static_cast<unsigned long long>(chunk) * n / n_chunks)),
        end(static_cast<unsigned>((chunk + 1ull) * n / n_chunks)) {}
};

static constexpr unsigned kChunkWarps = 8, kChunkThreads = kChunkWarps * CUONN_WARP;

/* Sum over the chunks at this lane's place, in all warps. from: of the first chunk, NULL: this lane has no place;
 * distance: from chunk to chunk. The block has kChunkThreads threads and a Sum of shared memory for each. */
template <class Sum, unsigned kReads, class Value>
DEVICE Sum sum_chunks(const Value *from, size_t distance, unsigned n_chunks) {
  const unsigned lane = threadIdx.x % CUONN_WARP, warp = threadIdx.x / CUONN_WARP;
  Sum sum = {};
  if (from) {
    from += warp * distance;
    distance *= kChunkWarps; /* from one chunk of the warp to its next */
    for (unsigned chunk = warp; chunk < n_chunks; chunk += kReads * kChunkWarps, from += kReads * distance) {
      Value values[kReads]; /* zeros behind the last chunk: they change no sum that began with +0 */
#pragma unroll
      for (unsigned i = 0; i < kReads; i++)
        values[i] = chunk + i * kChunkWarps < n_chunks ? from[i * distance] : Value{};
#pragma unroll
      for (unsigned i = 0; i < kReads; i++) sum = sum + values[i];
    }
  }
  Sum *const parts = shared_memory<Sum>(); /* [warp][lane] */
  parts[threadIdx.x] = sum;
  sync_block();
  sum = {};
  for (unsigned w = 0; w < kChunkWarps; w++) sum = sum + parts[w * CUONN_WARP + lane];
  return sum;
}

#endif
