#include "cli/figures/figures.h"

const cli_figure *const cli_figures[] = {&cli_figure_curves,     &cli_figure_confusion,
                                         &cli_figure_examples,   &cli_figure_phases,
                                         &cli_figure_power,      &cli_figure_energy,
                                         &cli_figure_sweep_map,  &cli_figure_sweep_bars,
                                         &cli_figure_tolerance,  &cli_figure_gradients,
                                         &cli_figure_tradeoff,   &cli_figure_budget,
                                         &cli_figure_throughput, NULL};
