/* Parts of an HTML page: text with its special characters escaped, and figures as SVG within the page. */
#ifndef CUONN_CLI_HTML_H
#define CUONN_CLI_HTML_H

#include <stdio.h>

/* Writes text so that a browser shows it as it is. */
void cli_page_text(FILE *out, const char *text);

/* Writes gnuplot's SVG without its head. `number` tells its names apart from those of the page's other figures. */
void cli_page_svg(FILE *out, const char *svg, int number, const char *title);

#endif
