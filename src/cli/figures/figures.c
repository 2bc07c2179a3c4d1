#include "cli/figures/figures.h"

#include <stdlib.h>

const cli_figure *const cli_figures[] = {&cli_figure_curves,
                                         &cli_figure_confusion,
                                         &cli_figure_examples,
                                         &cli_figure_phases,
                                         &cli_figure_power,
                                         &cli_figure_energy,
                                         &cli_figure_sweep_map,
                                         &cli_figure_sweep_bars,
                                         &cli_figure_tolerance,
                                         &cli_figure_gradients,
                                         &cli_figure_tradeoff,
                                         &cli_figure_throughput,
                                         NULL};

int cli_figure_data(char **text, size_t *size, const cli_figure *figure, cli_figure_source *source) {
  *text = NULL;
  FILE *const out = open_memstream(text, size);
  if (!out) return cli_fail(CLI_RESOURCES, "not enough memory for the data of %s", figure->name);
  int code = figure->write(out, source);
  const bool whole = !ferror(out);
  if ((fclose(out) != 0 || !*text || !whole) && code == CLI_DONE)
    code = cli_fail(CLI_RESOURCES, "not enough memory for the data of %s", figure->name);
  if (code == CLI_DONE) return CLI_DONE;
  free(*text);
  *text = NULL;
  return code;
}

void cli_figure_next_block(FILE *out) { fputs("\n\n", out); }

const cli_trained *cli_figure_trained(int *code, cli_figure_source *source) {
  if (source->opened) return &source->trained;
  *code = cli_trained_open(
      &source->trained,
      &(cli_trained_source){.checkpoint = source->files[0], .data = source->data, .common = source->common});
  source->opened = *code == CLI_DONE;
  return source->opened ? &source->trained : NULL;
}

void cli_figure_source_free(cli_figure_source *source) { cli_trained_free(&source->trained); }
