/* Units that values of a file may have beside our own. */
#ifndef CUONN_RESULTS_UNITS_H
#define CUONN_RESULTS_UNITS_H

#include "results/container.h"

/* Finds by which factor a variable's values become ours: what its attribute `units` says (also spelled unit, or in
 * capitals) in the unit of `variable`. Without the attribute, and with an empty one, 1.
 * @return CUONN_OK; CUONN_E_DATA, with the units that are known, if it is another */
cuonn_status results_unit_factor(double *factor, const results_file *file, const results_variable *variable, int id);

/* Whether a file has the variable, in volts. */
bool results_in_volts(const results_file *file, const char *variable);

#endif
