/* Batches of fields. */
#include "cuonn/fields.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

cuonn_status cuonn_fields_create(cuonn_fields *out, size_t n_examples, size_t n_modes) {
  *out = (cuonn_fields){0};
  CUONN_CHECK(n_modes == 0 || n_examples <= SIZE_MAX / 2 / n_modes, CUONN_E_MEMORY,
              "%zu examples of %zu waveguides are more than can be addressed", n_examples, n_modes);
  CUONN_TRY(cuonn_allocate(&out->values, 2 * n_examples * n_modes, sizeof *out->values));
  out->n_examples = n_examples;
  out->n_modes = n_modes;
  return CUONN_OK;
}

void cuonn_fields_free(cuonn_fields *fields) {
  if (fields == NULL) return;
  free(fields->values);
  *fields = (cuonn_fields){0};
}
