/* What training changes, and how many steps an epoch has. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/training.h"

void cuonn_training_options_init(cuonn_training_options *out) {
  *out = (cuonn_training_options)CUONN_TRAINING_OPTIONS_INIT;
}

size_t cuonn_steps_per_epoch(const cuonn_training_options *options, size_t n_examples) {
  if (options->batch_size == 0) return 0;
  const bool partial = n_examples % options->batch_size != 0 && !options->drop_last;
  return n_examples / options->batch_size + partial;
}

size_t cuonn_training_moments_count(const cuonn_network_shape *shape) {
  return 2 * shape->n_layers * cuonn_network_parameters(shape);
}

cuonn_status cuonn_training_state_create(cuonn_training_state *out, const cuonn_network_shape *shape) {
  cuonn_status status = CUONN_OK;
  memset(out, 0, sizeof *out);
  CUONN_TRY_DONE(cuonn_network_create(&out->network, shape));
  CUONN_TRY_DONE(cuonn_allocate(&out->moments, cuonn_training_moments_count(shape), sizeof *out->moments));
  out->best_accuracy = -1;
done:
  if (status != CUONN_OK) cuonn_training_state_free(out);
  return status;
}

void cuonn_training_state_free(cuonn_training_state *state) {
  if (!state) return;
  cuonn_network_free(&state->network);
  free(state->moments);
  memset(state, 0, sizeof *state);
}
