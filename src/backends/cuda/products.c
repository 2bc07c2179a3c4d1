#include "cuda/products.h"

#include "kernels/columns.h"

cuonn_status products_create(cuda_state *s, bool columns) {
  const backend_problem *const p = &s->problem;
  cuda_products *const to = &s->products;
  cuda_memory *const memory = &to->memory;
  const size_t models = p->n_models, layers = p->shape.n_layers, fields = models * p->batch_size * s->stride;
  const size_t matrices = models * layers * p->shape.n_modes * s->stride;
  const char *const of = "the fields of a batch";
  cublasHandle_t blas;
  CUONN_TRY(cuda_blas(&blas, s->session)); /* here, because it cannot be made while steps are recorded */
  CUONN_TRY(
      cuda_allocate(&to->x, memory, p->order == CUONN_ORDER_FIXED ? fields / models : fields, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&to->y, memory, layers * fields, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&to->h, memory, (layers - 1) * fields, sizeof(float), of));
  CUONN_TRY(cuda_allocate(&to->c, memory, fields, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&to->matrices, memory, matrices, sizeof(float2), "the layers' matrices"));
  /* products leave alone what fills up an odd number of waveguides, and rows that nobody reads: it stays 0 */
  CUONN_CUDA(cudaMemsetAsync(to->y, 0, layers * fields * sizeof(float2), s->session->stream));
  CUONN_CUDA(cudaMemsetAsync(to->h, 0, (layers - 1) * fields * sizeof(float), s->session->stream));
  CUONN_CUDA(cudaMemsetAsync(to->c, 0, fields * sizeof(float2), s->session->stream));
  if (!columns) return CUONN_OK;
  CUONN_TRY(cuda_allocate(&to->u, memory, fields, sizeof(float), of));
  CUONN_CUDA(cudaMemsetAsync(to->u, 0, fields * sizeof(float), s->session->stream));
  CUONN_TRY(cuda_allocate(&to->columns, memory, matrices, sizeof(float2), "the layers' matrices"));
  CUONN_CUDA(cudaMemsetAsync(to->columns, 0, matrices * sizeof(float2), s->session->stream));
  return CUONN_OK;
}

cuonn_status products_begin(products_call *out, const cuda_state *s, const cuda_batch *on) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t b = s->problem.batch_size;
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
  return cuda_blas(&out->blas, s->session);
}

float2 *products_y(const products_call *p, size_t layer) {
  return p->room->y + layer * p->s->problem.n_models * p->fields_size;
}

float *products_h(const products_call *p, size_t layer) {
  return p->room->h + (layer - 1) * p->s->problem.n_models * p->fields_size;
}

int products_rows(const products_call *p, size_t layer) {
  return (int)(layer + 1 == p->layers ? p->s->problem.shape.n_classes : p->n);
}

/* ------------------------------------------------------------------------------------------------------------- out */

cuonn_status products_build(const products_call *p, const cuda_meshes *meshes, bool with_turns) {
  const device_meshes view = cuda_meshes_view(meshes, p->first * p->layers);
  CUONN_CUDA(launch_columns(p->room->matrices, &view, (int)(p->n_models * p->layers), NULL, (int)p->n, false,
                            with_turns, p->stream));
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
  const float2 *const u = p->room->matrices + layer * p->n * p->stride;
  if (layer == 0) {
    CUONN_BLAS(cublasCgemmStridedBatched(p->blas, CUBLAS_OP_N, CUBLAS_OP_N, rows, b, n, &one, u, stride, u_distance,
                                         p->room->x, stride, (long long)p->x_distance, &zero, products_y(p, 0), stride,
                                         distance, models));
  } else {
    CUONN_BLAS(cublasSgemmStridedBatched(p->blas, CUBLAS_OP_N, CUBLAS_OP_N, 2 * rows, b, n, &real_one, (const float *)u,
                                         2 * stride, 2 * u_distance, products_h(p, layer), stride, distance, &real_zero,
                                         (float *)products_y(p, layer), 2 * stride, 2 * distance, models));
  }
  return CUONN_OK;
}

cuonn_status products_moduli(const products_call *p, size_t layer) {
  CUONN_CUDA(launch_modulus(products_h(p, layer + 1), products_y(p, layer), p->n_models * p->fields_size, p->stream));
  return CUONN_OK;
}

cuonn_status products_loss(const products_call *p) {
  CUONN_CUDA(
      launch_cross_entropy(p->room->c, p->s->steps.chunk_losses, products_y(p, p->layers - 1), &p->task, p->stream));
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
  float2 *const to = p->room->columns + layer * p->n * p->stride;
  if (layer == 0) {
    CUONN_BLAS(cublasCgemmStridedBatched(p->blas, CUBLAS_OP_N, CUBLAS_OP_C, rows, n, b, &one, p->room->c, stride,
                                         distance, p->room->x, stride, (long long)p->x_distance, &zero, to, stride,
                                         to_distance, models));
  } else {
    CUONN_BLAS(cublasSgemmStridedBatched(p->blas, CUBLAS_OP_N, CUBLAS_OP_T, 2 * rows, n, b, &real_one,
                                         (const float *)p->room->c, 2 * stride, 2 * distance, products_h(p, layer),
                                         stride, distance, &real_zero, (float *)to, 2 * stride, 2 * to_distance,
                                         models));
  }
  return CUONN_OK;
}

cuonn_status products_back(const products_call *p, size_t layer) {
  const float one = 1, zero = 0;
  const int stride = (int)p->stride;
  const long long distance = (long long)p->fields_size, u_distance = (long long)p->mesh_size;
  const float *const u = (const float *)(p->room->matrices + layer * p->n * p->stride);
  CUONN_BLAS(cublasSgemmStridedBatched(p->blas, CUBLAS_OP_T, CUBLAS_OP_N, (int)p->n, (int)p->b,
                                       2 * products_rows(p, layer), &one, u, 2 * stride, 2 * u_distance,
                                       (const float *)p->room->c, 2 * stride, 2 * distance, &zero, p->room->u, stride,
                                       distance, (int)p->n_models));
  return CUONN_OK;
}

cuonn_status products_moduli_back(const products_call *p, size_t layer) {
  CUONN_CUDA(
      launch_modulus_back(p->room->c, p->room->u, products_y(p, layer - 1), p->n_models * p->fields_size, p->stream));
  return CUONN_OK;
}
