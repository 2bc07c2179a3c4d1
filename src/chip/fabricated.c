/* A fabricated chip as plain arrays: made, checked, and given to meshes. */
#include "chip/fabricated.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mesh/shape.h"

enum { kDescription = 192 };

size_t cuonn_fabricated_shifters(const cuonn_fabricated *chip) {
  return 2 * chip->shape->n_nodes + chip->shape->n_modes;
}

cuonn_status cuonn_fabricated_create(cuonn_fabricated *out, const cuonn_mesh_shape *shape, cuonn_phase_style style,
                                     size_t n_layers) {
  cuonn_status status = CUONN_OK;
  *out = (cuonn_fabricated){0};
  CUONN_CHECK(n_layers >= 1 && n_layers <= CUONN_LAYERS_MAX, CUONN_E_SHAPE, "a chip has 1 to %d meshes, not %zu",
              CUONN_LAYERS_MAX, n_layers);
  out->n_layers = n_layers;
  out->shape = cuonn_mesh_shape_share(shape);
  out->style = style;
  CUONN_TRY_DONE(
      cuonn_allocate(&out->coupler_error, n_layers * shape->n_nodes * shape_couplers(shape), sizeof(double)));
  CUONN_TRY_DONE(cuonn_allocate(&out->loss_db, n_layers * shape->n_nodes * 2, sizeof(double)));
  CUONN_TRY_DONE(cuonn_allocate(&out->crosstalk_first, n_layers + 1, sizeof *out->crosstalk_first));
done:
  if (status != CUONN_OK) cuonn_fabricated_free(out);
  return status;
}

cuonn_status cuonn_fabricated_add_drive(cuonn_fabricated *chip, const cuonn_driver *driver) {
  const size_t count = chip->n_layers * cuonn_fabricated_shifters(chip);
  double *offset = NULL, *slope = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&offset, count, sizeof *offset));
  CUONN_TRY_DONE(cuonn_allocate(&slope, count, sizeof *slope));
  for (size_t i = 0; i < count; i++) slope[i] = 1;
  free(chip->drive_offset);
  free(chip->drive_slope);
  chip->drive_offset = offset;
  chip->drive_slope = slope;
  chip->driver = *driver;
  offset = slope = NULL;
done:
  free(slope);
  free(offset);
  return status;
}

void cuonn_fabricated_free(cuonn_fabricated *chip) {
  if (!chip) return;
  cuonn_mesh_shape_free(chip->shape);
  free(chip->coupler_error);
  free(chip->loss_db);
  free(chip->drive_offset);
  free(chip->drive_slope);
  free(chip->crosstalk_first);
  free(chip->crosstalk);
  *chip = (cuonn_fabricated){0};
}

/* ---- checks ---- */

static cuonn_status check_finite(const char *name, const double *values, size_t n) {
  for (size_t i = 0; i < n; i++)
    CUONN_CHECK(isfinite(values[i]), CUONN_E_NONFINITE, "%s[%zu] of the chip is %g; it must be finite", name, i,
                values[i]);
  return CUONN_OK;
}

static cuonn_status check_drive(const cuonn_fabricated *chip) {
  const cuonn_driver *const d = &chip->driver;
  const size_t each = cuonn_fabricated_shifters(chip), count = chip->n_layers * each;
  CUONN_CHECK(d->least >= 0 && d->most > d->least && d->most <= 1e6, CUONN_E_DATA,
              "the driver's range is %g to %g V; it begins at 0 or more, and ends above that at 1e6 or less", d->least,
              d->most);
  CUONN_CHECK(d->bits <= CUONN_PHASE_BITS_MAX, CUONN_E_DATA, "the driver has %zu bits; it may have 0 to %d", d->bits,
              CUONN_PHASE_BITS_MAX);
  CUONN_TRY(check_finite("drive_offset", chip->drive_offset, count));
  CUONN_TRY(check_finite("drive_slope", chip->drive_slope, count));
  for (size_t i = 0; i < count; i++)
    CUONN_CHECK(chip->drive_slope[i] != 0, CUONN_E_DATA,
                "the drive slope of shifter %zu of layer %zu is 0: no voltage moves its phase", i % each, i / each);
  return CUONN_OK;
}

static cuonn_status check_crosstalk(const cuonn_fabricated *chip) {
  const size_t shifters = 2 * chip->shape->n_nodes;
  for (size_t l = 0; l < chip->n_layers; l++) {
    for (size_t i = chip->crosstalk_first[l]; i < chip->crosstalk_first[l + 1]; i++) {
      const cuonn_crosstalk *const s = chip->crosstalk + i;
      CUONN_CHECK(s->to < shifters && s->from < shifters, CUONN_E_DATA,
                  "crosstalk %zu is of the shifters %u and %u; theta and phi of the %zu nodes are 0 to %zu", i, s->to,
                  s->from, chip->shape->n_nodes, shifters - 1);
      CUONN_CHECK(isfinite(s->share), CUONN_E_NONFINITE, "crosstalk %zu is %g; it must be finite", i, s->share);
      CUONN_CHECK(i == chip->crosstalk_first[l] || s->to > s[-1].to || (s->to == s[-1].to && s->from > s[-1].from),
                  CUONN_E_DATA,
                  "crosstalk %zu, from shifter %u to %u, stands behind that from %u to %u; they stand in the order of "
                  "layer, to, from, each once",
                  i, s->from, s->to, s[-1].from, s[-1].to);
    }
  }
  return CUONN_OK;
}

cuonn_status cuonn_fabricated_check(const cuonn_fabricated *chip) {
  const size_t nodes = chip->n_layers * chip->shape->n_nodes;
  CUONN_CHECK(cuonn_phase_style_name(chip->style), CUONN_E_ARGUMENT, "phase style %d is not one of the four",
              (int)chip->style);
  CUONN_CHECK(chip->wavelength >= 0 && chip->wavelength <= 1e6, CUONN_E_DATA,
              "the chip's wavelength is %g nm; it is 0 to 1e6", chip->wavelength);
  CUONN_TRY(check_finite("coupler_error", chip->coupler_error, nodes * shape_couplers(chip->shape)));
  CUONN_TRY(check_finite("loss_db", chip->loss_db, nodes * 2));
  if (chip->drive_slope) CUONN_TRY(check_drive(chip));
  return chip->crosstalk ? check_crosstalk(chip) : CUONN_OK;
}

/* Meshes in words. */
static void describe(char out[kDescription], size_t n_layers, const cuonn_mesh_shape *shape, cuonn_phase_style style) {
  snprintf(out, kDescription, "%zu %s mesh%s of %zu waveguides with %zu nodes in %zu columns, node %s, style %s",
           n_layers, cuonn_architecture_name(shape->architecture), n_layers == 1 ? "" : "es", shape->n_modes,
           shape->n_nodes, shape->n_columns, cuonn_node_kind_name(shape->node), cuonn_phase_style_name(style));
}

cuonn_status cuonn_fabricated_fits(const cuonn_fabricated *chip, const cuonn_network_shape *network) {
  char own[kDescription], other[kDescription];
  cuonn_mesh_shape *shape = cuonn_mesh_shape_share(network->mesh);
  if (!shape) CUONN_TRY(cuonn_mesh_shape_rectangular(&shape, network->n_modes));
  const bool same_nodes = shape_equal(chip->shape, shape);
  const bool same = same_nodes && chip->n_layers == network->n_layers && chip->style == network->style;
  describe(own, chip->n_layers, chip->shape, chip->style);
  describe(other, network->n_layers, shape, network->style);
  cuonn_mesh_shape_free(shape);
  CUONN_CHECK(same, CUONN_E_SHAPE, "the chip has %s, the network %s%s", own, other,
              strcmp(own, other) == 0 ? ", on other pairs of waveguides" : "");
  return CUONN_OK;
}

/* ---- given to meshes ---- */

cuonn_status fabricated_check_mesh(const cuonn_fabricated *chip, size_t layer, const cuonn_mesh *mesh) {
  const cuonn_network_shape alone = {
      .n_modes = mesh->n_modes, .n_layers = chip->n_layers, .style = mesh->style, .mesh = mesh->shape};
  CUONN_CHECK(layer < chip->n_layers, CUONN_E_SHAPE, "layer %zu of a chip of %zu is asked for", layer, chip->n_layers);
  return cuonn_fabricated_fits(chip, &alone);
}

cuonn_status cuonn_fabricated_put_errors(cuonn_mesh *mesh, const cuonn_fabricated *chip, size_t layer) {
  const size_t nodes = chip->shape->n_nodes, couplers = shape_couplers(chip->shape);
  CUONN_TRY(fabricated_check_mesh(chip, layer, mesh));
  memcpy(mesh->coupler_error, chip->coupler_error + layer * nodes * couplers, nodes * couplers * sizeof(double));
  memcpy(mesh->loss_db, chip->loss_db + layer * nodes * 2, nodes * 2 * sizeof(double));
  return CUONN_OK;
}
