/* The progress bar of a terminal. */
#ifndef CUONN_CLI_PROGRESS_H
#define CUONN_CLI_PROGRESS_H

#include <stdbool.h>
#include <time.h>

#include "cuonn/training.h"

/* A bar on stderr, drawn with carriage returns and spaces alone: no escape codes, whatever the terminal. Does nothing
 * where stderr is none, or one that is called dumb. */
typedef struct {
  bool terminal;        /* stderr is one */
  int drawn;            /* columns of the bar on the screen now, 0 if there is none */
  struct timespec last; /* when it was drawn */
} cli_bar;

void cli_bar_open(cli_bar *bar);
/* Draws it with `share` (0 to 1) filled and a text behind it, ten times a second at most. */
void cli_bar_show(cli_bar *bar, double share, const char *text);

/* The same for a training run. */
void cli_bar_draw(cli_bar *bar, const cuonn_progress *progress);

/* Since a time that CLOCK_MONOTONIC gave. */
double cli_seconds_since(const struct timespec *began);

/* "1:02:03" or "4:05". */
void cli_clock_text(char *text, size_t size, double seconds);

/* Takes the bar off the screen, before something else is printed. */
void cli_bar_clear(cli_bar *bar);

#endif
