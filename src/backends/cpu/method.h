/* Ways to compute: one a file. Which gradient is wanted is another matter; a method says how it is got.
 *
 * gradient() and evaluate() are called by all threads of a parallel region, which meet in them. */
#ifndef CPU_METHOD_H
#define CPU_METHOD_H

#include "base/random.h"
#include "cpu/state.h"

/* Models that compute side by side, and the threads that do it. */
typedef struct {
  cpu_state *state;
  size_t first, n_models;
  const cuonn_gradient_method *which; /* NULL: of each model its own */
  cpu_space *spaces;                  /* [thread] */
  cpu_team *team;
} cpu_group;

/* Examples of a labelled set: first .. first + count - 1, as they stand or in the order of an epoch. */
typedef struct {
  const cpu_set *set;
  bool shuffled;
  uint32_t epoch;
  size_t first, count;
  chip_use use;    /* of what is read, */
  uint32_t number; /* the step and */
  uint32_t pass;   /* the pass, for noise */
} cpu_batch;

typedef struct {
  const char *name;
  bool (*supports)(const cuonn_mesh_shape *shape);
  /* Coefficients of a layer, from the phases that the chip applies; for the ideal gradient from those programmed. */
  void (*prepare)(cpu_model *model, size_t layer, cuonn_gradient_method which, const cpu_kernels *kernels);
  /* losses: [model], means. Derivatives with respect to the phases that are applied go to the models' gradients; those
   * of (model, layer) are there for the thread that a loop over both, layers the faster, gives them to by
   * schedule(static, 1): in turn, because the last layer is the lightest. */
  void (*gradient)(double *losses, const cpu_group *group, const cpu_batch *batch);
  /* Mean loss of the first model, and predictions [example of the set], which may be NULL. The loss is there for the
   * master thread. */
  void (*evaluate)(double *loss, uint32_t *predictions, const cpu_group *group, const cpu_batch *batch);
} cpu_method;

extern const cpu_method cpu_columns;      /* fields of every example, node by node */
extern const cpu_method cpu_dense;        /* layers as matrices */
extern const cpu_method cpu_in_situ;      /* powers and fields as the chip reads them */
extern const cpu_method cpu_perturbation; /* losses of moved phases */

static inline cuonn_gradient_method cpu_which(const cpu_group *group, size_t model) {
  return group->which ? *group->which : group->state->models[model].gradient;
}

/* Number in its set of the i-th example. */
static inline uint32_t cpu_example_at(const cpu_model *model, const cpu_batch *b, size_t i) {
  const uint32_t at = (uint32_t)(b->first + i);
  return b->shuffled ? random_permute(at, (uint32_t)b->set->n_examples, model->seed, b->epoch) : at;
}

#endif
