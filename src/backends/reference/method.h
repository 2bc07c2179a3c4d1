/* Ways to compute: one a file. Which gradient is wanted is another matter; a method says how it is got. */
#ifndef CUONN_REFERENCE_METHOD_H
#define CUONN_REFERENCE_METHOD_H

#include "base/random.h"
#include "chip/noise.h"
#include "reference/state.h"

/* Examples `first` .. first + count - 1 of a labelled set, as they stand or in the order of an epoch. */
typedef struct {
  const cuonn_fields *fields;
  const uint8_t *labels;
  size_t first, count;
  bool shuffled;
  uint64_t seed;
  uint32_t epoch;  /* of the order */
  chip_use use;    /* of what is read, */
  uint32_t number; /* the step and */
  uint32_t pass;   /* the pass, for noise */
} reference_examples;

/* Number in its set of the i-th of them. */
static inline size_t reference_example_at(const reference_examples *e, size_t i) {
  const size_t at = e->first + i;
  return e->shuffled ? random_permute((uint32_t)at, (uint32_t)e->fields->n_examples, e->seed, e->epoch) : at;
}

typedef struct {
  const char *name;
  bool (*supports)(const cuonn_mesh_shape *shape);
  /* Makes the phases of a model the network that computes, s->network. */
  void (*prepare)(reference_state *s, const reference_model *model, cuonn_gradient_method which);
  /* After it: mean loss, and its derivatives with respect to the phases that are applied, in s->gradients. */
  cuonn_status (*gradient)(double *loss, reference_state *s, const reference_model *model,
                           const reference_examples *examples, cuonn_gradient_method which);
  /* After it: mean loss, and predictions [example]. */
  cuonn_status (*evaluate)(double *loss, size_t *predictions, reference_state *s, const reference_model *model,
                           const reference_examples *examples);
} reference_method;

extern const reference_method reference_columns;      /* fields of every example, node by node */
extern const reference_method reference_in_situ;      /* powers and fields as the chip reads them */
extern const reference_method reference_perturbation; /* losses of moved phases */

#endif
