/* Attributes of an open netCDF file. */
#ifndef CUONN_RESULTS_ATTRIBUTES_H
#define CUONN_RESULTS_ATTRIBUTES_H

#include "results/container.h"

/* Writing, before results_define(). */
cuonn_status results_put_text(const results_file *file, const char *attribute, const char *text);
cuonn_status results_put_number(const results_file *file, const char *attribute, double number);
cuonn_status results_put_count(const results_file *file, const char *attribute, int count);

/* Copies an attribute of the file; *text is NULL where there is none. Release with free(). */
cuonn_status results_get_text(char **text, const results_file *file, const char *attribute);

/* The same of a variable's attribute; `variable` is libnetcdf's number of it. */
cuonn_status results_get_text_of(char **text, const results_file *file, int variable, const char *attribute);

/* Reads an attribute of one number; *found says whether there is one. */
cuonn_status results_get_number(double *number, bool *found, const results_file *file, const char *attribute);

#endif
