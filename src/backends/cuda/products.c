#include "cuda/products.h"

#include <math.h>

#include "cuda/outputs.h"
#include "kernels/columns.h"
#include "kernels/shards.h"
#include "network/layer.h"

/* Whether fields behind a layer go into the next as they are. */
static bool goes_on(const cuonn_network_shape *shape, size_t layer) {
  return layer + 1 < shape->n_layers && !cuonn_network_has_nonlinearity(shape, layer);
}

bool products_take_complex(const cuonn_network_shape *shape, size_t layer) {
  return layer == 0 || network_keeps_phase(shape, layer - 1);
}

size_t products_columns_size(const cuda_state *s) {
  return s->problem.n_models * s->problem.shape.n_layers * s->problem.shape.n_modes * s->stride;
}

static cuonn_status create_matrices(cuda_state *s, size_t columns) {
  cuda_products *const to = &s->products;
  const size_t matrices = products_columns_size(s);
  const char *const of = "the layers' matrices";
  CUONN_TRY(cuda_allocate(&to->matrices, &to->memory, matrices, sizeof(float2), of));
  to->whole = to->matrices;
  if (s->outputs.any) CUONN_TRY(cuda_allocate(&to->whole, &to->memory, matrices, sizeof(float2), of));
  if (columns == 0) return CUONN_OK;
  CUONN_TRY(cuda_allocate(&to->columns, &to->memory, columns * matrices, sizeof(float2), of));
  CUONN_CUDA(cudaMemsetAsync(to->columns, 0, columns * matrices * sizeof(float2), s->session->stream));
  return CUONN_OK;
}

size_t products_pieces(const cuda_state *s) {
  const size_t tile = 128, waves = 3; /* of a product; an estimate that no device was timed for */
  const size_t of_rows = (2 * s->problem.shape.n_modes + tile - 1) / tile;
  const size_t most = of_rows * s->problem.batch_size / (tile * waves * s->session->n_processors);
  size_t pieces = 1;
  while (2 * pieces <= most && 2 * pieces <= CUONN_LEAVES) pieces *= 2;
  return pieces;
}

size_t products_piece_size(const cuda_state *s) {
  return (s->problem.batch_size + s->steps.n_pieces - 1) / s->steps.n_pieces;
}

cuonn_status products_create(cuda_state *s, size_t columns) {
  const backend_problem *const p = &s->problem;
  cuda_products *const to = &s->products;
  cuda_memory *const memory = &to->memory;
  const size_t layers = p->shape.n_layers, fields = p->n_models * products_piece_size(s) * s->stride;
  const size_t inner = fields * (network_keeps_phases(&p->shape) ? 2 : 1);
  const char *const of = "the fields of a batch";
  cublasHandle_t blas;
  CUONN_TRY(cuda_blas(&blas, s->session)); /* here, because it cannot be made while steps are recorded */
  CUONN_TRY(
      cuda_allocate(&to->x, memory, p->order == CUONN_ORDER_FIXED ? fields / p->n_models : fields, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&to->y, memory, layers * fields, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&to->h, memory, (layers - 1) * inner, sizeof(float), of));
  CUONN_TRY(cuda_allocate(&to->c, memory, fields, sizeof(float2), of));
  /* products leave alone what fills up an odd number of waveguides, and rows that nobody reads: it stays 0 */
  CUONN_CUDA(cudaMemsetAsync(to->y, 0, layers * fields * sizeof(float2), s->session->stream));
  CUONN_CUDA(cudaMemsetAsync(to->h, 0, (layers - 1) * inner * sizeof(float), s->session->stream));
  CUONN_CUDA(cudaMemsetAsync(to->c, 0, fields * sizeof(float2), s->session->stream));
  CUONN_TRY(create_matrices(s, columns));
  if (columns == 0) return CUONN_OK;
  CUONN_TRY(cuda_allocate(&to->u, memory, inner, sizeof(float), of));
  CUONN_CUDA(cudaMemsetAsync(to->u, 0, inner * sizeof(float), s->session->stream));
  return CUONN_OK;
}

field_law products_law(const cuonn_nonlinearity *f) {
  const double quarters = remainder(rint(f->bias), 4);
  return (field_law){.kind = f->kind,
                     .half_depth = (float)(f->optical_depth / 2),
                     .saturation = (float)(1 / f->saturation_power),
                     .passed = (float)sqrt(1 - f->tap),
                     .gain = (float)f->gain,
                     .offset = (float)(f->bias - rint(f->bias)),
                     .quarters_cosine = (float)rint(cos(M_PI / 2 * quarters)),
                     .quarters_sine = (float)rint(sin(M_PI / 2 * quarters))};
}

cuonn_status products_begin(products_call *out, const cuda_state *s, const cuda_batch *on) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t b = products_piece_size(s);
  const cuda_set *const set = s->sets + on->split;
  const unsigned *const order = cuda_order_of(s, on);
  const bool by_example =
      s->in_situ.nodes && !s->in_situ.by_matrix; /* which sends c of all waveguides through a chip */
  *out = (products_call){.s = s,
                         .room = &s->products,
                         .stream = s->session->stream,
                         .task = {.stride = (int)s->stride,
                                  .n_models = (int)on->n_models,
                                  .n_classes = (int)shape->n_classes,
                                  .most_examples = (int)b,
                                  .n_written = (int)(by_example ? shape->n_modes : shape->n_classes),
                                  .fields = set->fields,
                                  .labels = set->labels,
                                  .order = order,
                                  .n_examples = (unsigned)set->n_examples,
                                  .batch = on->examples,
                                  .most_chunks = (unsigned)s->steps.most_chunks,
                                  .squared = shape->loss == CUONN_LOSS_SQUARED_ERROR},
                         .law = products_law(&shape->nonlinearity),
                         .first = on->first,
                         .n_models = on->n_models,
                         .layers = shape->n_layers,
                         .n = shape->n_modes,
                         .stride = s->stride,
                         .b = b,
                         .fields_size = b * s->stride,
                         .mesh_size = shape->n_layers * shape->n_modes * s->stride,
                         .x_distance = order ? b * s->stride : 0,
                         .columns = s->products.columns,
                         .losses = s->steps.chunk_losses};
  return cuda_blas(&out->blas, s->session);
}

void products_take(products_call *p, const cuda_batch *on, size_t piece, size_t at) {
  const cuda_steps *const steps = &p->s->steps;
  p->task.batch = on->examples + 1 + piece;
  p->columns = p->room->columns + at * products_columns_size(p->s);
  p->losses = steps->chunk_losses + piece * (steps->most_chunks / steps->n_pieces);
}

float2 *products_y(const products_call *p, size_t layer) {
  return p->room->y + layer * p->s->problem.n_models * p->fields_size;
}

float *products_h(const products_call *p, size_t layer) {
  const size_t numbers = network_keeps_phases(&p->s->problem.shape) ? 2 : 1;
  return p->room->h + (layer - 1) * p->s->problem.n_models * p->fields_size * numbers;
}

/* What goes into a layer, real or complex, and how far it is from model to model in such numbers. */
typedef struct {
  const void *fields;
  long long distance;
} layer_input;

static layer_input input_of(const products_call *p, size_t layer) {
  if (layer == 0) return (layer_input){p->room->x, (long long)p->x_distance};
  const bool as_they_are = goes_on(&p->s->problem.shape, layer - 1);
  return (layer_input){as_they_are ? (const void *)products_y(p, layer - 1) : products_h(p, layer),
                       (long long)p->fields_size};
}

/* Cotangents of a layer's outputs: they stay where they are behind a nonlinearity, and change places with what is made
 * of them where fields go on as they are. */
static float2 *cotangents(const products_call *p, size_t layer) {
  size_t changes = 0;
  for (size_t l = layer; l < p->layers; l++) changes += goes_on(&p->s->problem.shape, l);
  return changes % 2 == 0 ? p->room->c : (float2 *)p->room->u;
}

/* Those of a layer's inputs. */
static float *cotangents_before(const products_call *p, size_t layer) {
  return cotangents(p, layer) == p->room->c ? p->room->u : (float *)p->room->c;
}

int products_rows(const products_call *p, size_t layer) {
  return (int)(layer + 1 == p->layers ? p->s->problem.shape.n_classes : p->n);
}

/* ------------------------------------------------------------------------------------------------------------- out */

cuonn_status products_build(const products_call *p, const cuda_meshes *meshes, bool with_turns) {
  const device_meshes view = cuda_meshes_view(meshes, p->first * p->layers);
  CUONN_CUDA(launch_columns(p->room->matrices, &view, (int)(p->n_models * p->layers), NULL, (int)p->n, false,
                            with_turns, p->stream));
  if (!p->s->outputs.any) return CUONN_OK;
  const output_factors factors = cuda_outputs_factors(p->s, meshes, p->first, p->n_models);
  CUONN_CUDA(launch_outputs(p->room->whole, p->room->matrices, &factors, p->stream));
  return CUONN_OK;
}

cuonn_status products_gather(const products_call *p) {
  CUONN_CUDA(launch_gather(p->room->x, &p->task, p->stream));
  return CUONN_OK;
}

cuonn_status products_forward(const products_call *p, size_t layer) {
  const cuComplex one = {1, 0}, zero = {0, 0};
  const float real_one = 1, real_zero = 0;
  const int n = (int)p->n, stride = (int)p->stride, b = (int)p->b, rows = products_rows(p, layer);
  const int models = (int)p->n_models;
  const long long u_distance = (long long)p->mesh_size, distance = (long long)p->fields_size;
  const float2 *const u = p->room->whole + layer * p->n * p->stride;
  const layer_input in = input_of(p, layer);
  float2 *const y = products_y(p, layer);
  if (products_take_complex(&p->s->problem.shape, layer)) {
    CUONN_BLAS(cublasCgemmStridedBatched(p->blas, CUBLAS_OP_N, CUBLAS_OP_N, rows, b, n, &one, u, stride, u_distance,
                                         in.fields, stride, in.distance, &zero, y, stride, distance, models));
  } else {
    CUONN_BLAS(cublasSgemmStridedBatched(p->blas, CUBLAS_OP_N, CUBLAS_OP_N, 2 * rows, b, n, &real_one, (const float *)u,
                                         2 * stride, 2 * u_distance, in.fields, stride, in.distance, &real_zero,
                                         (float *)y, 2 * stride, 2 * distance, models));
  }
  return CUONN_OK;
}

cuonn_status products_pass(const products_call *p, size_t layer) {
  if (goes_on(&p->s->problem.shape, layer)) return CUONN_OK;
  CUONN_CUDA(
      launch_pass(products_h(p, layer + 1), products_y(p, layer), p->n_models * p->fields_size, &p->law, p->stream));
  return CUONN_OK;
}

cuonn_status products_loss(const products_call *p) {
  CUONN_CUDA(launch_loss(p->room->c, p->losses, products_y(p, p->layers - 1), &p->task, p->stream));
  return CUONN_OK;
}

/* ------------------------------------------------------------------------------------------------------------ back */

/* c x^T, where x is conjugate because c is. */
cuonn_status products_columns(const products_call *p, size_t layer) {
  const cuComplex one = {1, 0}, zero = {0, 0};
  const float real_one = 1, real_zero = 0;
  const int n = (int)p->n, stride = (int)p->stride, b = (int)p->b, rows = products_rows(p, layer);
  const int models = (int)p->n_models;
  const long long distance = (long long)p->fields_size, to_distance = (long long)p->mesh_size;
  const float2 *const c = cotangents(p, layer);
  const layer_input in = input_of(p, layer);
  float2 *const to = p->columns + layer * p->n * p->stride;
  if (products_take_complex(&p->s->problem.shape, layer)) {
    CUONN_BLAS(cublasCgemmStridedBatched(p->blas, CUBLAS_OP_N, CUBLAS_OP_C, rows, n, b, &one, c, stride, distance,
                                         in.fields, stride, in.distance, &zero, to, stride, to_distance, models));
  } else {
    CUONN_BLAS(cublasSgemmStridedBatched(p->blas, CUBLAS_OP_N, CUBLAS_OP_T, 2 * rows, n, b, &real_one, (const float *)c,
                                         2 * stride, 2 * distance, in.fields, stride, in.distance, &real_zero,
                                         (float *)to, 2 * stride, 2 * to_distance, models));
  }
  return CUONN_OK;
}

cuonn_status products_back(const products_call *p, size_t layer) {
  const cuComplex one = {1, 0}, zero = {0, 0};
  const float real_one = 1, real_zero = 0;
  const int n = (int)p->n, b = (int)p->b, stride = (int)p->stride, rows = products_rows(p, layer);
  const int models = (int)p->n_models;
  const long long distance = (long long)p->fields_size, u_distance = (long long)p->mesh_size;
  const float2 *const u = p->room->whole + layer * p->n * p->stride, *const c = cotangents(p, layer);
  float *const to = cotangents_before(p, layer);
  if (products_take_complex(&p->s->problem.shape, layer)) {
    CUONN_BLAS(cublasCgemmStridedBatched(p->blas, CUBLAS_OP_C, CUBLAS_OP_N, n, b, rows, &one, u, stride, u_distance, c,
                                         stride, distance, &zero, (float2 *)to, stride, distance, models));
  } else {
    CUONN_BLAS(cublasSgemmStridedBatched(p->blas, CUBLAS_OP_T, CUBLAS_OP_N, n, b, 2 * rows, &real_one, (const float *)u,
                                         2 * stride, 2 * u_distance, (const float *)c, 2 * stride, 2 * distance,
                                         &real_zero, to, stride, distance, models));
  }
  return CUONN_OK;
}

cuonn_status products_pass_back(const products_call *p, size_t layer) {
  if (goes_on(&p->s->problem.shape, layer - 1)) return CUONN_OK;
  CUONN_CUDA(launch_pass_back(cotangents(p, layer - 1), cotangents_before(p, layer), products_y(p, layer - 1),
                              p->n_models * p->fields_size, &p->law, p->stream));
  return CUONN_OK;
}

cuonn_status products_outputs_back(const products_call *p, const cuda_meshes *meshes) {
  const cuda_outputs *const o = &p->s->outputs;
  const output_factors factors = cuda_outputs_factors(p->s, meshes, p->first, p->n_models);
  if (!o->any) return CUONN_OK;
  CUONN_CUDA(launch_outputs_back(p->room->columns, o->d_gamma, o->d_amplitude, p->room->matrices, &factors, p->stream));
  return CUONN_OK;
}
