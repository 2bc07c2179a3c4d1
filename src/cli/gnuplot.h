/* Drawing with gnuplot: a script of plots/ and a text file of numbers give the bytes of a figure. */
#ifndef CUONN_CLI_GNUPLOT_H
#define CUONN_CLI_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>

/* A figure as gnuplot made it. */
typedef struct {
  char *bytes; /* release with free() */
  size_t size;
  bool missing; /* there is no gnuplot, and so no figure */
} cli_drawing;

/* Reads a text file of the folder of scripts; release with free(). */
int cli_plots_read(char **text, const char *name);

/* What to do where gnuplot is missing. */
#define CLI_GNUPLOT_ADVICE "gnuplot is not installed (Debian: apt-get install gnuplot-nox)"

/* Runs plots/NAME.gp on the data. A missing gnuplot is no failure, but said in *out.
 * Scripts stand beside the installed program in share/cuonn/plots, or in the folder that CUONN_PLOTS names.
 *  format  "svg", "png" or "pdf" */
int cli_gnuplot_draw(cli_drawing *out, const char *name, const char *format, const char *data, size_t size);

#endif
