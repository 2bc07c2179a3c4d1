/* The mesh as plain arrays: node order, phase styles, checks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/name.h"
#include "cuonn/mesh.h"
#include "mesh/shape.h"

static const char *const style_names[] = {"top", "bottom", "symmetric", "differential"};
enum { kStyles = sizeof style_names / sizeof *style_names };

size_t cuonn_mesh_nodes(size_t n_modes) { return n_modes < 2 ? 0 : n_modes * (n_modes - 1) / 2; }

cuonn_status cuonn_mesh_create_shaped(cuonn_mesh *out, const cuonn_mesh_shape *shape, cuonn_phase_style style) {
  const size_t nodes = shape->n_nodes;
  cuonn_status status = CUONN_OK;
  *out =
      (cuonn_mesh){.shape = cuonn_mesh_shape_share(shape), .n_modes = shape->n_modes, .n_nodes = nodes, .style = style};
  CUONN_TRY_DONE(cuonn_allocate(&out->theta, nodes, sizeof(double)));
  CUONN_TRY_DONE(cuonn_allocate(&out->phi, nodes, sizeof(double)));
  CUONN_TRY_DONE(cuonn_allocate(&out->gamma, shape->n_modes, sizeof(double)));
  CUONN_TRY_DONE(cuonn_allocate(&out->coupler_error, shape_couplers(shape) * nodes, sizeof(double)));
  CUONN_TRY_DONE(cuonn_allocate(&out->loss_db, 2 * nodes, sizeof(double)));
done:
  if (status != CUONN_OK) cuonn_mesh_free(out);
  return status;
}

cuonn_status cuonn_mesh_create(cuonn_mesh *out, size_t n_modes, cuonn_phase_style style) {
  cuonn_mesh_shape *shape;
  *out = (cuonn_mesh){0};
  CUONN_TRY(cuonn_mesh_shape_rectangular(&shape, n_modes));
  const cuonn_status status = cuonn_mesh_create_shaped(out, shape, style);
  cuonn_mesh_shape_free(shape);
  return status;
}

void cuonn_mesh_free(cuonn_mesh *mesh) {
  if (!mesh) return;
  cuonn_mesh_shape_free(mesh->shape);
  free(mesh->theta);
  free(mesh->phi);
  free(mesh->gamma);
  free(mesh->coupler_error);
  free(mesh->loss_db);
  memset(mesh, 0, sizeof *mesh);
}

cuonn_status cuonn_mesh_copy(cuonn_mesh *to, const cuonn_mesh *from) {
  const size_t nodes = from->n_nodes;
  CUONN_CHECK(to->n_modes == from->n_modes, CUONN_E_SHAPE, "a mesh of %zu waveguides cannot be copied into one of %zu",
              from->n_modes, to->n_modes);
  CUONN_CHECK(shape_equal(to->shape, from->shape), CUONN_E_SHAPE, "a mesh cannot be copied into one of another shape");
  to->style = from->style;
  memcpy(to->theta, from->theta, nodes * sizeof(double));
  memcpy(to->phi, from->phi, nodes * sizeof(double));
  memcpy(to->gamma, from->gamma, from->n_modes * sizeof(double));
  memcpy(to->coupler_error, from->coupler_error, shape_couplers(from->shape) * nodes * sizeof(double));
  memcpy(to->loss_db, from->loss_db, 2 * nodes * sizeof(double));
  return CUONN_OK;
}

static cuonn_status check_finite(const char *name, const double *values, size_t n) {
  for (size_t i = 0; i < n; i++) {
    CUONN_CHECK(isfinite(values[i]), CUONN_E_NONFINITE, "%s[%zu] is %g; every phase, error and loss must be finite",
                name, i, values[i]);
  }
  return CUONN_OK;
}

cuonn_status cuonn_mesh_check(const cuonn_mesh *mesh) {
  const size_t nodes = mesh->n_nodes;
  CUONN_CHECK(cuonn_phase_style_name(mesh->style), CUONN_E_ARGUMENT, "phase style %d is not one of the four",
              (int)mesh->style);
  CUONN_TRY(check_finite("theta", mesh->theta, nodes));
  CUONN_TRY(check_finite("phi", mesh->phi, nodes));
  CUONN_TRY(check_finite("gamma", mesh->gamma, mesh->n_modes));
  CUONN_TRY(check_finite("coupler_error", mesh->coupler_error, shape_couplers(mesh->shape) * nodes));
  CUONN_TRY(check_finite("loss_db", mesh->loss_db, 2 * nodes));
  return CUONN_OK;
}

const char *cuonn_phase_style_name(cuonn_phase_style style) {
  return (unsigned)style < kStyles ? style_names[style] : NULL;
}

cuonn_status cuonn_phase_style_parse(cuonn_phase_style *out, const char *name) {
  size_t at;
  CUONN_TRY(name_find(&at, "phase style", style_names, kStyles, name));
  *out = (cuonn_phase_style)at;
  return CUONN_OK;
}
