/* Every layer becomes a matrix, the batch goes through by products of matrices, and the derivatives of the matrices go
 * through the nodes (kernels/matrix_gradient.cu): exact gradients, of the chip or of one without errors. What the nodes
 * have to do does not grow with the batch. */
#include "cuda/processes.h"
#include "cuda/products.h"
#include "kernels/matrix_gradient.h"

static bool supports(const cuonn_network_shape *shape) {
  (void)shape;
  return true;
}

static cuonn_status forward(const products_call *p) {
  for (size_t l = 0; l < p->layers; l++) {
    CUONN_TRY(products_forward(p, l));
    if (l + 1 < p->layers) CUONN_TRY(products_pass(p, l));
  }
  return products_loss(p);
}

static cuonn_status backward(const products_call *p) {
  for (size_t l = p->layers; l-- > 0;) {
    CUONN_TRY(products_columns(p, l));
    if (l == 0) break; /* nobody wants the cotangents of the features */
    CUONN_TRY(products_back(p, l));
    CUONN_TRY(products_pass_back(p, l));
  }
  return CUONN_OK;
}

/* Columns of the batch from those of its pieces, of which this process has some. */
static cuonn_status share(const cuda_state *s, const cuda_batch *on) {
  const size_t size = 2 * products_columns_size(s), n_pieces = s->steps.n_pieces;
  const size_t of_batch = size / s->problem.n_models * on->n_models;
  const cuda_leaves leaves = {(float *)s->products.columns, n_pieces, of_batch, size};
  CUONN_TRY(cuda_share_sums(s, &leaves));
  return cuda_share_losses(s, on, n_pieces, false);
}

static cuonn_status gradient(const cuda_state *s, const cuda_batch *on) {
  const cuda_meshes *const meshes = cuda_meshes_of(s, on->which);
  const cuda_range own = cuda_own_leaves(&s->processes, s->steps.n_pieces);
  products_call p;
  if (s->in_situ.nodes) CUONN_TRY(cuda_meshes_fill(meshes, s->session->stream)); /* steps do not: in_situ's prepare() */
  CUONN_TRY(products_begin(&p, s, on));
  CUONN_TRY(products_build(&p, meshes, false));
  for (size_t piece = own.first; piece < own.end; piece++) {
    products_take(&p, on, piece, piece - own.first);
    CUONN_TRY(products_gather(&p));
    CUONN_TRY(forward(&p));
    CUONN_TRY(backward(&p));
  }
  CUONN_TRY(share(s, on));
  CUONN_TRY(products_outputs_back(&p, meshes)); /* once all of the batch is in the columns */
  const matrix_gradient_task task = {.meshes = cuda_meshes_view(meshes, p.first * p.layers),
                                     .n_layers = (int)p.layers,
                                     .n_models = (int)p.n_models,
                                     .matrices = p.room->matrices,
                                     .derivatives = p.room->columns,
                                     .n_parts = (int)s->steps.n_parts,
                                     .gradient = s->steps.gradient,
                                     .kept = meshes->starts ? s->steps.kept : NULL};
  CUONN_CUDA(launch_matrix_gradient(&task, p.stream));
  return CUONN_OK;
}

const cuda_method cuda_dense = {"dense", CUDA_SUMS_OF_COLUMNS, supports, cuda_prepare_nodes, gradient};
