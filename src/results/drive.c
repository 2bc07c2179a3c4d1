#include "results/drive.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "results/attributes.h"

/* Of theta, phi and gamma. */
static const char *const names[RESULTS_DRIVE_VARIABLES][2] = {
    {"theta_offset", "phase of each theta shifter without voltage"},
    {"phi_offset", "phase of each phi shifter without voltage"},
    {"gamma_offset", "phase of each gamma shifter without voltage"},
    {"theta_slope", "phase of each theta shifter over the square of its voltage"},
    {"phi_slope", "phase of each phi shifter over the square of its voltage"},
    {"gamma_slope", "phase of each gamma shifter over the square of its voltage"}};

static void fill_variables(results_variable out[RESULTS_DRIVE_VARIABLES], const cuonn_fabricated *chip,
                           size_t n_layers) {
  const results_dimension layer = {"layer", n_layers};
  const results_dimension node = {"node", cuonn_mesh_shape_nodes(chip->shape)},
                          waveguide = {"waveguide", cuonn_mesh_shape_modes(chip->shape)};
  for (size_t i = 0; i < RESULTS_DRIVE_VARIABLES; i++) {
    const results_dimension last = i % 3 == 2 ? waveguide : node;
    out[i] = (results_variable){.name = names[i][0],
                                .unit = i < 3 ? "radian" : "radian V-2",
                                .long_name = names[i][1],
                                .dimensions = {n_layers > 0 ? layer : last}};
    if (n_layers > 0) out[i].dimensions[1] = last;
  }
}

/* Where variable i of one layer stands. */
static double *values_of(const cuonn_fabricated *chip, size_t i, size_t layer) {
  double *const of = i < 3 ? chip->drive_offset : chip->drive_slope;
  return of + layer * cuonn_fabricated_shifters(chip) + i % 3 * cuonn_mesh_shape_nodes(chip->shape);
}

size_t results_drive_variables(results_variable out[RESULTS_DRIVE_VARIABLES], const cuonn_fabricated *chip,
                               size_t n_layers) {
  if (!chip->drive_slope) return 0;
  fill_variables(out, chip, n_layers);
  return RESULTS_DRIVE_VARIABLES;
}

cuonn_status results_put_driver(const results_file *file, const cuonn_fabricated *chip) {
  if (!chip->drive_slope) return CUONN_OK;
  CUONN_TRY(results_put_number(file, "driver_least_volts", chip->driver.least));
  CUONN_TRY(results_put_number(file, "driver_most_volts", chip->driver.most));
  return results_put_count(file, "driver_bits", (int)chip->driver.bits);
}

cuonn_status results_put_drive(const results_file *file, const cuonn_fabricated *chip) {
  results_variable variables[RESULTS_DRIVE_VARIABLES];
  const size_t count = results_drive_variables(variables, chip, chip->n_layers);
  for (size_t i = 0; i < count; i++)
    for (size_t l = 0; l < chip->n_layers; l++) CUONN_TRY(results_put(file, &variables[i], l, values_of(chip, i, l)));
  return CUONN_OK;
}

bool results_has_drive(const results_file *file) {
  for (size_t i = 0; i < RESULTS_DRIVE_VARIABLES; i++)
    if (results_has(file, names[i][0])) return true;
  return false;
}

static cuonn_status get_driver(cuonn_driver *out, const results_file *file) {
  bool found;
  double bits = 0;
  *out = (cuonn_driver){0};
  CUONN_TRY(results_get_number(&out->least, &found, file, "driver_least_volts"));
  CUONN_TRY(results_get_number(&out->most, &found, file, "driver_most_volts"));
  CUONN_CHECK(found, CUONN_E_DATA, "%s: has drive curves, but no attribute driver_most_volts: how far they go",
              file->path);
  CUONN_TRY(results_get_number(&bits, &found, file, "driver_bits"));
  CUONN_CHECK(bits >= 0 && bits <= CUONN_PHASE_BITS_MAX && bits == floor(bits), CUONN_E_DATA,
              "%s: attribute driver_bits is %g; it is a whole number from 0 to %d", file->path, bits,
              CUONN_PHASE_BITS_MAX);
  out->bits = (size_t)bits;
  return CUONN_OK;
}

cuonn_status results_get_drive(cuonn_fabricated *chip, const results_file *file, size_t n_layers) {
  results_variable variables[RESULTS_DRIVE_VARIABLES];
  cuonn_driver driver;
  CUONN_TRY(get_driver(&driver, file));
  CUONN_TRY(cuonn_fabricated_add_drive(chip, &driver));
  fill_variables(variables, chip, n_layers);
  for (size_t i = 0; i < RESULTS_DRIVE_VARIABLES; i++)
    for (size_t l = 0; l < chip->n_layers; l++)
      CUONN_TRY(results_get(values_of(chip, i, l), file, &variables[i], n_layers ? l : RESULTS_WHOLE));
  return CUONN_OK;
}
