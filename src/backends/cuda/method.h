/* Ways to compute, over whole networks and all models of a state: one a file. Which gradient is wanted is another
 * matter; a method says how it is got. prepare() and gradient() only launch, so that steps can be recorded. */
#ifndef CUDA_METHOD_H
#define CUDA_METHOD_H

#include "cuda/state.h"

/* Examples of a labelled set, and models that compute their gradient side by side. */
typedef struct {
  cuonn_split split;
  const network_batch *examples; /* device */
  size_t first, n_models;        /* models */
  cuonn_gradient_method which;
} cuda_batch;

/* Order of the examples for the models of a batch, [model][example]; NULL: as they stand. */
static inline const unsigned *cuda_order_of(const cuda_state *s, const cuda_batch *b) {
  const bool ordered = b->split == CUONN_SPLIT_TRAIN && s->steps.order;
  return ordered ? s->steps.order + b->first * s->sets[b->split].n_examples : NULL;
}

typedef struct cuda_method {
  const char *name;
  bool in_chunks; /* gradient() leaves the sums of each chunk, which are added up with the optimizer where that goes */
  bool (*supports)(const cuonn_mesh_shape *shape);
  /* Coefficients of all models, from the phases that their chips apply: for gradient() and for every evaluation. */
  cuonn_status (*prepare)(const cuda_state *s);
  /* Losses of chunks go to s->steps.chunk_losses, where the first model is the first. Derivatives with respect to the
   * phases that are applied: those of chunks to s->steps.gradient, or whole ones to s->steps.derived. */
  cuonn_status (*gradient)(const cuda_state *s, const cuda_batch *batch);
  cuonn_status (*evaluate)(cuonn_evaluation *out, cuda_state *s, size_t model, const cuda_set *set);
} cuda_method;

extern const cuda_method cuda_columns; /* fields of every example, node by node; evaluation by matrices */
extern const cuda_method cuda_in_situ; /* powers and fields as the chip reads them */

#endif
