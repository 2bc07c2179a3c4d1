/* Gradients from losses alone: phases are moved up and down in directions, and the chip is read as in a forward pass.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "chip/perturbation.h"
#include "reference/loss_method.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
}

static void prepare(reference_state *s, const reference_model *m, cuonn_gradient_method which) {
  (void)s, (void)m, (void)which; /* phases are moved before every pass */
}

/* Makes phases that are moved by so many radians the network that computes. */
static void move(reference_state *s, const reference_model *m, const chip_perturbation *p, size_t direction,
                 double by) {
  for (size_t l = 0; l < p->n_layers; l++)
    chip_move(&m->applied.layers[l], &m->network.layers[l], &m->phases[l], p, direction, l, by);
  reference_network_set(&s->network, &m->applied, m->network.amplitudes);
}

/* loss: the mean of all that are read. */
static cuonn_status gradient(double *loss, reference_state *s, const reference_model *m,
                             const reference_examples *examples, cuonn_gradient_method which) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t n = shape->mesh->n_nodes, n_gamma = m->train_gamma ? shape->n_modes : 0;
  const chip_perturbation p = {&m->chip, which, m->seed, examples->number, shape->n_layers, 2 * n + n_gamma};
  const reference_method *const method = reference_loss_method(&m->chip);
  const size_t n_directions = chip_directions(&p);
  reference_examples pass = *examples;
  size_t *predictions;
  cuonn_status status = CUONN_OK;
  CUONN_TRY(cuonn_allocate(&predictions, examples->count, sizeof *predictions));
  for (size_t l = 0; l < shape->n_layers; l++) {
    memset(s->gradients[l].d_theta, 0, n * sizeof(double));
    memset(s->gradients[l].d_phi, 0, n * sizeof(double));
    memset(s->gradients[l].d_gamma, 0, shape->n_modes * sizeof(double));
  }
  *loss = 0;
  for (size_t d = 0; d < n_directions; d++) {
    double losses[2];
    for (size_t down = 0; down < 2; down++) {
      pass.pass = (uint32_t)(2 * d + down);
      move(s, m, &p, d, down ? -m->chip.perturbation : m->chip.perturbation);
      CUONN_TRY_DONE(method->evaluate(&losses[down], predictions, s, m, &pass));
    }
    for (size_t l = 0; l < shape->n_layers; l++) chip_add_slope(&s->gradients[l], n, &p, d, l, chip_slope(&p, losses));
    *loss += (losses[0] + losses[1]) / (2 * (double)n_directions);
  }
done:
  free(predictions);
  return status;
}

/* Losses are of the method that reads them. */
const reference_method reference_perturbation = {"perturbation", supports, prepare, gradient, NULL};
