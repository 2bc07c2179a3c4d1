/* Gradients that chips measure on themselves, for all models of a state side by side.
 *
 * A mesh is linear, and so a batch goes through a layer as a product with its matrix, whether the matrix is what the
 * chip reads or stands for sending every example (then the noise of the reading comes behind the product). From the
 * second layer on what goes in are moduli: real, so that a complex matrix of N x N is a real one of 2N x N. Cotangents
 * are kept conjugate, c, which makes the way back through a matrix, of which only the real part counts, a real product
 * too:
 *   Re(sum_i U_ij g_i) = sum_i Re(U_ij) Re(c_i) + Im(U_ij) Im(c_i).
 * What goes back through the chip itself (kernels/measure.cu) are the cotangents of a batch, layer by layer, or columns
 * of sum g x^T, for all layers at once. A smaller last batch is filled up with dark examples. */
#include "cuda/method_in_situ.h"

#include "chip/noise.h"
#include "cuda/matrices.h"
#include "cuda/method.h"
#include "kernels/columns.h"
#include "kernels/dense.h"
#include "kernels/derivatives.h"
#include "kernels/measure.h"
#include "kernels/scales.h"
#include "mesh/node.h"

enum { kMeasureChunks = 64 }; /* of the vectors that are sent through a chip */

static unsigned chunks_of(size_t n_vectors, mesh_layout layout) {
  const size_t at_once = network_block_examples(layout), passes = (n_vectors + at_once - 1) / at_once;
  return (unsigned)(passes < kMeasureChunks ? passes : kMeasureChunks);
}

cuonn_status cuda_in_situ_create(cuda_state *s) {
  const backend_problem *const p = &s->problem;
  cuda_measurement *const i = &s->in_situ;
  cuda_memory *const memory = &i->memory;
  const size_t models = p->n_models, layers = p->shape.n_layers, n = p->shape.n_modes, meshes = models * layers;
  const size_t places = s->meshes.places, fields = models * p->batch_size * s->stride,
               matrices = meshes * n * s->stride;
  const char *const of = "the fields of a batch";
  cublasHandle_t blas;
  CUONN_TRY(cuda_blas(&blas, s->session)); /* here, because it cannot be made while steps are recorded */
  i->by_matrix = p->measurement == CUONN_MEASUREMENT_MATRIX;
  i->n_vectors = i->by_matrix ? n : p->batch_size;
  i->n_chunks = chunks_of(i->n_vectors, s->meshes.layout);
  const size_t at_once = (i->by_matrix ? meshes : models) * i->n_chunks;
  CUONN_TRY(cuda_allocate(&i->nodes, memory, meshes * places * 2, sizeof(float4), "the nodes with taps"));
  CUONN_TRY(cuda_allocate(&i->gammas, memory, meshes * n, sizeof(float2), "the output phases"));
  CUONN_TRY(cuda_allocate(&i->x, memory, p->order == CUONN_ORDER_FIXED ? fields / models : fields, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&i->y, memory, layers * fields, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&i->h, memory, (layers - 1) * fields, sizeof(float), of));
  CUONN_TRY(cuda_allocate(&i->c, memory, fields, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&i->u, memory, fields, sizeof(float), of));
  CUONN_TRY(cuda_allocate(&i->matrices, memory, matrices, sizeof(float2), "the layers' matrices"));
  if (i->by_matrix) {
    CUONN_TRY(cuda_allocate(&i->columns, memory, matrices, sizeof(float2), "the layers' matrices"));
    CUONN_CUDA(cudaMemsetAsync(i->columns, 0, matrices * sizeof(float2), s->session->stream));
  }
  CUONN_TRY(cuda_allocate(&i->factors, memory, i->by_matrix ? matrices : fields, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&i->scales, memory, meshes, sizeof(double2), of));
  CUONN_TRY(cuda_allocate(&i->sums, memory, at_once * places, sizeof(float4), "the powers at taps"));
  CUONN_TRY(cuda_allocate(&i->outputs, memory, at_once * n, sizeof(float2), "the powers at taps"));
  CUONN_TRY(cuda_allocate(&i->d_gamma, memory, meshes * n, sizeof(float), "the gradients of a batch"));
  /* products leave alone what fills up an odd number of waveguides: it stays 0 */
  CUONN_CUDA(cudaMemsetAsync(i->y, 0, layers * fields * sizeof(float2), s->session->stream));
  CUONN_CUDA(cudaMemsetAsync(i->u, 0, fields * sizeof(float), s->session->stream));
  CUONN_CUDA(cudaMemsetAsync(i->c, 0, fields * sizeof(float2), s->session->stream));
  CUONN_CUDA(cudaMemsetAsync(i->factors, 0, (i->by_matrix ? matrices : fields) * sizeof(float2), s->session->stream));
  return CUONN_OK;
}

/* ---------------------------------------------------------------------------------------------------------- the way */

/* What a call is about: some models, a batch, and where the sizes of all this stand. */
typedef struct {
  const cuda_state *s;
  const cuda_measurement *i;
  cublasHandle_t blas;
  cudaStream_t stream;
  const network_batch *batch;
  batch_task task;
  size_t first, n_models;        /* models */
  size_t layers, n, stride, b;   /* b: examples of a batch, those that are not there too */
  size_t fields_size, mesh_size; /* numbers of a model's fields, and of its matrix or columns of all layers */
  size_t x_distance;             /* from model to model; 0: they share x */
  bool noisy;                    /* some model reads fields with noise */
} way;

static float2 *y_of(const way *w, size_t layer) { return w->i->y + layer * w->s->problem.n_models * w->fields_size; }
static float *h_of(const way *w, size_t layer) { /* what goes into a layer behind the first */
  return w->i->h + (layer - 1) * w->s->problem.n_models * w->fields_size;
}
/* Waveguides that are read behind a layer. */
static int rows_of(const way *w, size_t layer) {
  return (int)(layer + 1 == w->layers ? w->s->problem.shape.n_classes : w->n);
}

static cuonn_status read(const way *w, float2 *fields, reading_use use, bool factors_only, size_t first_layer,
                         size_t n_layers, size_t n_examples, int n_read) {
  const reading_task task = {.fields = fields,
                             .factors_only = factors_only,
                             .readers = w->s->chip.readers + w->first,
                             .use = use,
                             .batch = w->batch,
                             .n_models = (int)w->n_models,
                             .n_modes = (int)w->n,
                             .first_layer = (int)first_layer,
                             .n_layers = (int)n_layers,
                             .n_examples = (int)n_examples,
                             .n_read = n_read,
                             .stride = (int)w->stride};
  if (!w->noisy) return CUONN_OK;
  CUONN_CUDA(launch_read(&task, w->stream));
  return CUONN_OK;
}

/* y = U x of the first layer, or U h. */
static cuonn_status multiply(const way *w, size_t layer) {
  const cuComplex one = {1, 0}, zero = {0, 0};
  const float real_one = 1, real_zero = 0;
  const int n = (int)w->n, stride = (int)w->stride, b = (int)w->b, rows = rows_of(w, layer), models = (int)w->n_models;
  const long long u_distance = (long long)w->mesh_size, distance = (long long)w->fields_size;
  const float2 *const u = w->i->matrices + layer * w->n * w->stride;
  if (layer == 0) {
    CUONN_BLAS(cublasCgemmStridedBatched(w->blas, CUBLAS_OP_N, CUBLAS_OP_N, rows, b, n, &one, u, stride, u_distance,
                                         w->i->x, stride, (long long)w->x_distance, &zero, y_of(w, 0), stride, distance,
                                         models));
  } else {
    CUONN_BLAS(cublasSgemmStridedBatched(w->blas, CUBLAS_OP_N, CUBLAS_OP_N, 2 * rows, b, n, &real_one, (const float *)u,
                                         2 * stride, 2 * u_distance, h_of(w, layer), stride, distance, &real_zero,
                                         (float *)y_of(w, layer), 2 * stride, 2 * distance, models));
  }
  return CUONN_OK;
}

static cuonn_status go_forward(const way *w) {
  const size_t count = w->n_models * w->fields_size;
  const device_meshes meshes = cuda_meshes_view(&w->s->meshes, w->first * w->layers);
  CUONN_CUDA(
      launch_columns(w->i->matrices, &meshes, (int)(w->n_models * w->layers), NULL, (int)w->n, false, true, w->stream));
  if (w->i->by_matrix) CUONN_TRY(read(w, w->i->matrices, READ_TRAINING, false, 0, w->layers, w->n, (int)w->n));
  CUONN_CUDA(launch_gather(w->i->x, &w->task, w->stream));
  for (size_t l = 0; l < w->layers; l++) {
    CUONN_TRY(multiply(w, l));
    if (!w->i->by_matrix) CUONN_TRY(read(w, y_of(w, l), READ_TRAINING, false, l, 1, w->b, rows_of(w, l)));
    if (l + 1 < w->layers) CUONN_CUDA(launch_modulus(h_of(w, l + 1), y_of(w, l), count, w->stream));
  }
  CUONN_CUDA(launch_cross_entropy(w->i->c, w->s->steps.chunk_losses, y_of(w, w->layers - 1), &w->task, w->stream));
  return CUONN_OK;
}

/* Of n_here layers from first_layer on. */
static measure_task measuring(const way *w, size_t first_layer, size_t n_here) {
  const cuda_state *const s = w->s;
  const node_arms arms = node_arms_of(s->problem.shape.style);
  const bool unit = w->i->by_matrix, first = first_layer == 0, noisy = w->noisy;
  return (measure_task){
      .layout = s->meshes.layout,
      .n_nodes = (unsigned)s->meshes.n_nodes,
      .bottom = node_lossy_arm(&arms) == 1,
      .nodes = w->i->nodes + w->first * w->layers * s->meshes.places * 2,
      .gammas = w->i->gammas + w->first * w->layers * w->n,
      .readers = s->chip.readers + w->first,
      .batch = w->batch,
      .n_models = (int)w->n_models,
      .n_layers = (int)w->layers,
      .first_layer = (int)first_layer,
      .n_here = (int)n_here,
      .n_examples = (int)w->i->n_vectors,
      .x = unit || !first ? NULL : w->i->x,
      .h = unit || first ? NULL : h_of(w, first_layer),
      .x_distance = first ? w->x_distance : w->fields_size,
      .c = unit ? w->i->columns : w->i->c,
      .factors = noisy ? w->i->factors : NULL,
      .scales = w->i->scales,
      .returned = unit || first ? NULL : w->i->u,
      .n_chunks = (int)w->i->n_chunks,
      .sums = w->i->sums,
      .outputs = w->i->outputs,
      .shared_limit = s->meshes.view.shared_limit,
  };
}

static cuonn_status measure(const way *w, size_t first_layer, size_t n_here) {
  const measure_task task = measuring(w, first_layer, n_here);
  CUONN_TRY(read(w, w->i->factors, READ_MEASUREMENT, true, first_layer, n_here, w->i->n_vectors, (int)w->n));
  CUONN_CUDA(launch_scales(&task, w->stream));
  CUONN_CUDA(launch_measure(&task, w->stream));
  CUONN_CUDA(launch_finish(w->s->steps.derived, w->i->d_gamma, &task, w->stream));
  return CUONN_OK;
}

/* Columns of a layer: c x^T, where x is conjugate because c is. Rows of the last layer that nobody reads are 0. */
static cuonn_status make_columns(const way *w, size_t layer) {
  const cuComplex one = {1, 0}, zero = {0, 0};
  const float real_one = 1, real_zero = 0;
  const int n = (int)w->n, stride = (int)w->stride, b = (int)w->b, rows = rows_of(w, layer), models = (int)w->n_models;
  const long long distance = (long long)w->fields_size, to_distance = (long long)w->mesh_size;
  float2 *const to = w->i->columns + layer * w->n * w->stride;
  if (layer == 0) {
    CUONN_BLAS(cublasCgemmStridedBatched(w->blas, CUBLAS_OP_N, CUBLAS_OP_C, rows, n, b, &one, w->i->c, stride, distance,
                                         w->i->x, stride, (long long)w->x_distance, &zero, to, stride, to_distance,
                                         models));
  } else {
    CUONN_BLAS(cublasSgemmStridedBatched(w->blas, CUBLAS_OP_N, CUBLAS_OP_T, 2 * rows, n, b, &real_one,
                                         (const float *)w->i->c, 2 * stride, 2 * distance, h_of(w, layer), stride,
                                         distance, &real_zero, (float *)to, 2 * stride, 2 * to_distance, models));
  }
  return CUONN_OK;
}

/* u = Re(U^T g), by the matrix that was read. */
static cuonn_status return_digitally(const way *w, size_t layer) {
  const float one = 1, zero = 0;
  const int stride = (int)w->stride;
  const long long distance = (long long)w->fields_size, u_distance = (long long)w->mesh_size;
  const float *const u = (const float *)(w->i->matrices + layer * w->n * w->stride);
  CUONN_BLAS(cublasSgemmStridedBatched(w->blas, CUBLAS_OP_T, CUBLAS_OP_N, (int)w->n, (int)w->b, 2 * rows_of(w, layer),
                                       &one, u, 2 * stride, 2 * u_distance, (const float *)w->i->c, 2 * stride,
                                       2 * distance, &zero, w->i->u, stride, distance, (int)w->n_models));
  return CUONN_OK;
}

static cuonn_status come_back(const way *w) {
  const size_t count = w->n_models * w->fields_size;
  for (size_t l = w->layers; l-- > 0;) {
    if (w->i->by_matrix) {
      CUONN_TRY(make_columns(w, l));
      if (l > 0) CUONN_TRY(return_digitally(w, l));
    } else {
      CUONN_TRY(measure(w, l, 1));
    }
    if (l > 0) CUONN_CUDA(launch_modulus_back(w->i->c, w->i->u, y_of(w, l - 1), count, w->stream));
  }
  return w->i->by_matrix ? measure(w, 0, w->layers) : CUONN_OK;
}

static bool supports(const cuonn_mesh_shape *shape) { return shape->neighbours; }

static cuonn_status prepare(const cuda_state *s) {
  const cuda_meshes *const m = &s->meshes;
  CUONN_TRY(cuda_meshes_fill(m, s->session->stream));
  if (s->in_situ.nodes) {
    CUONN_CUDA(launch_tap_nodes(s->in_situ.nodes, s->in_situ.gammas, m->applied, m->gamma, m->constants, m->layout,
                                m->arms, (int)m->n_meshes, s->session->stream));
  }
  return CUONN_OK;
}

static cuonn_status gradient(const cuda_state *s, const cuda_batch *on) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t b = s->problem.batch_size;
  const cuda_set *const set = s->sets + on->split;
  const unsigned *const order = cuda_order_of(s, on);
  way w = {.s = s,
           .i = &s->in_situ,
           .stream = s->session->stream,
           .batch = on->examples,
           .task = {.n_modes = (int)shape->n_modes,
                    .stride = (int)s->stride,
                    .n_models = (int)on->n_models,
                    .n_classes = (int)shape->n_classes,
                    .most_examples = (int)b,
                    .fields = set->fields,
                    .labels = set->labels,
                    .order = order,
                    .n_examples = (unsigned)set->n_examples,
                    .batch = on->examples,
                    .most_chunks = (unsigned)s->steps.most_chunks},
           .first = on->first,
           .n_models = on->n_models,
           .layers = shape->n_layers,
           .n = shape->n_modes,
           .stride = s->stride,
           .b = b,
           .fields_size = b * s->stride,
           .mesh_size = shape->n_layers * shape->n_modes * s->stride,
           .x_distance = order ? b * s->stride : 0};
  for (size_t m = w.first; m < w.first + w.n_models; m++) {
    w.noisy = w.noisy || !chip_reads_exactly(&s->models[m].chip);
  }
  CUONN_TRY(cuda_blas(&w.blas, s->session));
  CUONN_TRY(go_forward(&w));
  return come_back(&w);
}

static cuonn_status evaluate(cuonn_evaluation *out, cuda_state *s, size_t model, const cuda_set *set) {
  return cuda_matrices_evaluate(out, s, model, set, true);
}

const cuda_method cuda_in_situ = {"in situ", false, supports, prepare, gradient, evaluate};
