/* The report of a sweep: one HTML file that holds all it shows. */
#ifndef CUONN_CLI_REPORT_SWEEP_H
#define CUONN_CLI_REPORT_SWEEP_H

/* Writes report.html from the directory of a sweep or its sweep.nc; beside the file, if it is one. A missing gnuplot is
 * no failure; then there is no report.
 *  written  the path of the report, to be released with free(); NULL if there is none */
int cli_report_sweep(char **written, const char *path);

#endif
