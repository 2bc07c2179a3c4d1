#include "cpu/sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/features.h"
#include "cpu/state.h"

static cuonn_status make_set(cpu_set *out, size_t n_examples, size_t n_modes, const uint8_t *labels) {
  free(out->values);
  free(out->labels);
  memset(out, 0, sizeof *out);
  CUONN_TRY(cuonn_allocate(&out->values, n_examples * 2 * n_modes, sizeof *out->values));
  CUONN_TRY(cuonn_allocate(&out->labels, n_examples, sizeof *out->labels));
  memcpy(out->labels, labels, n_examples);
  out->n_examples = n_examples;
  return CUONN_OK;
}

cuonn_status cpu_set_images(void *state, cuonn_split split, const cuonn_examples *images,
                            const cuonn_features_options *options) {
  cpu_state *const s = state;
  CUONN_TRY(make_set(s->sets + split, images->n_examples, s->problem.shape.n_modes, images->labels));
  return cpu_features(s->sets[split].values, images, options, s->threads);
}

cuonn_status cpu_set_fields(void *state, cuonn_split split, const cuonn_fields *fields, const uint8_t *labels) {
  cpu_state *const s = state;
  const size_t n = fields->n_modes;
  CUONN_TRY(make_set(s->sets + split, fields->n_examples, n, labels));
  for (size_t e = 0; e < fields->n_examples; e++) {
    float *const to = s->sets[split].values + e * 2 * n;
    for (size_t w = 0; w < n; w++) {
      to[w] = (float)fields->values[2 * (e * n + w)];
      to[n + w] = (float)fields->values[2 * (e * n + w) + 1];
    }
  }
  return CUONN_OK;
}

cuonn_status cpu_get_features(double *out, void *state, cuonn_split split) {
  const cpu_state *const s = state;
  const size_t n = s->problem.shape.n_modes;
  for (size_t e = 0; e < s->sets[split].n_examples; e++) {
    const float *const from = s->sets[split].values + e * 2 * n;
    for (size_t w = 0; w < n; w++) {
      out[2 * (e * n + w)] = (double)from[w];
      out[2 * (e * n + w) + 1] = (double)from[n + w];
    }
  }
  return CUONN_OK;
}
