/* Phases of meshes as voltages of a fabricated chip, and back. */
#include <stdio.h>

#include "base/error.h"
#include "chip/drive.h"
#include "chip/fabricated.h"
#include "mesh/shape.h"

static cuonn_status check_curves(const cuonn_fabricated *chip) {
  CUONN_CHECK(chip->drive_slope, CUONN_E_ARGUMENT,
              "the chip has no drive curves (theta_offset, theta_slope, ...), by which phases would be voltages");
  return CUONN_OK;
}

/* Where shifter i of a mesh keeps its phase, and how far it goes around. */
typedef struct {
  double *phase, period;
  const char *name;
} shifter;

static shifter shifter_of(const cuonn_mesh *mesh, size_t i) {
  const size_t nodes = mesh->n_nodes;
  const cuonn_phase_periods period = cuonn_phase_style_periods(mesh->style);
  if (i < nodes) return (shifter){mesh->theta + i, period.theta, "theta"};
  if (i < 2 * nodes) return (shifter){mesh->phi + i - nodes, period.phi, "phi"};
  return (shifter){mesh->gamma + i - 2 * nodes, period.gamma, "gamma"};
}

static cuonn_status out_of_range(const cuonn_fabricated *chip, size_t layer, const cuonn_mesh *mesh, size_t i,
                                 const shifter *s) {
  char place[96];
  const size_t nodes = mesh->n_nodes, at = layer * cuonn_fabricated_shifters(chip) + i;
  if (i < 2 * nodes)
    snprintf(place, sizeof place, "node %zu in column %u", i % nodes, mesh->shape->column_of[i % nodes]);
  else
    snprintf(place, sizeof place, "waveguide %zu", i - 2 * nodes);
  return cuonn_fail(CUONN_E_DATA,
                    "%s of %s of layer %zu is %g radian, which %g + %g V^2 does not reach with %g to %g V, %g more or "
                    "less included",
                    s->name, place, layer, *s->phase, chip->drive_offset[at], chip->drive_slope[at], chip->driver.least,
                    chip->driver.most, s->period);
}

cuonn_status cuonn_fabricated_volts(double *volts, const cuonn_fabricated *chip, size_t layer, const cuonn_mesh *mesh) {
  const size_t shifters = cuonn_fabricated_shifters(chip), first = layer * shifters;
  CUONN_TRY(check_curves(chip));
  CUONN_TRY(fabricated_check_mesh(chip, layer, mesh));
  for (size_t i = 0; i < shifters; i++) {
    double square;
    const shifter s = shifter_of(mesh, i);
    if (!drive_square(&square, &chip->driver, chip->drive_offset[first + i], chip->drive_slope[first + i], *s.phase,
                      s.period))
      return out_of_range(chip, layer, mesh, i, &s);
    volts[i] = drive_voltage(&chip->driver, square);
  }
  return CUONN_OK;
}

cuonn_status cuonn_fabricated_phases(cuonn_mesh *mesh, const cuonn_fabricated *chip, size_t layer,
                                     const double *volts) {
  const size_t shifters = cuonn_fabricated_shifters(chip), first = layer * shifters;
  CUONN_TRY(check_curves(chip));
  CUONN_TRY(fabricated_check_mesh(chip, layer, mesh));
  for (size_t i = 0; i < shifters; i++)
    *shifter_of(mesh, i).phase = chip->drive_offset[first + i] + chip->drive_slope[first + i] * volts[i] * volts[i];
  return CUONN_OK;
}
