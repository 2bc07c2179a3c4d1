/* Gradients that chips measure on themselves, for all models of a state side by side.
 *
 * The digital half is that of dense gradients (products.h), whether the matrix is what the chip reads or stands for
 * sending every example (then the noise of the reading comes behind the product). What goes back through the chip
 * itself (kernels/measure.cu) are the cotangents of a batch, layer by layer, or columns of sum g x^T, for all layers at
 * once. */
#include "cuda/method_in_situ.h"

#include "chip/noise.h"
#include "cuda/products.h"
#include "kernels/derivatives.h"
#include "kernels/measure.h"
#include "kernels/scales.h"
#include "mesh/node.h"

enum { kMeasureChunks = 80 }; /* of the vectors that are sent through a chip, at most */

/* All of as many passes: one that has another pass keeps the rest waiting, and each has sums of its own to be added. */
static unsigned chunks_of(size_t n_vectors, mesh_layout layout) {
  const size_t at_once = network_block_examples(layout), passes = (n_vectors + at_once - 1) / at_once;
  const size_t each = (passes + kMeasureChunks - 1) / kMeasureChunks;
  return (unsigned)((passes + each - 1) / each);
}

cuonn_status cuda_in_situ_create(cuda_state *s) {
  const backend_problem *const p = &s->problem;
  cuda_measurement *const i = &s->in_situ;
  cuda_memory *const memory = &i->memory;
  const size_t models = p->n_models, layers = p->shape.n_layers, n = p->shape.n_modes, meshes = models * layers;
  const size_t places = s->meshes.places;
  i->by_matrix = p->measurement == CUONN_MEASUREMENT_MATRIX;
  i->n_vectors = i->by_matrix ? n : p->batch_size;
  i->n_chunks = chunks_of(i->n_vectors, s->meshes.layout);
  const size_t at_once = (i->by_matrix ? meshes : models) * i->n_chunks;
  const size_t factors = (i->by_matrix ? meshes : models) * i->n_vectors * s->stride;
  const size_t planes = (size_t)tap_planes_of(s->meshes.extras);
  CUONN_TRY(cuda_allocate(&i->nodes, memory, meshes * places * planes, sizeof(float4), "the nodes with taps"));
  CUONN_TRY(cuda_allocate(&i->gammas, memory, meshes * n, sizeof(float2), "the output phases"));
  CUONN_TRY(cuda_allocate(&i->factors, memory, factors, sizeof(float2), "the fields of a batch"));
  CUONN_TRY(cuda_allocate(&i->scales, memory, meshes, sizeof(double2), "the fields of a batch"));
  CUONN_TRY(cuda_allocate(&i->sums, memory, at_once * places, sizeof(float4), "the powers at taps"));
  CUONN_TRY(cuda_allocate(&i->outputs, memory, at_once * n, sizeof(float2), "the powers at taps"));
  CUONN_TRY(cuda_allocate(&i->d_gamma, memory, meshes * n, sizeof(float), "the gradients of a batch"));
  /* what fills up an odd number of waveguides stays 0 */
  CUONN_CUDA(cudaMemsetAsync(i->factors, 0, factors * sizeof(float2), s->session->stream));
  if (i->by_matrix || layers == 1) return CUONN_OK;
  CUONN_TRY(cuda_allocate(&i->c, memory, factors, sizeof(float2), "the fields of a batch"));
  CUONN_CUDA(cudaMemsetAsync(i->c, 0, factors * sizeof(float2), s->session->stream));
  return CUONN_OK;
}

/* ---------------------------------------------------------------------------------------------------------- the way */

/* What a call is about. */
typedef struct {
  products_call at;
  const cuda_batch *on;
  const cuda_measurement *i;
  bool noisy; /* some model reads fields with noise */
} way;

/* n_read: waveguides of each; moduli: as in reading_task. */
static cuonn_status read(const way *w, float2 *fields, float *moduli, size_t first_layer, size_t n_layers,
                         size_t n_examples, int n_read) {
  const reading_task task = {.fields = fields,
                             .moduli = moduli,
                             .readers = w->at.s->chip.readers + w->at.first,
                             .use = READ_TRAINING,
                             .batch = w->at.task.batch,
                             .n_models = (int)w->at.n_models,
                             .n_modes = (int)w->at.n,
                             .first_layer = (int)first_layer,
                             .n_layers = (int)n_layers,
                             .n_examples = (int)n_examples,
                             .n_read = n_read,
                             .stride = (int)w->at.stride};
  CUONN_CUDA(launch_read(&task, w->at.stream));
  return CUONN_OK;
}

/* Reads the fields behind a layer; those of all but the last become moduli, which go into the next. */
static cuonn_status read_layer(const way *w, size_t layer) {
  const products_call *const p = &w->at;
  const bool last = layer + 1 == p->layers;
  if (w->noisy && !w->i->by_matrix) {
    return read(w, products_y(p, layer), last ? NULL : products_h(p, layer + 1), layer, 1, p->b,
                products_rows(p, layer));
  }
  return last ? CUONN_OK : products_pass(p, layer);
}

static cuonn_status go_forward(const way *w) {
  const products_call *const p = &w->at;
  CUONN_TRY(products_build(p, &p->s->meshes, true));
  if (w->noisy && w->i->by_matrix) CUONN_TRY(read(w, p->room->matrices, NULL, 0, p->layers, p->n, (int)p->n));
  CUONN_TRY(products_gather(p));
  for (size_t l = 0; l < p->layers; l++) {
    CUONN_TRY(products_forward(p, l));
    CUONN_TRY(read_layer(w, l));
  }
  return products_loss(p);
}

/* Cotangents behind a layer, where every example is sent: the last layer's come from the loss. */
static float2 *cotangents(const way *w, size_t layer) {
  return (w->at.layers - layer) % 2 == 1 ? w->at.room->c : w->i->c;
}

/* Of n_here layers from first_layer on. */
static measure_task measuring(const way *w, size_t first_layer, size_t n_here) {
  const cuda_state *const s = w->at.s;
  const node_arms arms = node_arms_of(s->problem.shape.style);
  const bool unit = w->i->by_matrix, first = first_layer == 0;
  const size_t planes = (size_t)tap_planes_of(s->meshes.extras);
  return (measure_task){
      .layout = s->meshes.layout,
      .n_nodes = (unsigned)s->meshes.n_nodes,
      .bottom = node_lossy_arm(&arms) == 1,
      .more = s->meshes.extras.third || s->meshes.extras.crossing,
      .nodes = w->i->nodes + w->at.first * w->at.layers * s->meshes.places * planes,
      .gammas = w->i->gammas + w->at.first * w->at.layers * w->at.n,
      .readers = s->chip.readers + w->at.first,
      .batch = w->at.task.batch,
      .n_models = (int)w->at.n_models,
      .n_layers = (int)w->at.layers,
      .first_layer = (int)first_layer,
      .n_here = (int)n_here,
      .n_examples = (int)w->i->n_vectors,
      .x = unit || !first ? NULL : w->at.room->x,
      .h = unit || first ? NULL : products_h(&w->at, first_layer),
      .x_distance = first ? w->at.x_distance : w->at.fields_size,
      .c = unit ? w->at.room->columns : cotangents(w, first_layer),
      .factors = w->noisy ? w->i->factors : NULL,
      .scales = w->i->scales,
      .y_before = unit || first ? NULL : products_y(&w->at, first_layer - 1),
      .c_before = unit || first ? NULL : cotangents(w, first_layer - 1),
      .n_chunks = (int)w->i->n_chunks,
      .sums = w->i->sums,
      .outputs = w->i->outputs,
      .shared_limit = s->meshes.view.shared_limit,
  };
}

/* Derivatives of these layers, or the step along them. */
static cuonn_status measure(const way *w, size_t first_layer, size_t n_here) {
  const cuda_state *const s = w->at.s;
  const measure_task task = measuring(w, first_layer, n_here);
  const finish_task finish = {.loss = w->on->losses,
                              .losses = cuda_losses_of(s, w->on),
                              .steps = w->on->steps,
                              .phases = cuda_phases_of(s),
                              .outputs = cuda_gamma_of(s),
                              .gradient = s->steps.derived,
                              .d_gamma = w->i->d_gamma};
  CUONN_CUDA(launch_scales(&task, w->at.stream));
  CUONN_CUDA(launch_measure(&task, w->at.stream));
  CUONN_CUDA(launch_finish(&finish, &task, w->at.stream));
  return CUONN_OK;
}

/* By columns of all layers, which are then sent through all of them at once. */
static cuonn_status come_back_by_matrix(const way *w) {
  const products_call *const p = &w->at;
  for (size_t l = p->layers; l-- > 0;) {
    CUONN_TRY(products_columns(p, l));
    if (l == 0) break;
    CUONN_TRY(products_back(p, l));
    CUONN_TRY(products_pass_back(p, l));
  }
  return measure(w, 0, p->layers);
}

/* By the fields that return from each layer. */
static cuonn_status come_back_by_example(const way *w) {
  for (size_t l = w->at.layers; l-- > 0;) CUONN_TRY(measure(w, l, 1));
  return CUONN_OK;
}

static bool supports(const cuonn_network_shape *shape) {
  return shape->layer == CUONN_LAYER_UNITARY && shape->nonlinearity.kind == CUONN_NONLINEARITY_MODULUS;
}

static cuonn_status prepare(const cuda_state *s) {
  const cuda_measurement *const i = &s->in_situ;
  cudaStream_t stream = s->session->stream;
  return i->nodes ? cuda_meshes_fill_taps(i->nodes, i->gammas, &s->meshes, stream)
                  : cuda_meshes_fill(&s->meshes, stream);
}

static cuonn_status gradient(const cuda_state *s, const cuda_batch *on) {
  way w = {.on = on, .i = &s->in_situ};
  for (size_t m = on->first; m < on->first + on->n_models; m++) {
    w.noisy = w.noisy || !chip_reads_exactly(&s->models[m].chip);
  }
  CUONN_TRY(products_begin(&w.at, s, on));
  CUONN_TRY(go_forward(&w));
  return w.i->by_matrix ? come_back_by_matrix(&w) : come_back_by_example(&w);
}

const cuda_method cuda_in_situ = {"in situ", CUDA_WHOLE, supports, prepare, gradient};
