/* How far phases go until they repeat, and phases that a driver can set in place of any others.
 *
 * A phase that enters as p/2 turns its node's sign after 2 pi. In push-pull both halves do, so that both may go around
 * together; what sign is left a differential node hands on, and the nodes behind take it up as they take up any common
 * phase (docs/physics.md, eq. 29). */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/mesh.h"
#include "mesh/shape.h"

static const double kTurn = 2 * M_PI;

cuonn_phase_periods cuonn_phase_style_periods(cuonn_phase_style style) {
  switch (style) { /* no default: the compiler warns of a missing style */
    case CUONN_STYLE_TOP:
    case CUONN_STYLE_BOTTOM: break;
    case CUONN_STYLE_SYMMETRIC: return (cuonn_phase_periods){2 * kTurn, kTurn, kTurn, kTurn, kTurn / 2};
    case CUONN_STYLE_DIFFERENTIAL: return (cuonn_phase_periods){2 * kTurn, 2 * kTurn, kTurn, kTurn, kTurn};
  }
  return (cuonn_phase_periods){kTurn, kTurn, kTurn, kTurn, 0};
}

double cuonn_phase_wrap(double phase, double period) {
  double rest = fmod(phase, period);
  if (rest < 0) rest += period;
  return rest > 0 && rest < period ? rest : 0; /* a small negative number plus the period rounds to the period */
}

/* Wraps a phase; true if it lost an odd number of periods. */
static bool wrap(double *phase, double period) {
  const double before = fmod(*phase, 2 * period);
  *phase = cuonn_phase_wrap(before, period);
  return fmod(rint((before - *phase) / period), 2) != 0;
}

/* top, bottom: common phases that the node's waveguides carry. S_phi diag(e^{i top}, e^{i bottom}) is S_phi' with
 * phi' = phi - top + bottom under the common phase (top + bottom)/2. */
static void wrap_differential(double *phi, double *top, double *bottom) {
  const double common = (*top + *bottom) / 2;
  *phi += *bottom - *top;
  *top = *bottom = cuonn_phase_wrap(wrap(phi, kTurn) ? common + M_PI : common, kTurn);
}

cuonn_status cuonn_mesh_wrap(cuonn_mesh *mesh) {
  const size_t n = mesh->n_modes;
  const cuonn_phase_periods period = cuonn_phase_style_periods(mesh->style);
  const bool passes_signs = mesh->style == CUONN_STYLE_DIFFERENTIAL && mesh->shape->node != CUONN_NODE_MZI3;
  double *carried = NULL; /* [waveguide] */
  CUONN_TRY(cuonn_allocate(&carried, n, sizeof *carried));
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    const uint32_t *const pair = mesh->shape->pairs[k];
    if (wrap(&mesh->theta[k], period.joint_theta)) mesh->phi[k] -= period.joint_phi;
    if (passes_signs) wrap_differential(&mesh->phi[k], carried + pair[0], carried + pair[1]);
    mesh->phi[k] = cuonn_phase_wrap(mesh->phi[k], period.phi);
  }
  for (size_t w = 0; w < n; w++) mesh->gamma[w] = cuonn_phase_wrap(mesh->gamma[w] + carried[w], period.gamma);
  free(carried);
  return CUONN_OK;
}
