/* Phases that a chip applies to a rectangular mesh of n waveguides. */
#ifndef CUONN_TEST_PHASES_H
#define CUONN_TEST_PHASES_H

#include "chip/phases.h"

static inline cuonn_status create_phases(chip_phases *out, const cuonn_chip_options *chip, size_t n,
                                         cuonn_phase_style style) {
  cuonn_mesh_shape *shape;
  const cuonn_status made = cuonn_mesh_shape_rectangular(&shape, n);
  if (made != CUONN_OK) return made;
  const cuonn_status status = chip_phases_create(out, chip, 0, shape, style);
  cuonn_mesh_shape_free(shape);
  return status;
}

#endif
