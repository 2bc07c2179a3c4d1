#include "benchmark/problem.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "benchmark/work.h"

/* Noise, 16 bits each; a linear congruential generator (Knuth, The Art of Computer Programming 2, 3.3.4). */
static uint32_t noise(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 16;
}

/* Batches of a training set: as many as an epoch of the study has, as long as they take no more than 128 MiB of
 * floats. */
static size_t batches_of(const cuonn_benchmark_options *options) {
  const size_t study = 117, fit = ((size_t)128 << 20) / 8 / options->n_modes / options->batch_size;
  if (options->what != CUONN_BENCHMARK_TRAIN_STEP || fit == 0) return 1;
  return fit < study ? fit : study;
}

static cuonn_status make_images(problem *p) {
  uint32_t state = 1;
  p->images.height = p->images.width = benchmark_side(p->options.n_modes);
  p->images.n_examples = p->n_examples;
  const size_t size = p->n_examples * p->images.height * p->images.width;
  CUONN_TRY(cuonn_allocate(&p->images.pixels, size, 1));
  CUONN_TRY(cuonn_allocate(&p->images.labels, p->n_examples, 1));
  for (size_t i = 0; i < size; i++) p->images.pixels[i] = (uint8_t)noise(&state);
  return CUONN_OK;
}

static cuonn_status make_fields(problem *p) {
  const size_t count = p->n_batches * p->n_examples;
  uint32_t state = 1;
  CUONN_TRY(cuonn_fields_create(&p->fields, count, p->options.n_modes));
  CUONN_TRY(cuonn_allocate(&p->labels, count, 1));
  for (size_t i = 0; i < 2 * count * p->options.n_modes; i++) p->fields.values[i] = noise(&state) / 32768.0 - 1;
  for (size_t e = 0; e < count; e++) p->labels[e] = (uint8_t)(e % p->network.shape.n_classes);
  return CUONN_OK;
}

static cuonn_status make_state(problem *p) {
  static const cuonn_training_options study = CUONN_TRAINING_OPTIONS_INIT;
  const bool features = p->options.what == CUONN_BENCHMARK_FEATURES;
  const backend_problem wanted = {.n_models = features ? 0 : 1,
                                  .shape = p->network.shape,
                                  .batch_size = features ? 0 : p->n_examples,
                                  .order = CUONN_ORDER_FIXED,
                                  .place = p->place,
                                  .method = p->options.method};
  const backend_model model = {.network = &p->network, .optimizer = &study.optimizer};
  CUONN_TRY(p->backend->create(&p->state, &wanted));
  if (features) return CUONN_OK;
  CUONN_TRY(p->backend->set_model(p->state, 0, &model));
  const bool trains = p->options.what == CUONN_BENCHMARK_TRAIN_STEP;
  return p->backend->set_fields(p->state, trains ? CUONN_SPLIT_TRAIN : CUONN_SPLIT_TEST, &p->fields, p->labels);
}

cuonn_status problem_create(problem *out, const cuonn_context *context, const cuonn_benchmark_options *options) {
  const cuonn_benchmark_case what = options->what;
  const bool one_mesh = what == CUONN_BENCHMARK_PROPAGATE || what == CUONN_BENCHMARK_PROPAGATE_STAGES;
  const size_t n_layers = one_mesh || what == CUONN_BENCHMARK_FEATURES ? 1 : options->n_layers;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(
      options->n_modes, n_layers, benchmark_classes(options->n_modes), CUONN_STYLE_TOP, true, NULL);
  *out = (problem){.options = *options, .backend = context->backend, .place = context->place};
  CUONN_TRY(cuonn_benchmark_options_check(options));
  out->n_examples = cuonn_benchmark_count(options).n_examples;
  out->n_batches = batches_of(options);
  CUONN_TRY(cuonn_network_create(&out->network, &shape));
  CUONN_TRY(cuonn_network_initialize(&out->network, CUONN_START_HAAR_PHASES, 0));
  CUONN_TRY(what == CUONN_BENCHMARK_FEATURES ? make_images(out) : make_fields(out));
  return one_mesh ? CUONN_OK : make_state(out);
}

void problem_free(problem *p) {
  if (p->state) p->backend->destroy(p->state);
  free(p->labels);
  cuonn_fields_free(&p->fields);
  cuonn_examples_free(&p->images);
  cuonn_network_free(&p->network);
}
