#include "programming/gradient.h"

#include <float.h>
#include <string.h>

#include "base/error.h"
#include "programming/descent.h"

/* ||U' - U||_F^2 of a chip: every unit vector is an example, its output a column of U'. */
typedef struct {
  cuonn_mesh *chip;
  cuonn_context *context;
  cuonn_fields units, columns, cotangents;
  const double *unitary;
} matrix_error;

/* x, gradient: [node] theta, [node] phi, [waveguide] gamma */
static cuonn_status evaluate(double *value, double *gradient, const double *x, void *of) {
  matrix_error *const e = of;
  const size_t n = e->chip->n_modes, nodes = e->chip->n_nodes;
  const cuonn_mesh_gradient parts = {gradient, gradient + nodes, gradient + 2 * nodes, NULL};
  memcpy(e->chip->theta, x, nodes * sizeof *x);
  memcpy(e->chip->phi, x + nodes, nodes * sizeof *x);
  memcpy(e->chip->gamma, x + 2 * nodes, n * sizeof *x);
  CUONN_TRY(cuonn_propagate(&e->columns, NULL, e->context, e->chip, &e->units, false));
  *value = 0;
  for (size_t column = 0; column < n; column++) {
    for (size_t row = 0; row < n; row++) {
      const size_t at = 2 * (column * n + row), target = 2 * (row * n + column);
      const double re = e->columns.values[at] - e->unitary[target];
      const double im = e->columns.values[at + 1] - e->unitary[target + 1];
      *value += re * re + im * im;
      e->cotangents.values[at] = 2 * re;
      e->cotangents.values[at + 1] = -2 * im;
    }
  }
  return cuonn_vjp((cuonn_mesh_gradient *)&parts, NULL, e->context, e->chip, &e->units, &e->cotangents);
}

cuonn_status programming_gradient(cuonn_mesh *chip, size_t *taken, cuonn_context *context, const double *unitary,
                                  size_t most) {
  const size_t n = chip->n_modes, nodes = chip->n_nodes, size = 2 * nodes + n;
  matrix_error e = {.chip = chip, .context = context, .unitary = unitary};
  /* A phase turns light of power 1, summed over all unit vectors: the second derivative is near 2. */
  const double rounding = (double)n * DBL_EPSILON; /* of an element, behind N columns */
  const descent_function function = {evaluate, &e, size, 2, (double)(n * n) * rounding * rounding};
  cuonn_fields phases = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_fields_create(&e.units, n, n));
  CUONN_TRY_DONE(cuonn_fields_create(&e.columns, n, n));
  CUONN_TRY_DONE(cuonn_fields_create(&e.cotangents, n, n));
  CUONN_TRY_DONE(cuonn_fields_create(&phases, 1, size));
  for (size_t i = 0; i < n; i++) e.units.values[2 * (i * n + i)] = 1;
  memcpy(phases.values, chip->theta, nodes * sizeof(double));
  memcpy(phases.values + nodes, chip->phi, nodes * sizeof(double));
  memcpy(phases.values + 2 * nodes, chip->gamma, n * sizeof(double));
  CUONN_TRY_DONE(programming_descend(phases.values, taken, &function, most));
  memcpy(chip->theta, phases.values, nodes * sizeof(double));
  memcpy(chip->phi, phases.values + nodes, nodes * sizeof(double));
  memcpy(chip->gamma, phases.values + 2 * nodes, n * sizeof(double));
  status = cuonn_mesh_wrap(chip);
done:
  cuonn_fields_free(&phases);
  cuonn_fields_free(&e.cotangents);
  cuonn_fields_free(&e.columns);
  cuonn_fields_free(&e.units);
  return status;
}
