/* The report of a run: one HTML file that holds all it shows. */
#ifndef CUONN_CLI_REPORT_RUN_H
#define CUONN_CLI_REPORT_RUN_H

#include "cli/common.h"

/* Writes report.html from the files of a run. A missing gnuplot is no failure; then there is no report.
 *  written  the path of the report, to be released with free(); NULL if there is none
 *  data    folder with the images; NULL: the one that the run names
 *  chip    chip file; NULL: the one that the run names, if it names one
 *  loaded  the examples, if the caller has read them already, which are taken over; NULL: they are read
 *  common  what computes; where nothing is given, what the run says */
int cli_report_run(char **written, const char *directory, const char *data, const char *chip, cuonn_dataset *loaded,
                   const cli_options *common);

#endif
