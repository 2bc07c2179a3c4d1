/* Every layer becomes a matrix, the batch goes through by products of matrices, and the derivative of the matrix goes
 * through the nodes: exact gradients, of the chip or of one without errors.
 *
 * With cotangents g_o at output o of a layer and its input x, a batch needs of the phases only  D_o = sum of g_o x over
 * examples: sum over o of e_o^T U D_o has the same derivatives. So D_o is sent through the nodes as one field for each
 * output, with the cotangent e_o, however many examples there are.
 *
 * Batches are cut into blocks and chunks of blocks, vectors into tiles and parts of tiles, by sizes alone; chunks and
 * parts are added in their order, so that results do not depend on the number of threads. */
#include <omp.h>
#include <string.h>

#include "cpu/sums.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
}

/* Vectors that go through the nodes of one layer of a model together. */
typedef struct {
  const cpu_state *state;
  const dense_model *to;
  const cpu_layer *layer;
  size_t l, model;
} job;

/* How n vectors are divided: into tiles of `lanes`, and parts. */
typedef struct {
  size_t lanes, n_tiles, n_parts;
} tiling;

static tiling tile(const cpu_state *s, size_t n) {
  const size_t most = cpu_tile_lanes(UINT32_MAX, s->problem.shape.n_modes);
  tiling t = {.lanes = n <= 16 ? 16 : most < 32 ? most : 32};
  t.n_tiles = (n + t.lanes - 1) / t.lanes;
  t.n_parts = t.n_tiles < s->most_chunks ? t.n_tiles : s->most_chunks;
  return t;
}

static tiling tile_inputs(const cpu_state *s) { return tile(s, s->problem.shape.n_modes); }
static tiling tile_outputs(const cpu_state *s, size_t l) { return tile(s, dense_read(&s->problem.shape, l)); }

static job job_of(const cpu_group *group, size_t m, size_t l) {
  const cpu_model *const model = group->state->models + m;
  return (job){group->state, &model->dense, cpu_layers_of(model, cpu_which(group, m)) + l, l, m};
}

/* One element of a layer into every form in which it is read. */
static void store_element(const job *j, size_t in, size_t out, float re, float im) {
  const cuonn_network_shape *const shape = &j->state->problem.shape;
  const size_t lanes = dense_lanes(shape, j->l), padded = dense_padded(shape->n_modes), n = shape->n_modes;
  float *const to = j->to->elements + dense_offset(shape, j->l) + in * lanes * (j->l == 0 ? 1 : 2) + out;
  if (j->l == 0) {
    to[0] = re;
    to[n * lanes] = im - re;
    to[2 * n * lanes] = re + im;
    return;
  }
  float *const back = dense_back(j->to, shape, j->l) + out * padded + in;
  to[0] = re;
  to[lanes] = im;
  back[0] = re;
  back[lanes * padded] = -im;
}

/* Unit vectors at the inputs of one tile, through the layer. */
static void build_tile(const job *j, const tiling *t, size_t index, cpu_space *space) {
  const size_t n = j->layer->n_modes, lanes = t->lanes, first = index * lanes;
  const size_t count = n - first < lanes ? n - first : lanes;
  float *const x = space->fields;
  memset(x, 0, n * 2 * lanes * sizeof *x);
  for (size_t i = 0; i < count; i++) x[(first + i) * 2 * lanes + i] = 1;
  layer_forward(x, space->kept, j->layer, lanes, j->state->kernels);
  for (size_t out = 0; out < dense_read(&j->state->problem.shape, j->l); out++) {
    const float f = layer_output_factor(j->layer)[out], *const y = x + out * 2 * lanes;
    for (size_t i = 0; i < count; i++) store_element(j, first + i, out, f * y[i], f * y[lanes + i]);
  }
}

/* Makes the matrices of a group's models. */
static void build(const cpu_group *group) {
  const cpu_state *const s = group->state;
  const size_t layers = s->problem.shape.n_layers;
  const tiling t = tile_inputs(s);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < group->n_models * layers * t.n_tiles; i++) {
    const size_t at = i / t.n_tiles;
    const job j = job_of(group, group->first + at / layers, at % layers);
    build_tile(&j, &t, i % t.n_tiles, group->spaces + omp_get_thread_num());
  }
  cpu_team_meet(group->team);
}

/* Sums of all chunks, added up in the first, as fields D_o; rows from .. end - 1 are inputs. */
static void add_chunks(const job *j, size_t n_chunks, size_t from, size_t end) {
  const cuonn_network_shape *const shape = &j->state->problem.shape;
  const size_t size = dense_size(shape), lanes = dense_lanes(shape, j->l), planes = j->l == 0 ? 3 : 1;
  const size_t row = j->l == 0 ? lanes : 2 * lanes;
  for (size_t plane = 0; plane < planes; plane++) {
    float *const total = j->to->sums + dense_offset(shape, j->l) + plane * shape->n_modes * row;
    for (size_t chunk = 1; chunk < n_chunks; chunk++) {
      const float *const part = total + chunk * size;
      for (size_t i = from * row; i < end * row; i++) total[i] += part[i];
    }
  }
}

/* x: [n][2][lanes] the fields D_o of outputs first .. first + lanes - 1. */
static void load_derivative(float *x, const job *j, size_t first, size_t lanes) {
  const cuonn_network_shape *const shape = &j->state->problem.shape;
  const size_t n = shape->n_modes, width = dense_lanes(shape, j->l);
  const float *const d = j->to->sums + dense_offset(shape, j->l);
  const size_t count = width - first < lanes ? width - first : lanes;
  if (count < lanes) memset(x, 0, n * 2 * lanes * sizeof *x);
  for (size_t in = 0; in < n; in++, x += 2 * lanes) {
    for (size_t i = 0; i < count; i++) {
      const float *const p = j->l == 0 ? d + in * width + first + i : d + in * 2 * width + first + i;
      x[i] = j->l == 0 ? p[0] - p[2 * n * width] : p[0];
      x[lanes + i] = j->l == 0 ? p[0] + p[n * width] : p[width];
    }
  }
}

/* Sums of one part of a layer's outputs. */
static void walk_part(const job *j, const tiling *t, size_t part, cpu_space *space) {
  const cuonn_network_shape *const shape = &j->state->problem.shape;
  const size_t n = shape->n_modes, lanes = t->lanes, nodes = shape->mesh->n_nodes, read = dense_read(shape, j->l);
  node_sums *const sums = cpu_chunk_sums(j->state, j->model, part) + j->l * nodes;
  memset(sums, 0, nodes * sizeof *sums);
  for (size_t k = part * t->n_tiles / t->n_parts; k < (part + 1) * t->n_tiles / t->n_parts; k++) {
    const size_t first = k * lanes;
    load_derivative(space->fields, j, first, lanes);
    layer_forward(space->fields, space->kept, j->layer, lanes, j->state->kernels);
    memset(space->g, 0, n * 2 * lanes * sizeof *space->g);
    for (size_t o = first; o < first + lanes && o < read; o++) {
      space->g[o * 2 * lanes + o - first] = layer_output_factor(j->layer)[o];
    }
    layer_backward(sums, space->fields, space->g, space->kept, j->layer, lanes, j->state->kernels);
  }
}

/* ---------------------------------------------------------------------------------------------------- examples */

/* How the examples of a batch are divided. */
typedef struct {
  const cpu_batch *batch;
  size_t examples, n_blocks, n_chunks;
  double share; /* of one example in the loss */
} division;

static division divide(const cpu_state *s, const cpu_batch *batch) {
  division d = {.batch = batch, .examples = dense_block(batch->count)};
  d.n_blocks = (batch->count + d.examples - 1) / d.examples;
  d.n_chunks = d.n_blocks < s->dense_chunks ? d.n_blocks : s->dense_chunks;
  d.share = cpu_share_of_loss(&s->problem.shape, batch->count);
  return d;
}

/* Examples `first` on of a block, those that are missing zero. */
static void load(dense_space *space, const cpu_model *model, const cpu_batch *b, size_t first, size_t count,
                 size_t n_examples) {
  const size_t n = model->layers->n_modes;
  for (size_t e = 0; e < n_examples; e++) {
    float *const x = space->x + e * 2 * n, *const sum = space->sum + e * n;
    memset(x, 0, 2 * n * sizeof *x);
    if (e < count) {
      space->index[e] = cpu_example_at(model, b, first + e);
      memcpy(x, b->set->values + (size_t)space->index[e] * 2 * n, 2 * n * sizeof *x);
    }
    for (size_t w = 0; w < n; w++) sum[w] = x[w] + x[n + w];
  }
}

/* Outputs [example][2][lanes] as [class][2][example], or back. */
static void turn(float *read, float *outputs, size_t classes, size_t lanes, size_t n_examples, bool back) {
  for (size_t e = 0; e < n_examples; e++) {
    for (size_t i = 0; i < 2 * classes; i++) {
      float *const a = read + i * n_examples + e, *const b = outputs + (2 * e + i % 2) * lanes + i / 2;
      *(back ? b : a) = back ? *a : *b;
    }
  }
}

/* Loss of one chunk, and its sums unless NULL; predictions by example unless NULL. */
static double run_chunk(float *sums, uint32_t *predictions, dense_space *space, const cpu_state *s,
                        const cpu_model *model, const division *d, size_t chunk) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t last = shape->n_layers - 1, lanes = dense_lanes(shape, last), classes = shape->n_classes;
  const uint8_t *const labels = d->batch->set->labels;
  double loss = 0;
  if (sums) memset(sums, 0, dense_size(shape) * sizeof *sums);
  for (size_t k = chunk * d->n_blocks / d->n_chunks; k < (chunk + 1) * d->n_blocks / d->n_chunks; k++) {
    const size_t first = k * d->examples, left = d->batch->count - first;
    const size_t count = left < d->examples ? left : d->examples, n_examples = dense_padded(count);
    load(space, model, d->batch, first, count, n_examples);
    dense_forward(space, &model->dense, shape, n_examples, s->kernels);
    turn(space->y_read, dense_outputs(space, shape), classes, lanes, n_examples, false);
    loss += cpu_read_out(predictions, space->power, space->y_read, space->ones, labels, space->index, classes, count,
                         n_examples);
    if (!sums) continue;
    cpu_read_out_backward(space->back, space->power, space->y_read, space->ones, labels, space->index, shape, d->share,
                          count, n_examples);
    turn(space->back, space->g_read, classes, lanes, n_examples, true);
    dense_backward(sums, space, &model->dense, shape, n_examples, s->kernels);
  }
  return loss;
}

static void run_chunks(const cpu_group *group, const division *d, uint32_t *predictions, bool sums) {
  const cpu_state *const s = group->state;
  const size_t size = dense_size(&s->problem.shape);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < group->n_models * d->n_chunks; i++) {
    const size_t m = group->first + i / d->n_chunks, chunk = i % d->n_chunks;
    const cpu_model *const model = s->models + m;
    s->losses[m * kMostChunks + chunk] = run_chunk(sums ? model->dense.sums + chunk * size : NULL, predictions,
                                                   &group->spaces[omp_get_thread_num()].dense, s, model, d, chunk);
  }
  cpu_team_meet(group->team);
}

/* ----------------------------------------------------------------------------------------------------- batches */

static void reduce(const cpu_group *group, size_t n_chunks) {
  enum { kRows = 16 }; /* inputs of one turn */
  const cpu_state *const s = group->state;
  const size_t n = s->problem.shape.n_modes, layers = s->problem.shape.n_layers, turns = (n + kRows - 1) / kRows;
#pragma omp for schedule(static) nowait
  for (size_t i = 0; i < group->n_models * layers * turns; i++) {
    const size_t at = i / turns, from = i % turns * kRows;
    const job j = job_of(group, group->first + at / layers, at % layers);
    add_chunks(&j, n_chunks, from, from + kRows < n ? from + kRows : n);
  }
  cpu_team_meet(group->team);
}

static void walk(const cpu_group *group) {
  const cpu_state *const s = group->state;
  const size_t layers = s->problem.shape.n_layers, most = tile_inputs(s).n_parts;
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < group->n_models * layers * most; i++) {
    const size_t at = i / most, l = at % layers, part = i % most;
    const tiling t = tile_outputs(s, l);
    const job j = job_of(group, group->first + at / layers, l);
    if (part < t.n_parts) walk_part(&j, &t, part, group->spaces + omp_get_thread_num());
  }
  cpu_team_meet(group->team);
}

static void gradient(double *losses, const cpu_group *group, const cpu_batch *batch) {
  const cpu_state *const s = group->state;
  const size_t layers = s->problem.shape.n_layers;
  const division d = divide(s, batch);
  build(group);
  run_chunks(group, &d, NULL, true);
  reduce(group, d.n_chunks);
  walk(group);
#pragma omp for schedule(static, 1) nowait
  for (size_t i = 0; i < group->n_models * layers; i++) {
    const size_t m = group->first + i / layers, l = i % layers;
    if (l == 0) losses[m - group->first] = cpu_total_loss(s, m, d.n_chunks, d.share);
    cpu_finish_layer(s, m, job_of(group, m, l).layer, l, tile_outputs(s, l).n_parts);
  }
}

static void evaluate(double *loss, uint32_t *predictions, const cpu_group *group, const cpu_batch *batch) {
  const cuonn_gradient_method exact = CUONN_GRADIENT_EXACT; /* the loss is the chip's, whatever gradients are of */
  const cpu_group of_chip = {group->state, group->first, 1, &exact, group->spaces, group->team};
  const division d = divide(group->state, batch);
  build(&of_chip);
  run_chunks(&of_chip, &d, predictions, false);
#pragma omp master
  *loss = cpu_total_loss(group->state, group->first, d.n_chunks, d.share);
}

const cpu_method cpu_dense = {"dense", supports, cpu_prepare_nodes, gradient, evaluate};
