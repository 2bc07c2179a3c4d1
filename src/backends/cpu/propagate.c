/* One mesh: fields stage by stage with taps, and the vector-Jacobian product. */
#include <complex.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/stages.h"
#include "cpu/state.h"

static void store(float to[2], double complex z) {
  to[0] = (float)creal(z);
  to[1] = (float)cimag(z);
}

/* x: two waveguides of a tile. */
static void couple(float *x, const float coupler[2], size_t lanes) {
  float *const top = x, *const bottom = x + 2 * lanes;
  const float c = coupler[0], s = coupler[1];
  for (size_t i = 0; i < lanes; i++) {
    const float tr = top[i], ti = top[lanes + i], br = bottom[i], bi = bottom[lanes + i];
    top[i] = c * tr - s * bi;
    top[lanes + i] = c * ti + s * br;
    bottom[i] = c * br - s * ti;
    bottom[lanes + i] = c * bi + s * tr;
  }
}

/* Where the examples of a tile stand in arrays of doubles, [example][n_modes][2]. */
static void read_tile(float *x, const double *values, size_t count, size_t n_modes, size_t lanes) {
  memset(x, 0, n_modes * 2 * lanes * sizeof *x);
  for (size_t i = 0; i < count; i++) {
    for (size_t w = 0; w < n_modes; w++) {
      x[w * 2 * lanes + i] = (float)values[2 * (i * n_modes + w)];
      x[w * 2 * lanes + lanes + i] = (float)values[2 * (i * n_modes + w) + 1];
    }
  }
}

static void write_tile(double *values, const float *x, size_t count, size_t n_modes, size_t lanes) {
  for (size_t i = 0; i < count; i++) {
    for (size_t w = 0; w < n_modes; w++) {
      values[2 * (i * n_modes + w)] = (double)x[w * 2 * lanes + i];
      values[2 * (i * n_modes + w) + 1] = (double)x[w * 2 * lanes + lanes + i];
    }
  }
}

/* A tile on its way: examples first .. first + count - 1 of n_examples. */
typedef struct {
  float *x;
  const cpu_stages *nodes;
  const float (*gamma)[2]; /* [n_modes] exp(i gamma) */
  const cuonn_taps *taps;
  size_t n_modes, n_examples, first, count, lanes;
} travel;

static void tap(double *stage, const travel *t, size_t column) {
  if (!stage) return;
  const size_t example = column * t->n_examples + t->first;
  write_tile(stage + example * t->n_modes * 2, t->x, t->count, t->n_modes, t->lanes);
}

typedef enum { SHIFT_OUTER, SHIFT_INNER, COUPLE_LEFT, COUPLE_RIGHT } action;

/* Every node of a column does one thing. */
static void act(const travel *t, size_t column, action what) {
  const size_t step = 2 * t->lanes;
  const cpu_stages *node = t->nodes + cuonn_mesh_column_start(t->n_modes, column);
  for (size_t top = column % 2; top + 1 < t->n_modes; top += 2, node++) {
    float *const x = t->x + top * step;
    switch (what) {
      case SHIFT_OUTER:
      case SHIFT_INNER:
        cpu_turn(x, what == SHIFT_OUTER ? node->outer[0] : node->inner[0], t->lanes);
        cpu_turn(x + step, what == SHIFT_OUTER ? node->outer[1] : node->inner[1], t->lanes);
        break;
      case COUPLE_LEFT: couple(x, node->left, t->lanes); break;
      case COUPLE_RIGHT: couple(x, node->right, t->lanes); break;
    }
  }
}

static void turn_outputs(const travel *t) {
  for (size_t w = 0; w < t->n_modes; w++) cpu_turn(t->x + w * 2 * t->lanes, t->gamma[w], t->lanes);
}

static void go_forward(const travel *t) {
  for (size_t c = 0; c < t->n_modes; c++) {
    tap(t->taps->before_phi, t, c);
    act(t, c, SHIFT_OUTER);
    tap(t->taps->after_phi, t, c);
    act(t, c, COUPLE_LEFT);
    tap(t->taps->before_theta, t, c);
    act(t, c, SHIFT_INNER);
    tap(t->taps->after_theta, t, c);
    act(t, c, COUPLE_RIGHT);
    tap(t->taps->after_coupler, t, c);
  }
  turn_outputs(t);
}

/* Every stage is its own transpose; their order is reversed. */
static void go_backward(const travel *t) {
  turn_outputs(t);
  for (size_t c = t->n_modes; c-- > 0;) {
    tap(t->taps->after_coupler, t, c);
    act(t, c, COUPLE_RIGHT);
    tap(t->taps->after_theta, t, c);
    act(t, c, SHIFT_INNER);
    tap(t->taps->before_theta, t, c);
    act(t, c, COUPLE_LEFT);
    tap(t->taps->after_phi, t, c);
    act(t, c, SHIFT_OUTER);
    tap(t->taps->before_phi, t, c);
  }
}

cuonn_status cpu_propagate(double *out, const cuonn_taps *taps, const cuonn_mesh *mesh, const cuonn_fields *in,
                           bool backward, int threads) {
  const size_t n = mesh->n_modes, n_examples = in->n_examples, n_nodes = cuonn_mesh_nodes(n);
  const size_t lanes = cpu_tile_lanes(n_examples, n), n_tiles = (n_examples + lanes - 1) / lanes;
  const int used = cpu_threads(threads);
  const cuonn_taps none = {0};
  cuonn_status status = CUONN_OK;
  float *tiles = NULL;
  cpu_stages *nodes = NULL;
  float(*gamma)[2] = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&tiles, (size_t)used * n * 2 * lanes, sizeof *tiles));
  CUONN_TRY_DONE(cuonn_allocate(&nodes, n_nodes, sizeof *nodes));
  CUONN_TRY_DONE(cuonn_allocate(&gamma, n, sizeof *gamma));
  for (size_t k = 0; k < n_nodes; k++) nodes[k] = cpu_stages_of(mesh, k);
  for (size_t w = 0; w < n; w++) store(gamma[w], cexp(I * mesh->gamma[w]));

#pragma omp parallel for schedule(static) num_threads(used)
  for (size_t tile = 0; tile < n_tiles; tile++) {
    const size_t first = tile * lanes, count = n_examples - first < lanes ? n_examples - first : lanes;
    const travel t = {.x = tiles + (size_t)omp_get_thread_num() * n * 2 * lanes,
                      .nodes = nodes,
                      .gamma = (const float(*)[2])gamma,
                      .taps = taps ? taps : &none,
                      .n_modes = n,
                      .n_examples = n_examples,
                      .first = first,
                      .count = count,
                      .lanes = lanes};
    read_tile(t.x, in->values + first * n * 2, count, n, lanes);
    if (backward) {
      go_backward(&t);
    } else {
      go_forward(&t);
    }
    write_tile(out + first * n * 2, t.x, count, n, lanes);
  }

done:
  free(gamma);
  free(nodes);
  free(tiles);
  return status;
}

/* Im(x g) of every waveguide, added to flow[n_modes]. */
static void add_flow(double *flow, const float *x, const float *g, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, x += 2 * lanes, g += 2 * lanes) {
    for (size_t i = 0; i < lanes; i++)
      flow[w] += (double)x[i] * (double)g[lanes + i] + (double)x[lanes + i] * (double)g[i];
  }
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
  CUONN_TRY(cuonn_allocate(&c->sums, cuonn_mesh_nodes(n), sizeof *c->sums));
  CUONN_TRY(cuonn_allocate(&c->flow, n, sizeof *c->flow));
  CUONN_TRY(cuonn_allocate(&c->x, n * 2 * lanes, sizeof *c->x));
  CUONN_TRY(cuonn_allocate(&c->g, n * 2 * lanes, sizeof *c->g));
  return cuonn_allocate(&c->kept, layer_kept_size(layer, lanes), sizeof *c->kept);
}

cuonn_status cpu_vjp(cuonn_mesh_gradient *gradient, double *backward, const cuonn_mesh *mesh, const cuonn_fields *input,
                     const cuonn_fields *cotangent, int threads) {
  const size_t n = mesh->n_modes, n_examples = input->n_examples, n_nodes = cuonn_mesh_nodes(n);
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
    store(output[w], (double)layer_output_factor(&layer)[w] * cexp(I * (layer.phase[w] + mesh->gamma[w])));
  }

#pragma omp parallel for schedule(dynamic, 1) num_threads(cpu_threads(threads))
  for (size_t i = 0; i < n_chunks; i++) {
    const chunk_space *const c = chunks + i;
    for (size_t tile = i * n_tiles / n_chunks; tile < (i + 1) * n_tiles / n_chunks; tile++) {
      const size_t first = tile * lanes, count = n_examples - first < lanes ? n_examples - first : lanes;
      read_tile(c->x, input->values + first * n * 2, count, n, lanes);
      layer_forward(c->x, c->kept, &layer, lanes, kernels);
      read_tile(c->g, cotangent->values + first * n * 2, count, n, lanes);
      for (size_t w = 0; w < n; w++) cpu_turn(c->g + w * 2 * lanes, output[w], lanes);
      add_flow(c->flow, c->x, c->g, n, lanes);
      layer_backward(c->sums, c->x, c->g, c->kept, &layer, lanes, kernels);
      if (backward) write_tile(backward + first * n * 2, c->g, count, n, lanes);
    }
  }

  for (size_t i = 1; i < n_chunks; i++) {
    for (size_t k = 0; k < n_nodes; k++) {
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
