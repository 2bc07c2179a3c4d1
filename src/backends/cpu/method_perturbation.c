/* Gradients from losses alone: phases are moved up and down in directions, and the chip is read as in a forward pass.
 *
 * Layers are moved by all threads; the losses are the master's, which adds the gradient up. */
#include <omp.h>
#include <string.h>

#include "chip/perturbation.h"
#include "cpu/loss_method.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
}

static void prepare(cpu_model *model, size_t layer, cuonn_gradient_method which, const cpu_kernels *kernels) {
  (void)model, (void)layer, (void)which, (void)kernels; /* phases are moved before every pass */
}

static void clear(const cpu_model *model, const chip_perturbation *p, size_t n_modes) {
  for (size_t l = 0; l < p->n_layers; l++) {
    const cuonn_mesh_gradient *const g = model->gradients + l;
    memset(g->d_theta, 0, model->network.layers[l].n_nodes * sizeof *g->d_theta);
    memset(g->d_phi, 0, model->network.layers[l].n_nodes * sizeof *g->d_phi);
    memset(g->d_gamma, 0, n_modes * sizeof *g->d_gamma);
  }
}

/* Loss of the batch with phases moved in a direction. */
static void moved_loss(double *loss, const cpu_group *one, const cpu_batch *batch, const cpu_method *method,
                       const chip_perturbation *p, size_t direction, double by) {
  const cpu_state *const s = one->state;
#pragma omp for schedule(static, 1) nowait
  for (size_t l = 0; l < p->n_layers; l++) {
    cpu_model *const model = s->models + one->first;
    chip_move(model->applied.layers + l, model->network.layers + l, model->phases + l, p, direction, l, by);
    method->prepare(model, l, CUONN_GRADIENT_EXACT, s->kernels);
  }
  cpu_team_meet(one->team);
  method->evaluate(loss, NULL, one, batch);
}

/* loss: the mean of all that are read. */
static void gradient_of(double *loss, const cpu_group *one, const cpu_batch *batch) {
  const cpu_state *const s = one->state;
  const cuonn_network_shape *const shape = &s->problem.shape;
  cpu_model *const model = s->models + one->first;
  const size_t n_places = 2 * shape->mesh->n_nodes + (model->train_gamma ? shape->n_modes : 0);
  const chip_perturbation p = {&model->options, cpu_which(one, one->first), model->seed, batch->number, shape->n_layers,
                               n_places};
  const cpu_method *const method = cpu_loss_method(s, &model->options, batch->count);
  const size_t n_directions = chip_directions(&p);
  const double by = model->options.perturbation;
  cpu_batch pass = *batch;
  double sum = 0;
#pragma omp master
  clear(model, &p, shape->n_modes);
  for (size_t d = 0; d < n_directions; d++) {
    double losses[2] = {0};
    for (size_t down = 0; down < 2; down++) {
      pass.pass = (uint32_t)(2 * d + down);
      moved_loss(&losses[down], one, &pass, method, &p, d, down ? -by : by);
    }
#pragma omp master
    {
      for (size_t l = 0; l < shape->n_layers; l++)
        chip_add_slope(model->gradients + l, shape->mesh->n_nodes, &p, d, l, chip_slope(&p, losses));
      sum += (losses[0] + losses[1]) / (2 * (double)n_directions);
    }
  }
#pragma omp master
  {
    *loss = sum;
    model->ready = 0;
  }
#pragma omp for schedule(static, 1) nowait
  for (size_t l = 0; l < shape->n_layers; l++) cpu_apply_layer(model, l);
  cpu_team_meet(one->team);
}

static void gradient(double *losses, const cpu_group *group, const cpu_batch *batch) {
  for (size_t m = 0; m < group->n_models; m++) {
    const cpu_group one = {group->state, group->first + m, 1, group->which, group->spaces, group->team};
    gradient_of(losses + m, &one, batch);
  }
}

/* Losses are of the method that reads them. */
const cpu_method cpu_perturbation = {"perturbation", supports, prepare, gradient, NULL};
