/* What the reports of runs and of sweeps share: the page in memory, its figures, and its end. */
#ifndef CUONN_CLI_PAGE_H
#define CUONN_CLI_PAGE_H

#include <stdio.h>

#include "cli/figures/figure.h"
#include "cli/gnuplot.h"

/* A figure on its way into a page. */
typedef struct {
  cli_drawing drawing;
  const char *caption;
  size_t place; /* bytes of text before it */
} cli_report_place;

/* A page that is written into memory: its text, and figures that gnuplot draws meanwhile. */
typedef struct {
  FILE *out; /* of the text */
  char *text;
  size_t size;
  cli_report_place *figures; /* [n_figures] */
  size_t n_figures, n_drawn; /* begun; the first of them that are finished */
  bool missing;              /* there is no gnuplot, and so no page in the end */
} cli_report_page;

/* DIRECTORY/NAME; release with free(). */
int cli_report_join(char **out, const char *directory, const char *name);

/* The last part of a directory's real path; release with free(). */
int cli_report_name(char **out, const char *directory);

int cli_report_begin(cli_report_page *page, const char *title);

/* Begins to draw a figure, which stands where the text has come to, with its number.
 *  caption  not copied */
int cli_report_figure(cli_report_page *page, const cli_figure *figure, cli_figure_source *source, const char *caption);

/* What wrote the page, and the configuration: the end of its text. */
void cli_report_end(cli_report_page *page, const char *config_text);

/* Waits for the figures and writes the page, unless gnuplot was missing. */
int cli_report_save(cli_report_page *page, const char *path);

void cli_report_free(cli_report_page *page);

#endif
