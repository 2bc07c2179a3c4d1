/* A figure: what it shows, from which files, and the text file that its script plots/NAME.gp draws. */
#ifndef CUONN_CLI_FIGURE_H
#define CUONN_CLI_FIGURE_H

#include <stdio.h>

#include "cli/figures/sweep_view.h"
#include "cli/find.h"
#include "cli/trained.h"

/* What a figure is made from. */
typedef struct {
  const char *const *files; /* [n_files] */
  size_t n_files;
  const char *data;            /* another folder with the files of its data, or NULL */
  const char *chip;            /* another chip file, or where its own is now, or NULL */
  cuonn_dataset *loaded;       /* its data, if the caller has them, which are taken over; or NULL */
  cli_options common;          /* what computes */
  size_t example;              /* test example, 0 is the first */
  size_t layer;                /* of the network, 0 is the first */
  const char *const *settings; /* [n_settings] "energy.KEY=VALUE" */
  size_t n_settings;
  cli_trained trained; /* what cli_figure_trained() opened */
  bool opened;
} cli_figure_source;

/* Opens the checkpoint with all that goes with it, once for all figures of a source. NULL on failure, with *code. */
const cli_trained *cli_figure_trained(int *code, cli_figure_source *source);
void cli_figure_source_free(cli_figure_source *source);

/* One figure. A data file holds blocks of numbers, parted by two empty lines, under comments that name the columns. */
typedef struct {
  const char *name;
  const char *files;                                             /* what it is made from, for messages */
  cli_find_kind reads;                                           /* what a path to it means */
  bool many;                                                     /* takes more than one file */
  bool reads_images, reads_example, reads_layer, reads_settings; /* what of the source it looks at, besides the files */
  const char *sentence;                                          /* what it shows */
  int (*write)(FILE *out, cli_figure_source *source);
  bool (*fits)(const cli_sweep_view *sweep); /* of sweeps: whether this one can be drawn; otherwise NULL */
} cli_figure;

extern const cli_figure cli_figure_curves, cli_figure_confusion, cli_figure_examples, cli_figure_phases,
    cli_figure_power, cli_figure_energy, cli_figure_sweep_map, cli_figure_sweep_bars, cli_figure_tolerance,
    cli_figure_gradients, cli_figure_tradeoff, cli_figure_budget, cli_figure_throughput;

/* Largest mesh of which there is a picture: beyond, a waveguide is thinner than a line. */
#define CLI_FIGURE_MODES 128

/* Refuses meshes that are too large for a picture: more waveguides, or more columns than twice as many. */
int cli_figure_check_mesh(const cuonn_network_shape *shape, const char *path);

/* Writes the data of a figure into memory; release *text with free(). */
int cli_figure_data(char **text, size_t *size, const cli_figure *figure, cli_figure_source *source);

/* Parts a block from the next. */
void cli_figure_next_block(FILE *out);

/* Writes a text in double quotes as gnuplot reads it: a quote in it as \042, a backslash as \134. Control characters
 * become '?', and so do bytes that are not UTF-8. */
void cli_figure_write_text(FILE *out, const char *text);

/* What a file or folder is called: the last part of its path, with as many of those before it as tell it from the
 * others. Points into the path. */
const char *cli_figure_name_among(const char *const *paths, size_t n_paths, size_t which);

#endif
