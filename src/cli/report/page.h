/* What the reports of runs and of sweeps share: the page in memory, its figures, and its end. */
#ifndef CUONN_CLI_PAGE_H
#define CUONN_CLI_PAGE_H

#include <stdio.h>

#include "cli/figures/figure.h"

/* A page that is written into memory. */
typedef struct {
  FILE *out;
  char *bytes;
  size_t size;
  int n_figures;
  bool missing; /* there is no gnuplot, and so no page in the end */
} cli_report_page;

/* DIRECTORY/NAME; release with free(). */
int cli_report_join(char **out, const char *directory, const char *name);

/* The last part of a directory's real path; release with free(). */
int cli_report_name(char **out, const char *directory);

int cli_report_begin(cli_report_page *page, const char *title);

/* Draws a figure into the page, with its number. */
int cli_report_figure(cli_report_page *page, const cli_figure *figure, cli_figure_source *source, const char *caption);

/* What wrote the page, and the configuration; closes the page. */
void cli_report_end(cli_report_page *page, const char *config_text);

/* Writes the page, unless gnuplot was missing. */
int cli_report_save(cli_report_page *page, const char *path);

void cli_report_free(cli_report_page *page);

#endif
