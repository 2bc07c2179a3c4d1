/* Labelled examples of either kind: views, labels, and the waveguides that fields get in a network. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/dataset.h"

static const char *source_of(const cuonn_examples *examples) {
  return examples->source ? examples->source : "examples in memory";
}

cuonn_examples cuonn_examples_view(const cuonn_examples *all, size_t first, size_t count) {
  cuonn_examples some = *all;
  const size_t pixels = all->height * all->width;
  some.n_examples = count;
  some.labels += first;
  if (some.pixels) some.pixels += first * pixels;
  if (some.grey) some.grey += first * pixels;
  if (some.fields.values) {
    some.fields.n_examples = count;
    some.fields.values += 2 * first * some.fields.n_modes;
  }
  return some;
}

cuonn_status cuonn_examples_check_labels(const cuonn_examples *examples, size_t n_classes) {
  for (size_t e = 0; e < examples->n_examples; e++) {
    CUONN_CHECK(examples->labels[e]<n_classes, CUONN_E_DATA,
                                    "%s: label %u of example %zu, but there are %zu classes (0 to %zu)",
                                    source_of(examples), examples->labels[e], e, n_classes, n_classes> 0
                    ? n_classes - 1
                    : 0);
  }
  return CUONN_OK;
}

cuonn_status cuonn_examples_fit(cuonn_examples *examples, size_t n_modes, bool reference, bool pad) {
  const size_t own = examples->fields.n_modes, taken = own + reference;
  const char *const and_reference = reference ? " and the reference one more (data.reference)" : "";
  cuonn_fields wide;
  CUONN_CHECK(taken <= n_modes, CUONN_E_DATA,
              "%s: input has %zu waveguides%s, but network.modes is %zu: set it to %zu or more", source_of(examples),
              own, and_reference, n_modes, taken);
  CUONN_CHECK(
      taken == n_modes || pad, CUONN_E_DATA,
      "%s: input has %zu waveguides%s, but network.modes is %zu: set it to %zu, or data.pad to true, which adds "
      "dark waveguides",
      source_of(examples), own, and_reference, n_modes, taken);
  if (own == n_modes) return CUONN_OK;
  CUONN_TRY(cuonn_fields_create(&wide, examples->n_examples, n_modes));
  for (size_t e = 0; e < examples->n_examples; e++) {
    double *const to = wide.values + 2 * e * n_modes;
    memcpy(to, examples->fields.values + 2 * e * own, 2 * own * sizeof *to);
    if (reference) to[2 * own] = 1;
  }
  cuonn_fields_free(&examples->fields);
  examples->fields = wide;
  return CUONN_OK;
}

void cuonn_examples_free(cuonn_examples *examples) {
  if (examples == NULL) return;
  cuonn_fields_free(&examples->fields);
  free(examples->grey);
  free(examples->source);
  free(examples->labels);
  free(examples->pixels);
  *examples = (cuonn_examples){0};
}
