/* Gradients and losses as the chip measures and reads them, one model after the other: a measurement needs the whole
 * batch between two layers (chip.c). */
#include "cpu/method.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
}

/* A measurement sees what the chip applies, whichever gradient it is for. */
static void prepare(cpu_model *model, size_t layer, cuonn_gradient_method which, const cpu_kernels *kernels) {
  (void)which, (void)kernels;
  cpu_tap_mesh_set(model->chip.meshes + layer, model->applied.layers + layer, model->layers[layer].fixed);
}

static void gradient(double *losses, const cpu_group *group, const cpu_batch *batch) {
  const cpu_state *const s = group->state;
  for (size_t m = group->first; m < group->first + group->n_models; m++) {
    const cpu_model *const model = s->models + m;
    const cpu_chip_batch on_chip = {batch->set, batch->count, &model->options, batch->number};
#pragma omp for schedule(static) nowait
    for (size_t i = 0; i < batch->count; i++) model->chip.index[i] = cpu_example_at(model, batch, i);
    cpu_team_meet(group->team);
    cpu_chip_gradient(losses + (m - group->first), model->gradients, &model->chip, &on_chip, cpu_which(group, m),
                      s->kernels, group->team);
  }
}

static void evaluate(double *loss, uint32_t *predictions, const cpu_group *group, const cpu_batch *batch) {
  const cpu_model *const model = group->state->models + group->first;
  const cpu_chip_batch set = {batch->set, batch->count, &model->options, batch->number};
  cpu_chip_evaluate(loss, predictions, &model->chip, &set, group->state->kernels, group->team);
}

const cpu_method cpu_in_situ = {"in situ", supports, prepare, gradient, evaluate};
