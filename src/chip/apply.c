/* A mesh as a fabricated chip makes it. */
#include "base/error.h"
#include "chip/drive.h"
#include "chip/phases.h"
#include "mesh/shape.h"

cuonn_status cuonn_fabricated_apply(cuonn_mesh *mesh, const cuonn_fabricated *chip, size_t layer) {
  chip_phases phases;
  cuonn_chip_options options = CUONN_CHIP_OPTIONS_INIT;
  const double period = cuonn_phase_style_periods(chip->style).gamma;
  const size_t first = layer * cuonn_fabricated_shifters(chip) + 2 * chip->shape->n_nodes;
  options.fabricated = chip;
  CUONN_TRY(cuonn_fabricated_put_errors(mesh, chip, layer));
  CUONN_TRY(chip_phases_create(&phases, &options, (uint32_t)layer, mesh->shape, mesh->style));
  chip_phases_apply(mesh->theta, mesh->phi, &phases, mesh->theta, mesh->phi);
  chip_phases_free(&phases);
  for (size_t w = 0; chip->drive_slope && w < mesh->n_modes; w++) {
    double square;
    const double offset = chip->drive_offset[first + w], slope = chip->drive_slope[first + w];
    drive_square(&square, &chip->driver, offset, slope, mesh->gamma[w], period);
    const double volts = drive_voltage(&chip->driver, square);
    mesh->gamma[w] = offset + slope * volts * volts;
  }
  return CUONN_OK;
}
