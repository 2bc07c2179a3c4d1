/* The report of a run: one HTML file that holds all it shows. */
#ifndef CUONN_CLI_REPORT_H
#define CUONN_CLI_REPORT_H

#include <stdbool.h>

/* Writes RUN/report.html from the files of a run. A missing gnuplot is no failure, but said in *missing: then there is
 * no report.
 *  data  folder with the images; NULL: the one that the run names */
int cli_report_write(bool *missing, const char *run, const char *data);

#endif
