/* Which networks of a sweep can train side by side, and parts of even cost. */
#include "training/parts.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/shape.h"

/* Whether the gradients of both come in one way (cuonn/model.h). */
static bool same_kind(const cuonn_training_options *s, const cuonn_training_options *t) {
  const bool measured = cuonn_gradient_is_measured(s->gradient);
  if (!measured) return s->gradient == t->gradient;
  return cuonn_gradient_is_measured(t->gradient) && s->chip.measurement == t->chip.measurement;
}

bool sweep_compatible(const cuonn_sweep_model *a, const cuonn_sweep_model *b) {
  const cuonn_network_shape *const p = &a->shape, *const q = &b->shape;
  const cuonn_training_options *const s = &a->training, *const t = &b->training;
  return p->n_modes == q->n_modes && p->n_layers == q->n_layers && p->n_classes == q->n_classes &&
         p->style == q->style && p->loss_per_class == q->loss_per_class && p->loss == q->loss &&
         cuonn_nonlinearity_equal(&p->nonlinearity, &q->nonlinearity) && p->layer == q->layer &&
         (p->layer == CUONN_LAYER_UNITARY || p->amplitude_limit == q->amplitude_limit) && s->epochs == t->epochs &&
         s->batch_size == t->batch_size && s->drop_last == t->drop_last && s->order == t->order &&
         s->schedule == t->schedule && same_kind(s, t) && s->gradient_error_every == t->gradient_error_every &&
         s->optimizer.restart_bias_correction_each_epoch == t->optimizer.restart_bias_correction_each_epoch;
}

/* What training costs, in examples that go through a node and back. A step costs as much as some 100 examples besides;
 * an example of which a gradient is measured as much as 5, and a measurement of matrices 4 of each waveguide (N 64, 3
 * layers, backend cpu on one thread, batches of 16 to 512). Two losses at moved phases are reckoned as one step. The
 * data are the same for all. */
static double cost_of(const cuonn_sweep_model *m) {
  const cuonn_gradient_method gradient = m->training.gradient;
  const size_t n = m->shape.n_modes;
  const size_t of_mesh = m->shape.mesh ? cuonn_mesh_shape_nodes(m->shape.mesh) : n * (n - 1) / 2;
  const double nodes = (double)(of_mesh * m->shape.n_layers);
  const bool measured = cuonn_gradient_is_measured(gradient);
  const bool matrices = measured && m->training.chip.measurement == CUONN_MEASUREMENT_MATRIX;
  const double example = measured && !matrices ? 5 : 1, step = 100 + (matrices ? 4 * (double)n : 0);
  double times = 1;
  if (gradient == CUONN_GRADIENT_SPSA) times = (double)m->training.chip.estimates;
  if (gradient == CUONN_GRADIENT_FINITE_DIFFERENCE) times = 2 * nodes; /* each phase */
  return times * (double)m->training.epochs * nodes * (example + step / (double)m->training.batch_size);
}

/* Groups of compatible models one after the other, each in its order: order[i], the i-th. */
static cuonn_status put_in_order(size_t *order, const cuonn_sweep_model *models, size_t n_models) {
  cuonn_status status = CUONN_OK;
  size_t *group = NULL, *leaders = NULL, *ends = NULL, n_groups = 0;
  CUONN_TRY_DONE(cuonn_allocate(&group, n_models, sizeof *group));
  CUONN_TRY_DONE(cuonn_allocate(&leaders, n_models, sizeof *leaders));
  CUONN_TRY_DONE(cuonn_allocate(&ends, n_models + 1, sizeof *ends));
  for (size_t m = 0; m < n_models; m++) {
    while (group[m] < n_groups && !sweep_compatible(&models[leaders[group[m]]], &models[m])) group[m]++;
    if (group[m] == n_groups) leaders[n_groups++] = m;
  }
  for (size_t m = 0; m < n_models; m++) ends[group[m] + 1]++;
  for (size_t g = 0; g < n_groups; g++) ends[g + 1] += ends[g];
  for (size_t m = 0; m < n_models; m++) order[ends[group[m]]++] = m;
done:
  free(ends);
  free(leaders);
  free(group);
  return status;
}

cuonn_status cuonn_sweep_cut(size_t *part, const cuonn_sweep_model *models, size_t n_models, size_t n_parts) {
  cuonn_status status = CUONN_OK;
  size_t *order = NULL;
  double total = 0, before = 0;
  CUONN_TRY_DONE(cuonn_allocate(&order, n_models, sizeof *order));
  CUONN_TRY_DONE(put_in_order(order, models, n_models));
  for (size_t i = 0; i < n_models; i++) total += cost_of(&models[order[i]]);
  for (size_t i = 0; i < n_models; i++) {
    const double cost = cost_of(&models[order[i]]);
    const size_t at = (size_t)((before + cost / 2) / total * (double)n_parts); /* where its middle lies */
    part[order[i]] = at < n_parts ? at : n_parts - 1;
    before += cost;
  }
done:
  free(order);
  return status;
}
