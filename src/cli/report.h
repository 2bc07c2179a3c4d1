/* The report of a run: one HTML file that holds all it shows. */
#ifndef CUONN_CLI_REPORT_H
#define CUONN_CLI_REPORT_H

#include "cli/common.h"

/* Writes RUN/report.html from the files of a run. A missing gnuplot is no failure, but said in *missing: then there is
 * no report.
 *  data    folder with the images; NULL: the one that the run names
 *  common  what computes; where nothing is given, what the run says */
int cli_report_write(bool *missing, const char *run, const char *data, const cli_options *common);

#endif
