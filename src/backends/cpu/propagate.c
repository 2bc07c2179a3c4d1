/* One mesh, from and to arrays of callers: fields with taps, and the vector-Jacobian product. */
#include <complex.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "cpu/level.h"
#include "cpu/nodes.h"
#include "cpu/propagate.h"
#include "cpu/propagate_dense.h"
#include "cpu/state.h"
#include "cpu/walk.h"

void cpu_read_tile(float *x, const cuonn_buffer *from, size_t first, size_t count, size_t n_modes, size_t lanes) {
  memset(x, 0, n_modes * 2 * lanes * sizeof *x);
  for (size_t i = 0; i < count; i++) {
    const cuonn_buffer example = buffer_at(from, 2 * (first + i) * n_modes);
    for (size_t w = 0; w < n_modes; w++) {
      x[w * 2 * lanes + i] = (float)buffer_get(&example, 2 * w);
      x[w * 2 * lanes + lanes + i] = (float)buffer_get(&example, 2 * w + 1);
    }
  }
}

static void write_tile(const cuonn_buffer *to, size_t first, const float *x, size_t count, size_t n_modes,
                       size_t lanes) {
  for (size_t i = 0; i < count; i++) {
    const cuonn_buffer example = buffer_at(to, 2 * (first + i) * n_modes);
    for (size_t w = 0; w < n_modes; w++) {
      buffer_put(&example, 2 * w, (double)x[w * 2 * lanes + i]);
      buffer_put(&example, 2 * w + 1, (double)x[w * 2 * lanes + lanes + i]);
    }
  }
}

/* Where the fields of a tile go: examples first .. first + count - 1 of n_examples. */
typedef struct {
  double *stages[WALK_STAGES]; /* the caller's taps, NULL where none is wanted */
  size_t n_examples, first, count;
} taps_of_tile;

static void write_tap(const walk *w, walk_stage stage, size_t column) {
  const taps_of_tile *const t = w->user;
  if (!t->stages[stage]) return;
  const cuonn_buffer to = buffer_of(t->stages[stage], 0);
  write_tile(&to, column * t->n_examples + t->first, w->x, t->count, w->mesh->n_modes, w->lanes);
}

cuonn_status cpu_propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                           const cuonn_buffer *in, bool backward, backend_place place) {
  const size_t n = mesh->n_modes, n_examples = in->count / n;
  const size_t lanes = cpu_tile_lanes(n_examples, n), n_tiles = (n_examples + lanes - 1) / lanes;
  const int all = cpu_threads(place.threads), used = n_tiles < (size_t)all ? (int)n_tiles : all;
  cuonn_status status = CUONN_OK;
  float *tiles = NULL;
  walk_mesh stages = {0};
  CUONN_TRY_DONE(walk_mesh_create(&stages, mesh));
  if (!taps && cpu_propagate_dense_pays(n, n_examples)) {
    status = cpu_propagate_dense(out, &stages, in, backward, used);
    goto done;
  }
  CUONN_TRY_DONE(cuonn_allocate(&tiles, (size_t)used * n * 2 * lanes, sizeof *tiles));

#pragma omp parallel for schedule(static) num_threads(used)
  for (size_t tile = 0; tile < n_tiles; tile++) {
    const size_t first = tile * lanes, count = n_examples - first < lanes ? n_examples - first : lanes;
    taps_of_tile t = {.n_examples = n_examples, .first = first, .count = count};
    if (taps) {
      t.stages[WALK_BEFORE_PHI] = taps->before_phi;
      t.stages[WALK_AFTER_PHI] = taps->after_phi;
      t.stages[WALK_BEFORE_THETA] = taps->before_theta;
      t.stages[WALK_AFTER_THETA] = taps->after_theta;
      t.stages[WALK_AFTER_COUPLER] = taps->after_coupler;
    }
    float *const x = tiles + (size_t)omp_get_thread_num() * n * 2 * lanes;
    const walk w = {.mesh = &stages, .x = x, .lanes = lanes, .tap = taps ? write_tap : NULL, .user = &t};
    cpu_read_tile(x, in, first, count, n, lanes);
    walk_through(&w, backward);
    write_tile(out, first, x, count, n, lanes);
  }

done:
  walk_mesh_free(&stages);
  free(tiles);
  return status;
}

/* What one chunk of examples gives, and the room that it needs. */
typedef struct {
  node_sums *sums; /* [node] */
  double *flow;    /* [n_modes] at the outputs */
  float *x, *g, *kept;
} chunk_space;

static void chunk_space_free(chunk_space *c) {
  free(c->sums);
  free(c->flow);
  free(c->x);
  free(c->g);
  free(c->kept);
}

static cuonn_status chunk_space_create(chunk_space *c, const cpu_layer *layer, size_t lanes) {
  const size_t n = layer->n_modes;
  CUONN_TRY(cuonn_allocate(&c->sums, layer->shape->n_nodes, sizeof *c->sums));
  CUONN_TRY(cuonn_allocate(&c->flow, n, sizeof *c->flow));
  CUONN_TRY(cuonn_allocate(&c->x, n * 2 * lanes, sizeof *c->x));
  CUONN_TRY(cuonn_allocate(&c->g, n * 2 * lanes, sizeof *c->g));
  return cuonn_allocate(&c->kept, layer_kept_size(layer, lanes), sizeof *c->kept);
}

cuonn_status cpu_vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                     const cuonn_buffer *input, const cuonn_buffer *cotangent, backend_place place) {
  const size_t n = mesh->n_modes, n_examples = input->count / n;
  const size_t lanes = cpu_tile_lanes(n_examples, n), n_tiles = (n_examples + lanes - 1) / lanes;
  const size_t n_chunks = n_tiles < kMostChunks ? n_tiles : kMostChunks;
  const cpu_kernels *const kernels = cpu_kernels_choose();
  cuonn_status status = CUONN_OK;
  cpu_layer layer = {0};
  chunk_space chunks[kMostChunks] = {0};
  float(*output)[2] = NULL; /* field at an output = factor x what layer_forward() leaves */
  CUONN_TRY_DONE(layer_create(&layer, mesh, n));
  for (size_t i = 0; i < n_chunks; i++) CUONN_TRY_DONE(chunk_space_create(chunks + i, &layer, lanes));
  CUONN_TRY_DONE(cuonn_allocate(&output, n, sizeof *output));
  layer_fill(&layer, mesh->theta, mesh->phi, kernels);
  for (size_t w = 0; w < n; w++) {
    walk_store(output[w], (double)layer_output_factor(&layer)[w] * cexp(I * (layer.phase[w] + mesh->gamma[w])));
  }

#pragma omp parallel for schedule(dynamic, 1) num_threads(cpu_threads(place.threads))
  for (size_t i = 0; i < n_chunks; i++) {
    const chunk_space *const c = chunks + i;
    for (size_t tile = i * n_tiles / n_chunks; tile < (i + 1) * n_tiles / n_chunks; tile++) {
      const size_t first = tile * lanes, count = n_examples - first < lanes ? n_examples - first : lanes;
      cpu_read_tile(c->x, input, first, count, n, lanes);
      layer_forward(c->x, c->kept, &layer, lanes, kernels);
      cpu_read_tile(c->g, cotangent, first, count, n, lanes);
      for (size_t w = 0; w < n; w++) walk_turn(c->g + w * 2 * lanes, output[w], lanes);
      cpu_add_flow(c->flow, c->x, c->g, n, lanes);
      layer_backward(c->sums, c->x, c->g, c->kept, &layer, lanes, kernels);
      if (backward) write_tile(backward, first, c->g, count, n, lanes);
    }
  }

  for (size_t i = 1; i < n_chunks; i++) {
    for (size_t k = 0; k < layer.shape->n_nodes; k++) {
      chunks[0].sums[k].through += chunks[i].sums[k].through;
      chunks[0].sums[k].across += chunks[i].sums[k].across;
    }
    for (size_t w = 0; w < n; w++) chunks[0].flow[w] += chunks[i].flow[w];
  }
  for (size_t w = 0; w < n; w++) gradient->d_gamma[w] = -chunks[0].flow[w];
  layer_gradient(gradient->d_theta, gradient->d_phi, chunks[0].flow, &layer, chunks[0].sums);

done:
  free(output);
  for (size_t i = 0; i < kMostChunks; i++) chunk_space_free(chunks + i);
  layer_free(&layer);
  return status;
}
