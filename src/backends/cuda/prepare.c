#include "cuda/prepare.h"

#include <stdlib.h>

#include "base/memory.h"
#include "cuda/chip.h"
#include "cuda/graphs.h"
#include "cuda/methods.h"

/* Fields kept on the way out, if a model needs that. */
static cuonn_status make_kept(cuda_state *s) {
  cuda_steps *const steps = &s->steps;
  const size_t segments = (size_t)s->meshes.view.n_segments;
  cuda_memory_free(&steps->kept_memory);
  steps->kept = NULL;
  if (segments == 0 || s->problem.batch_size == 0) return CUONN_OK;
  const size_t size =
      network_kept_size(s->meshes.layout, steps->most_models, steps->n_parts, s->problem.shape.n_layers, segments);
  return cuda_allocate(&steps->kept, &steps->kept_memory, size, sizeof(float2),
                       "the fields that lossy nodes need on the way back");
}

/* Meshes for training that knows of no errors. */
static cuonn_status set_ideal(cuda_state *s, const cuonn_mesh **from) {
  cuonn_mesh bare;
  CUONN_TRY(cuonn_mesh_create_shaped(&bare, s->problem.shape.mesh, s->problem.shape.style));
  for (size_t i = 0; i < s->meshes.n_meshes; i++) from[i] = &bare;
  const cuonn_status status = cuda_meshes_set_errors(&s->ideal, from, s->session->stream);
  cuonn_mesh_free(&bare);
  return status;
}

/* The chip's coefficients. */
static cuonn_status apply_chip(const cuda_state *s) {
  CUONN_TRY(cuda_program(s));
  return cuda_method_of(&s->problem, s->problem.gradient)->prepare(s);
}

cuonn_status cuda_apply(const cuda_state *s) {
  CUONN_TRY(apply_chip(s));
  return s->ideal.phases ? cuda_meshes_fill(&s->ideal, s->session->stream) : CUONN_OK;
}

cuonn_status cuda_apply_step(const cuda_state *s) {
  return s->ideal.phases ? cuda_meshes_fill(&s->ideal, s->session->stream) : apply_chip(s);
}

cuonn_status cuda_prepare(cuda_state *s) {
  const size_t layers = s->problem.shape.n_layers;
  const cuonn_mesh **from = NULL;
  cuonn_status status = CUONN_OK;
  if (!s->changed) return CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&from, s->meshes.n_meshes, sizeof *from));
  for (size_t i = 0; i < s->meshes.n_meshes; i++) from[i] = s->models[i / layers].network.layers + i % layers;
  cuda_drop_graphs(s); /* they hold addresses */
  CUONN_TRY_DONE(cuda_meshes_set_errors(&s->meshes, from, s->session->stream));
  if (s->in_situ.nodes && !s->meshes.constants) {
    CUONN_TRY_DONE(cuda_meshes_set_constants(&s->meshes, from, s->session->stream)); /* for nodes with taps */
  }
  if (s->ideal.phases) CUONN_TRY_DONE(set_ideal(s, from));
  CUONN_TRY_DONE(make_kept(s));
  CUONN_TRY_DONE(cuda_chip_set(s));
  CUONN_TRY_DONE(cuda_apply(s));
  s->changed = s->stale = false;
done:
  free(from);
  return status;
}

cuonn_status cuda_prepare_chip(cuda_state *s) {
  CUONN_TRY(cuda_prepare(s));
  if (s->stale) CUONN_TRY(apply_chip(s));
  s->stale = false;
  return CUONN_OK;
}
