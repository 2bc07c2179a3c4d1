/* What `cuonn bench` measured, as a figure. */
#ifndef CUONN_CLI_BENCH_PLOT_H
#define CUONN_CLI_BENCH_PLOT_H

#include "cli/commands/bench_row.h"

/* Replaces the file as a whole. Without gnuplot, what it would draw is written beside the drawing. */
int bench_draw(const bench_run *run);

#endif
