/* Ways to compute, over whole networks and all models of a state: one a file. Which gradient is wanted is another
 * matter; a method says how it is got. Losses alone have one way (evaluate.c). prepare() and gradient() only launch, so
 * that steps can be recorded. */
#ifndef CUDA_METHOD_H
#define CUDA_METHOD_H

#include "cuda/state.h"

/* Examples of a labelled set, and models that compute their gradient side by side. */
typedef struct {
  cuonn_split split;
  const network_batch *examples; /* device */
  size_t first, n_models;        /* models */
  cuonn_gradient_method which;
  double *losses;              /* device, [model] mean losses, for methods that give CUDA_WHOLE */
  const optimizer_step *steps; /* device, [model]: such methods take a step instead of leaving gradients; NULL: not */
} cuda_batch;

/* Order of the examples for the models of a batch, [model][example]; NULL: as they stand. */
static inline const unsigned *cuda_order_of(const cuda_state *s, const cuda_batch *b) {
  const bool ordered = b->split == CUONN_SPLIT_TRAIN && s->steps.order;
  return ordered ? s->steps.order + b->first * s->sets[b->split].n_examples : NULL;
}

/* The meshes that a gradient is of. */
static inline const cuda_meshes *cuda_meshes_of(const cuda_state *s, cuonn_gradient_method which) {
  return which == CUONN_GRADIENT_IDEAL ? &s->ideal : &s->meshes;
}

/* Losses of a batch's chunks. */
static inline loss_sums cuda_losses_of(const cuda_state *s, const cuda_batch *b) {
  return (loss_sums){s->steps.chunk_losses, (unsigned)s->steps.most_chunks, b->examples};
}

/* Sums of the batch's chunks by columns. */
static inline network_sums cuda_chunk_sums(const cuda_state *s, const cuda_batch *b) {
  return (network_sums){.layout = s->meshes.layout,
                        .n_layers = (int)s->problem.shape.n_layers,
                        .n_models = (int)b->n_models,
                        .gradient = s->steps.gradient,
                        .losses = cuda_losses_of(s, b)};
}

/* What the optimizer moves. */
static inline optimizer_state cuda_phases_of(const cuda_state *s) {
  return (optimizer_state){s->meshes.phases, s->steps.first, s->steps.second, s->steps.rules};
}
static inline gamma_state cuda_gamma_of(const cuda_state *s) {
  return (gamma_state){s->steps.gamma_first ? s->meshes.gamma : NULL, s->steps.gamma_first, s->steps.gamma_second,
                       s->steps.rules};
}

/* Coefficients of nodes of the chip. */
static inline cuonn_status cuda_prepare_nodes(const cuda_state *s) {
  return cuda_meshes_fill(&s->meshes, s->session->stream);
}

/* What gradient() leaves: whole gradients and losses, or sums that are added up with the optimizer where that goes, of
 * chunks of the batch or of s->steps.n_parts parts of a matrix's columns. */
typedef enum { CUDA_WHOLE, CUDA_SUMS_OF_CHUNKS, CUDA_SUMS_OF_COLUMNS } cuda_sums;

typedef struct cuda_method {
  const char *name;
  cuda_sums sums;
  bool (*supports)(const cuonn_network_shape *shape);
  /* Coefficients of all models' chips, from the phases that they apply: for gradient() and for every evaluation. */
  cuonn_status (*prepare)(const cuda_state *s);
  /* Losses of chunks go to s->steps.chunk_losses, where the first model is the first. Derivatives with respect to the
   * phases that are applied: sums to s->steps.gradient, or whole ones to s->steps.derived, unless batch->steps asks for
   * the step along them (of all models of the state). */
  cuonn_status (*gradient)(const cuda_state *s, const cuda_batch *batch);
} cuda_method;

extern const cuda_method cuda_columns; /* fields of every example, node by node */
extern const cuda_method cuda_dense;   /* layers as matrices */
extern const cuda_method cuda_in_situ; /* powers and fields as the chip reads them */

#endif
