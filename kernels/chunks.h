/* Chunks of a batch: the part of each, and sums over them.
 *
 * The order of a sum is that of the chunks alone. Shard s of kShards has chunks s, s + 16, s + 32, ..., which are added
 * in this order; then come shards s and s + 8, of what that leaves s and s + 4, and so on: a binary tree, in which a
 * few neighbouring leaves can be added apart from the rest. A block that sums has 32 places and 8 warps, of which warp
 * w has shards w and w + 8. Reads are whole lines, of which each warp has kReads in flight (16 are all of its chunks at
 * the study's batch). */
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

static constexpr unsigned kChunkWarps = 8, kChunkThreads = kChunkWarps * CUONN_WARP, kShards = 2 * kChunkWarps;

/* Sums of this warp's two shards at this lane's place; 0 of those that are not wanted, which are not read. from: of the
 * first chunk, NULL: this lane has no place; distance: from chunk to chunk. */
template <class Sum, unsigned kReads, class Value>
DEVICE void sum_two_shards(Sum (&sums)[2], const bool (&wanted)[2], const Value *from, size_t distance,
                           unsigned n_chunks) {
  static_assert(kReads % 2 == 0, "chunks of the two shards take turns");
  const unsigned warp = threadIdx.x / CUONN_WARP;
  sums[0] = sums[1] = {};
  if (!from || !(wanted[0] || wanted[1])) return;
  from += warp * distance;
  distance *= kChunkWarps; /* from one chunk of the warp to its next */
  for (unsigned chunk = warp; chunk < n_chunks; chunk += kReads * kChunkWarps, from += kReads * distance) {
    Value values[kReads]; /* zeros behind the last chunk: they change no sum that began with +0 */
#pragma unroll
    for (unsigned i = 0; i < kReads; i++) {
      const bool reads = wanted[i % 2] && chunk + i * kChunkWarps < n_chunks;
      values[i] = reads ? from[i * distance] : Value{};
    }
#pragma unroll
    for (unsigned i = 0; i < kReads; i++) sums[i % 2] = sums[i % 2] + values[i];
  }
}

/* Sum over the chunks at this lane's place, in all warps. The block has kChunkThreads threads and a Sum of shared
 * memory for each. */
template <class Sum, unsigned kReads, class Value>
DEVICE Sum sum_chunks(const Value *from, size_t distance, unsigned n_chunks) {
  Sum shards[2], sums[kChunkWarps], *const parts = shared_memory<Sum>(); /* [warp][lane] */
  sum_two_shards<Sum, kReads>(shards, {true, true}, from, distance, n_chunks);
  parts[threadIdx.x] = shards[0] + shards[1];
  sync_block();
#pragma unroll
  for (unsigned w = 0; w < kChunkWarps; w++) sums[w] = parts[w * CUONN_WARP + threadIdx.x % CUONN_WARP];
#pragma unroll
  for (unsigned half = kChunkWarps / 2; half > 0; half /= 2) {
#pragma unroll
    for (unsigned w = 0; w < half; w++) sums[w] = sums[w] + sums[w + half];
  }
  return sums[0];
}

#endif
