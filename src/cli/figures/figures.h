/* The figures that there are. */
#ifndef CUONN_CLI_FIGURES_H
#define CUONN_CLI_FIGURES_H

#include "cli/figures/figure.h"

extern const cli_figure *const cli_figures[]; /* ends with NULL */

#endif
