/* Time of a forward propagation alone: fields wait in float where kernels want them, and results stay there. */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "cpu/level.h"
#include "cpu/nodes.h"
#include "cpu/propagate.h"
#include "cpu/state.h"
#include "cpu/timing.h"
#include "cpu/walk.h"

typedef struct {
  const cpu_kernels *kernels;
  size_t n_modes, lanes, n_tiles, tile_size;
  int threads;
  float *in, *out; /* [tile][n_modes][2][lanes] */

  /* node form */
  cpu_layer layer;
  float (*output)[2]; /* [n_modes] field at an output = factor x what layer_forward() leaves */
  float *kept;        /* [thread][layer_kept_size] */

  /* all stages */
  walk_mesh mesh;
  float *stages; /* [stage][column][tile][n_modes][2][lanes] */
} job;

/* What a tap needs to know. */
typedef struct {
  const job *j;
  size_t tile;
} place;

static void keep_stage(const walk *w, walk_stage stage, size_t column) {
  const place *const p = w->user;
  const job *const j = p->j;
  float *const to = j->stages + ((stage * j->mesh.shape->n_columns + column) * j->n_tiles + p->tile) * j->tile_size;
  memcpy(to, w->x, j->tile_size * sizeof *to);
}

static void propagate_tile(const job *j, backend_propagation what, size_t tile) {
  float *const x = j->out + tile * j->tile_size;
  memcpy(x, j->in + tile * j->tile_size, j->tile_size * sizeof *x);
  if (what == BACKEND_ALL_STAGES) {
    place p = {j, tile};
    walk_through(&(walk){.mesh = &j->mesh, .x = x, .lanes = j->lanes, .tap = keep_stage, .user = &p}, false);
    return;
  }
  const size_t thread = (size_t)omp_get_thread_num();
  layer_forward(x, j->kept + thread * layer_kept_size(&j->layer, j->lanes), &j->layer, j->lanes, j->kernels);
  for (size_t w = 0; w < j->n_modes; w++) walk_turn(x + w * 2 * j->lanes, j->output[w], j->lanes);
}

static cuonn_status prepare_nodes(job *j, const cuonn_mesh *mesh) {
  CUONN_TRY(layer_create(&j->layer, mesh, j->n_modes));
  layer_fill(&j->layer, mesh->theta, mesh->phi, j->kernels);
  CUONN_TRY(cuonn_allocate(&j->output, j->n_modes, sizeof *j->output));
  for (size_t w = 0; w < j->n_modes; w++) {
    walk_store(j->output[w],
               (double)layer_output_factor(&j->layer)[w] * cexp(I * (j->layer.phase[w] + mesh->gamma[w])));
  }
  return cuonn_allocate(&j->kept, (size_t)j->threads * layer_kept_size(&j->layer, j->lanes), sizeof *j->kept);
}

static cuonn_status prepare_stages(job *j, const cuonn_mesh *mesh) {
  CUONN_TRY(walk_mesh_create(&j->mesh, mesh));
  return cuonn_allocate(&j->stages, WALK_STAGES * mesh->shape->n_columns * j->n_tiles * j->tile_size,
                        sizeof *j->stages);
}

cuonn_status cpu_time_propagation(double *seconds, size_t n_samples, backend_propagation what, const cuonn_mesh *mesh,
                                  const cuonn_fields *in, backend_place at) {
  const size_t n = mesh->n_modes, lanes = cpu_tile_lanes(in->n_examples, n);
  cuonn_status status = CUONN_OK;
  job j = {.kernels = cpu_kernels_choose(), .n_modes = n, .lanes = lanes, .threads = cpu_threads(at.threads)};
  j.n_tiles = (in->n_examples + lanes - 1) / lanes;
  j.tile_size = n * 2 * lanes;
  CUONN_TRY_DONE(cuonn_allocate(&j.in, j.n_tiles * j.tile_size, sizeof *j.in));
  CUONN_TRY_DONE(cuonn_allocate(&j.out, j.n_tiles * j.tile_size, sizeof *j.out));
  CUONN_TRY_DONE(what == BACKEND_ALL_STAGES ? prepare_stages(&j, mesh) : prepare_nodes(&j, mesh));
  const cuonn_buffer from = buffer_of_fields(in);
  for (size_t tile = 0; tile < j.n_tiles; tile++) {
    const size_t first = tile * lanes, left = in->n_examples - first;
    cpu_read_tile(j.in + tile * j.tile_size, &from, first, left < lanes ? left : lanes, n, lanes);
  }

  for (size_t i = 0; i < n_samples; i++) {
    const double before = machine_seconds();
#pragma omp parallel for schedule(static) num_threads(j.threads)
    for (size_t tile = 0; tile < j.n_tiles; tile++) propagate_tile(&j, what, tile);
    seconds[i] = machine_seconds() - before;
  }

done:
  free(j.stages);
  walk_mesh_free(&j.mesh);
  free(j.kept);
  free(j.output);
  layer_free(&j.layer);
  free(j.out);
  free(j.in);
  return status;
}
