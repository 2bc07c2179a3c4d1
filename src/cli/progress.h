/* The progress bar of a terminal. */
#ifndef CUONN_CLI_PROGRESS_H
#define CUONN_CLI_PROGRESS_H

#include <stdbool.h>
#include <time.h>

#include "cuonn/training.h"

/* A bar on stderr; does nothing where stderr is no terminal. */
typedef struct {
  bool terminal;        /* stderr is one */
  bool drawn;           /* there is a bar on the screen now */
  struct timespec last; /* when it was drawn */
} cli_bar;

void cli_bar_open(cli_bar *bar);
void cli_bar_draw(cli_bar *bar, const cuonn_progress *progress);

/* Takes the bar off the screen, before something else is printed. */
void cli_bar_clear(cli_bar *bar);

#endif
