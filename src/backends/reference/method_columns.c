/* Fields of every example go through the nodes, and cotangents back: the gradient is exact, of the chip or of one
 * without errors. */
#include <string.h>

#include "reference/method.h"
#include "reference/program.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
}

/* The programmed phases, on a chip without errors. */
static void program_ideal(reference_state *s, const reference_model *m) {
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    const cuonn_mesh *const from = &m->network.layers[l], *const to = &m->ideal.layers[l];
    memcpy(to->theta, from->theta, from->n_nodes * sizeof(double));
    memcpy(to->phi, from->phi, from->n_nodes * sizeof(double));
    memcpy(to->gamma, from->gamma, from->n_modes * sizeof(double));
  }
  reference_network_set(&s->network, &m->ideal, m->network.amplitudes);
}

static void prepare(reference_state *s, const reference_model *m, cuonn_gradient_method which) {
  if (which == CUONN_GRADIENT_IDEAL) {
    program_ideal(s, m);
  } else {
    reference_program(s, m);
  }
}

static cuonn_status gradient(double *loss, reference_state *s, const reference_model *m,
                             const reference_examples *examples, cuonn_gradient_method which) {
  (void)m, (void)which; /* s->network is what they say */
  const double share = 1 / (double)examples->count;
  for (size_t l = 0; l < s->problem.shape.n_layers; l++) {
    const cuonn_mesh_shape *const shape = s->problem.shape.mesh;
    memset(s->gradients[l].d_theta, 0, shape->n_nodes * sizeof(double));
    memset(s->gradients[l].d_phi, 0, shape->n_nodes * sizeof(double));
    memset(s->gradients[l].d_gamma, 0, shape->n_modes * sizeof(double));
    if (s->gradients[l].d_amplitude) memset(s->gradients[l].d_amplitude, 0, shape->n_modes * sizeof(double));
  }
  *loss = 0;
  for (size_t i = 0; i < examples->count; i++) {
    const size_t e = reference_example_at(examples, i);
    const double *const x = examples->fields->values + 2 * e * examples->fields->n_modes;
    size_t prediction;
    *loss += share * reference_network_forward(&prediction, &s->network, x, examples->labels[e]);
    reference_network_backward(s->gradients, &s->network, examples->labels[e], share);
  }
  return CUONN_OK;
}

static cuonn_status evaluate(double *loss, size_t *predictions, reference_state *s, const reference_model *m,
                             const reference_examples *examples) {
  (void)m;
  *loss = 0;
  for (size_t i = 0; i < examples->count; i++) {
    const size_t e = reference_example_at(examples, i);
    const double *const x = examples->fields->values + 2 * e * examples->fields->n_modes;
    *loss += reference_network_forward(&predictions[i], &s->network, x, examples->labels[e]);
  }
  *loss /= (double)examples->count;
  return CUONN_OK;
}

const reference_method reference_columns = {"columns", supports, prepare, gradient, evaluate};
