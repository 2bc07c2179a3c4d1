#include "mesh/third.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mesh/shape.h"

/* Every column twice. */
static cuonn_status split_shape(cuonn_mesh_shape **out, const cuonn_mesh_shape *shape) {
  size_t *counts = NULL;
  uint32_t(*pairs)[2] = NULL;
  cuonn_status status = CUONN_OK;
  *out = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&counts, 2 * shape->n_columns, sizeof *counts));
  CUONN_TRY_DONE(cuonn_allocate(&pairs, 2 * shape->n_nodes, sizeof *pairs));
  for (size_t c = 0; c < shape->n_columns; c++) {
    const cuonn_mesh_column *const column = shape->columns + c;
    for (size_t half = 0; half < 2 && column->count > 0; half++) {
      memcpy(pairs + 2 * column->first + half * column->count, column->pairs, column->count * sizeof *pairs);
    }
    counts[2 * c] = counts[2 * c + 1] = column->count;
  }
  status = cuonn_mesh_shape_create(out, shape->n_modes, 2 * shape->n_columns, counts, (const uint32_t(*)[2])pairs);
done:
  free(pairs);
  free(counts);
  return status;
}

cuonn_status mesh_split_third(cuonn_mesh *out, const cuonn_mesh *mesh) {
  cuonn_mesh_shape *shape;
  *out = (cuonn_mesh){0};
  CUONN_TRY(split_shape(&shape, mesh->shape));
  const cuonn_status status = cuonn_mesh_create_shaped(out, shape, mesh->style);
  cuonn_mesh_shape_free(shape);
  if (status != CUONN_OK) return status;
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    const cuonn_mesh_column *const column = mesh->shape->columns + mesh->shape->column_of[k];
    const size_t third = column->first + k, rest = third + column->count;
    const double *const error = mesh->coupler_error + 3 * k;
    out->coupler_error[2 * third] = -M_PI / 4;
    out->coupler_error[2 * third + 1] = error[2];
    memcpy(out->coupler_error + 2 * rest, error, 2 * sizeof *error);
    memcpy(out->loss_db + 2 * rest, mesh->loss_db + 2 * k, 2 * sizeof *error);
    out->theta[rest] = mesh->theta[k];
    out->phi[rest] = mesh->phi[k];
  }
  memcpy(out->gamma, mesh->gamma, mesh->n_modes * sizeof *mesh->gamma);
  return CUONN_OK;
}
