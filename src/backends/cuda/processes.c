#include "cuda/processes.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/shards.h"

enum { kBlock = 1 << 20 }; /* numbers of each leaf that are sent at once */

/* ----------------------------------------------------------------------------------------------------------- shares */

/* Share r of n things. */
static cuda_range share_of(const cuda_processes *p, size_t n, size_t r) {
  return (cuda_range){n * r / p->all.size, n * (r + 1) / p->all.size};
}

cuda_range cuda_own_leaves(const cuda_processes *p, size_t n) {
  return cuda_is_alone(p) ? (cuda_range){0, n} : share_of(p, n, p->all.rank);
}

unsigned cuda_own_shards(const cuda_processes *p) {
  const cuda_range own = cuda_own_leaves(p, CUONN_LEAVES);
  unsigned shards = 0;
  for (size_t leaf = own.first; leaf < own.end; leaf++) shards |= 1u << shard_of_leaf((unsigned)leaf);
  return shards;
}

/* The process that has one of n leaves. */
static size_t owner_of(const cuda_processes *p, size_t leaf, size_t n) {
  size_t r = 0;
  while (share_of(p, n, r).end <= leaf) r++;
  return r;
}

/* What the tree adds of some leaves alone. */
static leaf_sums sums_within(cuda_range of) {
  const unsigned all = (1u << of.end) - (1u << of.first);
  leaf_sums out = {all, 0, all};
  unsigned addition = 1;
  for (size_t apart = 1; apart < CUONN_LEAVES; apart *= 2) {
    for (size_t leaf = 0; leaf < CUONN_LEAVES; leaf += 2 * apart, addition <<= 1) {
      if (leaf < of.first || leaf + 2 * apart > of.end) continue;
      out.adds |= addition;
      out.left &= ~(1u << (leaf + apart));
    }
  }
  return out;
}

/* What is left to add of what all processes have left. */
static leaf_sums sums_between(const cuda_processes *p, size_t n) {
  leaf_sums out = sums_within((cuda_range){0, n});
  out.present = 0;
  for (size_t r = 0; r < p->all.size; r++) {
    const leaf_sums theirs = sums_within(share_of(p, n, r));
    out.present |= theirs.left;
    out.adds &= ~theirs.adds;
  }
  return out;
}

static size_t count_bits(unsigned bits) {
  size_t count = 0;
  for (; bits; bits &= bits - 1) count++;
  return count;
}

/* ------------------------------------------------------------------------------------------------------------- room */

/* Leaves exchange_device where all processes can call it. */
static cuonn_status join_devices(cuda_processes *p, int device) {
  struct cudaDeviceProp properties;
  if (!p->all.exchange_device || !p->all.join_devices) return CUONN_OK;
  CUONN_CUDA(cudaGetDeviceProperties(&properties, device));
  if (!p->all.join_devices(p->all.user, &properties.uuid)) p->all.exchange_device = NULL;
  return CUONN_OK;
}

cuonn_status cuda_processes_create(cuda_state *s, size_t count, bool shards) {
  cuda_processes *const p = &s->processes;
  const cuonn_processes *const all = s->problem.processes;
  cuda_memory *const memory = &p->memory;
  const char *const what = "what processes exchange";
  if (!all) return CUONN_OK;
  p->all = *all;
  s->problem.processes = NULL; /* the caller's */
  CUONN_TRY(join_devices(p, s->problem.place.device));
  p->block = count < kBlock ? count : kBlock;
  /* every leaf's numbers, or the total's slices, of which each may be longer by one */
  const size_t room = CUONN_LEAVES * p->block + all->size, losses = s->problem.n_models * s->steps.most_chunks;
  const cuda_range own = cuda_own_leaves(p, CUONN_LEAVES);
  if (shards) {
    const size_t n = own.end > own.first ? own.end - own.first : 1; /* the total comes there, too */
    CUONN_TRY(cuda_allocate(&p->shards, memory, n * count, sizeof(float), what));
  }
  CUONN_TRY(cuda_allocate(&p->in, memory, room, sizeof(float), what));
  CUONN_TRY(cuda_allocate(&p->out, memory, room, sizeof(float), what));
  if (!p->all.exchange_device) {
    CUONN_TRY(cuda_allocate_pinned(&p->pinned_in, memory, room, sizeof(float)));
    CUONN_TRY(cuda_allocate_pinned(&p->pinned_out, memory, room, sizeof(float)));
  }
  CUONN_TRY(cuda_allocate_pinned(&p->losses, memory, losses, sizeof(double)));
  CUONN_TRY(cuonn_allocate(&p->in_losses, all->size * losses, sizeof(double)));
  CUONN_TRY(cuonn_allocate(&p->out_losses, all->size * losses, sizeof(double)));
  CUONN_TRY(cuonn_allocate(&p->in_sizes, all->size, sizeof *p->in_sizes));
  CUONN_TRY(cuonn_allocate(&p->out_sizes, all->size, sizeof *p->out_sizes));
  /* losses of others' chunks are copied with the own ones */
  CUONN_CUDA(cudaMemsetAsync(s->steps.chunk_losses, 0, losses * sizeof(double), s->session->stream));
  return CUONN_OK;
}

void cuda_processes_free(cuda_processes *p) {
  cuda_memory_free(&p->memory);
  free(p->in_losses);
  free(p->out_losses);
  free(p->in_sizes);
  free(p->out_sizes);
}

/* ------------------------------------------------------------------------------------------------------------- sums */

static size_t total(const cuda_processes *p, const size_t *sizes) {
  size_t bytes = 0;
  for (size_t r = 0; r < p->all.size; r++) bytes += sizes[r];
  return bytes;
}

/* p->out of all processes to `in`, on the device. */
static cuonn_status exchange(const cuda_state *s, float *in) {
  const cuda_processes *const p = &s->processes;
  cudaStream_t stream = s->session->stream;
  if (p->all.exchange_device) return p->all.exchange_device(p->all.user, in, p->in_sizes, p->out, p->out_sizes, stream);
  CUONN_CUDA(cudaMemcpyAsync(p->pinned_out, p->out, total(p, p->out_sizes), cudaMemcpyDeviceToHost, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream)); /* pinned_in is free, too */
  p->all.exchange(p->all.user, p->pinned_in, p->in_sizes, p->pinned_out, p->out_sizes);
  CUONN_CUDA(cudaMemcpyAsync(in, p->pinned_in, total(p, p->in_sizes), cudaMemcpyHostToDevice, stream));
  return CUONN_OK;
}

/* Slices of what the own leaves left go to those who add the rest, and theirs come. */
static cuonn_status exchange_slices(const cuda_state *s, const cuda_leaves *leaves, size_t from, size_t count) {
  const cuda_processes *const p = &s->processes;
  const size_t n_left = count_bits(sums_within(cuda_own_leaves(p, leaves->n)).left), width = sizeof(float);
  const cuda_range own = share_of(p, count, p->all.rank);
  float *out = p->out;
  for (size_t r = 0; r < p->all.size; r++) {
    const cuda_range slice = share_of(p, count, r);
    const size_t numbers = slice.end - slice.first;
    const leaf_sums theirs = sums_within(share_of(p, leaves->n, r));
    p->in_sizes[r] = count_bits(theirs.left) * (own.end - own.first) * width;
    p->out_sizes[r] = n_left * numbers * width;
    if (p->out_sizes[r] == 0) continue;
    CUONN_CUDA(cudaMemcpy2DAsync(out, numbers * width, leaves->data + from + slice.first, leaves->distance * width,
                                 numbers * width, n_left, cudaMemcpyDeviceToDevice, s->session->stream));
    out += n_left * numbers;
  }
  return exchange(s, p->in);
}

/* The total of the own slice, from p->out on, goes to all. */
static cuonn_status exchange_totals(const cuda_state *s, float *in, size_t count) {
  const cuda_processes *const p = &s->processes;
  const cuda_range own = share_of(p, count, p->all.rank);
  const size_t numbers = own.end - own.first, width = sizeof(float);
  for (size_t r = 0; r < p->all.size; r++) {
    const cuda_range slice = share_of(p, count, r);
    p->in_sizes[r] = (slice.end - slice.first) * width;
    p->out_sizes[r] = numbers * width;
    if (r == 0 || numbers == 0) continue;
    CUONN_CUDA(
        cudaMemcpyAsync(p->out + r * numbers, p->out, numbers * width, cudaMemcpyDeviceToDevice, s->session->stream));
  }
  return exchange(s, in);
}

static cuonn_status share_block(const cuda_state *s, const cuda_leaves *leaves, size_t from, size_t count) {
  const cuda_processes *const p = &s->processes;
  const cuda_range own = share_of(p, count, p->all.rank);
  const leaf_sums rest = sums_between(p, leaves->n);
  const size_t numbers = own.end - own.first;
  CUONN_TRY(exchange_slices(s, leaves, from, count));
  if (numbers > 0) CUONN_CUDA(launch_leaves(p->out, p->in, &rest, numbers, numbers, s->session->stream));
  return exchange_totals(s, leaves->data + from, count);
}

cuonn_status cuda_share_sums(const cuda_state *s, const cuda_leaves *leaves) {
  const cuda_processes *const p = &s->processes;
  const leaf_sums own = sums_within(cuda_own_leaves(p, leaves->n));
  if (own.adds) {
    CUONN_CUDA(launch_leaves(leaves->data, leaves->data, &own, leaves->count, leaves->distance, s->session->stream));
  }
  for (size_t from = 0; !cuda_is_alone(p) && from < leaves->count; from += p->block) {
    const size_t left = leaves->count - from;
    CUONN_TRY(share_block(s, leaves, from, left < p->block ? left : p->block));
  }
  return CUONN_OK;
}

/* ----------------------------------------------------------------------------------------------------------- losses */

/* p->losses [model][chunk] of all processes to p->in_losses. */
static void exchange_losses(const cuda_processes *p, size_t count) {
  for (size_t r = 0; r < p->all.size; r++) {
    memcpy(p->out_losses + r * count, p->losses, count * sizeof *p->losses);
    p->in_sizes[r] = p->out_sizes[r] = count * sizeof *p->losses;
  }
  p->all.exchange(p->all.user, p->in_losses, p->in_sizes, p->out_losses, p->out_sizes);
}

cuonn_status cuda_share_losses(const cuda_state *s, const cuda_batch *batch, size_t n, bool shards) {
  const cuda_processes *const p = &s->processes;
  const size_t most = s->steps.most_chunks, count = batch->n_models * most;
  const size_t n_chunks = s->steps.pinned_batches[batch->examples - s->steps.batches].n_chunks;
  cudaStream_t stream = s->session->stream;
  if (cuda_is_alone(p)) return CUONN_OK;
  CUONN_CUDA(cudaMemcpyAsync(p->losses, s->steps.chunk_losses, count * sizeof(double), cudaMemcpyDeviceToHost, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  exchange_losses(p, count);
  for (size_t chunk = 0; chunk < n_chunks; chunk++) {
    const size_t leaf = shards ? shard_of_leaf(chunk % CUONN_LEAVES) : chunk * n / n_chunks;
    const size_t owner = owner_of(p, leaf, n);
    for (size_t m = 0; m < batch->n_models; m++)
      p->losses[m * most + chunk] = p->in_losses[owner * count + m * most + chunk];
  }
  CUONN_CUDA(cudaMemcpyAsync(s->steps.chunk_losses, p->losses, count * sizeof(double), cudaMemcpyHostToDevice, stream));
  return CUONN_OK;
}
