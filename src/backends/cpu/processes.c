#include "cpu/processes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* Bytes of each chunk that are sent at once, and room for as many chunks as there may be. */
enum { kBlock = 1 << 18, kRoom = kMostChunks * kBlock };

cuonn_status cpu_processes_create(cpu_processes *out, const cuonn_processes *from) {
  cuonn_status status = CUONN_OK;
  memset(out, 0, sizeof *out);
  if (!from) return CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&out->in, kRoom, 1));
  CUONN_TRY_DONE(cuonn_allocate(&out->out, kRoom, 1));
  CUONN_TRY_DONE(cuonn_allocate(&out->in_sizes, from->size, sizeof *out->in_sizes));
  CUONN_TRY_DONE(cuonn_allocate(&out->out_sizes, from->size, sizeof *out->out_sizes));
  out->all = *from;
done:
  if (status != CUONN_OK) cpu_processes_free(out);
  return status;
}

void cpu_processes_free(cpu_processes *p) {
  free(p->out_sizes);
  free(p->in_sizes);
  free(p->out);
  free(p->in);
  memset(p, 0, sizeof *p);
}

/* Share r of n things. */
static cpu_chunks share_of(const cpu_processes *p, size_t n, size_t r) {
  return (cpu_chunks){n * r / p->all.size, n * (r + 1) / p->all.size};
}

cpu_chunks cpu_own_chunks(const cpu_processes *p, size_t n) {
  return cpu_is_alone(p) ? (cpu_chunks){0, n} : share_of(p, n, p->all.rank);
}

static void exchange(const cpu_processes *p, void *in) {
  p->all.exchange(p->all.user, in, p->in_sizes, p->out, p->out_sizes);
}

/* Puts the slices of the own sums in order of who gets them. */
static void pack_slices(const cpu_processes *p, const cpu_terms *t, size_t from, size_t count, size_t n) {
  const cpu_chunks own = cpu_own_chunks(p, n);
  char *out = p->out;
  for (size_t r = 0; r < p->all.size; r++) {
    const cpu_chunks slice = share_of(p, count, r);
    const size_t bytes = (slice.end - slice.first) * t->width;
    p->out_sizes[r] = 0;
    for (size_t c = own.first; c < own.end; c = cpu_tree_root_end(c, n, own), out += bytes) {
      memcpy(out, t->first + c * t->stride + (from + slice.first) * t->width, bytes);
      p->out_sizes[r] += bytes;
    }
  }
}

/* Where the slices of all others' sums come to lie, and whose each chunk is. */
static void place_slices(char **parts, size_t *owners, const cpu_processes *p, size_t bytes, size_t n) {
  char *in = p->in;
  for (size_t r = 0; r < p->all.size; r++) {
    const cpu_chunks theirs = share_of(p, n, r);
    p->in_sizes[r] = 0;
    for (size_t c = theirs.first; c < theirs.end; c++) owners[c] = r;
    for (size_t c = theirs.first; c < theirs.end; c = cpu_tree_root_end(c, n, theirs), in += bytes) {
      parts[c] = in;
      p->in_sizes[r] += bytes;
    }
  }
}

/* Gives all processes the same bytes; in: what they give, in order. */
static void give_all(const cpu_processes *p, void *in, const void *bytes, size_t size) {
  for (size_t r = 0; r < p->all.size; r++) {
    memcpy(p->out + r * size, bytes, size);
    p->out_sizes[r] = size;
  }
  exchange(p, in);
}

static void add_block(const cpu_processes *p, const cpu_terms *t, size_t from, size_t count, size_t n) {
  const cpu_chunks slice = share_of(p, count, p->all.rank);
  char *parts[kMostChunks];
  size_t owners[kMostChunks];
  pack_slices(p, t, from, count, n);
  place_slices(parts, owners, p, (slice.end - slice.first) * t->width, n);
  exchange(p, p->in);
  cpu_tree_add_rest(parts, slice.end - slice.first, t->width, n, owners);
  for (size_t r = 0; r < p->all.size; r++) {
    const cpu_chunks theirs = share_of(p, count, r);
    p->in_sizes[r] = (theirs.end - theirs.first) * t->width;
  }
  give_all(p, t->first + from * t->width, parts[0], (slice.end - slice.first) * t->width);
}

/* After cpu_tree_add() of the own chunks. */
static void add_others(const cpu_processes *p, const cpu_terms *terms, size_t n) {
  const size_t most = kBlock / terms->width;
  for (size_t from = 0; !cpu_is_alone(p) && from < terms->count; from += most) {
    add_block(p, terms, from, terms->count - from < most ? terms->count - from : most, n);
  }
}

void cpu_processes_add(cpu_processes *p, cpu_team *team, const cpu_terms *terms, size_t n) {
  enum { kPiece = 1024 };
  const cpu_chunks own = cpu_own_chunks(p, n);
#pragma omp for schedule(static) nowait
  for (size_t from = 0; from < terms->count; from += kPiece) {
    const size_t left = terms->count - from;
    cpu_tree_add(terms, from, left < kPiece ? left : kPiece, n, own);
  }
  cpu_team_meet(team);
#pragma omp master
  add_others(p, terms, n);
  cpu_team_meet(team);
}

void cpu_processes_fill(cpu_processes *p, double *values, size_t n) {
  if (cpu_is_alone(p)) return;
  const cpu_chunks own = cpu_own_chunks(p, n);
  for (size_t r = 0; r < p->all.size; r++) {
    const cpu_chunks theirs = share_of(p, n, r);
    p->in_sizes[r] = (theirs.end - theirs.first) * sizeof *values;
  }
  give_all(p, values, values + own.first, (own.end - own.first) * sizeof *values);
}

void cpu_processes_count(cpu_processes *p, uint64_t *counts, size_t n) {
  if (cpu_is_alone(p)) return;
  const uint64_t *const in = (const uint64_t *)p->in;
  const size_t most = kRoom / sizeof *counts / p->all.size;
  for (size_t from = 0; from < n; from += most) {
    const size_t few = n - from < most ? n - from : most;
    for (size_t r = 0; r < p->all.size; r++) p->in_sizes[r] = few * sizeof *counts;
    give_all(p, p->in, counts + from, few * sizeof *counts);
    memset(counts + from, 0, few * sizeof *counts);
    for (size_t i = 0; i < few * p->all.size; i++) counts[from + i % few] += in[i];
  }
}
