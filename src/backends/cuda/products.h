/* A batch through the matrices of layers and back, for models side by side: products by cuBLAS in float32, and the
 * digital steps between them.
 *
 * A mesh is linear, and so a batch goes through a layer as a product with its matrix. Behind a nonlinearity that
 * detects light what goes in is real, so that a complex matrix of N x N is a real one of 2N x N. Cotangents g are kept
 * conjugate, c, which makes the way back through a matrix, of which only the real part counts, a real product too:
 * Re(sum_i U_ij g_i) = sum_i Re(U_ij) Re(c_i) + Im(U_ij) Im(c_i). Where fields keep their phases, and into the first
 * layer, all is complex. Between the two meshes of an svd layer there is nothing but factors of the first one's
 * outputs, which stand in its matrix (kernels/outputs.cu): fields and cotangents go on as they are. What the phases of
 * a layer need of a batch are columns of conj(sum over examples of g x^T). A smaller last batch is filled up with dark
 * examples. Everything is queued on the state's stream, and can be recorded. */
#ifndef CUDA_PRODUCTS_H
#define CUDA_PRODUCTS_H

#include "cuda/method.h"

/* Some models and a batch, and where their matrices and fields stand. */
typedef struct {
  const cuda_state *s;
  const cuda_products *room;
  cublasHandle_t blas;
  cudaStream_t stream;
  batch_task task;
  field_law law;
  size_t first, n_models;        /* models */
  size_t layers, n, stride, b;   /* b: examples of a piece, those that are not there too */
  size_t fields_size, mesh_size; /* numbers of a model's fields, and of its matrix or columns of all layers */
  size_t x_distance;             /* from model to model; 0: they share x */
  float2 *columns;               /* of the piece */
  double *losses;                /* of its first chunk */
} products_call;

/* Pieces of a batch, a power of 2, that are worth products of their own: where they come one after another, each fills
 * the device for some waves. The size of products then does not depend on how many processes share the batch. */
size_t products_pieces(const cuda_state *s);
/* Examples of a piece: the last may have fewer. */
size_t products_piece_size(const cuda_state *s);

/* Room for pieces of batches of a state, without which none of the rest can be called. columns: also for those, of so
 * many pieces. */
cuonn_status products_create(cuda_state *s, size_t columns);
/* A call for the whole batch, which has one piece. */
cuonn_status products_begin(products_call *out, const cuda_state *s, const cuda_batch *batch);
/* Makes it one for a piece, whose columns are number `at` of those that there is room for. */
void products_take(products_call *p, const cuda_batch *batch, size_t piece, size_t at);
size_t products_columns_size(const cuda_state *s); /* numbers of the columns of a piece */

float2 *products_y(const products_call *p, size_t layer);
float *products_h(const products_call *p, size_t layer); /* what goes into a layer behind a nonlinearity */
int products_rows(const products_call *p, size_t layer); /* waveguides that are read behind it */

/* Matrices of all layers: of s->meshes or s->ideal. with_turns: with the phases at the outputs, where nothing else is
 * behind the nodes. */
cuonn_status products_build(const products_call *p, const cuda_meshes *meshes, bool with_turns);
cuonn_status products_gather(const products_call *p);                /* the first layer's x */
cuonn_status products_forward(const products_call *p, size_t layer); /* y = U x of the first layer, or U h */
cuonn_status products_pass(const products_call *p, size_t layer);    /* h of the next layer from y of this one */
cuonn_status products_loss(const products_call *p);                  /* losses of chunks, and c of the last layer */

cuonn_status products_columns(const products_call *p, size_t layer); /* from c and what went into the layer */
/* From c of a layer: u = Re(U^T g), or conj(U^T g) where what goes into it is complex. */
cuonn_status products_back(const products_call *p, size_t layer);
/* From u of a layer: c of the one before it. */
cuonn_status products_pass_back(const products_call *p, size_t layer);
/* Derivatives by amplitudes and gamma, and columns, which were those of the matrices with them, become those of the
 * nodes' own. meshes: of which the matrices were built. */
cuonn_status products_outputs_back(const products_call *p, const cuda_meshes *meshes);
/* Whether fields go into a layer as complex numbers: examples, and behind what keeps their phases. */
bool products_take_complex(const cuonn_network_shape *shape, size_t layer);
/* The nonlinearity of a network in the numbers of kernels. */
field_law products_law(const cuonn_nonlinearity *f);

#endif
