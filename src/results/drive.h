/* Drive curves of a chip's shifters in files: theta_offset, theta_slope and so on, and the range of the driver. */
#ifndef CUONN_RESULTS_DRIVE_H
#define CUONN_RESULTS_DRIVE_H

#include "cuonn/fabricated.h"
#include "results/variables.h"

enum { RESULTS_DRIVE_VARIABLES = 6 };

/* The variables, with `layer` in front unless n_layers is 0; none of a chip without curves. Returns their number. */
size_t results_drive_variables(results_variable out[RESULTS_DRIVE_VARIABLES], const cuonn_fabricated *chip,
                               size_t n_layers);

/* Writes the attributes of the driver, before results_define(); and the variables. */
cuonn_status results_put_driver(const results_file *file, const cuonn_fabricated *chip);
cuonn_status results_put_drive(const results_file *file, const cuonn_fabricated *chip);

/* Whether a file has any curve. */
bool results_has_drive(const results_file *file);

/* Reads curves and driver. n_layers: 0 where variables have no dimension `layer`. */
cuonn_status results_get_drive(cuonn_fabricated *chip, const results_file *file, size_t n_layers);

#endif
