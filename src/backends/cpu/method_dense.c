/* Every layer becomes a matrix, the batch goes through by products of matrices, and the derivative of the matrix goes
 * through the nodes: exact gradients, of the chip or of one without errors.
 *
 * With cotangents g_o at output o of a layer and its input x, a batch needs of the phases only  D_o = sum of g_o x over
 * examples: sum over o of e_o^T U D_o has the same derivatives. So D_o is sent through the nodes as one field for each
 * output, with the cotangent e_o, however many examples there are.
 *
 * Vectors are cut into tiles and parts of tiles by sizes alone, as batches are (dense_batch.h), and parts are added in
 * a fixed tree, so that results do not depend on the number of threads. Of several processes each does its part of the
 * batch, and all of them all that comes after D_o, which they have alike. */
#include <omp.h>
#include <string.h>

#include "cpu/dense_batch.h"
#include "cpu/sums.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
}

/* One layer of a model. */
typedef struct {
  const cpu_state *state;
  const dense_model *to;
  const cpu_layer *layer;
  size_t l, model;
} job;

/* How the outputs of a layer are divided: into tiles of `lanes`, and parts of tiles. */
typedef struct {
  size_t lanes, n_tiles, n_parts;
} tiling;

static tiling tile(const cpu_state *s, size_t l) {
  const size_t n = dense_read(&s->problem.shape, l), most = cpu_tile_lanes(UINT32_MAX, s->problem.shape.n_modes);
  tiling t = {.lanes = n <= 16 ? 16 : most < 32 ? most : 32};
  t.n_tiles = (n + t.lanes - 1) / t.lanes;
  t.n_parts = t.n_tiles < s->most_chunks ? t.n_tiles : s->most_chunks;
  return t;
}

/* The widest of a network's layers. */
static size_t most_tiles(const cpu_state *s) {
  const size_t first = tile(s, 0).n_tiles, last = tile(s, s->problem.shape.n_layers - 1).n_tiles;
  return first > last ? first : last;
}

static job job_of(const cpu_group *group, size_t m, size_t l) {
  const cpu_model *const model = group->state->models + m;
  return (job){group->state, &model->dense, cpu_layers_of(model, cpu_which(group, m)) + l, l, m};
}

/* One tile or part of a layer's outputs, by one thread. */
typedef void tile_work(const job *j, const tiling *t, size_t which, size_t n_chunks, cpu_space *space);

/* Calls work for all models, layers, and tiles or parts of layers; a layer that has fewer than the widest ignores the
 * rest. */
static void for_each_tile(const cpu_group *group, size_t n_chunks, tile_work *work) {
  const cpu_state *const s = group->state;
  const size_t most = most_tiles(s), layers = s->problem.shape.n_layers;
#pragma omp for collapse(3) schedule(dynamic, 1) nowait
  for (size_t m = group->first; m < group->first + group->n_models; m++) {
    for (size_t l = 0; l < layers; l++) {
      for (size_t which = 0; which < most; which++) {
        const job j = job_of(group, m, l);
        const tiling t = tile(s, l);
        work(&j, &t, which, n_chunks, group->spaces + omp_get_thread_num());
      }
    }
  }
  cpu_team_meet(group->team);
}

/* Rows of the matrix of one tile of outputs. */
static void build_tile(const job *j, const tiling *t, size_t k, size_t n_chunks, cpu_space *space) {
  const cuonn_network_shape *const shape = &j->state->problem.shape;
  (void)n_chunks;
  if (k >= t->n_tiles) return;
  memset(space->g, 0, shape->n_modes * 2 * t->lanes * sizeof *space->g);
  layer_rows(space->g, j->layer, k * t->lanes, t->lanes, j->state->kernels);
  dense_store_rows(j->to, shape, j->l, space->g, k * t->lanes, t->lanes);
}

/* Sums of one part of a layer's outputs. */
static void walk_part(const job *j, const tiling *t, size_t part, size_t n_chunks, cpu_space *space) {
  const cuonn_network_shape *const shape = &j->state->problem.shape;
  const cpu_kernels *const kernels = j->state->kernels;
  if (part >= t->n_parts) return;
  const size_t nodes = layer_walked_nodes(shape->mesh);
  node_sums *const sums = cpu_chunk_sums(j->state, j->model, part) + j->l * nodes;
  memset(sums, 0, nodes * sizeof *sums);
  for (size_t k = part * t->n_tiles / t->n_parts; k < (part + 1) * t->n_tiles / t->n_parts; k++) {
    const size_t first = k * t->lanes;
    dense_load_sums(space->fields, j->to, shape, j->l, n_chunks, first, t->lanes, kernels);
    dense_load_rows(space->g, j->to, shape, j->l, first, t->lanes);
    layer_rows_backward(sums, space->fields, space->g, space->kept, j->layer, first, t->lanes, kernels);
  }
}

static void gradient(double *losses, const cpu_group *group, const cpu_batch *batch) {
  const cpu_state *const s = group->state;
  const size_t layers = s->problem.shape.n_layers;
  const dense_division d = dense_divide(s, batch);
  for_each_tile(group, 0, build_tile);
  dense_run(group, &d, NULL, true);
  for_each_tile(group, dense_share_sums(group, d.n_chunks), walk_part);
#pragma omp for collapse(2) schedule(static, 1) nowait
  for (size_t m = group->first; m < group->first + group->n_models; m++) {
    for (size_t l = 0; l < layers; l++) {
      if (l == 0) losses[m - group->first] = cpu_total_loss(s, m, d.n_chunks, d.share);
      cpu_finish_layer(s, m, job_of(group, m, l).layer, l, tile(s, l).n_parts);
    }
  }
}

static void evaluate(double *loss, uint32_t *predictions, const cpu_group *group, const cpu_batch *batch) {
  const cuonn_gradient_method exact = CUONN_GRADIENT_EXACT; /* the loss is the chip's, whatever gradients are of */
  const cpu_group of_chip = {group->state, group->first, 1, &exact, group->spaces, group->team};
  const dense_division d = dense_divide(group->state, batch);
  for_each_tile(&of_chip, 0, build_tile);
  dense_run(&of_chip, &d, predictions, false);
  cpu_share_losses(&of_chip, d.n_chunks);
#pragma omp master
  *loss = cpu_total_loss(group->state, group->first, d.n_chunks, d.share);
}

const cpu_method cpu_dense = {"dense", supports, cpu_prepare_nodes, gradient, evaluate};
