#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void cli_bar_open(cli_bar *bar) {
  const char *const kind = getenv("TERM");
  *bar = (cli_bar){.terminal = isatty(STDERR_FILENO) && !(kind && strcmp(kind, "dumb") == 0)};
}

double cli_seconds_since(const struct timespec *began) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - began->tv_sec) + 1e-9 * (double)(now.tv_nsec - began->tv_nsec);
}

void cli_clock_text(char *text, size_t size, double seconds) {
  const unsigned long s = seconds > 0 && seconds < 1e9 ? (unsigned long)(seconds + 0.5) : 0;
  if (s >= 3600)
    snprintf(text, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
  else
    snprintf(text, size, "%lu:%02lu", s / 60, s % 60);
}

void cli_bar_show(cli_bar *bar, double share, const char *text) {
  if (!bar->terminal) return;
  if (bar->drawn > 0 && cli_seconds_since(&bar->last) < 0.1) return; /* ten times a second is enough for eyes */

  char cells[41];
  struct winsize window;
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
  const int columns = known ? window.ws_col : 80;
  int width = columns - (int)snprintf(NULL, 0, "%s  []", text) - 1; /* a full last column would wrap */
  if (width > (int)sizeof cells - 1) width = (int)sizeof cells - 1;
  if (width < 4) width = 0;
  const int filled = (int)((double)width * share);
  for (int i = 0; i < width; i++) cells[i] = i < filled ? '#' : '.';
  cells[width] = 0;

  const int drawn = fprintf(stderr, "\r%s%s%s%.*s", width ? "[" : "", cells, width ? "]  " : "", columns - 1, text) - 1;
  if (drawn < bar->drawn) fprintf(stderr, "%*s", bar->drawn - drawn, ""); /* what a longer one left */
  fflush(stderr);
  bar->drawn = drawn;
  clock_gettime(CLOCK_MONOTONIC, &bar->last);
}

void cli_bar_draw(cli_bar *bar, const cuonn_progress *p) {
  char left[32], text[160];
  cli_clock_text(left, sizeof left, p->seconds_left);
  snprintf(text, sizeof text, "epoch %zu/%zu  step %zu/%zu  loss %.4f  %.0f examples/s  %s left", p->epoch, p->epochs,
           p->step_in_epoch, p->steps_per_epoch, p->loss, p->examples_per_second, left);
  const size_t steps = p->epochs * p->steps_per_epoch;
  const size_t done = (p->epoch > 0 ? p->epoch - 1 : 0) * p->steps_per_epoch + p->step_in_epoch;
  cli_bar_show(bar, steps > 0 ? (double)done / (double)steps : 0, text);
}

void cli_bar_clear(cli_bar *bar) {
  if (bar->drawn > 0) fprintf(stderr, "\r%*s\r", bar->drawn, "");
  bar->drawn = 0;
}
