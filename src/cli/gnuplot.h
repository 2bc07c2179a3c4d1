/* Drawing with gnuplot: a script of plots/ and a text file of numbers give the bytes of a figure. */
#ifndef CUONN_CLI_GNUPLOT_H
#define CUONN_CLI_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A figure as gnuplot made it, or makes it. Zero at first; release with cli_drawing_free(). */
typedef struct {
  char *bytes; /* [size], with a zero byte behind them; NULL while gnuplot runs */
  size_t size;
  bool missing;         /* there is no gnuplot, and so no figure */
  pid_t child;          /* gnuplot while it runs, otherwise 0 */
  int figure, messages; /* files in memory that it writes to, while it runs */
  char *script;         /* path, the same */
} cli_drawing;

/* Reads a text file of the folder of scripts; release with free(). */
int cli_plots_read(char **text, const char *name);

/* What to do where gnuplot is missing. */
#define CLI_GNUPLOT_ADVICE "gnuplot is not installed (Debian: apt-get install gnuplot-nox)"

/* Starts plots/NAME.gp on the data, which are needed no longer when it returns. A missing gnuplot is no failure, but
 * said in *out. Scripts stand beside the installed program in share/cuonn/plots, or in the folder that CUONN_PLOTS
 * names. format  "svg", "png" or "pdf" */
int cli_gnuplot_start(cli_drawing *out, const char *name, const char *format, const char *data, size_t size);

/* Waits for the figure; nothing if gnuplot is missing, or was waited for. */
int cli_gnuplot_finish(cli_drawing *drawing);

/* Both, one after the other. */
int cli_gnuplot_draw(cli_drawing *out, const char *name, const char *format, const char *data, size_t size);

/* Waits for a gnuplot that still runs, too. */
void cli_drawing_free(cli_drawing *drawing);

#endif
